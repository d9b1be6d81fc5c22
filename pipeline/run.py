"""The nightly run: look → ingest → detect → recognise → resolve → publish.

This module knows the order of the stages, what to skip and what to resume; not what they do.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from importlib.metadata import version
from itertools import filterfalse
from pathlib import Path
from time import monotonic, process_time
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import gates, held, intake, isolation, past, publish, quarantine, shard
from pipeline import reprocess as redo
from pipeline.attempts import as_table
from pipeline.errors import ExonymError, HeldBackError, StoppedError, UsageError
from pipeline.executors import Executor
from pipeline.executors.choice import chosen
from pipeline.ingest import Limits, SourceNotFound
from pipeline.knowledge.build import ensure
from pipeline.knowledge.index import Index
from pipeline.models import checksums
from pipeline.progress import Reporter, Silent
from pipeline.resolve import ids
from pipeline.resolve.finish import finish
from pipeline.schemas import SCHEMA_VERSION, TABLES
from pipeline.settings import Settings
from pipeline.stopping import stop_deferred
from pipeline.store import Staging, Store
from pipeline.store.state import Arrival, LedgerDelta, State
from pipeline.versions import code_hash
from pipeline.work import Work, overrides_in_force

_RUN_HASH_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Identity:
    """What a run's results follow from, besides its input and date."""

    code: str
    settings: str
    models: tuple[tuple[str, str, str, str], ...]
    """Language, engine, model and checksum."""
    knowledge: str
    overrides: str
    parent: str
    """The last published run, whose registry and news this one builds on; empty for the first."""
    withdrawn: str
    """A hash of the documents that were taken out of what it published."""

    def run_id(self, night: date, content: Sequence[str]) -> str:
        """Return the id of a run of that night over input with these hashes."""
        return f"{night.isoformat()}-{_hash([asdict(self), *content])[:_RUN_HASH_DIGITS]}"


@dataclass(slots=True)
class Summary:
    """What a run did, for people."""

    run_id: str
    night: date
    resumed: bool
    n_skipped: int
    published: publish.Published | None = None
    n_new_entities: int = 0
    n_quarantined: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: Mapping[str, float] = field(default_factory=dict)
    """Processor time by stage, of all processes together."""
    peak_main_mb: float = 0.0
    peak_worker_mb: float = 0.0
    """Highest resident memory of this process, and of any worker; 0.0 without workers."""
    differences: Sequence[redo.Difference] = ()
    """Where old days were redone: how their mentions changed, by language."""

    @property
    def words_per_second(self) -> float:
        """Words by the wall seconds of all stages; 0.0 where nothing was read."""
        seconds = sum(self.seconds.values())
        return self.published.n_words / seconds if self.published and seconds else 0.0

    @property
    def peak_rss_mb(self) -> float:
        """Highest resident memory of any process."""
        return max(self.peak_main_mb, self.peak_worker_mb)


