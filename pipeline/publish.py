"""From the rows that a run adds or replaces to the whole tables that follow the published ones.

A dated table's file holds one day, so only the days that change are written again: their published
rows and the new ones, merged and sorted by DuckDB, which spills to disk, and streamed.
``daily_entities``, ``daily_pairs``, ``entities`` and ``entity_names`` are counted from those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.duplicates import near_duplicates
from pipeline.schemas import DATED, TABLES, WORKING_FAILED, WORKING_LATEST, WORKING_SUPERSEDED
from pipeline.scripts import script_of
from pipeline.store import files
from pipeline.store.query import database, stream, view
from pipeline.store.tables import TableFiles

_DOC_IDS: Final = pa.schema([("doc_id", pa.string())])

_COUNTED: Final = {"n_mentions", "n_documents", "langs", "first_seen", "last_seen"}
_ATTRIBUTES: Final = pa.schema([f for f in TABLES["entities"] if f.name not in _COUNTED])
_NAMES: Final = pa.schema([f for f in TABLES["entity_names"] if f.name != "origin"])
_KNOWN_NAMES: Final = pa.schema(
    [f for f in _NAMES if f.name in ("entity_id", "lang", "script", "name")]
)

_MERGED: Final = {
    "documents": """
SELECT t.* REPLACE (n.near_duplicate_of AS near_duplicate_of)
FROM merged_documents t LEFT JOIN near_duplicates n USING (doc_id) ORDER BY date, doc_id
""",
    "document_sources": "FROM merged_document_sources ORDER BY date, doc_id, source, source_id",
    "segments": "FROM merged_segments ORDER BY date, doc_id, segment",
    "mentions": 'FROM merged_mentions ORDER BY date, doc_id, "start"',
}
"""The rows of each dated table that is not counted, in its order."""

# What near duplicates are told by: neither the site's boilerplate nor a text that was replaced.
_BODIES: Final = """
SELECT d.date, d.doc_id, d.text, b.starts, b.ends
FROM merged_documents d JOIN (
    SELECT doc_id, list("start" ORDER BY segment) AS starts, list("end" ORDER BY segment) AS ends
    FROM merged_segments WHERE kind = 'body' GROUP BY doc_id
) b USING (doc_id)
WHERE d.superseded_by IS NULL
"""

# Days that were published before a merge keep the old id; counts go to its heir.
_LIVE_MENTIONS: Final = """
CREATE OR REPLACE TEMP VIEW live_mentions AS
SELECT m.* REPLACE (coalesce(r.replaced_by, m.entity_id) AS entity_id)
FROM mentions m LEFT JOIN redirects r USING (entity_id)
"""

# A document with its mentions: where they stand is looked up in Python, whose strings find the
# millionth letter as fast as the first.
_SPANS: Final = """
SELECT text, starts, ends, surfaces
FROM documents JOIN (
    SELECT doc_id, list("start") AS starts, list("end") AS ends, list(surface) AS surfaces
    FROM mentions GROUP BY doc_id
) USING (doc_id)
"""

_DAILY_ENTITIES: Final = """
SELECT m.date, m.lang, m.entity_id, e.name, e.label,
       count(*) AS n_mentions,
       count(DISTINCT m.doc_id) AS n_documents,
       count(DISTINCT coalesce(d.near_duplicate_of, d.doc_id)) AS n_stories
FROM live_mentions m JOIN documents d USING (doc_id)
     JOIN entity_attributes e USING (entity_id)
WHERE m.kind = 'body' AND d.superseded_by IS NULL
GROUP BY ALL ORDER BY date, lang, entity_id
"""

_DAILY_PAIRS: Final = """
WITH named AS (
    SELECT DISTINCT m.date, m.doc_id, m.entity_id,
           coalesce(d.near_duplicate_of, d.doc_id) AS story
    FROM live_mentions m JOIN documents d USING (doc_id)
    WHERE m.kind = 'body' AND d.superseded_by IS NULL
)
SELECT a.date, a.entity_id AS entity_a, b.entity_id AS entity_b,
       count(DISTINCT a.doc_id) AS n_documents, count(DISTINCT a.story) AS n_stories
