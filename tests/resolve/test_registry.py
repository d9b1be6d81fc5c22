"""Ids: stable, independent of order, and revertible."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.knowledge.build import build
from pipeline.knowledge.index import Index
from pipeline.resolve import registry
from pipeline.resolve.document import settle
from pipeline.resolve.finish import finish
from pipeline.resolve.ids import Assignment, assign, distinct
from pipeline.schemas import MENTIONS

from .conftest import KNOWLEDGE, write_knowledge

ARTICLES = {
    "a": (
        "en",
        "[[Petru Varga|PER]] met [[Ilo Makara|PER]] in [[Zerkent|LOC]]. [[Makara|PER]] left.",
    ),
    "b": ("tr", "[[İlo Makara|PER]]'nın [[Rusya|LOC]] gezisi. [[Zerkent|LOC]]'te kaldı."),
    "c": ("hi", "[[इलो माकारा|PER]] [[रूस|LOC]] में हैं।"),
    "d": ("ro", "[[Anton Makara|PER]] joacă fotbal. [[Makara|PER]] are 22 de ani."),
}
LATER = {"e": ("vi", "Ông [[Ilo Makara|PER]] đến [[Nga|LOC]]. [[Oana Deleu|PER]] không đi.")}


@pytest.fixture
def connection() -> sqlite3.Connection:
    """An empty registry."""
    connection = sqlite3.connect(":memory:")
    registry.create(connection)
    return connection


def settled_of(marked: Any, index: Index) -> pa.Table:
    """Return the settled mentions of marked documents."""
    return settle(marked.documents, marked.segments, marked.mentions.to_pylist(), index)


def assigned(
    settled: pa.Table, connection: sqlite3.Connection, index: Index, run_id: str = "r1"
) -> tuple[Assignment, dict[tuple[str, str], str]]:
    """Return the assignment and the ids by document and surface."""
    assignment = assign([distinct(settled)], connection, index, run_id)
    table = finish(settled, assignment, run_id)
    assert table.schema.equals(MENTIONS)
    table.validate(full=True)
    return assignment, {(r["doc_id"], r["surface"]): r["entity_id"] for r in table.to_pylist()}


def contents(connection: sqlite3.Connection) -> list[str]:
    """Return everything the registry holds."""
    return list(connection.iterdump())


def test_one_person_has_one_id_in_all_languages(
    mark: Any, small_index: Index, connection: sqlite3.Connection
) -> None:
    assignment, ids = assigned(settled_of(mark(ARTICLES), small_index), connection, small_index)
    makara = {
        ids["a", "Ilo Makara"],
        ids["a", "Makara"],
        ids["b", "İlo Makara"],
        ids["c", "इलो माकारा"],
    }
    assert len(makara) == 1
    assert ids["d", "Anton Makara"] == ids["d", "Makara"] not in makara
    assert ids["a", "Zerkent"] == ids["b", "Zerkent"]
    assert ids["b", "Rusya"] == ids["c", "रूस"] == registry.known_id("iso:RU")
    rows = {r["entity_id"]: r for r in assignment.delta.entities.to_pylist()}
    row = rows[min(makara)]
    assert (row["name"], row["name_tr"], row["name_hi"]) == (
        "Ilo Makara",
        "İlo Makara",
        "इलो माकारा",
    )
    assert (row["label"], row["status"], row["action"]) == ("PER", "new", registry.MINT)


def test_order_and_shards_do_not_change_ids(
    mark: Any, small_index: Index, connection: sqlite3.Connection
) -> None:
    settled = settled_of(mark(ARTICLES), small_index)
    whole = assign([distinct(settled)], connection, small_index, "r1")
    shards = [
        distinct(settled_of(mark({name: ARTICLES[name]}), small_index))
        for name in reversed(ARTICLES)
    ]
    parts = assign(shards, connection, small_index, "r1")
    assert (whole.known, whole.unknown) == (parts.known, parts.unknown)
    assert whole.delta.entities.equals(parts.delta.entities)
    assert whole.delta.keys.equals(parts.delta.keys)


def test_an_unrelated_document_changes_nothing(
    mark: Any, small_index: Index, connection: sqlite3.Connection
) -> None:
    _, before = assigned(settled_of(mark(ARTICLES), small_index), connection, small_index)
    more = ARTICLES | {"0": ("en", "[[Quentin Zobrist|PER]] met [[Wilma Oyelaran|PER]].")}
    _, after = assigned(settled_of(mark(more), small_index), connection, small_index)
    assert {place: after[place] for place in before} == before


def test_ids_outlive_their_run(
    mark: Any, small_index: Index, connection: sqlite3.Connection
) -> None:
    first, ids = assigned(settled_of(mark(ARTICLES), small_index), connection, small_index)
    registry.apply(connection, first.delta, "r1")
    second, later = assigned(settled_of(mark(LATER), small_index), connection, small_index, "r2")
    assert later["e", "Ilo Makara"] == ids["a", "Ilo Makara"]
    assert later["e", "Nga"] == ids["b", "Rusya"]
    assert second.minted == {later["e", "Oana Deleu"]}
    changed = {r["entity_id"]: r for r in second.delta.entities.to_pylist()}
    makara = changed[ids["a", "Ilo Makara"]]
    assert (makara["action"], makara["name_vi"]) == (registry.UPDATE, "Ilo Makara")


def test_assign_reads_only(mark: Any, small_index: Index, connection: sqlite3.Connection) -> None:
    before = contents(connection)
    assigned(settled_of(mark(ARTICLES), small_index), connection, small_index)
    assert contents(connection) == before


def test_apply_twice_is_apply_once(
    mark: Any, small_index: Index, connection: sqlite3.Connection
) -> None:
    first, _ = assigned(settled_of(mark(ARTICLES), small_index), connection, small_index)
    registry.apply(connection, first.delta, "r1")
    once = contents(connection)
    registry.apply(connection, first.delta, "r1")
    assert contents(connection) == once
    with pytest.raises(ValueError, match="r1"):
        assigned(settled_of(mark(LATER), small_index), connection, small_index, "r1")


def test_revert_takes_back_what_a_run_did(
    mark: Any, small_index: Index, connection: sqlite3.Connection
) -> None:
    first, _ = assigned(settled_of(mark(ARTICLES), small_index), connection, small_index)
    registry.apply(connection, first.delta, "r1")
    after_first = contents(connection)
    second, _ = assigned(settled_of(mark(LATER), small_index), connection, small_index, "r2")
    registry.apply(connection, second.delta, "r2")
    with pytest.raises(ValueError, match="r2"):
        registry.revert(connection, "r1")
    registry.revert(connection, "r2")
    assert contents(connection) == after_first
    registry.revert(connection, "r2")
    assert contents(connection) == after_first


def test_a_promotion_keeps_the_id(
    mark: Any, small_index: Index, connection: sqlite3.Connection, tmp_path: Path
) -> None:
    first, ids = assigned(settled_of(mark(ARTICLES), small_index), connection, small_index)
    registry.apply(connection, first.delta, "r1")
    before = contents(connection)
    row = {"key": "exonym:ilo-makara", "label": "PER", "name": "Ilo Makara", "iso_country": "KG"}
    larger = build(write_knowledge(tmp_path / "knowledge", [*KNOWLEDGE, row]), tmp_path / "index")
    second, later = assigned(settled_of(mark(LATER), larger), connection, larger, "r2")
    assert later["e", "Ilo Makara"] == ids["a", "Ilo Makara"]
    actions = {
        r["entity_id"]: (r["action"], r["status"]) for r in second.delta.entities.to_pylist()
    }
    assert actions[ids["a", "Ilo Makara"]] == (registry.PROMOTE, "known")
    registry.apply(connection, second.delta, "r2")
    assert registry.id_of(connection, "exonym:ilo-makara") == ids["a", "Ilo Makara"]
    registry.revert(connection, "r2")
    assert contents(connection) == before


def test_a_park_is_not_promoted_to_the_residence_of_its_name(
    mark: Any, connection: sqlite3.Connection, tmp_path: Path
) -> None:
    row = {
        "key": "exonym:zorka-tau-residence",
        "label": "LOC",
        "name": "Zorka-Tau State Residence",
        "en": "Zorka-Tau State Residence|Zorka-Tau",
    }
    index = build(write_knowledge(tmp_path / "knowledge", [*KNOWLEDGE, row]), tmp_path / "index")
    park = {"a": ("tr", "Halk [[Zorka Tau Millî Parkı|LOC]] önünde toplandı.")}
    first, ids = assigned(settled_of(mark(park), index), connection, index)
    registry.apply(connection, first.delta, "r1")
    later = {
        "b": ("en", "Ministers met in the [[Zorka-Tau State Residence|LOC]]."),
        "c": ("en", "Visitors came to [[Zorka Tau National Park|LOC]]."),
        "d": ("en", "They went to the [[Zorka Tau Museum|LOC]]."),
    }
    second, then = assigned(settled_of(mark(later), index), connection, index, "r2")
    the_park = ids["a", "Zorka Tau Millî Parkı"]
    assert then["c", "Zorka Tau National Park"] == the_park
    assert the_park not in {then["b", "Zorka-Tau State Residence"], then["d", "Zorka Tau Museum"]}
    assert not second.delta.redirects.num_rows


def test_two_promoted_to_one_entry_leave_a_redirect(
    mark: Any, small_index: Index, connection: sqlite3.Connection, tmp_path: Path
) -> None:
    apart = {
        "a": ("en", "[[Ilo Makara|PER]] left."),
        "b": ("en", "[[Eliah Makaradze|PER]] came."),
    }
    first, ids = assigned(settled_of(mark(apart), small_index), connection, small_index)
    registry.apply(connection, first.delta, "r1")
    row = {
        "key": "exonym:ilo-makara",
        "label": "PER",
        "name": "Ilo Makara",
        "en": "Ilo Makara|Eliah Makaradze",
    }
    larger = build(write_knowledge(tmp_path / "knowledge", [*KNOWLEDGE, row]), tmp_path / "index")
    second, later = assigned(settled_of(mark(LATER), larger), connection, larger, "r2")
    kept, gone = sorted({ids["a", "Ilo Makara"], ids["b", "Eliah Makaradze"]})
    assert later["e", "Ilo Makara"] == kept
    assert [(r["entity_id"], r["replaced_by"]) for r in second.delta.redirects.to_pylist()] == [
        (gone, kept)
    ]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            {("Intımak Ordo Sarayı", "tr"): 1, ("Yntymak Ordo Residence", "en"): 1},
            "Yntymak Ordo Residence",
        ),
        ({("Sadîr Japarov", "ro"): 1, ("Japarov", "en"): 1}, "Sadîr Japarov"),
        ({("Ion Țiriac", "ro"): 2, ("Ion Tiriac", "en"): 1}, "Ion Țiriac"),
        ({("सेलिन", "hi"): 3, ("Selin", "tr"): 1}, "Selin"),
    ],
)
def test_the_international_name_of_an_unknown_entity(
    names: dict[tuple[str, str], int], expected: str
) -> None:
    """The most frequent in Latin letters, then the longest; the English of two that are alike."""
    assert registry.facts_of("LOC", names)["name"] == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"name": "Rumen Ilo Makara", "name_tr": "Rumen Ilo Makara"}, "Rumen Ilo Makara"),
        (
            {
                "name": "Rumen Ilo Makara",
                "name_tr": "Rumen Ilo Makara",
                "name_ro": "Ilo Makara",
                "name_vi": "Ilo Makará",
            },
            "Ilo Makara",
        ),
        ({"name": "Ilo Makara", "name_ro": "Ilo Makara", "name_en": "Ylo Makara"}, "Ilo Makara"),
        ({"name": "Ilo Makra", "name_hi": "इलो माकारा", "name_en": "Ilo Makara"}, "Ilo Makara"),
        ({"name": "Ilo Makra", "name_hi": "इलो माकारा"}, "Ilo Makra"),
    ],
)
def test_a_name_gives_way_to_one_of_more_languages(names: dict[str, str], expected: str) -> None:
    assert registry.better_name(names) == expected


def test_an_acronym_spelled_out_is_called_by_its_letters() -> None:
    assert registry.facts_of("ORG", {("ओबीएसई", "hi"): 2})["name"] == "OBSE"


def test_an_acronym_is_one_body_in_letters_and_spelled_out(
    mark: Any, small_index: Index, connection: sqlite3.Connection
) -> None:
    marked = mark({"a": ("en", "[[ZPKO|ORG]] met."), "b": ("hi", "[[ज़ेडपीकेओ|ORG]] की बैठक।")})
    _, ids = assigned(settled_of(marked, small_index), connection, small_index)
    assert len(set(ids.values())) == 1


def test_a_company_is_one_with_and_without_the_word_for_it(
    mark: Any, small_index: Index, connection: sqlite3.Connection
) -> None:
    articles = {
        "a": ("en", "[[Zelko Tarm|ORG]] sells boats."),
        "b": ("vi", "Ông làm ở [[công ty Zelko Tarm|ORG]]."),
        "c": ("tr", "[[Zelko Tarm Şirketi|ORG]] tekne satıyor."),
        "d": ("vi", "Ông làm ở [[công ty Tarm|ORG]]."),
    }
    _, ids = assigned(settled_of(mark(articles), small_index), connection, small_index)
    assert len({entity for (doc_id, _), entity in ids.items() if doc_id != "d"}) == 1
    assert len(set(ids.values())) == 2


def test_a_later_night_gives_a_better_name(
    mark: Any, small_index: Index, connection: sqlite3.Connection
) -> None:
    nights = [
        {"a": ("hi", "[[इलो माकारा|PER]] आए।")},
        {"b": ("en", "[[Ilo Makara|PER]] came.")},
    ]
    names = []
    for number, night in enumerate(nights):
        assignment, _ = assigned(
            settled_of(mark(night), small_index), connection, small_index, f"r{number}"
        )
        names += assignment.delta.entities["name"].to_pylist()
        registry.apply(connection, assignment.delta, f"r{number}")
    assert names == ["Ilo Makara", "Ilo Makara"]


def test_a_generic_name_is_one_thing_in_one_country_only(
    mark: Any, small_index: Index, connection: sqlite3.Connection
) -> None:
    documents = {
        "a": ("en", "[[Russia|LOC]]’s [[Justice Ministry|ORG]] spoke."),
        "b": ("en", "The [[Justice Ministry|ORG]] in [[Russia|LOC]] spoke."),
        "c": ("en", "[[Nigeria|LOC]]’s [[Justice Ministry|ORG]] spoke."),
        "d": ("en", "The [[Justice Ministry|ORG]] spoke."),
    }
    _, ids = assigned(settled_of(mark(documents), small_index), connection, small_index)
    ministries = [ids[doc_id, "Justice Ministry"] for doc_id in "abcd"]
    assert ministries[0] == ministries[1]
    assert len(set(ministries)) == 3


def test_distinct_does_not_grow_with_mentions(mark: Any, small_index: Index) -> None:
    once = {"a": ("en", "[[Ilo Makara|PER]] met [[Petru Varga|PER]].")}
    often = {f"a{i}": once["a"] for i in range(30)}
    few = distinct(settled_of(mark(once), small_index))
    many = distinct(settled_of(mark(often), small_index))
    assert few.num_rows == many.num_rows == 2
    assert sum(many["n_mentions"].to_pylist()) == 60
    assert set(many["doc_id"].to_pylist()) == {"a0"}
