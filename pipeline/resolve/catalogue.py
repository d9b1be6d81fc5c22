"""The registry as tables to publish, as it will be once a run's delta is applied."""

from __future__ import annotations

import heapq
import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from operator import itemgetter
from typing import Any, Final

import pyarrow as pa

from pipeline.knowledge.index import Index
from pipeline.overrides import Rename
from pipeline.resolve.registry import Delta, Registry, known_id, overrides_of
from pipeline.resolve.tables import REGISTRY_ENTITIES
from pipeline.schemas import REDIRECTS
from pipeline.scripts import script_of

ATTRIBUTES: Final = pa.schema([field for field in REGISTRY_ENTITIES if field.name != "action"])
"""What is known of an entity besides its counts; ``knowledge_key`` is not published."""

_BATCH_ROWS: Final = 8_192

KNOWN_NAMES: Final = pa.schema(
    [(column, pa.string()) for column in ("entity_id", "lang", "script", "name")]
)
"""A spelling of an entity in the knowledge base."""


def attributes(
    connection: sqlite3.Connection, delta: Delta, wanted: Collection[str] | None = None
) -> pa.Table:
    """Return :data:`ATTRIBUTES` of every live entity, or of those in ``wanted``, by id.

    As ``delta`` leaves it, and under the names that people gave them, where they did.
    """
    empty = ATTRIBUTES.empty_table()
    return pa.concat_tables([empty, *attribute_batches(connection, delta, wanted)])


def attribute_batches(
    connection: sqlite3.Connection, delta: Delta, wanted: Collection[str] | None = None
) -> Iterator[pa.Table]:
    """Yield what :func:`attributes` returns, some thousand rows at a time.

    Memory is bounded by ``delta``, the redirects and the renames, not by the registry.
    """
    retired = _retired(connection, delta)
    renames: dict[str, list[Rename]] = defaultdict(list)
    for rename in overrides_of(connection, delta).rename:
        renames[_live_id(rename.id, connection, retired)].append(rename)
    rows = heapq.merge(
        _registered(connection, delta, wanted),
        _changed(delta, wanted),
        key=itemgetter("entity_id"),
    )
    live = (row for row in rows if row["entity_id"] not in retired)
    while batch := list(islice(live, _BATCH_ROWS)):
        for row in batch:
            for rename in renames.get(row["entity_id"], ()):
                row[f"name_{rename.lang}" if rename.lang else "name"] = rename.name
        yield pa.Table.from_pylist(batch, ATTRIBUTES)


def _registered(
    connection: sqlite3.Connection, delta: Delta, wanted: Collection[str] | None
) -> Iterator[dict[str, Any]]:
    """Yield the registry's rows that ``delta`` leaves as they are, by id."""
    query = f"SELECT {', '.join(ATTRIBUTES.names)} FROM entities"
    values: tuple[str, ...] = ()
    if wanted is not None:
        query += " WHERE entity_id IN (SELECT value FROM json_each(?))"
        values = (json.dumps(sorted(wanted)),)
    changed = set(delta.entities["entity_id"].to_pylist())
    for row in connection.execute(f"{query} ORDER BY entity_id", values):
        if row[0] not in changed:
            yield dict(zip(ATTRIBUTES.names, row, strict=True))


def _changed(delta: Delta, wanted: Collection[str] | None) -> Iterator[dict[str, Any]]:
    """Yield the rows that ``delta`` adds or changes, by id."""
    entities = delta.entities.select(ATTRIBUTES.names).sort_by("entity_id")
    for batch in entities.to_batches(_BATCH_ROWS):
        for row in batch.to_pylist():
            if wanted is None or row["entity_id"] in wanted:
                yield row


def _live_id(
    reference: str, connection: sqlite3.Connection, retired: Mapping[str, Mapping[str, Any]]
) -> str:
    """Return the live id of an id or a knowledge key."""
    row = Registry(connection).by_knowledge_key(reference) if ":" in reference else None
    entity_id = row["entity_id"] if row else known_id(reference) if ":" in reference else reference
    while entity_id in retired:
        entity_id = retired[entity_id]["replaced_by"]
    return str(entity_id)


def known_names(entities: pa.Table, index: Index) -> pa.Table:
    """Return :data:`KNOWN_NAMES` of the entities (:data:`ATTRIBUTES`) that the index knows."""
    pairs = zip(
        *(entities[name].to_pylist() for name in ("entity_id", "knowledge_key")), strict=True
    )
    rows = sorted(
        {
            (entity_id, lang, script_of(name), name)
            for entity_id, key in pairs
            for lang, name in _spellings(key, index)
        }
    )
    columns = zip(*rows, strict=True) if rows else [[] for _ in KNOWN_NAMES]
    return pa.table([pa.array(list(column), pa.string()) for column in columns], KNOWN_NAMES)


def _spellings(key: str | None, index: Index) -> Iterator[tuple[str, str]]:
    number = index.by_key(key) if key is not None else None
    if number is None:
        return
    entry = index.entry(number)
    yield from entry.names.items()
    yield from ((alias.lang, alias.text) for alias in entry.aliases)


def redirects(connection: sqlite3.Connection, delta: Delta, run_id: str) -> pa.Table:
    """Return the table ``redirects``, those that ``delta`` adds under ``run_id`` included.

    ``replaced_by`` is a live id: of a merge that was merged again, the last heir.
    """
    rows = _retired(connection, delta, run_id)
    for row in rows.values():
        while row["replaced_by"] in rows:
            row["replaced_by"] = rows[row["replaced_by"]]["replaced_by"]
    return pa.Table.from_pylist([rows[entity_id] for entity_id in sorted(rows)], REDIRECTS)


def _retired(
    connection: sqlite3.Connection, delta: Delta, run_id: str | None = None
) -> dict[str, dict[str, Any]]:
    """Return the redirects of the registry and of ``delta`` by the id that is no longer live."""
    columns = ", ".join(REDIRECTS.names)
    found = connection.execute(f"SELECT {columns} FROM redirects WHERE ended_run IS NULL")
    rows = {row[0]: dict(zip(REDIRECTS.names, row, strict=True)) for row in found}
    changes = sorted(delta.redirects.to_pylist(), key=lambda row: not row["ended"])
    for row in changes:
        if row["ended"]:
            rows.pop(row["entity_id"], None)
        else:
            columns_of_row = {**row, "run_id": run_id}
            rows[row["entity_id"]] = {name: columns_of_row[name] for name in REDIRECTS.names}
    return rows