def run(
    sources: Sequence[str],
    out: Path,
    night: date,
    settings: Settings,
    *,
    reporter: Reporter | None = None,
    executor: Executor | None = None,
    retry: Collection[str] = (),
    accept: bool = False,
    reprocess: tuple[date, date] | None = None,
) -> list[Summary]:
    """Publish what is new in ``sources`` and return a summary a published run.

    A run that was stopped before is finished first, under its own date and id. The list is empty
    when there was nothing new. Sources in ``retry`` are read again although they are known. A night
    that was held back is judged together with what is new, or with ``accept`` published first.
    ``reprocess`` are a first and a last day: what was published of them is redone with the models
    of now, unless the last run did just that, and nothing new is read.

    Raises:
        UsageError: a source is not there, or the settings name models that are not.
        LockedError: another run holds ``out``.
        HeldBackError: a publish gate held the night back; what was live stays live.
        ExonymError: the run failed; nothing was published.
    """
    reporter = reporter or Silent()
    store = Store(out)
    with store.locked(), store.state() as state, chosen(executor, settings.workers) as executor:
        reporter.begin("knowledge", None, "index")
        index = ensure(settings.knowledge)
        reporter.advance()
        reporter.end()

        def one_night() -> _Night:
            return _Night(store, state, settings, index, reporter, executor)

        def identity() -> Identity:
            return identity_of(settings, index, state)

        summaries = []
        if stopped := _stopped(store, identity):
            summaries.append(one_night().resume(stopped, accept=accept))
        store.staging.discard()
        if reprocess:
            days = redo.days_between(store.tables, *reprocess)
            if days and not _is_redone(days, identity(), state):
                summaries.append(one_night().redo(days, night))
            return summaries
        if accept and store.held.manifest:
            summaries.append(one_night().begin(intake.Fresh(), night, retry, accept=True))
        waiting = _waiting(store.held, identity())
        try:
            fresh = intake.look(sources, _limits(settings), state, retry, waiting, reporter)
        except SourceNotFound as error:
            raise UsageError(str(error)) from None
        for found, of in _nights(store, fresh, night):
            summaries.append(one_night().begin(found, of, retry))
        if sources and not summaries:
            state.record_idle(_now(), fresh.n_skipped)
    return summaries


def _stopped(store: Store, identity: Callable[[], Identity]) -> dict[str, Any]:
    """Return the manifest of a run to be resumed, empty where there is none.

    A night that would give other results now is put aside instead, as one held back: its input and
    its date are kept.
    """
    stopped = store.staging.manifest
    if stopped:
        store.forget_begun()
        if stopped["identity"] == _plain(identity()):
            return stopped
        if not stopped.get("reprocess"):
            store.hold()
    return {}


def _nights(store: Store, fresh: intake.Fresh, night: date) -> Iterator[tuple[intake.Fresh, date]]:
    """Yield what is to be taken in, with its night's date.

    What a run was reading when it was killed keeps its night, and what came since is one after it.
    """
    begun = store.begun
    if begun:
        earlier, fresh = fresh.parted({(source, content) for source, content in begun["files"]})
        if earlier.files or earlier.rejected:
            yield earlier, date.fromisoformat(begun["night"])
    if fresh.files or fresh.rejected or store.held.manifest:
        yield fresh, night