FROM named a JOIN named b ON a.doc_id = b.doc_id AND a.entity_id < b.entity_id
GROUP BY ALL ORDER BY date, entity_a, entity_b
"""

_ENTITIES: Final = """
WITH counted AS (
    SELECT m.entity_id,
           count(*) FILTER (d.superseded_by IS NULL) AS n_mentions,
           count(DISTINCT m.doc_id) FILTER (d.superseded_by IS NULL) AS n_documents,
           list_sort(list(DISTINCT m.lang)) AS langs,
           min(m.date) AS first_seen, max(m.date) AS last_seen
    FROM live_mentions m JOIN documents d USING (doc_id) GROUP BY m.entity_id
)
SELECT * FROM entity_attributes JOIN counted USING (entity_id) ORDER BY entity_id
"""

_NAMES_IN_THE_NEWS: Final = """
SELECT m.entity_id, m.lang, m.name,
       count(*) FILTER (d.superseded_by IS NULL) AS n_mentions,
       min(m.date) AS first_seen, max(m.date) AS last_seen
FROM live_mentions m JOIN documents d USING (doc_id) GROUP BY ALL
"""

_ENTITY_NAMES: Final = """
SELECT entity_id, lang, script, name,
       CASE WHEN k.name IS NULL THEN 'news' ELSE 'knowledge' END AS origin,
       coalesce(n.n_mentions, 0) AS n_mentions, n.first_seen, n.last_seen
FROM names_in_the_news n FULL JOIN known_names k USING (entity_id, lang, script, name)
ORDER BY entity_id, lang, script, name
"""


class OffsetError(ValueError):
    """A mention's surface is not what stands at its offsets: nothing may be published."""


@dataclass(frozen=True, slots=True)
class Published:
    """Counts of what a run staged for publication."""

    n_documents: int
    n_words: int
    n_mentions: int
    n_entities: int
    by_language: tuple[tuple[str, int, int, int], ...]
    """Language, documents, mentions and distinct entities of this run."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What changes in the dated tables, as Parquet files.

    Of a table that stands in neither ``added`` nor ``replaced`` no file is written.
    """

    added: Mapping[str, Sequence[Path]]
    """New rows by table."""
    replaced: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    """By table, files with a column ``doc_id``: those documents' published rows are left out."""
    failed: Sequence[Path] = ()
    """WORKING_FAILED: these documents change nothing."""
    superseded: Sequence[Path] = ()
    """WORKING_SUPERSEDED: documents that others replace."""
    latest: Sequence[Path] = ()
    """WORKING_LATEST: the documents that replace them, which may have been replaced before."""
    first_day: date | None = None
    """The day that gets files where nothing was published before."""


def stage_tables(
    base: TableFiles,
    staged: TableFiles,
    scratch: Path,
    changes: Changes,
    run_id: str,
    entity_attributes: Iterable[pa.Table],
    known_names: Iterable[pa.Table],
    redirects: pa.Table,
) -> Published:
    """Write to ``staged`` the tables that ``changes`` makes of those in ``base``.

    All but ``quarantine`` and ``runs``; dated ones only for the days that change.
    ``entity_attributes`` hold the columns of ``entities`` that are not counted, for every live id;
    ``known_names`` the knowledge base's names: entity_id, lang, script, name. Both are read once,
    table by table. What comes back counts the rows of ``run_id``.

    Raises:
        OffsetError: a surface differs from the text at its offsets.
        SchemaMismatchError: rows break a table's schema.
    """
    with database(scratch) as connection:
        days = _prepare(connection, base, changes)
        for table in _MERGED:
            _view_merged(connection, base, table, days)
        changed = [
            table for table in _MERGED if table in changes.added or table in changes.replaced
        ]
        if "documents" in changed:
            bodies = stream(connection, _BODIES)
            connection.register("near_duplicates", near_duplicates(connection, bodies, scratch))
        for table in changed:
            rows = stream(connection, _MERGED[table])
            _write_days(staged, table, rows, days)
        _spill(connection, scratch, "entity_attributes", _ATTRIBUTES, entity_attributes)
        connection.register("redirects", redirects)
        _view_days(connection, base, staged, days)
        _check_offsets(connection)
        _write_days(staged, "daily_entities", stream(connection, _DAILY_ENTITIES), days)
        _write_days(staged, "daily_pairs", stream(connection, _DAILY_PAIRS), days)
        published = _count(connection, run_id)
        _view_days(connection, base, staged, {*days, *base.days("documents")})
        staged.write("entities", stream(connection, _ENTITIES))
        _write_entity_names(connection, staged, scratch, known_names)
    staged.write("redirects", [redirects])
    return published


