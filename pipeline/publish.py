"""From the staged shards of a run to the whole tables that replace the published ones.

A dated table's file holds one day, so only the days that the run touches are written again: their
published rows and the new ones, merged and sorted by DuckDB, which spills to disk, and streamed.
``daily_entities``, ``daily_pairs``, ``entities`` and ``entity_names`` are counted from those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.schemas import DATED, TABLES, WORKING_FAILED, WORKING_SUPERSEDED
from pipeline.scripts import script_of
from pipeline.store import Store

_BATCH_ROWS: Final = 8_192
_MEMORY: Final = "1GB"

_ORDER: Final = {
    "documents": "date, doc_id",
    "document_sources": "date, doc_id, source, source_id",
    "segments": "date, doc_id, segment",
    "mentions": "date, doc_id, start",
}

# Days that were published before a merge keep the old id; counts go to its heir.
_LIVE_MENTIONS: Final = """
CREATE OR REPLACE TEMP VIEW live_mentions AS
SELECT m.* REPLACE (coalesce(r.replaced_by, m.entity_id) AS entity_id)
FROM mentions m LEFT JOIN redirects r USING (entity_id)
"""

_SURFACES_WITH_EXACT_SPANS: Final = """
SELECT count(*) FROM mentions JOIN documents USING (doc_id)
WHERE substr(text, "start" + 1, "end" - "start") <> surface
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


def stage_tables(
    store: Store,
    run_id: str,
    night: date,
    entity_attributes: pa.Table,
    known_names: pa.Table,
    redirects: pa.Table,
    quarantine: Callable[[], Iterable[pa.Table]],
) -> Published:
    """Stage every table but ``runs`` as it will be after this run.

    ``entity_attributes`` holds the columns of ``entities`` that are not counted, for every live id;
    ``known_names`` the knowledge base's names: entity_id, lang, script, name.

    Raises:
        OffsetError: a surface differs from the text at its offsets.
        SchemaMismatchError: rows break a table's schema.
    """
    with _database(store.scratch) as database:
        days = _touched_days(database, store, night)
        for table in _ORDER:
            _merge_dated(database, store, table, days)
        database.register("entity_attributes", entity_attributes)
        database.register("redirects", redirects)
        _view_staged(database, store, days)
        _check_offsets(database)
        _write_days(store, "daily_entities", _stream(database, _DAILY_ENTITIES), days)
        _write_days(store, "daily_pairs", _stream(database, _DAILY_PAIRS), days)
        published = _count(database, run_id)
        _view_all(database, store, days)
        store.staging.write_table("entities", _stream(database, _ENTITIES))
        _write_entity_names(database, store, known_names)
    store.staging.write_table("redirects", [redirects])
    store.staging.write_table("quarantine", quarantine())
    return published


@contextmanager
def _database(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    scratch.mkdir(parents=True, exist_ok=True)
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "memory_limit": _MEMORY,
        "temp_directory": str(scratch),
        "autoinstall_known_extensions": False,
    }
    with duckdb.connect(config=config) as database:
        yield database


def _touched_days(
    database: duckdb.DuckDBPyConnection, store: Store, night: date
) -> tuple[date, ...]:
    """Return the days whose files change; the night itself where no file is there yet."""
    staging = store.staging
    _view(database, "failed", staging.failed_parts(), WORKING_FAILED)
    for name, columns in (
        ("new_documents", "documents"),
        ("new_sources", "document_sources"),
    ):
        _view(database, name, staging.parts(columns), TABLES[columns])
    superseded = staging.parts("superseded")
    _view(database, "superseded_parts", superseded, WORKING_SUPERSEDED)
    database.execute(
        "CREATE TEMP TABLE superseded AS SELECT doc_id, any_value(date) AS date,"
        " arg_min(superseded_by, position) AS superseded_by FROM superseded_parts"
        " WHERE superseded_by NOT IN (SELECT doc_id FROM failed) GROUP BY doc_id"
    )
    rows = database.execute(
        "SELECT date FROM new_documents UNION SELECT date FROM new_sources"
        " UNION SELECT date FROM superseded ORDER BY date"
    ).fetchall()
    days = {day for (day,) in rows}
    if not any(store.live_days("documents")):
        days.add(night)
    return tuple(sorted(days))


