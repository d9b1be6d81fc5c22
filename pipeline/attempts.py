"""The table ``runs`` from the attempts that the state remembers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from pipeline.schemas import RUNS


def as_table(attempts: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Return RUNS with a row for every attempt, in their order."""
    return pa.Table.from_pylist([_row(attempt) for attempt in attempts], RUNS)


def _row(attempt: Mapping[str, Any]) -> dict[str, Any]:
    finished = attempt["finished"]
    return {
        **attempt,
        "started": datetime.fromisoformat(attempt["started"]),
        "finished": datetime.fromisoformat(finished) if finished else None,
        "seconds": list(attempt["seconds"].items()),
    }
