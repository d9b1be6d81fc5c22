"""What names mean: the model of vectors, and the index that holds some."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.knowledge.build import build, ensure
from pipeline.knowledge.files import COLUMNS
from pipeline.knowledge.vectors import DIMENSIONS, NameVectors, Vector, cosines, lengths, unpack
from pipeline.recognise.base import EngineUnavailable

ROWS = (
    ("exonym:health", "ORG", "Health Body", "Sağlık Örgütü", "curated"),
    ("exonym:place", "LOC", "Trade Town", "", "curated"),
    ("exonym:trade", "ORG", "Trade Body", "", "curated"),
    ("exonym:word", "ORG", "Word", "", "curated"),
    ("wikidata:Q1", "ORG", "Dump Body", "", "Wikidata 2026-11-01"),
)


@pytest.fixture(scope="module")
def model(root: Path) -> NameVectors:
    found = NameVectors.beside(root / "models" / "knowledge")
    assert found is not None
    return found


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "knowledge"
    folder.mkdir(parents=True)
    lines = ["\t".join(COLUMNS)]
    for key, label, name, turkish, source in ROWS:
        cells = {"key": key, "label": label, "name": name, "en": name, "source": source}
        cells |= {"tr": turkish, "wikidata": "Q1" if key == "wikidata:Q1" else ""}
        lines.append("\t".join(cells.get(column, "") for column in COLUMNS))
    (folder / "small.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_a_vector_is_of_whole_numbers_and_always_the_same(model: NameVectors) -> None:
    vector = model.of("Collective Security Treaty Organization")
    assert vector.shape == (DIMENSIONS,)
    assert np.abs(vector).max() == 127
    assert np.array_equal(vector, np.rint(vector))
    assert np.array_equal(vector, unpack(model.packed("Collective Security Treaty Organization")))


BODIES = {
    "hi": [
        ("प्रतिस्पर्धा आयोग", "Competition Commission", "Electoral Commission"),
        ("कपड़ा मंत्रालय", "Ministry of Textiles", "Ministry of Railways"),
        ("सांख्यिकी संस्थान", "Institute of Statistics", "Institute of Linguistics"),
        ("दुग्ध उत्पादक संघ", "Milk Producers' Union", "Teachers' Union"),
        ("राष्ट्रीय संग्रहालय परिषद", "National Museum Council", "National Sports Council"),
        ("परमाणु ऊर्जा एजेंसी", "Atomic Energy Agency", "Space Agency"),
    ],
    "tr": [
        ("Balıkçılık Bakanlığı", "Ministry of Fisheries", "Ministry of Railways"),
        ("Rekabet Kurumu", "Competition Authority", "Electoral Authority"),
        ("Dilbilim Enstitüsü", "Institute of Linguistics", "Institute of Statistics"),
        ("Fındık Üreticileri Birliği", "Hazelnut Producers' Union", "Teachers' Union"),
        ("Ulusal Müzeler Konseyi", "National Museum Council", "National Sports Council"),
        ("Uzay Ajansı", "Space Agency", "Atomic Energy Agency"),
    ],
    "ro": [
        ("Institutul de Vulcanologie", "Institute of Volcanology", "Institute of Linguistics"),
        ("Ministerul Pescuitului", "Ministry of Fisheries", "Ministry of Railways"),
        ("Consiliul Concurenței", "Competition Council", "Electoral Council"),
        ("Uniunea Apicultorilor", "Beekeepers' Union", "Teachers' Union"),
        ("Consiliul Național al Muzeelor", "National Museum Council", "National Sports Council"),
        ("Agenția Spațială", "Space Agency", "Atomic Energy Agency"),
    ],
    "vi": [
        ("Hội đồng Chè", "Tea Council", "Gold Council"),
        ("Bộ Thủy sản", "Ministry of Fisheries", "Ministry of Railways"),
        ("Ủy ban Cạnh tranh", "Competition Commission", "Electoral Commission"),
        ("Hội Nuôi ong", "Beekeepers' Union", "Teachers' Union"),
        ("Viện Thống kê", "Institute of Statistics", "Institute of Linguistics"),
        ("Cơ quan Vũ trụ", "Space Agency", "Atomic Energy Agency"),
    ],
}
"""Invented bodies: a name, what it means, and another body of the same kind."""


def test_cosines_are_the_same_however_many_are_asked_for() -> None:
    rng = np.random.default_rng(5)
    some, others = (
        rng.integers(-127, 128, (number, DIMENSIONS)).astype(np.float32) for number in (7, 300)
    )
    together = cosines(some, others, lengths(others))
    alone = [cosines(one[None], others, lengths(others))[0] for one in some]
    assert np.array_equal(together, np.stack(alone))
    exact = some[3].astype(float) @ others[5].astype(float)
    exact /= np.linalg.norm(some[3].astype(float)) * np.linalg.norm(others[5].astype(float))
    assert together[3, 5] == pytest.approx(exact, abs=1e-6)


def cosine(one: Vector, other: Vector) -> float:
    return float(cosines(one[None], other[None], lengths(other[None]))[0, 0])


def test_translations_point_the_same_way(model: NameVectors) -> None:
    nearer = {
        lang: [
            cosine(model.of(name), model.of(same)) > cosine(model.of(name), model.of(other))
            for name, same, other in bodies
        ]
        for lang, bodies in BODIES.items()
    }
    right = [is_right for answers in nearer.values() for is_right in answers]
    assert sum(right) / len(right) >= 0.75, nearer


def test_without_a_model_names_have_no_vectors(knowledge: Path) -> None:
    index = build(knowledge)
    assert index.model is None
    assert index.meaning([np.ones(DIMENSIONS, np.float32)], 5) == [[]]
    assert index.likeness(np.ones(DIMENSIONS, np.float32), 0) == 0.0


def test_names_of_several_words_of_organisations_have_vectors(
    knowledge: Path, model: NameVectors
) -> None:
    index = build(knowledge, model=model)
    (found, other) = index.meaning([*map(model.of, ("Sağlık Örgütü", "Trade Body"))], 9)
    health, trade = index.by_key("exonym:health"), index.by_key("exonym:trade")
    assert health is not None
    assert trade is not None
    assert found == [health, trade]
    assert other == [trade, health]
    assert index.likeness(model.of("Sağlık Örgütü"), health) == 1.0
    assert 0.0 <= index.likeness(model.of("Sağlık Örgütü"), trade) < 1.0
    place, dumped = index.by_key("exonym:place"), index.by_key("wikidata:Q1")
    assert place is not None
    assert dumped is not None
    assert index.likeness(model.of("Trade Town"), place) == 0.0
    assert index.likeness(model.of("Dump Body"), dumped) == 0.0


def test_the_index_is_built_anew_when_a_model_comes(
    knowledge: Path, model: NameVectors, root: Path
) -> None:
    before = ensure(knowledge)
    shutil.copytree(root / "models" / "meaning", knowledge.parent / "meaning")
    assert before.stale(knowledge)
    after = ensure(knowledge)
    assert after.checksum != before.checksum
    assert len(after.meaning([model.of("Trade Body")], 5)[0]) == 2


def test_a_changed_file_is_refused(tmp_path: Path, root: Path) -> None:
    folder = tmp_path / "meaning"
    shutil.copytree(root / "models" / "meaning", folder)
    path = folder / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")
    with pytest.raises(EngineUnavailable, match=r"tokenizer\.json .* is changed"):
        NameVectors(folder).of("Trade Body")
