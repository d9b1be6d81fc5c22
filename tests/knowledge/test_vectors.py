"""What names mean: the model of vectors, and the index that holds some."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.knowledge.build import build, ensure
from pipeline.knowledge.files import COLUMNS
from pipeline.knowledge.vectors import DIMENSIONS, NameVectors, unpack
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


def test_a_vector_is_of_length_one_and_always_the_same(model: NameVectors) -> None:
    vector = model.of("Collective Security Treaty Organization")
    assert vector.shape == (DIMENSIONS,)
    assert np.linalg.norm(vector) == pytest.approx(1)
    assert np.array_equal(vector, unpack(model.packed("Collective Security Treaty Organization")))


@pytest.mark.parametrize(
    ("name", "same", "other"),
    [
        ("प्रतिस्पर्धा आयोग", "Competition Commission", "Electoral Commission"),
        ("Balıkçılık Bakanlığı", "Ministry of Fisheries", "Ministry of Railways"),
        ("Institutul de Vulcanologie", "Institute of Volcanology", "Institute of Linguistics"),
        ("Hội đồng Chè", "Tea Council", "Gold Council"),
    ],
)
def test_translations_point_the_same_way(
    model: NameVectors, name: str, same: str, other: str
) -> None:
    vector = model.of(name)
    assert vector @ model.of(same) > vector @ model.of(other)


def test_without_a_model_names_have_no_vectors(knowledge: Path) -> None:
    index = build(knowledge)
    assert index.model is None
    assert index.meaning(np.ones(DIMENSIONS, np.float32), 5) == []
    assert index.likeness(np.ones(DIMENSIONS, np.float32), 0) == 0.0


def test_names_of_several_words_of_organisations_have_vectors(
    knowledge: Path, model: NameVectors
) -> None:
    index = build(knowledge, model=model)
    found = index.meaning(model.of("Sağlık Örgütü"), 9)
    health, trade = index.by_key("exonym:health"), index.by_key("exonym:trade")
    assert health is not None
    assert trade is not None
    assert found == [health, trade]
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
    assert len(after.meaning(model.of("Trade Body"), 5)) == 2


def test_a_changed_file_is_refused(tmp_path: Path, root: Path) -> None:
    folder = tmp_path / "meaning"
    shutil.copytree(root / "models" / "meaning", folder)
    path = folder / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")
    with pytest.raises(EngineUnavailable, match=r"tokenizer\.json .* is changed"):
        NameVectors(folder).of("Trade Body")
