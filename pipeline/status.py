"""What is live, what was run, what waits in quarantine: the content of ``exonym status``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from pipeline.schemas import DATED, TABLES
from pipeline.store import Store
from pipeline.store.generations import Generation


@dataclass(frozen=True, slots=True)
class Live:
    """A published table: its rows, files, bytes, and the first and last day of a dated one."""

    table: str
    n_rows: int
    n_files: int
    n_bytes: int
    first_day: str
    last_day: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept generation: the run that published it, its files, and the bytes of it alone."""

    run_id: str
    n_files: int
    n_bytes_own: int
    """Of files that neither the published tables nor another generation share."""


@dataclass(frozen=True, slots=True)
class Status:
    """The state of an output folder."""

    runs: Sequence[Mapping[str, Any]]
    live: Sequence[Live]
    quarantined: Mapping[tuple[str, str], int]
    """Rows in quarantine by stage and error."""
    held: Mapping[str, Any]
    """The manifest of a night that was not published; empty when there is none. Its ``moved`` says
    which figures moved, where a publish gate held it back."""
    kept: Sequence[Kept]
    """The published states that `exonym rollback` can put back, the latest first."""
    unfinished: Mapping[str, Any]
    """The manifest of a run that was stopped and will be resumed; empty when there is none."""
    last_idle: tuple[str, int] | None
    """When a run last found nothing new, and how much known input it skipped."""


def status(store: Store, n_runs: int) -> Status:
    """Look at the output folder; ``n_runs`` is how many attempts to list, the latest first."""
    with store.readable() as state:
        attempts = state.attempts()[-n_runs:][::-1]
        last_idle = state.last_idle()
    rows = store.read("quarantine").select(["stage", "error"]).to_pylist()
    return Status(
        runs=attempts,
        live=[_live(store, table) for table in TABLES],
        kept=[_kept(generation) for generation in store.generations.kept()][::-1],
        quarantined=dict(sorted(Counter((row["stage"], row["error"]) for row in rows).items())),
        held=store.held.manifest,
        unfinished=store.staging.manifest,
        last_idle=last_idle,
    )


def _kept(generation: Generation) -> Kept:
    files = [(generation.folder / name).stat() for name in generation.tables.names()]
    return Kept(
        run_id=generation.run_id,
        n_files=len(files),
        n_bytes_own=sum(file.st_size for file in files if file.st_nlink == 1),
    )


def _live(store: Store, table: str) -> Live:
    paths = store.live_days(table) if table in DATED else [store.live(table)]
    paths = [path for path in paths if path.exists()]
    days = [path.stem for path in paths] if table in DATED else []
    return Live(
        table=table,
        n_rows=sum(pq.read_metadata(path).num_rows for path in paths),
        n_files=len(paths),
        n_bytes=sum(path.stat().st_size for path in paths),
        first_day=days[0] if days else "",
        last_day=days[-1] if days else "",
    )
