"""What the output folder remembers between runs, in one SQLite file.

Three parts share the file: the ledger of input that was taken in, the registry of entity ids
(:mod:`pipeline.resolve.registry`), and the attempts that ``runs`` is written from. Rows carry the
``run_id`` that wrote them; what a publication changes can be applied twice.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

from pipeline.errors import ExonymError
from pipeline.resolve import registry
from pipeline.store import files

_LEDGER: Final = """
CREATE TABLE IF NOT EXISTS files (
    source TEXT NOT NULL, sha256 TEXT NOT NULL, run_id TEXT NOT NULL,
    PRIMARY KEY (source, sha256)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (
    doc_id TEXT PRIMARY KEY, date TEXT NOT NULL, run_id TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS arrivals (
    source TEXT NOT NULL, source_id TEXT NOT NULL, doc_id TEXT NOT NULL, run_id TEXT NOT NULL,
    PRIMARY KEY (source, source_id, doc_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS last_files (
    source TEXT NOT NULL, sha256 TEXT NOT NULL, run_id TEXT NOT NULL,
    PRIMARY KEY (source, run_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS last_arrivals (
    source TEXT NOT NULL, source_id TEXT NOT NULL, doc_id TEXT NOT NULL, run_id TEXT NOT NULL,
    PRIMARY KEY (source, source_id, run_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempts (
    run_id TEXT NOT NULL, attempt INTEGER NOT NULL, row TEXT NOT NULL,
    PRIMARY KEY (run_id, attempt)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS published (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS idle (at TEXT NOT NULL, n_skipped INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS withdrawn_documents (doc_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS withdrawn_places (
    source TEXT NOT NULL, source_id TEXT NOT NULL, PRIMARY KEY (source, source_id)
) WITHOUT ROWID;
"""

# ``files`` and ``arrivals`` say in which run something came first. Where something else had come
# from the same place, ``last_files`` and ``last_arrivals`` say what a run found there in the end.
_LAST_CONTENT: Final = """
SELECT sha256 FROM (
    SELECT sha256, run_id, 0 AS is_last FROM files WHERE source = $source
    UNION ALL SELECT sha256, run_id, 1 FROM last_files WHERE source = $source
) JOIN published USING (run_id) ORDER BY sequence DESC, is_last DESC, sha256 LIMIT 1
"""
_LAST_ARRIVAL: Final = """
SELECT doc_id FROM (
    SELECT doc_id, run_id, 0 AS is_last FROM arrivals
    WHERE source = $source AND source_id = $source_id
    UNION ALL SELECT doc_id, run_id, 1 FROM last_arrivals
    WHERE source = $source AND source_id = $source_id
) JOIN published USING (run_id) ORDER BY sequence DESC, is_last DESC, doc_id LIMIT 1
"""
_KEEP_LAST_FILE: Final = """
INSERT OR REPLACE INTO last_files SELECT $source, $sha256, $run_id
WHERE EXISTS (SELECT 1 FROM files WHERE source = $source AND sha256 <> $sha256)
"""

_BACKUP: Final = ".backup"

VERSION: Final = 2
"""Raised whenever a table of the file, the registry's among them, changes."""


_OF_A_RUN: Final = ("files", "documents", "arrivals", "last_files", "last_arrivals")


class Arrival(NamedTuple):
    """One document from one source; ``source_id`` is empty where the input has none."""

    source: str
    source_id: str
    doc_id: str


class LedgerDelta(NamedTuple):
    """What a run adds to the ledger."""

    files: Sequence[tuple[str, str]]
    documents: Iterable[tuple[str, date]]
    arrivals: Iterable[Arrival]
    latest: Iterable[Arrival] = ()
    """What came where several texts came from one source and id, as it came."""


class State:
    """The open state file. Use :meth:`open`; close it when done."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Take over ``connection`` to the file ``path``, whose tables exist."""
        self.connection = connection
        self._path = path

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[State]:
        """Open the state file, made if it is not there.

        Raises:
            ExonymError: the file is damaged, of another version of Exonym, or the disk does not
                let it be written.
        """
        try:
            connection = sqlite3.connect(path)
            try:
                connection.execute("PRAGMA synchronous = FULL")
                _check_version(connection, path)
                connection.executescript(_LEDGER)
                registry.create(connection)
                yield cls(connection, path)
            finally:
                connection.close()
        except sqlite3.OperationalError as error:
            raise ExonymError(
                f"cannot use {path}: {error}; see to the disk and the folder's rights, then run "
                "again: nothing was lost"
            ) from error
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:
                raise
            raise damaged(path, str(error)) from error

    def back_up(self) -> None:
        """Write a copy beside the file, as it is now. The copy appears whole or not at all."""
        partial = self._path.with_name(f"{self._path.name}{_BACKUP}.partial")
        partial.unlink(missing_ok=True)
        copy = sqlite3.connect(partial)
        try:
            self.connection.backup(copy)
        finally:
            copy.close()
        files.sync_file(partial)
        files.move(partial, self._path.with_name(self._path.name + _BACKUP))

    def last_content(self, source: str) -> str | None:
        """Return what was last taken in from this source: its hash, or why it was unreadable."""
        row = self.connection.execute(_LAST_CONTENT, {"source": source}).fetchone()
        return str(row[0]) if row else None

    def document_date(self, doc_id: str) -> date | None:
        """Return the date of a document that was taken in, None for an unknown one."""
        row = self.connection.execute(
            "SELECT date FROM documents WHERE doc_id = ?", (doc_id,)
        ).fetchone()
        return date.fromisoformat(row[0]) if row else None

    def run_of(self, doc_id: str) -> str | None:
        """Return the run that took a document in, None for an unknown one."""
        query = "SELECT run_id FROM documents WHERE doc_id = ?"
        row = self.connection.execute(query, (doc_id,)).fetchone()
        return str(row[0]) if row else None

    def has_arrival(self, arrival: Arrival) -> bool:
        """Tell whether this document already came from this source under this id."""
        return self._exists(
            "SELECT 1 FROM arrivals WHERE source = ? AND source_id = ? AND doc_id = ?", *arrival
        )

    def documents_from(self, source: str, source_id: str) -> list[str]:
        """Return the ids of the documents that came from this source under this id."""
        rows = self.connection.execute(
            "SELECT doc_id FROM arrivals WHERE source = ? AND source_id = ? ORDER BY doc_id",
            (source, source_id),
        )
        return [doc_id for (doc_id,) in rows]

    def last_from(self, source: str, source_id: str) -> str | None:
        """Return the document that was the last to come from this source under this id."""
        place = {"source": source, "source_id": source_id}
        row = self.connection.execute(_LAST_ARRIVAL, place).fetchone()
        return str(row[0]) if row else None

    def attempts(self) -> list[dict[str, Any]]:
        """Return the rows of the table ``runs``, in order of their start."""
        rows = self.connection.execute("SELECT row FROM attempts")
        attempts: list[dict[str, Any]] = [json.loads(row) for (row,) in rows]
        return sorted(attempts, key=lambda attempt: (attempt["started"], attempt["attempt"]))

    def next_attempt(self, run_id: str) -> int:
        """Return the number of the next attempt of a run, from 1."""
        (last,) = self.connection.execute(
            "SELECT coalesce(max(attempt), 0) FROM attempts WHERE run_id = ?", (run_id,)
        ).fetchone()
        return int(last) + 1

    def record_attempt(self, row: Mapping[str, Any]) -> None:
        """Write down an attempt; a second call with the same run and number replaces it.

        What was published stays so, whatever stopped the process after that.
        """
        if row["run_id"] not in self.published():
            with self.connection:
                self._put_attempt(row)

    def record_idle(self, at: str, n_skipped: int) -> None:
        """Write down that a run found nothing new; only the last such time is kept."""
        with self.connection:
            self.connection.execute("DELETE FROM idle")
            self.connection.execute("INSERT INTO idle VALUES (?, ?)", (at, n_skipped))

    def last_idle(self) -> tuple[str, int] | None:
        """Return when a run last found nothing new, and how much input it skipped."""
        row: tuple[str, int] | None = self.connection.execute("SELECT * FROM idle").fetchone()
        return row

    def published(self) -> list[str]:
        """Return the ids of the published runs, oldest first."""
        rows = self.connection.execute("SELECT run_id FROM published ORDER BY sequence")
        return [run_id for (run_id,) in rows]

    def is_withdrawn(self, arrival: Arrival, *, by_place: bool) -> bool:
        """Tell whether a document was withdrawn: its text, or ``by_place`` its source and id."""
        document = "SELECT 1 FROM withdrawn_documents WHERE doc_id = ?"
        place = "SELECT 1 FROM withdrawn_places WHERE source = ? AND source_id = ?"
        return self._exists(document, arrival.doc_id) or (
            by_place and self._exists(place, arrival.source, arrival.source_id)
        )

    def withdraw(self, doc_ids: Iterable[str], places: Iterable[tuple[str, str]]) -> None:
        """Forget documents and remember that they are not to be taken in again. Repeatable."""
        with self.connection:
            for doc_id in doc_ids:
                for table in ("documents", "arrivals", "last_arrivals"):
                    self.connection.execute(f"DELETE FROM {table} WHERE doc_id = ?", (doc_id,))
                self.connection.execute(
                    "INSERT OR IGNORE INTO withdrawn_documents VALUES (?)", (doc_id,)
                )
            self.connection.executemany(
                "INSERT OR IGNORE INTO withdrawn_places VALUES (?, ?)", places
            )
            files.reached("commit", self._path)

    def withdrawn(self) -> list[str]:
        """Return the documents that are not to be taken in again, sorted."""
        rows = self.connection.execute("SELECT doc_id FROM withdrawn_documents ORDER BY doc_id")
        return [doc_id for (doc_id,) in rows]

    def roll_back(self, run_id: str) -> None:
        """Take back every run that was published after ``run_id``. Repeatable."""
        published = self.published()
        for later in reversed(published[published.index(run_id) + 1 :]):
            registry.revert(self.connection, later)
            with self.connection:
                for table in (*_OF_A_RUN, "published"):
                    self.connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (later,))
                for attempt in self.attempts():
                    if attempt["run_id"] == later:
                        self._put_attempt(rolled_back(attempt))
                files.reached("commit", self._path)

    def commit_run(
        self,
        run_id: str,
        ledger: LedgerDelta,
        ids: registry.Delta,
        attempt: Mapping[str, Any],
    ) -> None:
        """Make a run part of the state. Repeatable, also after a call that was cut short."""
        if run_id in self.published():
            return
        registry.apply(self.connection, ids, run_id)
        with self.connection:
            execute = self.connection.executemany
            execute(
                "INSERT OR IGNORE INTO files VALUES (?, ?, ?)",
                ((source, sha256, run_id) for source, sha256 in ledger.files),
            )
            execute(
                _KEEP_LAST_FILE,
                (
                    {"source": source, "sha256": sha256, "run_id": run_id}
                    for source, sha256 in ledger.files
                ),
            )
            execute(
                "INSERT OR IGNORE INTO documents VALUES (?, ?, ?)",
                ((doc_id, day.isoformat(), run_id) for doc_id, day in ledger.documents),
            )
            execute(
                "INSERT OR IGNORE INTO arrivals VALUES (?, ?, ?, ?)",
                ((*arrival, run_id) for arrival in ledger.arrivals),
            )
            execute(
                "INSERT OR REPLACE INTO last_arrivals VALUES (?, ?, ?, ?)",
                ((*arrival, run_id) for arrival in ledger.latest),
            )
            self._put_attempt(attempt)
            self.connection.execute("INSERT INTO published (run_id) VALUES (?)", (run_id,))
            files.reached("commit", self._path)

    def documents_of(self, source: str) -> list[str]:
        """Return the ids of all documents that came from this source, sorted."""
        rows = self.connection.execute(
            "SELECT DISTINCT doc_id FROM arrivals WHERE source = ? ORDER BY doc_id", (source,)
        )
        return [doc_id for (doc_id,) in rows]

    def places_of(self, doc_id: str) -> list[tuple[str, str]]:
        """Return (source, source_id) of every arrival of a document, sorted."""
        return self.connection.execute(
            "SELECT source, source_id FROM arrivals WHERE doc_id = ? ORDER BY source, source_id",
            (doc_id,),
        ).fetchall()

    def _put_attempt(self, row: Mapping[str, Any]) -> None:
        self.connection.execute(
            "INSERT OR REPLACE INTO attempts VALUES (?, ?, ?)",
            (row["run_id"], row["attempt"], json.dumps(dict(row), sort_keys=True)),
        )

    def _exists(self, query: str, *parameters: str) -> bool:
        return self.connection.execute(query, parameters).fetchone() is not None


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (is_new,) = connection.execute("SELECT count(*) = 0 FROM sqlite_master").fetchone()
    if is_new:  # before its tables are made: a killed process leaves nothing that looks older
        connection.execute(f"PRAGMA user_version = {VERSION}")
    elif version != VERSION:
        raise ExonymError(
            f"{path} is of another version of Exonym (state {version}, this one keeps {VERSION}); "
            "publish into a new folder with --out, or go on with the version that wrote it"
        )


def rolled_back(attempt: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of an attempt whose run was taken back."""
    if attempt["outcome"] != "published":
        return dict(attempt)
    return {**attempt, "outcome": "rolled back"}


def damaged(path: Path, reason: str) -> ExonymError:
    """Return the error of a state file that cannot be read."""
    return ExonymError(
        f"{path} is damaged ({reason}); put back the copy of the last publication: "
        f"cp {path}{_BACKUP} {path}"
    )