@dataclass(slots=True)
class _Night(Work):
    """One run from its input to its publication."""

    _seconds: dict[str, float] = field(default_factory=dict)
    _cpu_seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _peak_worker_mb: float = 0.0

    def begin(
        self, fresh: intake.Fresh, night: date, retry: Collection[str], *, accept: bool = False
    ) -> Summary:
        """Stage the input, after that of a night held back, and carry the run through."""
        identity = identity_of(self._settings, self._index, self._state)
        before = self._store.held.manifest
        files = [*before.get("files", ()), *fresh.files_and_content]
        if before and not fresh.files_and_content:
            night = date.fromisoformat(before["night"])
        run_id = identity.run_id(night, sorted(content for _, content in files))
        with attempted(self._state, run_id, identity) as attempt:
            self._store.write_begun(night, fresh.files_and_content)
            with self._timed("ingest"):
                taken = intake.take_in(
                    fresh,
                    run_id,
                    night,
                    _limits(self._settings),
                    self._settings.shard_documents,
                    self._state,
                    self._store.staging,
                    self._reporter,
                    self._adopt(before, run_id, fresh, identity) if before else intake.Intake(),
                )
            manifest = {
                "run_id": run_id,
                "night": night.isoformat(),
                "identity": _plain(identity),
                "files": files,
                "retry": sorted({*retry, *before.get("retry", ())}),
                "intake": asdict(taken),
                "adopted": bool(before),
                "accept": accept,
            }
            self._store.staging.write_manifest(manifest)
            self._store.forget_begun()
            return self._carry_through(manifest, attempt, resumed=False)

    def redo(self, days: Sequence[date], night: date) -> Summary:
        """Stage what was published of old days and carry the run through."""
        identity = identity_of(self._settings, self._index, self._state)
        run_id = identity.run_id(night, _old(days))
        with attempted(self._state, run_id, identity) as attempt:
            with self._timed("ingest"):
                taken = redo.stage(self._store, days, run_id, self._settings.shard_documents)
            manifest = {
                "run_id": run_id,
                "night": night.isoformat(),
                "identity": _plain(identity),
                "files": [],
                "retry": [],
                "intake": asdict(taken),
                "adopted": False,
                "accept": True,
                "reprocess": True,
            }
            self._store.staging.write_manifest(manifest)
            return self._carry_through(manifest, attempt, resumed=False)

    def _adopt(
        self, before: Mapping[str, Any], run_id: str, fresh: intake.Fresh, identity: Identity
    ) -> intake.Intake:
        return held.adopt(
            self._store.held,
            self._store.staging,
            run_id,
            {source for source, _ in fresh.files_and_content},
            results=held.same_but_for_parent(before["identity"], _plain(identity)),
            links=before["identity"] == _plain(identity),
        )

    def resume(self, manifest: Mapping[str, Any], *, accept: bool) -> Summary:
        """Go on where an earlier attempt stopped."""
        manifest = {**manifest, "accept": accept or manifest["accept"]}
        identity = identity_of(self._settings, self._index, self._state)
        with attempted(self._state, manifest["run_id"], identity) as attempt:
            return self._carry_through(manifest, attempt, resumed=True)

    def _carry_through(
        self, manifest: Mapping[str, Any], attempt: dict[str, Any], *, resumed: bool
    ) -> Summary:
        taken = intake.Intake(**manifest["intake"])
        for stage in shard.STAGES:
            with self._timed(stage):
                if stage == shard.RESOLVE:
                    self._look_back(manifest)
                self._run_stage(stage, manifest, taken)
        self._reporter.begin("publish", None, "tables")
        with self._timed("publish"):
            assignment, published = self._stage_tables(manifest, taken)
        summary = self._summary(manifest, taken, assignment, published, resumed=resumed)
        if not manifest.get("reprocess"):  # old days are no measure of a night
            self._judge(manifest, taken, attempt, summary)
        self._publish(manifest, assignment, attempt, summary)
        self._reporter.advance(len(TABLES))
        self._reporter.end()
        return summary

    def _stage_tables(
        self, manifest: Mapping[str, Any], taken: intake.Intake
    ) -> tuple[ids.Assignment, publish.Published]:
        """Give ids and stage every table but ``runs``. Repeatable."""
        run_id, staging = manifest["run_id"], self._store.staging
        assignment = self._assign(_clusters(staging), run_id)
        for number in range(taken.n_shards):
            settled = staging.read_part("settled", number)
            staging.write_part("final", number, finish(settled, assignment, run_id))
        changes = _changes(staging, manifest)
        published = self._stage_published(changes, run_id, assignment.delta)
        rows = quarantine.after_run(self._store, _sources(manifest), frozenset(manifest["retry"]))
        staging.write_table("quarantine", rows)
        return assignment, published

    def _summary(
        self,
        manifest: Mapping[str, Any],
        taken: intake.Intake,
        assignment: ids.Assignment,
        published: publish.Published,
        *,
        resumed: bool,
    ) -> Summary:
        store = self._store
        failed_parts = store.staging.failed_parts()
        failed = sum(pq.ParquetFile(part).metadata.num_rows for part in failed_parts)
        return Summary(
            run_id=manifest["run_id"],
            night=date.fromisoformat(manifest["night"]),
            resumed=resumed,
            n_skipped=taken.n_skipped,
            published=published,
            n_new_entities=len(assignment.minted),
            n_quarantined=taken.n_quarantined + failed,
            seconds=self._seconds,
            cpu_seconds=dict(self._cpu_seconds),
            peak_main_mb=shard.peak_rss_mb(),
            peak_worker_mb=self._peak_worker_mb,
            differences=redo.compare(store.tables, store.staging.tables, store.scratch)
            if manifest.get("reprocess")
            else (),
        )

    def _publish(
        self,
        manifest: Mapping[str, Any],
        assignment: ids.Assignment,
        attempt: dict[str, Any],
        summary: Summary,
    ) -> None:
        """Stage ``runs`` and put all that is staged in place."""
        attempt.update(_counts(summary), finished=_now(), outcome="published")
        staging = self._store.staging
        staging.write_table("runs", [runs_table(self._state, attempt)])
        old = manifest.get("reprocess")
        ledger = LedgerDelta((), (), ()) if old else _ledger(staging, manifest["files"])
        keep = self._settings.keep_runs
        with stop_deferred():
            self._store.publish(manifest["run_id"], ledger, assignment.delta, attempt, keep)

    def _judge(
        self,
        manifest: Mapping[str, Any],
        taken: intake.Intake,
        attempt: dict[str, Any],
        summary: Summary,
    ) -> None:
        """Count the night for the gates of this and later runs.

        Raises:
            HeldBackError: a figure moved beyond its bound and the night was not accepted.
        """
        counts = gates.count(
            _shards(self._store.staging, taken.n_shards),
            _failed(self._store.staging),
            taken.n_quarantined,
        )
        attempt["counts"] = {lang: asdict(of_lang) for lang, of_lang in counts.items()}
        moved = gates.moved(counts, _counts_before(self._state), self._settings.gates)
        if moved and not manifest["accept"]:
            attempt.update(_counts(summary), finished=_now(), outcome="held back")
            self._state.record_attempt(attempt)
            moves = [asdict(move) for move in moved]
            self._store.staging.write_manifest({**manifest, "moved": moves})
            self._store.hold()
            raise HeldBackError(
                f"held back: {'; '.join(map(str, moved))}; what was live stays live; "
                "see 'exonym status', publish with 'exonym run --accept'"
            )

    def _look_back(self, manifest: Mapping[str, Any]) -> None:
        """Stage what past news meant, for all shards. Repeatable."""
        staging, tables = self._store.staging, self._store.tables
        redone = _days_of(staging) if manifest.get("reprocess") else frozenset()
        days = past.window(tables.days("mentions"), self._settings.past_days, without=redone)
        counted = past.count(tables, days, self._state.connection, self._store.scratch)
        staging.write_part(shard.PAST, 0, counted)

    def _run_stage(self, stage: str, manifest: Mapping[str, Any], taken: intake.Intake) -> None:
        self._reporter.begin(stage, taken.n_documents, "documents")
        models = tuple(tuple(model) for model in manifest["identity"]["models"])
        staging, run_id = self._store.staging.folder, manifest["run_id"]

        def jobs() -> Iterator[shard.Job]:
            numbers = range(taken.n_shards)
            looked_back = shard.PAST if stage == shard.RESOLVE else ""
            return (
                self._job(stage, number, run_id, staging, models, looked_back) for number in numbers
            )

        for outcome in isolation.work(self._executor, filterfalse(shard.is_done, jobs())):
            if outcome.process != shard.this_process():
                self._cpu_seconds[stage] += outcome.cpu_seconds
                self._peak_worker_mb = max(self._peak_worker_mb, outcome.peak_rss_mb)
            self._reporter.advance(outcome.n_documents)
        shard.check_done(jobs())
        self._reporter.end()

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        begun, cpu_begun = monotonic(), process_time()
        yield
        self._seconds[stage] = round(monotonic() - begun, 3)
        self._cpu_seconds[stage] += process_time() - cpu_begun


