"""The nightly run's first step: what is new among the sources, staged in shards.

New is what the ledger does not hold, by content: a file whose bytes were the last to be taken in
from the same place is not even read, a text that is known already gives only another arrival. Of
several texts that came from one source and id the last to come is live, also where it is an old one
that came back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.ingest import Incoming, InputFile, Limits, Rejected, find, read, rejected_table
from pipeline.ingest import to_tables as incoming_tables
from pipeline.progress import Reporter
from pipeline.schemas import WORKING_LATEST, WORKING_SOURCES, WORKING_SUPERSEDED
from pipeline.store import Staging
from pipeline.store.state import Arrival, State


@dataclass(slots=True)
class Fresh:
    """Input that the ledger does not hold."""

    files: list[tuple[InputFile, str]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    n_skipped: int = 0

    @property
    def files_and_content(self) -> list[list[str]]:
        """Every source with what stands for its content: its hash, or why it cannot be read."""
        return [
            *([file.source, sha256] for file, sha256 in self.files),
            *([rejected.source, rejected.error] for rejected in self.rejected),
        ]

    def parted(self, found: Collection[tuple[str, str]]) -> tuple[Fresh, Fresh]:
        """Return what is among ``found`` (sources with what stands for content), and the rest."""
        among, rest = Fresh(), Fresh(n_skipped=self.n_skipped)
        for item, content in self.files:
            (among if (item.source, content) in found else rest).files.append((item, content))
        for rejected in self.rejected:
            place = (rejected.source, rejected.error)
            (among if place in found else rest).rejected.append(rejected)
        return among, rest


@dataclass(slots=True)
class Intake:
    """What was staged."""

    n_shards: int = 0
    n_documents: int = 0
    n_quarantined: int = 0
    n_skipped: int = 0


def look(
    sources: Sequence[str],
    limits: Limits,
    state: State,
    again: Collection[str],
    waiting: Mapping[str, str],
    reporter: Reporter,
) -> Fresh:
    """Find the files that hold anything new. Those in ``again`` count as new in any case.

    ``waiting`` gives the last content of sources that was taken in but not published.

    Raises:
        SourceNotFound: a source is not there.
    """
    fresh = Fresh()
    reporter.begin("look", None, "files")
    for found in find(sources, limits):
        reporter.advance()
        item, content = _content(found)
        if item.source in waiting:
            is_known = waiting[item.source] == content
        else:
            is_known = state.last_content(item.source) == content and item.source not in again
        if is_known:
            fresh.n_skipped += 1
        elif isinstance(item, Rejected):
            fresh.rejected.append(item)
        else:
            fresh.files.append((item, content))
    reporter.end()
    return fresh


def _content(found: InputFile | Rejected) -> tuple[InputFile | Rejected, str]:
    """Return what was found, and what stands for its content in the ledger."""
    if isinstance(found, Rejected):
        return found, found.error
    try:
        return found, found.sha256()
    except OSError as error:
        message = f"cannot be read ({error.strerror or error}); check that it is there and readable"
        return Rejected(found.source, "unreadable", message), "unreadable"


def take_in(
    fresh: Fresh,
    run_id: str,
    night: date,
    limits: Limits,
    shard_documents: int,
    state: State,
    staging: Staging,
    reporter: Reporter,
    intake: Intake,
) -> Intake:
    """Read the fresh files and stage their documents, arrivals and rejects, shard by shard.

    ``intake`` counts what is staged already, and is returned with what was added to it.
    """
    intake.n_skipped += fresh.n_skipped
    writer = _ShardWriter(staging, run_id, shard_documents, intake)
    reporter.begin("ingest", len(fresh.files), "files")
    with _Seen() as seen:
        seen.add_staged(staging)
        for rejected in fresh.rejected:
            writer.reject(rejected)
        for file, _ in fresh.files:
            for item in read(file, night, limits):
                if isinstance(item, Rejected):
                    writer.reject(item)
                else:
                    _sort_in(item, state, seen, writer, intake)
            reporter.advance()
    writer.close()
    reporter.end()
    return intake


def _sort_in(
    item: Incoming, state: State, seen: _Seen, writer: _ShardWriter, intake: Intake
) -> None:
    arrival = Arrival(item.source, item.source_id or "", item.doc_id)
    by_place = item.source_id is not None or item.line is None
    if state.is_withdrawn(arrival, by_place=by_place):
        intake.n_skipped += 1
        return
    came_before = state.has_arrival(arrival) or not seen.add_arrival(arrival)
    if came_before and not (by_place and _came_back(arrival, state, seen)):
        intake.n_skipped += 1
        return
    known_since = state.document_date(item.doc_id) or seen.document_date(item.doc_id)
    if not came_before:
        writer.arrive(item, known_since or item.date)
    if known_since is None:
        seen.add_document(item)
        writer.add(item)
    else:
        intake.n_skipped += 1
    if by_place:
        _supersede(arrival, known_since or item.date, state, seen, writer)


def _came_back(arrival: Arrival, state: State, seen: _Seen) -> bool:
    """Tell whether another text came from this source and id since this one did."""
    last = seen.last_from(arrival) or state.last_from(arrival.source, arrival.source_id)
    return last != arrival.doc_id


def _supersede(
    arrival: Arrival, date_of_arrived: date, state: State, seen: _Seen, writer: _ShardWriter
) -> None:
    earlier = state.documents_from(arrival.source, arrival.source_id)
    earlier += seen.documents_from(arrival)
    days = {
        doc_id: day
        for doc_id in earlier
        if doc_id != arrival.doc_id
        and (day := state.document_date(doc_id) or seen.document_date(doc_id))
    }
    if days:
        seen.note_last(arrival)
        writer.supersede(arrival, date_of_arrived, days)


class _Seen:
    """What this run has met so far, on disk, so that memory does not grow with it."""

    def __enter__(self) -> _Seen:
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.executescript(
            "CREATE TABLE documents (doc_id TEXT PRIMARY KEY, date TEXT) WITHOUT ROWID;"
            "CREATE TABLE arrivals (source TEXT, source_id TEXT, doc_id TEXT,"
            " PRIMARY KEY (source, source_id, doc_id)) WITHOUT ROWID;"
            "CREATE TABLE latest (source TEXT, source_id TEXT, doc_id TEXT,"
            " PRIMARY KEY (source, source_id)) WITHOUT ROWID;"
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def add_arrival(self, arrival: Arrival) -> bool:
        """Note an arrival; False when it was noted before."""
        query = "INSERT OR IGNORE INTO arrivals VALUES (?, ?, ?)"
        return self._connection.execute(query, arrival).rowcount == 1

    def add_document(self, item: Incoming) -> None:
        """Note a document."""
        self._connection.execute(
            "INSERT INTO documents VALUES (?, ?)", (item.doc_id, item.date.isoformat())
        )

    def add_staged(self, staging: Staging) -> None:
        """Note the documents and arrivals that are staged already."""
        insert = self._connection.executemany
        for part in staging.parts("incoming"):
            columns = pq.read_table(part, columns=["doc_id", "date"])
            days = [day.isoformat() for day in columns["date"].to_pylist()]
            documents = zip(columns["doc_id"].to_pylist(), days, strict=True)
            insert("INSERT INTO documents VALUES (?, ?)", documents)
        for part in staging.parts("document_sources"):
            arrivals = pq.read_table(part, columns=list(Arrival._fields)).to_pylist()
            insert(
                "INSERT OR IGNORE INTO arrivals VALUES (?, ?, ?)",
                ((row["source"], row["source_id"] or "", row["doc_id"]) for row in arrivals),
            )

        for arrival in latest(staging):
            self.note_last(arrival)

    def note_last(self, arrival: Arrival) -> None:
        """Note which of several texts was the last to come from a source and id."""
        self._connection.execute("INSERT OR REPLACE INTO latest VALUES (?, ?, ?)", arrival)

    def last_from(self, arrival: Arrival) -> str | None:
        """Return the document that this run met last from the same source and id, if any."""
        query = "SELECT doc_id FROM latest WHERE source = ? AND source_id = ?"
        row = self._connection.execute(query, arrival[:2]).fetchone()
        if row is None:  # not more than one came from there
            query = "SELECT doc_id FROM arrivals WHERE source = ? AND source_id = ?"
            row = self._connection.execute(query, arrival[:2]).fetchone()
        return row[0] if row else None

    def document_date(self, doc_id: str) -> date | None:
        """Return the date of a document met in this run."""
        query = "SELECT date FROM documents WHERE doc_id = ?"
        row = self._connection.execute(query, (doc_id,)).fetchone()
        return date.fromisoformat(row[0]) if row else None

    def documents_from(self, arrival: Arrival) -> list[str]:
        """Return the other documents met in this run from the same source and id."""
        query = "SELECT doc_id FROM arrivals WHERE source = ? AND source_id = ? AND doc_id <> ?"
        with closing(self._connection.execute(query, arrival)) as rows:
            return [doc_id for (doc_id,) in rows]


class _ShardWriter:
    """Collects rows and stages them as shards of a fixed number of documents."""

    def __init__(self, staging: Staging, run_id: str, shard_documents: int, intake: Intake) -> None:
        self._staging = staging
        self._run_id = run_id
        self._shard_documents = shard_documents
        self._intake = intake
        self._documents: list[Incoming] = []
        self._arrivals: list[tuple[Incoming, date]] = []
        self._rejected: list[Rejected] = []
        self._superseded: list[dict[str, object]] = []
        self._latest: list[dict[str, object]] = []
        self._superseded_before = sum(
            pq.read_metadata(part).num_rows for part in staging.parts("superseded")
        )
        self._extra = len(staging.parts("rejected"))

    def add(self, item: Incoming) -> None:
        """Take a document."""
        self._documents.append(item)
        self._intake.n_documents += 1
        if len(self._documents) == self._shard_documents:
            self._flush()

    def arrive(self, item: Incoming, day: date) -> None:
        """Take an arrival; ``day`` is the document's date."""
        self._arrivals.append((item, day))

    def reject(self, rejected: Rejected) -> None:
        """Take a piece of input that cannot be read."""
        self._rejected.append(rejected)
        self._intake.n_quarantined += 1
        if len(self._rejected) == self._shard_documents:
            self._flush_rejected()

    def supersede(self, arrival: Arrival, day: date, earlier: Mapping[str, date]) -> None:
        """Take note that a document, of that ``day``, replaces others, given with their dates."""
        position = self._superseded_before + len(self._superseded)
        self._latest.append({**arrival._asdict(), "date": day, "position": position})
        for number, (doc_id, date_of_earlier) in enumerate(earlier.items(), position):
            self._superseded.append(
                {
                    "doc_id": doc_id,
                    "superseded_by": arrival.doc_id,
                    "date": date_of_earlier,
                    "position": number,
                }
            )

    def close(self) -> None:
        """Stage what is left."""
        if self._documents or self._arrivals:
            self._flush()
        self._flush_rejected()
        number = len(self._staging.parts("superseded"))
        table = pa.Table.from_pylist(self._superseded, WORKING_SUPERSEDED)
        self._staging.write_part("superseded", number, table)
        table = pa.Table.from_pylist(self._latest, WORKING_LATEST)
        self._staging.write_part("latest", number, table)

    def _flush(self) -> None:
        shard = self._intake.n_shards
        documents, _ = incoming_tables(self._documents, self._run_id)
        self._staging.write_part("document_sources", shard, self._arrival_table())
        self._staging.write_part("incoming", shard, documents)
        self._intake.n_shards += 1
        self._documents, self._arrivals = [], []

    def _flush_rejected(self) -> None:
        table = rejected_table(self._rejected, self._run_id)
        self._staging.write_part("rejected", self._extra, table)
        self._extra += 1
        self._rejected = []

    def _arrival_table(self) -> pa.Table:
        rows = [
            {
                "doc_id": item.doc_id,
                "source": item.source,
                "source_id": item.source_id,
                "url": item.url,
                "date": day,
                "run_id": self._run_id,
                "line": item.line,
            }
            for item, day in self._arrivals
        ]
        return pa.Table.from_pylist(rows, WORKING_SOURCES)


def latest(staging: Staging) -> Iterator[Arrival]:
    """Yield what came where several texts came from one source and id, as it came."""
    for part in staging.parts("latest"):  # each part goes on where the one before ended
        rows = pq.read_table(part, columns=list(Arrival._fields)).to_pylist()
        yield from (Arrival(**row) for row in rows)


def rejected_parts(staging: Staging) -> list[Path]:
    """Return the files of the run's quarantine rows: from reading, then from later stages."""
    return [*staging.parts("rejected"), *staging.failed_parts()]