def _prepare(
    connection: duckdb.DuckDBPyConnection, base: TableFiles, changes: Changes
) -> tuple[date, ...]:
    """Look at what changes, and return the days whose files do, in order."""
    view(connection, "failed", changes.failed, WORKING_FAILED)
    view(connection, "superseded_parts", changes.superseded, WORKING_SUPERSEDED)
    view(connection, "latest_parts", changes.latest, WORKING_LATEST)
    connection.execute(
        "CREATE TEMP TABLE latest AS SELECT doc_id, any_value(date) AS date,"
        " max(position) AS position FROM latest_parts"
        " WHERE doc_id NOT IN (SELECT doc_id FROM failed) GROUP BY doc_id"
    )
    connection.execute(
        "CREATE TEMP TABLE superseded AS SELECT doc_id, any_value(s.date) AS date,"
        " arg_min(superseded_by, s.position) AS superseded_by"
        " FROM superseded_parts s LEFT JOIN latest l USING (doc_id)"
        " WHERE superseded_by NOT IN (SELECT doc_id FROM failed)"
        " AND s.position > coalesce(l.position, -1) GROUP BY doc_id"
    )
    dates = ["SELECT date FROM superseded", "SELECT date FROM latest"]
    for table in _MERGED:
        view(connection, f"added_{table}", changes.added.get(table, ()), TABLES[table])
        dates.append(f"SELECT date FROM added_{table}")
        view(connection, f"listed_{table}", changes.replaced.get(table, ()), _DOC_IDS)
        connection.execute(
            f"CREATE TEMP TABLE replaced_{table} AS SELECT DISTINCT doc_id FROM listed_{table}"
            " WHERE doc_id NOT IN (SELECT doc_id FROM failed)"
        )
        dates.append(f"SELECT date FROM documents SEMI JOIN replaced_{table} USING (doc_id)")
    view(connection, "documents", base.paths("documents"), TABLES["documents"])
    connection.execute(
        "CREATE TEMP TABLE gone AS FROM replaced_documents ANTI JOIN added_documents USING (doc_id)"
    )
    if connection.execute("FROM gone LIMIT 1").fetchone():
        dates.append("SELECT d.date FROM documents d JOIN gone g ON d.superseded_by = g.doc_id")
    rows = connection.execute(" UNION ".join(dates)).fetchall()
    days = {day for (day,) in rows}
    if changes.first_day and not base.days("documents"):
        days.add(changes.first_day)
    return tuple(sorted(days))


def _view_merged(
    connection: duckdb.DuckDBPyConnection, base: TableFiles, table: str, days: Sequence[date]
) -> None:
    """Look at the rows of ``days`` as they will be, in no order and without near duplicates."""
    paths = [path for day in days if (path := base.path(table, day)).exists()]
    view(connection, f"base_{table}", paths, TABLES[table])
    rows = (
        f"SELECT * FROM base_{table} WHERE doc_id NOT IN (SELECT doc_id FROM replaced_{table})"
        f" UNION ALL SELECT * FROM added_{table} WHERE doc_id NOT IN (SELECT doc_id FROM failed)"
    )
    if table == "documents":
        rows = (
            "SELECT t.* REPLACE (coalesce("
            "CASE WHEN l.doc_id IS NULL AND g.doc_id IS NULL THEN t.superseded_by END,"
            f" s.superseded_by) AS superseded_by) FROM ({rows}) t"
            " LEFT JOIN latest l USING (doc_id) LEFT JOIN superseded s USING (doc_id)"
            " LEFT JOIN gone g ON t.superseded_by = g.doc_id"
        )
    connection.execute(f"CREATE TEMP VIEW merged_{table} AS {rows}")


