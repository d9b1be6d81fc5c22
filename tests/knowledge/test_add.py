from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.knowledge.add import FILE, Ids, add
from pipeline.knowledge.build import ensure
from pipeline.knowledge.files import KnowledgeError, read_rows
from pipeline.knowledge.prior import CURATED


def add_person(folder: Path, name: str = "Adılbek  Kasımaliyev", ids: Ids | None = None) -> str:
    names = {"tr": ["Adılbek Kasımaliyev"], "hi": ["अदिलबेक कासिमालिएव"], "ro": []}
    return add(folder, name, "PER", names, "our desk", ids or Ids(iso_country="KG"))


def test_an_entry_more_is_a_readable_line_and_found_at_once(knowledge_dir: Path) -> None:
    key = add_person(knowledge_dir)
    assert key == "exonym:adilbek-kasimaliyev"
    (row,) = read_rows(knowledge_dir / FILE)
    assert (row.name, row.label, row.source) == ("Adılbek Kasımaliyev", "PER", "our desk")
    index = ensure(knowledge_dir)
    hit = index.exact_text("अदिलबेक कासिमालिएव", "hi")[0]
    entry = index.entry(hit.entry)
    assert (entry.key, entry.iso_country, entry.prior) == (key, "KG", CURATED)


def test_names_are_added_to_the_entry_that_a_key_names(knowledge_dir: Path) -> None:
    add(knowledge_dir, "Kyrgyzstan", "LOC", {"tr": ["Kırgız Eli"]}, "us", Ids(key="iso:KG"))
    index = ensure(knowledge_dir)
    assert index.exact_text("Kırgız Eli", "tr")[0].entry == index.by_key("iso:KG")


def test_an_id_makes_the_key(knowledge_dir: Path) -> None:
    assert add_person(knowledge_dir, ids=Ids(wikidata="Q90000001")) == "wikidata:Q90000001"
    assert add_person(knowledge_dir, ids=Ids(geonames="77")) == "geonames:77"
    assert [row.key for row in read_rows(knowledge_dir / FILE)] == [
        "geonames:77",
        "wikidata:Q90000001",
    ]


@pytest.mark.parametrize(
    ("name", "label", "source", "ids", "complaint"),
    [
        ("Example Union", "ORG", "us", Ids(), "give --key exonym:example-union"),
        ("Kyrgyzstan", "ORG", "us", Ids(key="iso:KG"), "is LOC in the knowledge base"),
        ("Ann", "PERSON", "us", Ids(), "label is 'PERSON'"),
        ("Ann", "PER", "", Ids(), "source is empty"),
        ("Ann", "PER", "us", Ids(wikidata="1"), "wikidata is '1'"),
        ("", "PER", "us", Ids(), "key is 'exonym:'"),
    ],
)
def test_what_does_not_fit_changes_nothing(
    knowledge_dir: Path, name: str, label: str, source: str, ids: Ids, complaint: str
) -> None:
    with pytest.raises(KnowledgeError, match=complaint):
        add(knowledge_dir, name, label, {}, source, ids)
    assert not (knowledge_dir / FILE).exists()


def test_a_line_is_not_written_twice(knowledge_dir: Path) -> None:
    ids = Ids(key="exonym:ann")
    add_person(knowledge_dir, ids=ids)
    with pytest.raises(KnowledgeError, match="edit that line"):
        add_person(knowledge_dir, ids=ids)
