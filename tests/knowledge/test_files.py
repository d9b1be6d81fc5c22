from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.knowledge.entry import Alias, Entry
from pipeline.knowledge.files import (
    COLUMNS,
    KnowledgeError,
    read_entries,
    read_rows,
    source_hashes,
    write_rows,
)
from tests.knowledge.conftest import BULK, line, write

GOOD = "exonym:x|PER|Ann|Ann||||||||||curated"


def entries(folder: Path) -> dict[str, Entry]:
    return {entry.key: entry for entry in read_entries(folder)}


def test_entries_come_in_the_order_of_their_keys(knowledge_dir: Path) -> None:
    keys = [entry.key for entry in read_entries(knowledge_dir)]
    assert keys == sorted(keys)
    assert len(keys) == len(set(keys)) == 8


def test_rows_of_one_key_merge_with_the_names_a_person_picked_first(knowledge_dir: Path) -> None:
    entry = entries(knowledge_dir)["iso:KG"]
    assert entry.name == "Kyrgyzstan"
    assert entry.names == {
        "hi": "किर्गिज़स्तान",
        "ro": "Kârgâzstan",
        "tr": "Kırgızistan",
        "en": "Kyrgyzstan",
    }
    assert [alias for alias in entry.aliases if alias.lang in ("en", "hi", "und")] == [
        Alias("किर्गिज़स्तान", "hi", "curated"),
        Alias("किरगिजस्तान", "hi", "GeoNames"),
        Alias("Kyrgyzstan", "en", "curated"),
        Alias("Kirghizia", "en", "GeoNames"),
        Alias("Киргизия", "und", "GeoNames"),
    ]
    assert (entry.iso_country, entry.geonames, entry.wikidata) == ("KG", "1527747", None)


def test_a_cell_gives_the_usual_name_first(knowledge_dir: Path) -> None:
    entry = entries(knowledge_dir)["exonym:example-union"]
    assert entry.names["en"] == "Example Union"
    assert Alias("EXU", "en", "curated") in entry.aliases


def test_an_outside_id_in_the_key_need_not_be_repeated(knowledge_dir: Path) -> None:
    assert entries(knowledge_dir)["wikidata:Q11"].wikidata == "Q11"
    assert entries(knowledge_dir)["geonames:999"].geonames == "999"


def test_priors_rank_countries_cities_and_villages(knowledge_dir: Path) -> None:
    found = entries(knowledge_dir)
    ranked = ["iso:KG", "exonym:example-union", "geonames:745044", "geonames:1528675"]
    ranked += ["geonames:999"]
    priors = [found[key].prior for key in ranked]
    assert priors == sorted(priors, reverse=True)
    assert all(0 < prior < 1 for prior in priors)


def test_what_is_written_reads_back(knowledge_dir: Path, tmp_path: Path) -> None:
    rows = list(read_rows(knowledge_dir / "bulk.tsv"))
    assert write_rows(tmp_path / "again.tsv", reversed(rows)) == len(BULK)
    assert (tmp_path / "again.tsv").read_text(encoding="utf-8").splitlines()[0] == "\t".join(
        COLUMNS
    )
    assert list(read_rows(tmp_path / "again.tsv")) == rows


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("exonym:x|PER|Ann|curated", "4 cells where 14 belong"),
        (GOOD.replace("PER", "MISC"), "label is 'MISC'"),
        (GOOD.replace("exonym:x", "Ann"), "key is 'Ann'"),
        (GOOD.replace("exonym:x", "wikidata:cric1"), "key is 'wikidata:cric1'"),
        (GOOD.replace("curated", ""), "source is empty"),
        (GOOD.replace("|Ann|Ann|", "||Ann|"), "name is empty"),
        (GOOD.replace("|Ann|Ann|", "|Ann|Ann//Anna|"), "empty name"),
        (GOOD.replace("|Ann|Ann|", "|Ann|Ann/Ann|"), "holds a name twice"),
        (GOOD.replace("|Ann|Ann|", "|Ann|Ann |"), "stray white space"),
        (GOOD.replace("|Ann|Ann|", "|Ann|Ann\u0301a|"), "not in Unicode NFC"),
        (GOOD.replace("|Ann|Ann|||", "|Ann|Ann||Ana Popoviş|"), "cedilla"),
        ("wikidata:Q1|PER|Ann||||||||Q2|||curated", "they must agree"),
        ("exonym:x|PER|Ann||||||||Q0|||curated", "wikidata is 'Q0'"),
        ("exonym:x|PER|Ann|||||||kg||||curated", "iso_country is 'kg'"),
        ("exonym:x|LOC|Ann||||||||||many|curated", "population is 'many'"),
    ],
)
def test_a_bad_row_is_named_with_file_line_and_remedy(
    tmp_path: Path, spec: str, complaint: str
) -> None:
    write(tmp_path / "bad.tsv", [spec])
    with pytest.raises(KnowledgeError) as error:
        list(read_rows(tmp_path / "bad.tsv"))
    message = str(error.value)
    assert message.startswith(f"{tmp_path / 'bad.tsv'}, line 2: ")
    assert complaint in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("specs", "complaint"),
    [(["b", "a"], "sort the lines by key"), (["a", "a"], "merge the two")],
)
def test_keys_ascend_and_are_distinct(tmp_path: Path, specs: list[str], complaint: str) -> None:
    write(tmp_path / "bad.tsv", [GOOD.replace(":x", f":{spec}") for spec in specs])
    with pytest.raises(KnowledgeError, match=f"line 3: .*{complaint}"):
        list(read_rows(tmp_path / "bad.tsv"))


def test_a_file_needs_its_header_and_utf8(tmp_path: Path) -> None:
    bad = tmp_path / "bad.tsv"
    bad.write_text(line(GOOD) + "\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match="must name the columns"):
        list(read_rows(bad))
    bad.write_text("", encoding="utf-8")
    with pytest.raises(KnowledgeError, match="is empty"):
        list(read_rows(bad))
    write(bad, [GOOD])
    bad.write_bytes(bad.read_bytes().replace(b"Ann", b"\xff"))
    with pytest.raises(KnowledgeError, match="line 2: not UTF-8"):
        list(read_rows(bad))


def test_one_key_has_one_label(knowledge_dir: Path) -> None:
    write(knowledge_dir / "other.tsv", ["iso:RU|ORG|Russia|||||||||||curated"])
    with pytest.raises(KnowledgeError, match=r"iso:RU is ORG in .*other.tsv and LOC in .*bulk.tsv"):
        list(read_entries(knowledge_dir))


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="holds no knowledge files"):
        source_hashes(tmp_path)
