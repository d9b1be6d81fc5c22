"""What past news meant, counted from the published tables before a night's names are linked.

Nothing is kept: the counts follow from the published state alone, so that a rollback takes them
back and a document that is withdrawn or superseded leaves them. Links that past news decided are
not counted, or what it once said it would go on saying by itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.resolve import registry
from pipeline.resolve.methods import NEWS
from pipeline.resolve.past import COUNTED, DECIDED, surname_of
from pipeline.schemas import TABLES
from pipeline.store.query import database, view
from pipeline.store.tables import TableFiles

_MOST_ENTITIES: Final = 50_000
_MOST_PAIRS: Final = 200_000
"""Rows kept of entities (and surnames) and of pairs, the most frequent ones: some 40 MB."""

_MOST_IN_A_STORY: Final = 50
"""A story that names more entities is a list, and says little of any two of them."""

_BATCH: Final = 10_000

_NAMED: Final = f"""
CREATE TEMP TABLE named AS
WITH found AS (
    SELECT m.doc_id, coalesce(d.near_duplicate_of, d.doc_id) AS story,
           coalesce(r.replaced_by, m.entity_id) AS entity_id
    FROM mentions m JOIN documents d USING (doc_id) LEFT JOIN redirects r USING (entity_id)
    WHERE m.kind = 'body' AND d.superseded_by IS NULL
    GROUP BY ALL HAVING NOT bool_or(m.link_method = '{NEWS}')
)
SELECT DISTINCT story, entity_id FROM found
"""

_COUNTED: Final = f"""
WITH known_named AS (SELECT DISTINCT story, key FROM named JOIN known USING (entity_id)),
short AS (
    SELECT story FROM known_named GROUP BY story HAVING count(*) <= {_MOST_IN_A_STORY}
),
entities AS (
    SELECT key, NULL AS other, count(*) AS n_stories FROM known_named GROUP BY key
    ORDER BY n_stories DESC, key LIMIT {_MOST_ENTITIES}
),
strangers AS (
    SELECT NULL AS key, surname AS other, count(DISTINCT story) AS n_stories
    FROM named JOIN surnames USING (entity_id) GROUP BY surname
    ORDER BY n_stories DESC, surname LIMIT {_MOST_ENTITIES}
),
pairs AS (
    SELECT a.key, b.key AS other, count(*) AS n_stories
    FROM known_named a JOIN known_named b ON a.story = b.story AND a.key < b.key
    WHERE a.story IN (FROM short)
    GROUP BY ALL HAVING count(*) > 1
    ORDER BY n_stories DESC, a.key, b.key LIMIT {_MOST_PAIRS}
)
SELECT NULL AS key, NULL AS other, count(DISTINCT story) AS n_stories FROM named
UNION ALL FROM entities UNION ALL FROM strangers UNION ALL FROM pairs
ORDER BY ALL
"""


def window(
    published: Sequence[date],
    n_days: int,
    before: date | None = None,
    without: Collection[date] = (),
) -> list[date]:
    """Return the days of past news: of those ``published``, in order, the last ``n_days`` days.

    By the calendar, up to the last published one, or to the day ``before`` which all is to be.
    Days in ``without`` do not count: those that are done again are no evidence for themselves.
    """
    days = [day for day in published if before is None or day < before]
    last = days[-1] if days else None
    return [day for day in days if last and last - day < timedelta(n_days) and day not in without]


def count(
    tables: TableFiles, days: Iterable[date], connection: sqlite3.Connection, scratch: Path
) -> pa.Table:
    """Return what the published documents of ``days`` meant, as COUNTED, sorted.

    ``connection`` is that of the registry, ``scratch`` a folder to spill to. Near duplicates are
    one story. Memory is bounded, and so is the answer.
    """
    days = list(days)
    with database(scratch) as counting:
        for table in ("documents", "mentions"):
            paths = [path for day in days if (path := tables.path(table, day)).exists()]
            view(counting, table, paths, TABLES[table])
        view(counting, "redirects", tables.paths("redirects"), TABLES["redirects"])
        counting.execute(_NAMED)
        _load(counting, "known", ("entity_id", "key"), registry.known_keys(connection))
        _load(counting, "surnames", ("entity_id", "surname"), _surnames(connection))
        return counting.sql(_COUNTED).to_arrow_table().cast(COUNTED)


def decided(mentions: pa.Table, known: registry.Registry) -> pa.Table:
    """Return which of the published ``mentions`` past news decided, and for whom, as DECIDED."""
    rows = mentions.filter(pc.equal(mentions["link_method"], NEWS))
    found = []
    for row in rows.select(["doc_id", "start", "entity_id"]).to_pylist():
        entity = known.by_id(known.heir(row.pop("entity_id")))
        if entity and entity["knowledge_key"]:
            found.append({**row, "knowledge_key": entity["knowledge_key"]})
    return pa.Table.from_pylist(found, schema=DECIDED)


def _load(
    counting: duckdb.DuckDBPyConnection,
    name: str,
    columns: tuple[str, str],
    rows: Iterable[tuple[str, str]],
) -> None:
    """Make ``name`` a table of the rows about entities that are named."""
    schema = pa.schema([(column, pa.string()) for column in columns])
    reader = pa.RecordBatchReader.from_batches(schema, _batches(rows, schema))
    counting.register("arriving", reader)
    counting.execute(
        f"CREATE TEMP TABLE {name} AS SELECT DISTINCT * FROM arriving"
        " SEMI JOIN named USING (entity_id)"
    )
    counting.unregister("arriving")


def _batches(rows: Iterable[tuple[str, str]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    left = iter(rows)
    while some := list(islice(left, _BATCH)):
        columns = [pa.array(column, pa.string()) for column in zip(*some, strict=True)]
        yield pa.record_batch(columns, schema=schema)


def _surnames(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for entity_id, key in registry.keys_of_strangers(connection):
        surname = surname_of(key)
        if surname:
            yield entity_id, surname