_NO_COUNTS: Final[Mapping[str, Any]] = {
    "n_documents": 0,
    "n_words": 0,
    "n_mentions": 0,
    "n_entities": 0,
    "n_new_entities": 0,
    "n_quarantined": 0,
    "n_skipped": 0,
    "seconds": {},
    "cpu_seconds": {},
    "words_per_second": 0.0,
    "peak_rss_mb": 0.0,
    "peak_main_mb": 0.0,
    "peak_worker_mb": 0.0,
}


@contextmanager
def attempted(state: State, run_id: str, identity: Identity) -> Iterator[dict[str, Any]]:
    """Record an attempt from its beginning, so that a killed one is known as well.

    Yields its row of ``runs``, to be completed. An error that is no :class:`ExonymError` becomes
    one.
    """
    attempt: dict[str, Any] = {
        "run_id": run_id,
        "attempt": state.next_attempt(run_id),
        "started": _now(),
        "finished": None,
        "outcome": "stopped",
        "code_version": f"{version('exonym')}+{identity.code[:_RUN_HASH_DIGITS]}",
        "config_hash": identity.settings,
        "models": [
            {"lang": lang, "engine": engine, "name": name, "sha256": sha256}
            for lang, engine, name, sha256 in identity.models
        ],
        "knowledge": identity.knowledge,
        "overrides": identity.overrides,
        "schema_version": SCHEMA_VERSION,
        **_NO_COUNTS,
    }
    state.record_attempt(attempt)
    try:
        yield attempt
    except (KeyboardInterrupt, StoppedError):
        state.record_attempt({**attempt, "finished": _now()})
        raise
    except HeldBackError:
        raise
    except sqlite3.DatabaseError:
        raise  # the state itself fails: whoever opened it says so
    except ExonymError:
        state.record_attempt({**attempt, "finished": _now(), "outcome": "failed"})
        raise
    except Exception as error:
        state.record_attempt({**attempt, "finished": _now(), "outcome": "failed"})
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ExonymError(
            f"the run failed and nothing was published: {reason}; "
            "run again to resume, or with --debug for details"
        ) from error


