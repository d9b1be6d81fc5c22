"""The registry as tables to publish, as it will be once a run's delta is applied."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import pyarrow as pa

from pipeline.knowledge.index import Index
from pipeline.resolve.registry import Delta, Registry, known_id, overrides_of
from pipeline.resolve.tables import REGISTRY_ENTITIES
from pipeline.schemas import REDIRECTS
from pipeline.scripts import script_of

ATTRIBUTES: Final = pa.schema([field for field in REGISTRY_ENTITIES if field.name != "action"])
"""What is known of an entity besides its counts; ``knowledge_key`` is not published."""

KNOWN_NAMES: Final = pa.schema(
    [(column, pa.string()) for column in ("entity_id", "lang", "script", "name")]
)
"""A spelling of an entity in the knowledge base."""


def attributes(
    connection: sqlite3.Connection, delta: Delta, wanted: Collection[str] | None = None
) -> pa.Table:
    """Return :data:`ATTRIBUTES` of every live entity, or of those in ``wanted``.

    As ``delta`` leaves it, and under the names that people gave them, where they did.
    """
    query = f"SELECT {', '.join(ATTRIBUTES.names)} FROM entities"
    if wanted is None:
        found = connection.execute(query).fetchall()
    else:
        some = f"{query} WHERE entity_id IN (SELECT value FROM json_each(?))"
        found = connection.execute(some, (json.dumps(sorted(wanted)),)).fetchall()
    rows = {row[0]: dict(zip(ATTRIBUTES.names, row, strict=True)) for row in found}
    for row in delta.entities.to_pylist():
        rows[row["entity_id"]] = {name: row[name] for name in ATTRIBUTES.names}
    retired = _retired(connection, delta)
    for rename in overrides_of(connection, delta).rename:
        row = rows.get(_live_id(rename.id, connection, retired))
        if row is not None:
            row[f"name_{rename.lang}" if rename.lang else "name"] = rename.name
    live = sorted(rows.keys() - retired.keys())
    if wanted is not None:
        live = [entity_id for entity_id in live if entity_id in wanted]
    return pa.Table.from_pylist([rows[entity_id] for entity_id in live], ATTRIBUTES)


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
    rows = sorted(
        {
            (entity_id, lang, script_of(name), name)
            for entity_id, key in zip(*_ids_and_keys(entities), strict=True)
            for lang, name in _spellings(key, index)
        }
    )
    columns = zip(*rows, strict=True) if rows else [[] for _ in KNOWN_NAMES]
    return pa.table([pa.array(list(column), pa.string()) for column in columns], KNOWN_NAMES)


def _ids_and_keys(entities: pa.Table) -> tuple[list[str], list[str | None]]:
    return entities["entity_id"].to_pylist(), entities["knowledge_key"].to_pylist()


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
