"""Read-only questions to the published tables, each answered from one generation of the files."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, Final, TypeVar

import duckdb
import pyarrow as pa

from pipeline.errors import ExonymError, UsageError
from pipeline.schemas import DATED, TABLES
from pipeline.store import Store

Row = dict[str, Any]
Generation = tuple[tuple[int, int], ...]
Answer = TypeVar("Answer")

_TRIES: Final = 100
_PAUSE: Final = 0.05
"""Seconds between two looks at files that are being replaced; moving them takes less than one."""

_BATCH_ROWS: Final = 8_192
_PUBLISHING: Final = "the tables are being published; try again in a moment"

_SETTINGS: Final[Mapping[str, str | bool]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "memory_limit": "2GB",
    "temp_directory": tempfile.gettempdir(),
}


class PublishingError(ExonymError):
    """The tables were replaced while they were read."""


class Tables:
    """The tables of one generation, while :meth:`Reader.ask` holds it."""

    def __init__(self, store: Store, connection: duckdb.DuckDBPyConnection) -> None:
        """Read ``store`` through ``connection``."""
        self._store = store
        self._connection = connection

    def rows(self, query: str, **values: Any) -> list[Row]:
        """Return the rows of ``query``, whose parameters are written ``$name``."""
        cursor = self._connection.execute(query, values)
        columns = [column for column, *_ in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

    def arrow(self, query: str, **values: Any) -> pa.Table:
        """Return the rows of ``query`` as an Arrow table."""
        return self._connection.sql(query, params=values).to_arrow_table()

    def stream(self, query: str, **values: Any) -> pa.RecordBatchReader:
        """Return the rows of ``query`` as batches that come one by one."""
        return self._connection.sql(query, params=values).to_arrow_reader(_BATCH_ROWS)

    def files(self, table: str, first: date | None = None, last: date | None = None) -> list[str]:
        """Return the files of ``table``, of a dated one those from ``first`` to ``last``."""
        if table not in DATED:
            return [str(self._store.live(table))]
        days = [day for day in self.days(table) if (first or day) <= day <= (last or day)]
        return [str(self._store.live(table, day)) for day in days]

    def files_of(self, table: str, days: Sequence[date]) -> list[str]:
        """Return the files of a dated ``table`` for ``days``, as far as it has them."""
        there = set(self.days(table))
        return [str(self._store.live(table, day)) for day in days if day in there]

    def days(self, table: str = "documents") -> list[date]:
        """Return the days that ``table`` has a file for, in order."""
        return [date.fromisoformat(path.stem) for path in self._store.live_days(table)]


class Reader:
    """Answers questions about an output folder that a run may be publishing to."""

    def __init__(self, store: Store) -> None:
        """Open a database that can read the folder of ``store`` and nothing else.

        Raises:
            UsageError: nothing was ever published there.
        """
        if not store.live("entities").exists():
            raise UsageError(f"nothing is published in {store.out}; call exonym run, or set --out")
        self._store = store
        self._database = duckdb.connect(config=dict(_SETTINGS))
        self._database.execute("SET allowed_directories = [$folder]", {"folder": str(store.out)})
        self._database.execute("SET enable_external_access = false")
        self._database.execute("SET lock_configuration = true")

    def ask(self, question: Callable[[Tables], Answer]) -> Answer:
        """Return the answer of ``question``, all of it from the same generation of the tables.

        Nothing is locked, so a run can publish at any time: the question is then asked again.

        Raises:
            PublishingError: the tables kept changing for some seconds.
        """
        for _ in range(_TRIES):
            with suppress(PublishingError):
                return self.ask_once(question)
            time.sleep(_PAUSE)
        raise PublishingError(_PUBLISHING)

    def ask_once(self, question: Callable[[Tables], Answer]) -> Answer:
        """Return the answer of ``question`` unless a file was replaced meanwhile.

        Raises:
            PublishingError: a file was.
        """
        generation = self.generation()
        if generation is None:
            self._finish_what_a_killed_run_left()
            raise PublishingError(_PUBLISHING)
        try:
            with self._database.cursor() as cursor:
                answer = question(Tables(self._store, cursor))
        except (duckdb.IOException, FileNotFoundError):
            if self.generation() == generation:
                raise
            raise PublishingError(_PUBLISHING) from None
        if self.generation() != generation:
            raise PublishingError(_PUBLISHING)
        return answer

    def generation(self) -> Generation | None:
        """Return what changes whenever a file is replaced; None while a publication goes on.

        Every file is moved into its place, which touches the folder it lies in.
        """
        if self._store.publishing():
            return None
        folders = [self._store.out / table for table in TABLES]
        states = [folder.stat() for folder in folders if folder.exists()]
        return tuple((state.st_ino, state.st_mtime_ns) for state in states)

    def _finish_what_a_killed_run_left(self) -> None:
        with suppress(ExonymError), self._store.readable():
            pass


def placeholders(values: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return ``$id0, $id1 …`` for an SQL ``IN``, and the parameters of those names.

    Written out because only constants are compared while a Parquet file is read.
    """
    parameters = {f"id{number}": value for number, value in enumerate(values)}
    return ", ".join(f"${name}" for name in parameters), parameters