def _counts(summary: Summary) -> dict[str, Any]:
    published = summary.published
    assert published is not None
    return {
        "n_documents": published.n_documents,
        "n_words": published.n_words,
        "n_mentions": published.n_mentions,
        "n_entities": published.n_entities,
        "n_new_entities": summary.n_new_entities,
        "n_quarantined": summary.n_quarantined,
        "n_skipped": summary.n_skipped,
        "seconds": summary.seconds,
        "words_per_second": round(summary.words_per_second, 1),
        "cpu_seconds": {stage: round(s, 3) for stage, s in summary.cpu_seconds.items()},
        "peak_rss_mb": round(summary.peak_rss_mb, 1),
        "peak_main_mb": round(summary.peak_main_mb, 1),
        "peak_worker_mb": round(summary.peak_worker_mb, 1),
    }


def _waiting(waiting: Staging, identity: Identity) -> dict[str, str]:
    """Return the last content of the files of a night held back, which are not read again.

    Where code, settings or models changed, what could not be read may be readable now.
    """
    manifest = waiting.manifest
    if not manifest:
        return {}
    changed = not held.same_but_for_parent(manifest["identity"], _plain(identity))
    again = held.rejected_sources(waiting) if changed else frozenset()
    return {source: content for source, content in manifest["files"] if source not in again}


def _counts_before(state: State) -> list[dict[str, gates.Counts]]:
    """Return the counts of the published runs, oldest first."""
    published = {
        attempt["run_id"]: attempt.get("counts", {})
        for attempt in state.attempts()
        if attempt["outcome"] == "published"
    }
    return [
        {lang: gates.Counts(**of_lang) for lang, of_lang in published[run_id].items()}
        for run_id in state.published()
        if run_id in published
    ]


def runs_table(state: State, current: Mapping[str, Any]) -> pa.Table:
    """Return the table ``runs`` with the attempt ``current`` as it will be recorded."""
    mine = (current["run_id"], current["attempt"])
    earlier = [row for row in state.attempts() if (row["run_id"], row["attempt"]) != mine]
    return as_table([*earlier, current])


