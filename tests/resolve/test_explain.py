"""Explaining a link, and searching by name."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from pipeline.knowledge.index import Index
from pipeline.resolve import registry
from pipeline.resolve.document import settle
from pipeline.resolve.explain import explain, met_as, search
from pipeline.resolve.finish import finish
from pipeline.resolve.ids import assign, distinct

ARTICLE = {
    "a": ("ro", "[[Petru Varga|PER]] a scris [[Rusiei|LOC]]. [[Varga|PER]] și [[Ilo Makara|PER]].")
}


@pytest.fixture
def published(mark: Any, small_index: Index) -> tuple[Any, Any, sqlite3.Connection]:
    """The marked article, its published mentions and the registry after it."""
    marked = mark(ARTICLE)
    settled = settle(marked.documents, marked.segments, marked.mentions.to_pylist(), small_index)
    connection = sqlite3.connect(":memory:")
    registry.create(connection)
    assignment = assign([distinct(settled)], connection, small_index, "r1")
    mentions = finish(settled, assignment, "r1")
    registry.apply(connection, assignment.delta, "r1")
    return marked, mentions, connection


def test_the_chain_says_what_was_published(published: Any, small_index: Index) -> None:
    marked, mentions, _ = published
    text = marked.documents["text"][0].as_py()
    for row in mentions.to_pylist():
        for given in (marked.mentions, mentions):
            chain = explain("a", text, given, small_index, row["mention_id"])
            assert (chain["surface"], chain["name"], chain["label"], chain["method"]) == (
                row["surface"],
                row["name"],
                row["label"],
                row["link_method"],
            )
            assert chain["score"] == pytest.approx(row["link_score"], abs=1e-6)


def test_the_parts_of_a_score_add_up(published: Any, small_index: Index) -> None:
    marked, mentions, _ = published
    text = marked.documents["text"][0].as_py()
    row = next(r for r in mentions.to_pylist() if r["surface"] == "Varga")
    chain = explain("a", text, marked.mentions, small_index, row["mention_id"])
    assert [m["surface"] for m in chain["cluster"]] == ["Petru Varga", "Varga"]
    assert [m["joined"] for m in chain["cluster"]] == [None, "surname"]
    best = chain["candidates"][0]
    assert best["knowledge_key"] == chain["knowledge_key"] == "exonym:petru-varga"
    assert best["bias"] + sum(best["parts"].values()) == pytest.approx(best["logit"])


def test_an_unknown_mention_is_an_error(published: Any, small_index: Index) -> None:
    marked, _, _ = published
    with pytest.raises(KeyError, match="no mention"):
        explain("a", marked.documents["text"][0].as_py(), marked.mentions, small_index, "x")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Rusya", "Russia"),
        ("рф", None),
        ("पेत्रु वर्गा", "Petru Varga"),
        ("Varga", "Petru Varga"),
        ("PNC", "Northern Trade Pact"),
        ("İlo Makara", "Ilo Makara"),
        ("", None),
    ],
)
def test_search(published: Any, small_index: Index, name: str, expected: str | None) -> None:
    _, _, connection = published
    results = search(name, small_index, connection)
    assert (results[0]["name"] if results else None) == expected


def test_search_finds_the_published_ids(published: Any, small_index: Index) -> None:
    _, mentions, connection = published
    for row in mentions.to_pylist():
        found = search(row["name"], small_index, connection, lang="ro", limit=1)
        assert [r["entity_id"] for r in found] == [row["entity_id"]]


def test_search_finds_a_person_by_a_part_of_the_name(published: Any, small_index: Index) -> None:
    _, mentions, connection = published
    (makara,) = {r["entity_id"] for r in mentions.to_pylist() if r["surface"] == "Ilo Makara"}
    for part in ("Makara", "Ilo", "मकारा"):
        found = search(part, small_index, connection)
        assert [r["entity_id"] for r in found] == [makara]
    whole = search("Ilo Makara", small_index, connection)[0]
    assert whole["score"] > found[0]["score"]
    assert search("Makara", small_index, connection, label="ORG") == []


def test_what_joined_an_unknown_name_to_earlier_ones(
    published: Any, small_index: Index, mark: Any
) -> None:
    _, mentions, connection = published
    (makara,) = {r["entity_id"] for r in mentions.to_pylist() if r["surface"] == "Ilo Makara"}
    for name, kinship in (
        ("Ilo Makara", "same"),
        ("Iló Makkara", "alike"),
        ("एलो मकारा", "sound"),
        ("Ilo Andrei Makara", "word more"),
    ):
        marked = mark({"b": ("hi" if kinship == "sound" else "ro", f"[[{name}|PER]]")})
        settled = settle(
            marked.documents, marked.segments, marked.mentions.to_pylist(), small_index
        )
        assignment = assign([distinct(settled)], connection, small_index, "r2")
        assert set(assignment.unknown.values()) == {makara}
        (row,) = settled.to_pylist()
        text = marked.documents["text"][0].as_py()
        chain = explain("b", text, settled, small_index, row["mention_id"])
        (met,) = met_as(chain, makara, connection)
        assert (met["key"], met["kinship"]) == ("ilo makara", kinship)
    chain = explain("b", text, settled, small_index, row["mention_id"])
    assert met_as({**chain, "cluster_keys": []}, makara, connection) == []


def test_search_by_label_and_limit(published: Any, small_index: Index) -> None:
    _, _, connection = published
    assert search("Georgia", small_index, connection, label="PER") == []
    both = search("Georgia", small_index, connection, label="LOC")
    assert [r["label"] for r in both] == ["LOC", "LOC"]
    assert search("Georgia", small_index, connection, limit=1) == both[:1]
    assert both[0]["score"] >= both[1]["score"]