def _write_days(
    staged: TableFiles, table: str, rows: Iterable[pa.Table], days: Sequence[date]
) -> None:
    """Stage one file a day from rows sorted by date; a day without rows gets an empty file."""
    left = set(days)
    for day, slices in groupby(_by_day(rows), key=itemgetter(0)):
        staged.write(table, (rows_of_day for _, rows_of_day in slices), day)
        left.remove(day)
    for day in sorted(left):
        staged.write(table, [], day)


def _by_day(tables: Iterable[pa.Table]) -> Iterator[tuple[date, pa.Table]]:
    for table in tables:
        ends = pc.run_end_encode(table["date"].combine_chunks())
        start = 0
        for day, end in zip(ends.values.to_pylist(), ends.run_ends.to_pylist(), strict=True):
            yield day, table.slice(start, end - start)
            start = end


def _view_days(
    connection: duckdb.DuckDBPyConnection,
    base: TableFiles,
    staged: TableFiles,
    days: Iterable[date],
) -> None:
    """Look at documents and mentions of some days as they will be: staged, else as they are."""
    for table in ("documents", "mentions"):
        paths = [
            path
            for day in sorted(days)
            if (path := staged.path(table, day)).exists()
            or (path := base.path(table, day)).exists()
        ]
        view(connection, table, paths, TABLES[table])
    connection.execute(_LIVE_MENTIONS)


def _check_offsets(connection: duckdb.DuckDBPyConnection) -> None:
    wrong = sum(
        text[start:end] != surface
        for table in stream(connection, _SPANS)
        for text, *spans in zip(*(column.to_pylist() for column in table.columns), strict=True)
        for start, end, surface in zip(*spans, strict=True)
    )
    if wrong:
        raise OffsetError(f"{wrong} mentions do not stand at their offsets; nothing was published")


def _spill(
    connection: duckdb.DuckDBPyConnection,
    scratch: Path,
    name: str,
    schema: pa.Schema,
    tables: Iterable[pa.Table],
) -> None:
    """Let ``name`` stand for rows that need not fit into memory."""
    path = scratch / f"{name}.parquet"
    files.write_parquet(path, schema, tables)
    view(connection, name, [path], schema)


def _count(connection: duckdb.DuckDBPyConnection, run_id: str) -> Published:
    documents = connection.execute(
        "SELECT lang, count(*), sum(n_words) FROM documents WHERE run_id = ? GROUP BY lang",
        [run_id],
    ).fetchall()
    mentions = connection.execute(
        "SELECT lang, count(*), count(DISTINCT entity_id) FROM mentions WHERE run_id = ?"
        " GROUP BY lang",
        [run_id],
    ).fetchall()
    ((n_entities,),) = connection.execute(
        "SELECT count(DISTINCT entity_id) FROM mentions WHERE run_id = ?", [run_id]
    ).fetchall()
    n_documents = {lang: count for lang, count, _ in documents}
    n_mentions = {lang: (count, entities) for lang, count, entities in mentions}
    return Published(
        n_documents=sum(n_documents.values()),
        n_words=sum(int(words) for _, _, words in documents),
        n_mentions=sum(count for count, _ in n_mentions.values()),
        n_entities=n_entities,
        by_language=tuple(
            (lang, n_documents.get(lang, 0), *n_mentions.get(lang, (0, 0)))
            for lang in sorted({*n_documents, *n_mentions})
        ),
    )


def _write_entity_names(
    connection: duckdb.DuckDBPyConnection,
    staged: TableFiles,
    scratch: Path,
    known_names: Iterable[pa.Table],
) -> None:
    counted = map(_with_script, stream(connection, _NAMES_IN_THE_NEWS))
    _spill(connection, scratch, "names_in_the_news", _NAMES, counted)
    _spill(connection, scratch, "all_known_names", _KNOWN_NAMES, known_names)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE seen AS SELECT DISTINCT entity_id FROM live_mentions"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW known_names AS"
        " SELECT DISTINCT * FROM all_known_names SEMI JOIN seen USING (entity_id)"
    )
    staged.write("entity_names", stream(connection, _ENTITY_NAMES))


def _with_script(names: pa.Table) -> pa.Table:
    scripts = pa.array([script_of(name) for name in names["name"].to_pylist()], pa.string())
    return names.append_column("script", scripts)


assert set(_MERGED) < DATED
