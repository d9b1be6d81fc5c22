"""Several documents about the same things, in five languages, against the shipped knowledge base.

A scenario is right when the mentions of one entity have one id, those of two have two, and the
entities that it calls known have the names or the keys it says (null: unknown to the knowledge
base). Mentions that are marked as no entity are context and may be anything.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.knowledge.index import Index
from pipeline.resolve import registry
from pipeline.resolve.document import settle
from pipeline.resolve.finish import finish
from pipeline.resolve.ids import assign, distinct
from pipeline.schemas import LANGUAGES

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.json"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path, shipped_index: Index, mark: Callable[..., Any]) -> None:
    scenario = json.loads(path.read_text(encoding="utf-8"))
    documents = {d["id"]: (d["lang"], d["text"]) for d in scenario["documents"]}
    marked = mark(documents)
    settled = settle(marked.documents, marked.segments, marked.mentions.to_pylist(), shipped_index)
    connection = sqlite3.connect(":memory:")
    registry.create(connection)
    assignment = assign([distinct(settled)], connection, shipped_index, "run")
    rows = finish(settled, assignment, "run").to_pylist()
    names = {
        row["entity_id"]: {row["name"], row["knowledge_key"]} if row["knowledge_key"] else {None}
        for row in assignment.delta.entities.to_pylist()
    }

    found: dict[str, set[str]] = {}
    surfaces: dict[str, list[tuple[str, str, str]]] = {}
    for row in rows:
        entity = marked.gold[row["doc_id"], row["start"]]
        if entity == row["surface"]:
            continue
        found.setdefault(entity, set()).add(row["entity_id"])
        surfaces.setdefault(entity, []).append((row["doc_id"], row["surface"], row["entity_id"]))
    assert {e: surfaces[e] for e, ids in found.items() if len(ids) > 1} == {}, "split"
    owners: dict[str, list[str]] = {}
    for entity, ids in found.items():
        owners.setdefault(min(ids), []).append(entity)
    assert [entities for entities in owners.values() if len(entities) > 1] == [], "merged"
    wrong = {
        entity: (name, names[min(found[entity])])
        for entity, name in scenario["known"].items()
        if name not in names[min(found[entity])]
    }
    assert wrong == {}


def test_each_language_has_its_cases() -> None:
    languages = Counter(
        document["lang"]
        for path in SCENARIOS
        for document in json.loads(path.read_text(encoding="utf-8"))["documents"]
    )
    assert sum(languages.values()) >= 150
    assert min(languages[lang] for lang in LANGUAGES) >= 15
