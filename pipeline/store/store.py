"""Paths, lock, staged shards and the journaled publication of a run."""

from __future__ import annotations

import dataclasses
import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import ExonymError, LockedError, UsageError
from pipeline.resolve import registry
from pipeline.store import files
from pipeline.store.generations import Generation, Generations, assemble
from pipeline.store.state import Arrival, LedgerDelta, State, damaged
from pipeline.store.tables import TableFiles

_IDS: Final = ("entities", "redirects")
"""The tables that say what an entity_id is."""

_REGISTRY_TABLES: Final = tuple(field.name for field in dataclasses.fields(registry.Delta))


class Staging:
    """The folder of one run in progress: shards by stage, then whole tables, then the delta."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``, made when something is written to it."""
        self.folder = folder

    @property
    def manifest(self) -> dict[str, Any]:
        """What :meth:`write_manifest` wrote; empty when the run got not even that far."""
        path = self.folder / "run.json"
        manifest: dict[str, Any] = files.read_json(path) if path.exists() else {}
        return manifest

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Record the run's identity, once all its input is staged."""
        files.write_json(self.folder / "run.json", dict(manifest))

    def part(self, name: str, shard: int) -> Path:
        """Return the path of one shard of a working table."""
        return self.folder / name / f"{shard:06d}.parquet"

    def write_part(self, name: str, shard: int, table: pa.Table) -> None:
        """Write one shard of a working table."""
        files.write_parquet(self.part(name, shard), table.schema, [table])

    def read_part(self, name: str, shard: int) -> pa.Table:
        """Read one shard of a working table."""
        return pq.ParquetFile(self.part(name, shard)).read()

    def parts(self, name: str) -> list[Path]:
        """Return the shards of a working table that are there, in order."""
        return sorted((self.folder / name).glob("*.parquet"))

    def failed_parts(self) -> list[Path]:
        """Return the shards of documents that a stage failed on (WORKING_FAILED), in order."""
        return sorted(self.folder.glob("failed-*/*.parquet"))

    @property
    def tables(self) -> TableFiles:
        """The whole tables that wait for publication."""
        return TableFiles(self.folder / "tables")

    def generation(self, number: int) -> TableFiles:
        """The tables that change in the kept generation with that number."""
        return TableFiles(self.folder / "generations" / f"{number:06d}")

    def write_table(self, table: str, rows: Iterable[pa.Table], day: date | None = None) -> int:
        """Stage the whole file of a published table; return its number of rows."""
        return self.tables.write(table, rows, day)

    def discard(self) -> None:
        """Remove the folder and all in it; the manifest first, so that no remnant is resumed."""
        self.forget()
        files.remove_folder(self.folder)

    def forget(self) -> None:
        """Remove the manifest: there is no run to resume any more."""
        files.remove(self.folder / "run.json")


