"""The table of input that could not be processed: how a run changes it, and what to retry."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa

from pipeline.ingest import Limits, SourceNotFound, find
from pipeline.intake import rejected_parts
from pipeline.schemas import QUARANTINE
from pipeline.store import Store
from pipeline.store.query import database, stream, view

_AFTER_RUN: Final = """
SELECT p.* FROM published p ANTI JOIN read_again USING (source)
UNION ALL
SELECT f.* REPLACE (CAST(coalesce(b.attempts, 0) + 1 AS INTEGER) AS attempts)
FROM found f LEFT JOIN before b ON f.source = b.source AND f.line IS NOT DISTINCT FROM b.line
ORDER BY source, line NULLS LAST, error, stage, message, attempts, payload
"""


def after_run(
    store: Store, read_again: Collection[str], retried: Collection[str]
) -> Iterator[pa.Table]:
    """Yield the rows of ``quarantine`` as they are after the run in progress, sorted.

    Rows of sources that the run read give way to what it found there now. With ``retried``, a row
    that failed again counts one attempt more. The payloads need not fit into memory.
    """
    with database(store.scratch) as connection:
        view(connection, "published", store.tables.paths("quarantine"), QUARANTINE)
        view(connection, "found", rejected_parts(store.staging), QUARANTINE)
        again = pa.table({"source": pa.array(sorted(read_again), pa.string())})
        connection.register("read_again", again)
        connection.execute(
            "CREATE TEMP TABLE before AS SELECT source, line, max(attempts) AS attempts"
            " FROM published SEMI JOIN read_again USING (source) WHERE $retried GROUP BY ALL",
            {"retried": bool(retried)},
        )
        yield from stream(connection, _AFTER_RUN)


def sources_to_retry(store: Store) -> tuple[list[str], list[str]]:
    """Return the sources that have rows in quarantine: those to try again, and those to leave.

    Left are those gone, and links that led out of their folder and still are links: as a source of
    its own a link would be followed.
    """
    rows = store.read("quarantine").select(["source", "error"]).to_pylist()
    errors = {row["source"]: row["error"] for row in rows}
    there = [source for source in sorted(errors) if _may_be_read(source, errors[source])]
    return there, [source for source in sorted(errors) if source not in there]


def _may_be_read(source: str, error: str) -> bool:
    return _exists(source) and not (error == "outside_source" and Path(source).is_symlink())


def _exists(source: str) -> bool:
    try:
        find([source], Limits())
    except SourceNotFound:
        return False
    return True