def _view(
    database: duckdb.DuckDBPyConnection, name: str, paths: Sequence[Path], schema: pa.Schema
) -> None:
    """Make a view over Parquet files; an empty one with the schema's columns where none are."""
    if paths:
        files = ", ".join(f"'{_quoted(path)}'" for path in paths)
        columns = ", ".join(f'"{column}"' for column in schema.names)
        database.execute(
            f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT {columns} FROM read_parquet([{files}])"
        )
    else:
        database.register(name, schema.empty_table())


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _merge_dated(
    database: duckdb.DuckDBPyConnection, store: Store, table: str, days: Sequence[date]
) -> None:
    schema = TABLES[table]
    staged = "final" if table == "mentions" else table
    live = [path for day in days if (path := store.live(table, day)).exists()]
    _view(database, "staged_rows", store.staging.parts(staged), schema)
    _view(database, "live_rows", live, schema)
    columns = "t.*"
    source = (
        "(SELECT * FROM live_rows UNION ALL SELECT * FROM staged_rows"
        " WHERE doc_id NOT IN (SELECT doc_id FROM failed)) t"
    )
    if table == "documents":
        columns += " REPLACE (coalesce(t.superseded_by, s.superseded_by) AS superseded_by)"
        source += " LEFT JOIN superseded s USING (doc_id)"
    query = f"SELECT {columns} FROM {source} ORDER BY {_ORDER[table]}"
    _write_days(store, table, _stream(database, query), days)


def _stream(database: duckdb.DuckDBPyConnection, query: str) -> Iterator[pa.Table]:
    for batch in database.sql(query).to_arrow_reader(_BATCH_ROWS):
        yield pa.Table.from_batches([batch])


def _write_days(store: Store, table: str, rows: Iterable[pa.Table], days: Sequence[date]) -> None:
    """Stage one file a day from rows sorted by date; a day without rows gets an empty file."""
    left = set(days)
    for day, slices in groupby(_by_day(rows), key=itemgetter(0)):
        store.staging.write_table(table, (rows_of_day for _, rows_of_day in slices), day)
        left.remove(day)
    for day in left:
        store.staging.write_table(table, [], day)


def _by_day(tables: Iterable[pa.Table]) -> Iterator[tuple[date, pa.Table]]:
    for table in tables:
        ends = pc.run_end_encode(table["date"].combine_chunks())
        start = 0
        for day, end in zip(ends.values.to_pylist(), ends.run_ends.to_pylist(), strict=True):
            yield day, table.slice(start, end - start)
            start = end


def _view_staged(database: duckdb.DuckDBPyConnection, store: Store, days: Sequence[date]) -> None:
    for table in ("documents", "mentions"):
        paths = [store.staging.table_path(table, day) for day in days]
        _view(database, table, paths, TABLES[table])
    database.execute(_LIVE_MENTIONS)


def _view_all(database: duckdb.DuckDBPyConnection, store: Store, days: Sequence[date]) -> None:
    """Look at every day: the staged file of the touched ones, the published one of the others."""
    for table in ("documents", "mentions"):
        touched = [store.staging.table_path(table, day) for day in days]
        names = {path.name for path in touched}
        others = [path for path in store.live_days(table) if path.name not in names]
        _view(database, table, [*touched, *others], TABLES[table])
    database.execute(_LIVE_MENTIONS)


def _check_offsets(database: duckdb.DuckDBPyConnection) -> None:
    ((wrong,),) = database.execute(_SURFACES_WITH_EXACT_SPANS).fetchall()
    if wrong:
        raise OffsetError(f"{wrong} mentions do not stand at their offsets; nothing was published")


def _count(database: duckdb.DuckDBPyConnection, run_id: str) -> Published:
    documents = database.execute(
        "SELECT lang, count(*), sum(n_words) FROM documents WHERE run_id = ? GROUP BY lang",
        [run_id],
    ).fetchall()
    mentions = database.execute(
        "SELECT lang, count(*), count(DISTINCT entity_id) FROM mentions WHERE run_id = ?"
        " GROUP BY lang",
        [run_id],
    ).fetchall()
    ((n_entities,),) = database.execute(
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
    database: duckdb.DuckDBPyConnection, store: Store, known_names: pa.Table
) -> None:
    names = database.sql(_NAMES_IN_THE_NEWS).to_arrow_table()
    scripts = pa.array([script_of(name) for name in names["name"].to_pylist()], pa.string())
    database.register("names_in_the_news", names.append_column("script", scripts))
    database.execute(
        "CREATE OR REPLACE TEMP TABLE seen AS SELECT DISTINCT entity_id FROM live_mentions"
    )
    database.register("all_known_names", known_names)
    database.execute(
        "CREATE OR REPLACE TEMP VIEW known_names AS"
        " SELECT DISTINCT * FROM all_known_names SEMI JOIN seen USING (entity_id)"
    )
    store.staging.write_table("entity_names", _stream(database, _ENTITY_NAMES))


assert set(_ORDER) < DATED