class Store:
    """An output folder. Everything that is read from it or written to it goes through here."""

    def __init__(self, out: Path) -> None:
        """Use the folder ``out``, made when something is first written."""
        self.out = out
        self._home = out / ".exonym"
        self._journal = self._home / "journal.json"
        self._begun = self._home / "begun.json"

    @property
    def staging(self) -> Staging:
        """The run in progress, if any."""
        return Staging(self._home / "staging")

    @property
    def held(self) -> Staging:
        """A night that was taken in but not published, if any; see :mod:`pipeline.held`."""
        return Staging(self._home / "held")

    @property
    def begun(self) -> dict[str, Any]:
        """What :meth:`write_begun` wrote; empty when no run was killed while it read its input."""
        path = self._begun
        begun: dict[str, Any] = files.read_json(path) if path.exists() else {}
        return begun

    def write_begun(self, night: date, found: Sequence[Sequence[str]]) -> None:
        """Record that a night begins to take in ``found``: sources with what stands for content."""
        files.write_json(self._begun, {"night": night.isoformat(), "files": list(found)})

    def forget_begun(self) -> None:
        """Remove the record: all is staged, or published."""
        files.remove(self._begun)

    def hold(self) -> None:
        """Put the run in progress aside as the night held back.

        It takes the place of an earlier one, which it adopted. Killed in between, the run is still
        in ``staging`` with all its input.
        """
        self.held.discard()
        files.move(self.staging.folder, self.held.folder)

    @property
    def metrics(self) -> Path:
        """Where the metrics of the last run go by default; see :mod:`pipeline.metrics`."""
        return self._home / "metrics.prom"

    @property
    def scratch(self) -> Path:
        """A folder for temporary files, emptied at will."""
        return self._home / "scratch"

    def exists(self) -> bool:
        """Tell whether a run was ever begun here."""
        return self._home.is_dir()

    def publishing(self) -> bool:
        """Tell whether published files are being replaced, or a killed run left that half done."""
        return self._journal.exists()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock that lets one process write, and finish what a killed one left.

        Raises:
            LockedError: another process holds it.
            UsageError: the folder cannot be written.
        """
        try:
            files.make_folder(self._home)
            handle = (self._home / "lock").open("a+")
        except OSError as error:
            raise UsageError(
                f"cannot write to {self.out}: {error.strerror}; choose another --out"
            ) from None
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LockedError(
                    f"another run holds {self.out} (process {_holder(handle.name)}); "
                    "wait for it to end"
                ) from None
            with suppress(OSError):  # who holds it is good to know, no more
                os.ftruncate(handle.fileno(), 0)
                os.write(handle.fileno(), str(os.getpid()).encode())
            self.recover()
            files.remove_folder(self.scratch)
            if not self.staging.manifest:  # nothing to resume: what a killed command left
                self.staging.discard()
            yield

    @contextmanager
    def state(self) -> Iterator[State]:
        """Open the ledger, registry and attempts.

        Raises:
            ExonymError: the state file is damaged, or not there although tables are.
        """
        path = self._home / "state.sqlite"
        if not path.exists() and self.generations.kept():
            raise damaged(path, "it is gone")
        with State.open(path) as state:
            yield state

    @contextmanager
    def readable(self) -> Iterator[State]:
        """Open the state for reading; an empty one where nothing was ever published.

        A publication that a killed run left half done is carried out first, unless another process
        is at work or the folder cannot be written.
        """
        if not self.exists():
            with State.open(Path(":memory:")) as state:
                yield state
            return
        if self._journal.exists():
            with suppress(ExonymError), self.locked():
                pass
        with self.state() as state:
            yield state

    @property
    def tables(self) -> TableFiles:
        """The published tables."""
        return TableFiles(self.out)

    def live(self, table: str, day: date | None = None) -> Path:
        """Return the path of a published table, or of one day of it. It may not be there."""
        return self.tables.path(table, day)

    def live_days(self, table: str) -> list[Path]:
        """Return the files of a dated table, in order of date."""
        return self.tables.paths(table)

    def read(self, table: str) -> pa.Table:
        """Read a whole published table; without rows where nothing was published."""
        return self.tables.read(table)

    @property
    def generations(self) -> Generations:
        """The published states that are kept."""
        return Generations(self._home / "generations")

    def publish(
        self,
        run_id: str,
        ledger: LedgerDelta,
        ids: registry.Delta,
        attempt: Mapping[str, Any],
        keep: int,
    ) -> None:
        """Put the staged tables in place of the published ones and make the run part of the state.

        What is published then is kept as a generation, and of those the newest ``keep``.

        The journal is the point of no return: written once everything it needs lies on the disk.
        Killed before it, nothing has changed; killed after it, :meth:`recover` carries it out.
        """
        staging = self.staging
        _write_delta(staging.folder / "delta", ledger, ids, attempt)
        assemble(staging.folder / "generation", run_id, self.tables, staging.tables)
        number = self.generations.next_number()
        self._carry_out({"action": "publish", "run_id": run_id, "number": number, "keep": keep})

    def roll_back(self, generation: Generation) -> None:
        """Put a kept generation back in place, with the ledger and the registry of its time.

        Staged tables, if any, take the place of its own. Later generations are removed.
        """
        staged = self.staging.folder / "generation"
        assemble(staged, generation.run_id, generation.tables, self.staging.tables)
        action = {"action": "roll_back", "run_id": generation.run_id, "number": generation.number}
        self._carry_out(action)

    def withdraw(self, doc_ids: Iterable[str], places: Iterable[tuple[str, str]]) -> None:
        """Put the staged generations in place of the kept ones, and remember what they lack.

        ``staging.generation(number)`` holds what changes in a kept generation. ``doc_ids`` and
        ``places`` (source, source_id) are not to be taken in again.
        """
        staging = self.staging
        _write_rows(staging.folder / "doc_ids.parquet", ("doc_id",), ((one,) for one in doc_ids))
        _write_rows(staging.folder / "places.parquet", ("source", "source_id"), places)
        for kept in self.generations.kept():
            changed = staging.generation(kept.number)
            whole = staging.folder / "whole" / changed.folder.name
            assemble(whole, kept.run_id, kept.tables, changed)
        self._carry_out({"action": "withdraw"})

    def _carry_out(self, journal: Mapping[str, Any]) -> None:
        files.write_json(self._journal, journal)
        self.recover()

    def recover(self) -> None:
        """Carry out what the journal describes, if there is one. Repeatable.

        Raises:
            ExonymError: the disk did not let it; the journal stays.
        """
        if not self._journal.exists():
            return
        journal = files.read_json(self._journal)
        carry_out = {
            "publish": self._publish,
            "roll_back": self._roll_back,
            "withdraw": self._withdraw,
        }[journal["action"]]
        try:
            with self.state() as state:
                carry_out(journal, state)
                state.back_up()
            self.staging.forget()
            files.remove(self._journal)
            self.staging.discard()
        except OSError as error:
            raise ExonymError(
                f"publishing to {self.out} was interrupted ({error.strerror or error}); "
                "it is carried out by the next command: make room or set the folder right first"
            ) from error

    def _publish(self, journal: Mapping[str, Any], state: State) -> None:
        staged, kept = self.staging.folder / "generation", self.generations.place(journal["number"])
        self._show(TableFiles(staged if staged.exists() else kept), self.tables)
        state.commit_run(journal["run_id"], *_read_delta(self.staging.folder / "delta"))
        if staged.exists():
            files.make_folder(kept.parent)
            files.move(staged, kept)
        self.generations.remove(self.generations.kept()[: -journal["keep"]])
        if self.staging.manifest.get("adopted"):
            self.held.discard()

    def _roll_back(self, journal: Mapping[str, Any], state: State) -> None:
        kept = TableFiles(self.generations.place(journal["number"]))
        self._show(TableFiles(self.staging.folder / "generation"), kept)
        self._show(kept, self.tables)
        state.roll_back(journal["run_id"])
        later = [one for one in self.generations.kept() if one.number > journal["number"]]
        self.generations.remove(later)

    def _withdraw(self, journal: Mapping[str, Any], state: State) -> None:
        folder = self.staging.folder
        state.withdraw(
            (doc_id for (doc_id,) in _read_rows(folder / "doc_ids.parquet")),
            ((source, source_id) for source, source_id in _read_rows(folder / "places.parquet")),
        )
        kept = self.generations.kept()
        for generation in kept:
            whole = TableFiles(folder / "whole" / generation.folder.name)
            self._show(whole, generation.tables)
        self._show(kept[-1].tables, self.tables)
        self.generations.remove([], though_read=True)
        self.held.discard()

    def _show(self, wanted: TableFiles, shown: TableFiles) -> None:
        """Make the files of ``shown`` those of ``wanted``, one by one, all of them whole.

        Readers may open any table meanwhile, so that every entity_id resolves at every moment:
        first come the ids of both states, at last those of the wanted one alone.
        """
        for table in _IDS:
            self._place(self._with_ids_of(wanted, shown, table), shown.path(table))
        names = [name for name in wanted.names() if name.partition("/")[0] not in _IDS]
        for name in names:
            self._place(wanted.folder / name, shown.folder / name)
        for name in sorted({*shown.names()} - {*wanted.names()}):
            files.remove(shown.folder / name)
        for table in _IDS:
            self._place(wanted.path(table), shown.path(table))

    def _with_ids_of(self, wanted: TableFiles, shown: TableFiles, table: str) -> Path:
        """Return a file with the rows wanted and those shown whose id is not among them."""
        if not shown.path(table).exists():
            return wanted.path(table)
        ids = pq.read_table(wanted.path(table), columns=["entity_id"])["entity_id"]
        rows = pq.ParquetFile(shown.path(table)).read()
        more = rows.filter(pc.invert(pc.is_in(rows["entity_id"], ids.combine_chunks())))
        if not more.num_rows:
            return wanted.path(table)
        both = TableFiles(self.staging.folder / "both")
        both.write(table, [pa.concat_tables([wanted.read(table), more]).sort_by("entity_id")])
        return both.path(table)

    def _place(self, source: Path, target: Path) -> None:
        """Let ``target`` be the same file as ``source``, at once."""
        if target.exists() and files.same(source, target):
            return
        placing = self._home / "placing.parquet"
        placing.unlink(missing_ok=True)
        files.link(source, placing)
        files.make_folder(target.parent)
        files.move(placing, target)


def _holder(lock: str) -> str:
    return Path(lock).read_text(encoding="utf-8").strip() or "unknown"


def _write_delta(
    folder: Path, ledger: LedgerDelta, ids: registry.Delta, attempt: Mapping[str, Any]
) -> None:
    _write_rows(folder / "files.parquet", ("source", "sha256"), ledger.files)
    days = ((doc_id, day.isoformat()) for doc_id, day in ledger.documents)
    _write_rows(folder / "documents.parquet", ("doc_id", "date"), days)
    _write_rows(folder / "arrivals.parquet", Arrival._fields, ledger.arrivals)
    _write_rows(folder / "latest.parquet", Arrival._fields, ledger.latest)
    for name in _REGISTRY_TABLES:
        table = getattr(ids, name)
        files.write_parquet(folder / "registry" / f"{name}.parquet", table.schema, [table])
    files.write_json(folder / "attempt.json", dict(attempt))


def _read_delta(folder: Path) -> tuple[LedgerDelta, registry.Delta, dict[str, Any]]:
    latest = folder / "latest.parquet"  # not there where an earlier version was killed
    ledger = LedgerDelta(
        files=[(source, sha256) for source, sha256 in _read_rows(folder / "files.parquet")],
        documents=(
            (doc_id, date.fromisoformat(day))
            for doc_id, day in _read_rows(folder / "documents.parquet")
        ),
        arrivals=(Arrival(*row) for row in _read_rows(folder / "arrivals.parquet")),
        latest=(Arrival(*row) for row in _read_rows(latest)) if latest.exists() else (),
    )
    paths = (folder / "registry" / f"{name}.parquet" for name in _REGISTRY_TABLES)
    ids = registry.Delta(*(pq.ParquetFile(path).read() for path in paths))
    return ledger, ids, files.read_json(folder / "attempt.json")


_BATCH: Final = 10_000


def _write_rows(path: Path, names: Sequence[str], rows: Iterable[tuple[str, ...]]) -> None:
    schema = pa.schema([(name, pa.string()) for name in names])

    def tables() -> Iterator[pa.Table]:
        batch: list[tuple[str, ...]] = []
        for row in rows:
            batch.append(row)
            if len(batch) == _BATCH:
                yield _rows_table(batch, schema)
                batch = []
        yield _rows_table(batch, schema)

    files.write_parquet(path, schema, tables())


def _rows_table(rows: Sequence[tuple[str, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [[] for _ in schema]
    return pa.Table.from_arrays(
        [pa.array(list(column), pa.string()) for column in columns], schema=schema
    )


def _read_rows(path: Path) -> Iterator[tuple[str, ...]]:
    for batch in pq.ParquetFile(path).iter_batches(_BATCH):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
