"""What holds of any names and any documents."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.knowledge.index import Index
from pipeline.resolve import registry
from pipeline.resolve.document import settle
from pipeline.resolve.finish import finish
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


def ids(documents: Any, mark: Callable[..., Any], index: Index) -> dict[tuple[str, int], str]:
    """Return the entity id of every mention, by document and start, in a registry of its own."""
    marked = mark(documents)
    settled = settle(marked.documents, marked.segments, marked.mentions, index)
    connection = sqlite3.connect(":memory:")
    registry.create(connection)
    assignment = assign([distinct(settled)], connection, index, "run")
    rows = finish(settled, assignment, "run").to_pylist()
    return {(row["doc_id"], row["start"]): row["entity_id"] for row in rows}


@settings(
    deadline=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    names=st.lists(
        st.tuples(
            st.lists(st.sampled_from(STRANGE), min_size=1, max_size=3, unique=True).map(" ".join),
            st.sampled_from(("PER", "LOC", "ORG")),
        ),
        min_size=1,
        max_size=4,
    ),
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