def identity_of(settings: Settings, index: Index, state: State) -> Identity:
    """Return what the results of the next run follow from.

    Raises:
        UsageError: the settings name models that are not there, or overrides are wrong.
    """
    published = state.published()
    return Identity(
        code=code_hash(),
        settings=settings.fingerprint(),
        models=tuple(checksums(settings.routing, settings.models)),
        knowledge=index.checksum,
        overrides=overrides_in_force(settings, state).fingerprint(),
        parent=published[-1] if published else "",
        withdrawn=_hash(state.withdrawn()),
    )


def _old(days: Sequence[date]) -> list[str]:
    """Return what stands for the content of old days that are redone."""
    return ["reprocess", *map(str, days)]


def _is_redone(days: Sequence[date], identity: Identity, state: State) -> bool:
    """Tell whether the last published run redid ``days`` with what is at hand now."""
    *earlier, last = state.published()
    parent = earlier[-1] if earlier else ""
    redone = replace(identity, parent=parent).run_id(days[0], _old(days))
    return redone[-_RUN_HASH_DIGITS:] == last[-_RUN_HASH_DIGITS:]


def _changes(staging: Staging, manifest: Mapping[str, Any]) -> publish.Changes:
    if manifest.get("reprocess"):
        return redo.changes(staging)
    return publish.Changes(
        added={
            "documents": staging.parts("documents"),
            "document_sources": staging.parts("document_sources"),
            "segments": staging.parts("segments"),
            "mentions": staging.parts("final"),
        },
        failed=staging.failed_parts(),
        superseded=staging.parts("superseded"),
        latest=staging.parts("latest"),
        first_day=date.fromisoformat(manifest["night"]),
    )


def _clusters(staging: Staging) -> Iterable[pa.Table]:
    for part in staging.parts("settled"):
        yield ids.distinct(pq.ParquetFile(part).read())


def _days_of(staging: Staging) -> frozenset[date]:
    """Return the days whose documents are staged."""
    return frozenset(
        day
        for part in staging.parts("incoming")
        for day in pc.unique(pq.read_table(part, columns=["date"])["date"]).to_pylist()
    )


def _shards(staging: Staging, n_shards: int) -> Iterator[tuple[pa.Table, pa.Table, pa.Table]]:
    for number in range(n_shards):
        documents, segments, mentions = (
            staging.read_part(name, number) for name in ("documents", "segments", "final")
        )
        yield documents, segments, mentions


def _failed(staging: Staging) -> set[str]:
    """Return the documents that a stage failed on."""
    return {
        doc_id
        for part in staging.failed_parts()
        for doc_id in pq.read_table(part, columns=["doc_id"])["doc_id"].to_pylist()
    }


def _sources(manifest: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(source for source, _ in manifest["files"])


def _ledger(staging: Staging, files: Sequence[Sequence[str]]) -> LedgerDelta:
    failed = _failed(staging)

    def documents() -> Iterator[tuple[str, date]]:
        for part in staging.parts("documents"):
            table = pq.read_table(part, columns=["doc_id", "date"])
            yield from zip(table["doc_id"].to_pylist(), table["date"].to_pylist(), strict=True)

    def arrivals() -> Iterator[Arrival]:
        for part in staging.parts("document_sources"):
            table = pq.read_table(part, columns=["source", "source_id", "doc_id"])
            ids = pc.fill_null(table["source_id"], "")
            columns = (table["source"], ids, table["doc_id"])
            yield from map(Arrival, *(column.to_pylist() for column in columns))

    return LedgerDelta(
        files=[(source, sha256) for source, sha256 in files],
        documents=(row for row in documents() if row[0] not in failed),
        arrivals=(row for row in arrivals() if row.doc_id not in failed),
        latest=(row for row in intake.latest(staging) if row.doc_id not in failed),
    )


def _limits(settings: Settings) -> Limits:
    bounds = settings.ingest
    return Limits(
        document=bounds.document_bytes,
        unpacked=bounds.unpacked_bytes,
        payload=bounds.payload_bytes,
    )


def _plain(identity: Identity) -> Any:
    return json.loads(json.dumps(asdict(identity)))


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat()
