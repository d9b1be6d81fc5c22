from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.knowledge.build import build
from pipeline.knowledge.files import KnowledgeError, Row, read_rows
from pipeline.knowledge.wikidata import importing
from pipeline.knowledge.wikidata.importing import RESULT, WORK, Summary, import_dump
from pipeline.knowledge.wikidata.settings import load
from tests.knowledge.wikidata.dump import (
    ENTITIES,
    PERSON,
    entity,
    item_statement,
    text_of,
    write_dump,
)


def run(dump: Path, folder: Path, heard: list[str] | None = None) -> Summary:
    return import_dump(dump, folder, load(), (heard if heard is not None else []).append)


def rows(folder: Path) -> dict[str, Row]:
    return {row.key: row for row in read_rows(folder / RESULT)}


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    return write_dump(tmp_path / "made-up.json.gz", text_of(ENTITIES))


def test_people_places_and_organisations_are_taken_over(knowledge_dir: Path, dump: Path) -> None:
    summary = run(dump, knowledge_dir)
    found = rows(knowledge_dir)
    assert {key: row.label for key, row in found.items()} == {
        "wikidata:Q90000100": "PER",
        "geonames:1528675": "LOC",
        "wikidata:Q90000102": "ORG",
        "iso:KG": "LOC",
        "wikidata:Q90000201": "LOC",
    }
    assert summary.entities == {"PER": 1, "LOC": 3, "ORG": 1}
    assert summary.unreadable == 0
    assert summary.named == {"P31": "made-up name of P31", "Q5": "made-up name of Q5"}
    person = found["wikidata:Q90000100"]
    assert person == Row(
        key="wikidata:Q90000100",
        label="PER",
        name="Ada Vellimore",
        names={
            "en": ("Ada Vellimore", "A. Vellimore", "Vellimore Ada"),
            "hi": ("अदा वेलीमोर",),
            "ro": ("Ada Velițmor",),
            "tr": ("Ada Vellimor",),
        },
        iso_country="KG",
        wikidata="Q90000100",
        geonames=None,
        population=None,
        source="Wikidata made-up.json.gz",
        sitelinks=40,
    )
    assert found["wikidata:Q90000102"].names == {"und": ("Torvale Council",)}


def test_a_place_joins_the_entry_with_its_id(knowledge_dir: Path, dump: Path) -> None:
    run(dump, knowledge_dir)
    city, land = rows(knowledge_dir)["geonames:1528675"], rows(knowledge_dir)["iso:KG"]
    assert (city.wikidata, city.population, city.iso_country) == ("Q90000101", 123456, "KG")
    assert land.wikidata == "Q90000200"  # not the one with fewer pages and the same code
    index = build(knowledge_dir)
    number = index.by_key("iso:KG")
    assert number is not None
    entry = index.entry(number)
    assert entry.name == "Kyrgyzstan"
    assert entry.wikidata == "Q90000200"
    assert "वालिया" in {alias.text for alias in entry.aliases}
    assert index.exact_text("Tô-va-lê", "vi")[0].entry == index.by_key("geonames:1528675")


def test_the_label_that_the_knowledge_base_has_stays(knowledge_dir: Path, tmp_path: Path) -> None:
    (one,) = (row for row in read_rows(knowledge_dir / "people.tsv") if row.wikidata == "Q11")
    same = entity("Q11", {"en": "Shamba"}, {"P31": item_statement("P31", "Q43229")})
    run(write_dump(tmp_path / "x.json", text_of([same])), knowledge_dir)
    assert rows(knowledge_dir)[one.key].label == one.label
    build(knowledge_dir)


@pytest.mark.parametrize("name", ["made-up.json.gz", "made-up.json.bz2"])
@pytest.mark.parametrize("kill_at", range(1, 9))
def test_a_killed_import_goes_on_and_gives_the_same_bytes(
    knowledge_dir: Path,
    tmp_path: Path,
    name: str,
    kill_at: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importing, "_LINES_PER_PART", 4)
    path = write_dump(tmp_path / name, text_of(ENTITIES), members=3)
    whole = run(path, knowledge_dir)
    expected = (knowledge_dir / RESULT).read_bytes()
    (knowledge_dir / RESULT).unlink()

    heard = 0

    def killed(line: str) -> None:
        nonlocal heard
        heard += 1
        if heard == kill_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_dump(path, knowledge_dir, load(), killed)
    assert not (knowledge_dir / RESULT).exists()
    later: list[str] = []
    assert run(path, knowledge_dir, later) == whole
    assert later[0].startswith("going on from line ")
    assert (knowledge_dir / RESULT).read_bytes() == expected
    assert not (knowledge_dir / WORK).exists()


def test_another_dump_starts_anew(
    knowledge_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_LINES_PER_PART", 4)

    def killed(line: str) -> None:
        raise KeyboardInterrupt

    first = write_dump(tmp_path / "first.json", text_of(ENTITIES))
    with pytest.raises(KeyboardInterrupt):
        import_dump(first, knowledge_dir, load(), killed)
    person = entity("Q90000400", {"tr": "Işık Ata"}, {"P31": item_statement("P31", PERSON)})
    run(write_dump(tmp_path / "second.json", text_of([person])), knowledge_dir)
    assert set(rows(knowledge_dir)) == {"wikidata:Q90000400"}


def test_a_line_that_cannot_be_read_is_counted_and_passed_over(
    knowledge_dir: Path, tmp_path: Path
) -> None:
    text = text_of(ENTITIES[:1]).replace(b"\n]", b',\n{"id":"Q1","claims":{"P31":[{"P279"5\n]')
    text = text.replace(b'"P279"5', b'"P279","numeric-id":5')
    summary = run(write_dump(tmp_path / "x.json", text), knowledge_dir)
    assert summary.entities["PER"] == 1
    assert summary.unreadable == 2  # once in each reading


def test_a_dump_that_is_missing_or_cut_off_is_an_error(knowledge_dir: Path, dump: Path) -> None:
    dump.write_bytes(dump.read_bytes()[:-20])
    with pytest.raises(KnowledgeError, match="download it again"):
        run(dump, knowledge_dir)
    dump.unlink()
    with pytest.raises(KnowledgeError, match="cannot read"):
        run(dump, knowledge_dir)


def test_what_is_no_dump_leaves_the_import_before(knowledge_dir: Path, dump: Path) -> None:
    run(dump, knowledge_dir)
    before = rows(knowledge_dir)
    page = dump.with_name("page.json")
    page.write_text("<html>no dump</html>\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(KnowledgeError, match="holds no person, place or organisation"):
            run(page, knowledge_dir)
        assert rows(knowledge_dir) == before


def test_settings_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("least_sitelinks = -1\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"compare it with .*settings\.toml"):
        load(own)
    with pytest.raises(KnowledgeError, match="check --classes"):
        load(tmp_path / "none.toml")
