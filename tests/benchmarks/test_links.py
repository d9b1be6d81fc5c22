"""The news by which links are judged: readable, and its keys in the knowledge base."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path

import pytest

from pipeline.knowledge.files import knowledge_files, read_rows
from pipeline.schemas import LABELS, LANGUAGES

ROOT = Path(__file__).parents[2]
_SPEC = importlib.util.spec_from_file_location("links_benchmark", ROOT / "benchmarks/links.py")
assert _SPEC and _SPEC.loader
links = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = links
_SPEC.loader.exec_module(links)


def test_articles_give_text_and_places(tmp_path: Path) -> None:
    path = tmp_path / "stories.txt"
    path.write_text(
        "# A note.\n\n== one\nx\tLOC\tZerkent\tiso:ZZ|iso:ZY\ny\tPER\tIlo Makara\t-\n"
        "-- en\n[Makara|y] is in [Zerkent|x].\nYes.\n-- tr\n[Zerkent|x]'te.\n",
        encoding="utf-8",
    )
    english, turkish = links.articles(path)
    assert (english.story, english.lang, english.text) == (
        "one", "en", "Makara is in Zerkent.\nYes.",
    )  # fmt: skip
    assert [(n.start, n.end, n.entity.keys) for n in english.names] == [
        (0, 6, ()),
        (13, 20, ("iso:ZZ", "iso:ZY")),
    ]
    assert turkish.text == "Zerkent'te."


@pytest.mark.parametrize("half", links.HALVES)
def test_the_halves_are_whole(half: str) -> None:
    found = links.articles(ROOT / links.STORIES / f"{half}.txt")
    known = {
        row.key
        for path in knowledge_files(ROOT / "models/knowledge")
        for row in read_rows(path, checked=True)
    }
    entities = {name.entity for article in found for name in article.names}
    assert Counter(article.lang for article in found) == dict.fromkeys(LANGUAGES, 6)
    assert {entity.label for entity in entities} == set(LABELS)
    assert {key for entity in entities for key in entity.keys} <= known
    assert not any("[" in article.text for article in found)
