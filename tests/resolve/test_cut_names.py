"""Persons' names that the recogniser cut short."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.knowledge.build import build
from pipeline.knowledge.index import Index
from pipeline.resolve.cut_names import grow
from tests.resolve.conftest import KNOWLEDGE, write_knowledge

ROWS = [
    {"key": "exonym:anar-jan-omul", "label": "PER", "name": "Anar-Jan Omul"},
    {"key": "exonym:q-varga", "label": "PER", "name": "Q. Varga", "en": "Q. Varga"},
    {"key": "exonym:to-nam", "label": "PER", "name": "Tô Nam", "vi": "Tô Nam", "hi": "तो नाम"},
    {"key": "exonym:segay", "label": "PER", "name": "Segay", "vi": "Xéc-gâyn La-vrốpin"},
    {"key": "exonym:omar-bin-salun", "label": "PER", "name": "Omar bin Salun"},
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("cut-names")
    return build(write_knowledge(folder / "knowledge", [*KNOWLEDGE, *ROWS]), folder / "index")


def mentions(mark: Any, lang: str, text: str) -> list[dict[str, Any]]:
    marked = mark({"a": (lang, text)})
    (plain,) = marked.documents["text"].to_pylist()
    return [row | {"sentence": plain, "sentence_start": 0} for row in marked.mentions.to_pylist()]


def grown(mark: Any, index: Index, lang: str, text: str) -> list[str]:
    rows = mentions(mark, lang, text)
    plain = rows[0]["sentence"]
    found = sorted(grow(rows, index), key=lambda row: row["start"])
    for row in found:
        assert plain[row["start"] : row["end"]] == row["surface"]
    return [f"{row['surface']}|{row['ner_label']}" for row in found]


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("en", "Talks with [[Anar|PER]]-[[Jan Omul|PER]] ended.", ["Anar-Jan Omul|PER"]),
        ("tr", "Dün Anar-Jan [[Omul|PER]]'la konuştu.", ["Anar-Jan Omul|PER"]),
        ("ro", "A venit [[Omar|PER]] bin Salun ieri.", ["Omar bin Salun|PER"]),
        ("vi", "[[Tô|PER]] Nam gửi thư.", ["Tô Nam|PER"]),
        ("vi", "Ông [[Xéc|PER]]-gâyn [[La-vrốpin|LOC]] đến.", ["Xéc-gâyn La-vrốpin|PER"]),
        ("vi", "Ông Xéc-gâyn [[La-vrốpin|PER]] đến.", ["Xéc-gâyn La-vrốpin|PER"]),
        ("hi", "महासचिव तो [[नाम|PER]] से बात की।", ["तो नाम|PER"]),
        (
            "vi",
            "Ngoại trưởng [[Nga Q|LOC]]. [[Varga|PER]] đến.",
            ["Nga|LOC", "Q. Varga|PER"],
        ),
        ("en", "The [[Nga - Q|ORG]]. [[Varga|PER]] meeting", ["Nga|ORG", "Q. Varga|PER"]),
        ("en", "[[Amina|PER]] and [[Juna Bolat|PER]]", ["Amina|PER", "Juna Bolat|PER"]),
    ],
)
def test_a_known_name_is_whole(
    mark: Any, index: Index, lang: str, text: str, expected: list[str]
) -> None:
    assert grown(mark, index, lang, text) == expected


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("en", "Petru, [[Varga|PER]] said.", ["Varga|PER"]),
        ("en", "Petru - [[Varga|PER]] said.", ["Varga|PER"]),
        ("en", "So said Petru. [[Varga|PER]] did not.", ["Varga|PER"]),
        ("en", "The petru [[Varga|PER]] said.", ["Varga|PER"]),
        ("en", "Petru [[Varga|ORG]] is a firm.", ["Varga|ORG"]),
        ("en", "Zoltan [[Varga|PER]] said.", ["Varga|PER"]),
        ("en", "[[Petru Varga|PER]] Junior said.", ["Petru Varga|PER"]),
        ("en", "[[Northern|PER]] Trade Pact", ["Northern|PER"]),
    ],
)
def test_what_is_no_known_persons_name_stays(
    mark: Any, index: Index, lang: str, text: str, expected: list[str]
) -> None:
    assert grown(mark, index, lang, text) == expected


def test_the_grown_mention_keeps_what_the_engine_said(mark: Any, index: Index) -> None:
    rows = mentions(mark, "en", "Yesterday [[Anar|PER]]-Jan Omul and [[Moscow|LOC]] spoke.")
    (before,) = (row for row in rows if row["ner_label"] == "PER")
    (after,) = (row for row in grow(rows, index) if row["ner_label"] == "PER")
    changed = {column for column in before if before[column] != after[column]}
    assert changed == {"end", "surface"}
