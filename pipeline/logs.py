"""A run as JSON lines, for machines that read logs: ``log = "json"`` in exonym.toml."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from time import monotonic
from typing import Any, TextIO


class JsonLog:
    """Writes one JSON object a line: ``time`` (ISO 8601, UTC), ``event``, and what it is about.

    As a reporter (:class:`pipeline.progress.Reporter`) it tells of stages that begin and end.
    """

    def __init__(self, stream: TextIO) -> None:
        """Write to ``stream``, each line at once."""
        self._stream = stream
        self._stage = ""
        self._unit = ""
        self._done = 0
        self._begun = 0.0

    def write(self, event: str, **about: Any) -> None:
        """Write an event; what JSON does not know is written as a string."""
        line = {"time": datetime.now(UTC).isoformat(), "event": event, **about}
        print(json.dumps(line, ensure_ascii=False, default=str), file=self._stream, flush=True)

    def begin(self, stage: str, total: int | None, unit: str) -> None:
        """Write that a stage begins and what is ahead."""
        self._stage, self._unit, self._done, self._begun = stage, unit, 0, monotonic()
        self.write("stage began", stage=stage, total=total, unit=unit)

    def advance(self, amount: int = 1) -> None:
        """Count."""
        self._done += amount

    def end(self) -> None:
        """Write what was done."""
        seconds = round(monotonic() - self._begun, 3)
        self.write(
            "stage ended", stage=self._stage, done=self._done, unit=self._unit, seconds=seconds
        )
