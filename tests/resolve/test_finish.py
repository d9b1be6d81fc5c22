"""The published mentions."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from pipeline.knowledge.index import Index
from pipeline.resolve import registry
from pipeline.resolve.document import settle
from pipeline.resolve.finish import finish
from pipeline.resolve.ids import assign, distinct
from pipeline.resolve.methods import MINTED, REGISTRY
from pipeline.schemas import MENTIONS

ARTICLE = {"a": ("en", "[[Ilo Makara|PER]] met [[Russia|ORG]].")}


def test_methods_and_labels(mark: Any, small_index: Index) -> None:
    marked = mark(ARTICLE)
    settled = settle(marked.documents, marked.segments, marked.mentions.to_pylist(), small_index)
    connection = sqlite3.connect(":memory:")
    registry.create(connection)
    first = assign([distinct(settled)], connection, small_index, "r1")
    published = finish(settled, first, "r1")
    assert published.schema.equals(MENTIONS, check_metadata=True)
    assert published["link_method"].to_pylist()[0] == MINTED
    assert published["label"].to_pylist() == ["PER", "LOC"]
    assert published["ner_label"].to_pylist() == ["PER", "ORG"]
    assert set(published["run_id"].to_pylist()) == {"r1"}

    registry.apply(connection, first.delta, "r1")
    second = assign([distinct(settled)], connection, small_index, "r2")
    again = finish(settled, second, "r2")
    assert again["link_method"].to_pylist()[0] == REGISTRY
    assert again["entity_id"].to_pylist() == published["entity_id"].to_pylist()


def test_a_name_that_was_not_assigned_is_an_error(mark: Any, small_index: Index) -> None:
    marked = mark(ARTICLE)
    settled = settle(marked.documents, marked.segments, marked.mentions.to_pylist(), small_index)
    connection = sqlite3.connect(":memory:")
    registry.create(connection)
    nothing = assign([], connection, small_index, "r1")
    with pytest.raises(KeyError):
        finish(settled, nothing, "r1")
