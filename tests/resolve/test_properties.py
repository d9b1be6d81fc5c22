"""What holds of any names and any documents.

That folding is idempotent and keeps every consonant is in ``tests/languages/test_protocol.py``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.knowledge.index import Index
from pipeline.overrides import Overrides, Same
from pipeline.resolve import registry
from pipeline.resolve.document import settle
from pipeline.resolve.finish import finish
from pipeline.resolve.grouping import Signature, alike, group, likeness_across
from pipeline.resolve.ids import assign, distinct
from pipeline.resolve.similarity import name_similarity

WORDS = st.text(alphabet="abcdehijkorstvyz", min_size=1, max_size=8)
KEYS = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)

ARTICLES = {
    "a": ("en", "[[Petru Varga|PER]] went to [[Russia|LOC]]. [[Ilo Makara|PER]] stayed."),
    "b": ("tr", "[[Rusya|LOC]]'nın [[Kuzey Ticaret Paktı|ORG]]’na itirazı. [[İlo Makara|PER]]."),
    "c": ("hi", "[[पेत्रु वर्गा|PER]] और [[Zirka Ombudsman Bureau|ORG]] [[रूस|LOC]] में।"),
}
STRANGE = ("Quulmoq", "Vyxbert", "Yggdwin", "Pfuffel", "Xhosvel", "Jquimby", "Wozzleck", "Bdellium")
"""Words of which the unrelated documents' names are made; no article above has any of them."""


@settings(deadline=None, derandomize=True)
@given(KEYS, KEYS, st.sampled_from(("PER", "LOC", "ORG")))
def test_matching_is_symmetric(a: str, b: str, label: str) -> None:
    def weight(word: str) -> float:
        return float(len(word))

    assert name_similarity(a, b, weight, label) == pytest.approx(
        name_similarity(b, a, weight, label)
    )


@settings(deadline=None, derandomize=True)
@given(KEYS, KEYS)
def test_joining_unknown_names_is_symmetric(a: str, b: str) -> None:
    assert alike(a, b) == alike(b, a)
    assert likeness_across(a, b, "Latn", "Deva") == likeness_across(b, a, "Deva", "Latn")
    for one, other in ((a, b), (b, a)):
        signatures = [Signature("PER", (one,)), Signature("PER", (other,), "Deva")]
        together = len(set(map(frozenset, grouped(signatures)))) == 1
        again = len(set(map(frozenset, grouped(signatures[::-1])))) == 1
        assert together == again


def grouped(signatures: list[Signature]) -> list[frozenset[Signature]]:
    return [members for members, _ in group(signatures, {}, {}, {}).values()]


def ids(
    documents: Any,
    mark: Callable[..., Any],
    index: Index,
    connection: sqlite3.Connection | None = None,
    run_id: str = "run",
    parts: int = 1,
) -> dict[tuple[str, int], str]:
    """Return the entity id of every mention, by document and start, and remember the run.

    In a registry of its own where no ``connection`` to one is given. The documents are handed over
    in so many ``parts``, as by so many workers.
    """
    if connection is None:
        connection = sqlite3.connect(":memory:")
        registry.create(connection)
    settled = []
    for part in range(parts):
        marked = mark(dict(list(documents.items())[part::parts]))
        settled.append(
            settle(marked.documents, marked.segments, marked.mentions.to_pylist(), index)
        )
    assignment = assign(map(distinct, settled), connection, index, run_id)
    registry.apply(connection, assignment.delta, run_id)
    rows = [row for table in settled for row in finish(table, assignment, run_id).to_pylist()]
    return {(row["doc_id"], row["start"]): row["entity_id"] for row in rows}


few = settings(
    deadline=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
strange_names = st.lists(
    st.tuples(
        st.lists(st.sampled_from(STRANGE), min_size=1, max_size=3, unique=True).map(" ".join),
        st.sampled_from(("PER", "LOC", "ORG")),
    ),
    min_size=1,
    max_size=4,
)


@few
@given(
    names=strange_names,
    lang=st.sampled_from(("en", "tr", "ro", "vi", "hi")),
    doc_id=st.sampled_from(("0", "b2", "z")),
)
def test_an_unrelated_document_changes_no_other_ids(
    names: list[tuple[str, str]],
    lang: str,
    doc_id: str,
    mark: Callable[..., Any],
    small_index: Index,
) -> None:
    strange = " , ".join(f"[[{name}|{label}]]" for name, label in names)
    before = ids(ARTICLES, mark, small_index)
    after = ids({**ARTICLES, doc_id: (lang, strange)}, mark, small_index)
    assert len(after) > len(before)
    assert {place: after[place] for place in before} == before


@few
@given(names=strange_names, doc_id=st.sampled_from(("0", "b2", "z")))
def test_an_unrelated_document_of_an_earlier_night_changes_no_ids(
    names: list[tuple[str, str]], doc_id: str, mark: Callable[..., Any], small_index: Index
) -> None:
    strange = " , ".join(f"[[{name}|{label}]]" for name, label in names)
    connection = sqlite3.connect(":memory:")
    registry.create(connection)
    ids({doc_id: ("en", strange)}, mark, small_index, connection, "night-1")
    alone = ids(ARTICLES, mark, small_index)
    assert ids(ARTICLES, mark, small_index, connection, "night-2") == alone


@few
@given(documents=st.permutations(sorted(ARTICLES)), parts=st.integers(1, 3))
def test_neither_order_nor_workers_change_ids(
    documents: list[str], parts: int, mark: Callable[..., Any], small_index: Index
) -> None:
    shuffled = {doc_id: ARTICLES[doc_id] for doc_id in documents}
    assert ids(shuffled, mark, small_index, parts=parts) == ids(ARTICLES, mark, small_index)


@few
@given(names=strange_names, pair=st.tuples(st.integers(0, 50), st.integers(0, 50)))
def test_a_merge_that_is_taken_out_leaves_no_trace(
    names: list[tuple[str, str]],
    pair: tuple[int, int],
    mark: Callable[..., Any],
    small_index: Index,
) -> None:
    strange = " , ".join(f"[[{name}|{label}]]" for name, label in names)
    documents = {**ARTICLES, "s": ("en", strange)}
    connection = sqlite3.connect(":memory:")
    registry.create(connection)
    before = ids(documents, mark, small_index, connection, "night-1")
    all_ids = sorted(set(before.values()))
    chosen = tuple({all_ids[place % len(all_ids)] for place in pair})
    if len(chosen) < 2:
        return
    same = Overrides(same=(Same(ids=chosen, who="me", why="a test"),))
    for run_id, overrides, n_ids in (("a", same, 1), ("b", Overrides(), 2)):
        delta = assign([], connection, small_index, run_id, overrides).delta
        registry.apply(connection, delta, run_id)
        assert len({registry.Registry(connection).heir(one) for one in chosen}) == n_ids
    later = {doc_id: text for doc_id, text in documents.items() if doc_id != "a"}
    after = ids(later, mark, small_index, connection, "night-2")
    assert after == {place: before[place] for place in after}
