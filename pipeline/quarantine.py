"""The table of input that could not be processed: how a run changes it, and what to retry."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.ingest import Limits, SourceNotFound, find
from pipeline.intake import rejected_rows
from pipeline.schemas import QUARANTINE
from pipeline.store import Store
from pipeline.store.files import conform


def after_run(
    store: Store, read_again: Collection[str], retried: Collection[str]
) -> Iterator[pa.Table]:
    """Yield the rows of ``quarantine`` as they are after the run in progress, sorted.

    Rows of sources that the run read give way to what it found there now. Of sources in
    ``retried``, a row that failed again counts one attempt more.
    """
    published = store.read("quarantine")
    gone = pc.is_in(published["source"], pa.array(list(read_again), pa.string()))
    kept = published.filter(pc.invert(gone))
    before = _attempts(published.filter(gone)) if retried else {}
    found = [_counted(table, before) for table in rejected_rows(store.staging)]
    rows = pa.concat_tables([kept, *(conform(table, QUARANTINE) for table in found)])
    yield rows.sort_by([("source", "ascending"), ("line", "ascending"), ("error", "ascending")])


def sources_to_retry(store: Store) -> tuple[list[str], list[str]]:
    """Return the sources that have rows in quarantine: those still there, and those gone."""
    sources = sorted(set(store.read("quarantine")["source"].to_pylist()))
    there = [source for source in sources if _exists(source)]
    return there, [source for source in sources if source not in there]


def _exists(source: str) -> bool:
    try:
        find([source], Limits())
    except SourceNotFound:
        return False
    return True


def _attempts(table: pa.Table) -> dict[tuple[str, int | None], int]:
    rows = table.select(["source", "line", "attempts"]).to_pylist()
    return {(row["source"], row["line"]): row["attempts"] for row in rows}


def _counted(table: pa.Table, before: dict[tuple[str, int | None], int]) -> pa.Table:
    rows = table.select(["source", "line"]).to_pylist()
    attempts = [before.get((row["source"], row["line"]), 0) + 1 for row in rows]
    position = table.schema.get_field_index("attempts")
    return table.set_column(position, "attempts", pa.array(attempts, pa.int32()))
