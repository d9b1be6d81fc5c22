"""Old days redone with the models of now: what ``exonym run --reprocess`` adds to a run.

The stored texts take the place of new input; all that follows is the nightly run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa

from pipeline.ingest.tables import INCOMING_DOCUMENTS
from pipeline.intake import Intake
from pipeline.publish import Changes
from pipeline.schemas import TABLES, WORKING_SOURCES
from pipeline.store import Staging, Store
from pipeline.store.query import database, stream, view
from pipeline.store.tables import TableFiles

# The input's own hint is not stored, but where it decided.
_DOCUMENTS: Final = """
SELECT d.* REPLACE (NULL AS lang, NULL AS lang_score), h.lang AS lang_hint, s.source
FROM documents d
LEFT JOIN (
    SELECT doc_id, min(lang) AS lang FROM segments WHERE lang_reason = 'hint' GROUP BY doc_id
) h USING (doc_id)
JOIN (SELECT doc_id, min(source) AS source FROM document_sources GROUP BY doc_id) s USING (doc_id)
ORDER BY d.date, d.doc_id
"""

_DIFFERENCES: Final = """
SELECT coalesce(b.lang, a.lang) AS lang, count(b.mention_id), count(a.mention_id),
       count(*) FILTER (b.mention_id IS NULL), count(*) FILTER (a.mention_id IS NULL),
       count(*) FILTER (a.label <> b.label), count(*) FILTER (a.entity_id <> b.entity_id)
FROM before b FULL JOIN after a USING (mention_id) GROUP BY ALL ORDER BY lang
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """How the mentions of one language changed."""

    lang: str
    n_before: int
    n_after: int
    n_found: int
    """Mentions that were not there before."""
    n_lost: int
    n_relabelled: int
    """Mentions with another label than before; the next, with another entity."""
    n_relinked: int


def days_between(tables: TableFiles, first: date, last: date) -> list[date]:
    """Return the published days from ``first`` to ``last``."""
    return [day for day in tables.days("documents") if first <= day <= last]


def stage(store: Store, days: Sequence[date], run_id: str, shard_documents: int) -> Intake:
    """Stage the published documents of ``days`` in shards, as if they had just come in."""
    staging = store.staging
    intake = Intake()
    with database(store.scratch) as connection:
        for table in ("documents", "segments", "document_sources"):
            view(connection, table, [store.live(table, day) for day in days], TABLES[table])
        for rows in _sliced(stream(connection, _DOCUMENTS), shard_documents):
            run_ids = pa.array([run_id] * rows.num_rows, pa.string())
            rows = rows.set_column(rows.schema.get_field_index("run_id"), "run_id", run_ids)
            staging.write_part("document_sources", intake.n_shards, _filled(rows, WORKING_SOURCES))
            staging.write_part("incoming", intake.n_shards, _filled(rows, INCOMING_DOCUMENTS))
            intake.n_shards += 1
            intake.n_documents += rows.num_rows
    return intake


def changes(staging: Staging) -> Changes:
    """Return what a run over staged old documents changes in the tables."""
    documents = staging.parts("documents")
    return Changes(
        added={
            "documents": documents,
            "segments": staging.parts("segments"),
            "mentions": staging.parts("final"),
        },
        replaced=dict.fromkeys(("documents", "segments", "mentions"), documents),
        failed=staging.failed_parts(),
    )


def compare(before: TableFiles, after: TableFiles, scratch: Path) -> list[Difference]:
    """Return by language how the mentions of the days that ``after`` holds differ from before."""
    days = after.days("mentions")
    with database(scratch) as connection:
        for name, tables in (("before", before), ("after", after)):
            paths = [tables.path("mentions", day) for day in days]
            view(connection, name, paths, TABLES["mentions"])
        return [Difference(*row) for row in connection.execute(_DIFFERENCES).fetchall()]


def _sliced(tables: Iterable[pa.Table], n_rows: int) -> Iterator[pa.Table]:
    """Yield the same rows in tables of ``n_rows``, the last of which may be shorter."""
    waiting: list[pa.Table] = []
    for table in tables:
        joined = pa.concat_tables([*waiting, table])
        while joined.num_rows >= n_rows:
            yield joined.slice(0, n_rows).combine_chunks()
            joined = joined.slice(n_rows)
        waiting = [joined] if joined.num_rows else []
    yield from waiting


def _filled(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the columns of ``schema``, null where ``rows`` has none."""
    columns = [
        rows[field.name].cast(field.type)
        if field.name in rows.column_names
        else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)
