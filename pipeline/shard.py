"""One shard through one stage: what a worker process does.

A shard is a few dozen documents. A worker reads the tables that the stage needs, calls the stage's
function and writes what it gives; nothing but counts goes back to the process that handed it out.
A document that makes a stage raise an error is tried alone, and when it fails alone, set aside. One
that takes the whole worker with it is the affair of :mod:`pipeline.isolation`.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import resource
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.detect import detect
from pipeline.detect.votes import forget_detectors
from pipeline.errors import ExonymError
from pipeline.executors import Lost
from pipeline.knowledge.build import ensure
from pipeline.knowledge.index import Index
from pipeline.models import checksums
from pipeline.recognise import recognise
from pipeline.recognise.base import Engine
from pipeline.recognise.routing import load_engines
from pipeline.resolve.document import settle
from pipeline.resolve.past import NONE as NO_PAST
from pipeline.resolve.past import Past
from pipeline.resolve.rulings import NONE, Rulings
from pipeline.resolve.spotting import spot
from pipeline.schemas import WORKING_FAILED
from pipeline.store import Staging

Tables = Mapping[str, pa.Table]

Checksums = tuple[tuple[str, str, str, str], ...]
"""Language, engine, model and checksum; see :func:`pipeline.models.checksums`."""


@dataclass(frozen=True, slots=True)
class Job:
    """One shard to take through one stage."""

    stage: str
    shard: int
    run_id: str
    staging: Path
    models: Path
    routing: tuple[tuple[str, str], ...]
    payload_bytes: int
    seconds: float
    """How much of the processor one document may take, alone."""
    memory_mb: int
    """How much memory (10**6 bytes) the stage may take beyond what it has loaded."""
    knowledge: str = ""
    """Checksum of the knowledge index; empty: whichever is there."""
    checksums: Checksums = ()
    """Those of the models; empty: whichever are there."""
    rulings: Rulings = NONE
    """What people decided about names."""
    past: str = ""
    """The staged table that says what past news meant, PAST or DECIDED_BY_NEWS; empty: none."""
    row: int | None = None
    """The one document of the shard to work on, by its row; all where None."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job: counts, and what it took of the process that did it."""

    shard: int
    n_documents: int
    n_words: int
    n_failed: int
    peak_rss_mb: float
    """The process's highest resident memory so far, in MB."""
    cpu_seconds: float
    """Processor time of this job alone, what it had to load first included."""
    process: str
    """Machine and process; see :func:`this_process`."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that a stage failed on: its row, a key of :data:`ERRORS`, and what was wrong."""

    document: Mapping[str, Any]
    error: str
    message: str


ERRORS: Final[Mapping[str, str]] = {
    "stage_failed": "A document on which a stage raised an error.",
    "crashed": "A document on which the worker process died.",
    "timed_out": "A document that was not done within its time.",
    "out_of_memory": "A document that took more memory than it may.",
}
"""Every error of the stages after reading, and what it means."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage as a worker sees it: the tables it reads, those it writes, and its function."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    apply: Callable[[Job, Tables], Tables]
    load: Callable[[Job], object] = lambda job: None
    """Loads what the stage works with, once a process; what it raises is no document's fault."""
    forget: Callable[[], None] = lambda: None
    """Lets go of what only this stage works with."""


def _detect(job: Job, tables: Tables) -> Tables:
    documents, segments = detect(tables["incoming"], job.run_id)
    return {"documents": documents, "segments": segments}


def _recognise(job: Job, tables: Tables) -> Tables:
    mentions = recognise(tables["documents"], tables["segments"], _engines(job), job.run_id)
    return {"recognised": mentions}


PAST: Final = "past"
"""The working table COUNTED of a night; its one part has the number 0."""

DECIDED_BY_NEWS: Final = "decided_by_news"
"""The working table DECIDED of a relink, a part a shard."""


def _settle(job: Job, tables: Tables) -> Tables:
    documents, segments, index = tables["documents"], tables["segments"], _index(job)
    mentions = spot(documents, segments, tables["recognised"], index, job.run_id)
    return {"settled": settle(documents, segments, mentions, index, job.rulings, _past(job))}


def _load_links(job: Job) -> None:
    _index(job)
    try:
        _past(job)
    except FileNotFoundError as error:
        raise _not_seen(job, error) from None


def _past(job: Job) -> Past:
    if job.past == PAST:
        return _counted(job.staging, job.run_id)
    if job.past == DECIDED_BY_NEWS:
        return Past.deciding_again(Staging(job.staging).read_part(DECIDED_BY_NEWS, job.shard))
    return NO_PAST


@lru_cache(maxsize=1)
def _counted(staging: Path, run_id: str) -> Past:
    """Return what one run, and no other, staged."""
    return Past.of(Staging(staging).read_part(PAST, 0))


def _engines(job: Job) -> dict[str, Engine]:
    if job.checksums:
        _check_models(job.routing, job.models, job.checksums)
    return _load_engines(job.routing, job.models)


@lru_cache(maxsize=1)
def _check_models(routing: tuple[tuple[str, str], ...], models: Path, expected: Checksums) -> None:
    if sorted(checksums(dict(routing), models)) != sorted(expected):
        raise _other("models", models)


def _other(what: str, folder: Path) -> ExonymError:
    return ExonymError(
        f"the {what} in {folder} on {socket.gethostname()} are not those the run began with; "
        "bring them to the same state on every machine and run again"
    )


@lru_cache(maxsize=1)
def _load_engines(routing: tuple[tuple[str, str], ...], models: Path) -> dict[str, Engine]:
    return load_engines(dict(routing), models)


def _index(job: Job) -> Index:
    index = _open_index(job.models / "knowledge")
    if job.knowledge not in ("", index.checksum):
        raise _other("names", job.models / "knowledge")
    return index


@lru_cache(maxsize=1)
def _open_index(knowledge: Path) -> Index:
    return ensure(knowledge)


RESOLVE: Final = "resolve"
"""The stage that links names, which depends on what was published before."""

STAGES: Final[Mapping[str, Stage]] = {
    "detect": Stage(("incoming",), ("documents", "segments"), _detect, forget=forget_detectors),
    "recognise": Stage(
        ("documents", "segments"),
        ("recognised",),
        _recognise,
        _engines,
        _load_engines.cache_clear,
    ),
    RESOLVE: Stage(("documents", "segments", "recognised"), ("settled",), _settle, _load_links),
}
"""The stages that run shard by shard, in order."""


def is_done(job: Job) -> bool:
    """Tell whether an earlier attempt already wrote all that this job writes."""
    staging = Staging(job.staging)
    last = STAGES[job.stage].writes[-1]
    return staging.part(last, job.shard).exists()


def check_done(jobs: Iterable[Job]) -> None:
    """Raise ExonymError where what a worker wrote is not seen here."""
    for job in jobs:
        if not is_done(job):
            raise ExonymError(
                f"shard {job.shard} of {job.stage} was written and is not seen in {job.staging}; "
                "put --out on storage that shows new files at once to every machine and run again"
            )


def n_documents(job: Job) -> int:
    """Return how many documents the job's shard has."""
    part = Staging(job.staging).part(STAGES[job.stage].reads[0], job.shard)
    return int(pq.read_metadata(part).num_rows)


def work(job: Job) -> Outcome:
    """Take one shard through one stage. Repeatable: the last table written marks it done."""
    begun = time.process_time()
    stage, inputs = _begin(job)
    outputs, failures = _apply(stage, job, inputs)
    return _finish(job, inputs, outputs, _failed_table(job, failures), begun)


def work_alone(job: Job) -> None:
    """Take the one document ``job.row`` of a shard through a stage, for :func:`join`."""
    stage, inputs = _begin(job)
    documents = inputs[stage.reads[0]].slice(job.row, 1)
    outputs, failures = _apply_to_each(stage, job, inputs, documents)
    staging = _alone(job)
    staging.write_part("failed", job.row or 0, _failed_table(job, failures))
    for name in stage.writes:
        staging.write_part(name, job.row or 0, outputs[name])


def join(job: Job, lost: Sequence[Lost[Job]]) -> Outcome:
    """Put a shard together from what :func:`work_alone` left of its documents.

    The documents of ``lost``, whose workers died or hung, go to quarantine.
    """
    begun = time.process_time()
    staging, alone, stage = Staging(job.staging), _alone(job), STAGES[job.stage]
    inputs = {name: staging.read_part(name, job.shard) for name in stage.reads}
    documents = inputs[stage.reads[0]]
    outputs = {
        name: pa.concat_tables(pq.ParquetFile(part).read() for part in alone.parts(name))
        for name in stage.writes
    }
    failures = [
        Failure(documents.slice(one.job.row, 1).to_pylist()[0], one.error, one.message)
        for one in lost
    ]
    failed = [pq.ParquetFile(part).read() for part in alone.parts("failed")]
    failed.append(_failed_table(job, failures))
    outcome = _finish(job, inputs, outputs, pa.concat_tables(failed), begun)
    alone.discard()
    return outcome


def _begin(job: Job) -> tuple[Stage, Tables]:
    """Return the job's stage, loaded, and the tables it reads."""
    staging, stage = Staging(job.staging), STAGES[job.stage]
    _turn_to(job.stage)
    stage.load(job)
    try:
        return stage, {name: staging.read_part(name, job.shard) for name in stage.reads}
    except FileNotFoundError as error:
        raise _not_seen(job, error) from None


_stage_before: str | None = None
"""The stage that this process worked on last."""


def _turn_to(stage: str) -> None:
    """In a worker, let go of what the stages before this one worked with, so that none adds up.

    A process that runs whole nights itself keeps it for the next.
    """
    global _stage_before
    before, _stage_before = _stage_before, stage
    if before in (None, stage) or multiprocessing.parent_process() is None:
        return
    STAGES[before].forget()
    gc.collect()
    # Otherwise the C library keeps most of it for itself.
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if give_back is not None:
        give_back(0)


def _not_seen(job: Job, error: FileNotFoundError) -> ExonymError:
    return ExonymError(
        f"the worker on {socket.gethostname()} does not see {error.filename or job.staging}; "
        "put --out on storage that every worker has under the same path"
    )


def _finish(
    job: Job,
    inputs: Tables,
    outputs: Tables,
    failed: pa.Table,
    begun: float,
) -> Outcome:
    """Write what came of a shard; ``failed`` are WORKING_FAILED, ``begun`` a processor time."""
    staging, stage = Staging(job.staging), STAGES[job.stage]
    if failed.num_rows:
        staging.write_part(f"failed-{job.stage}", job.shard, failed)
    for name in stage.writes:
        staging.write_part(name, job.shard, outputs[name])
    documents = inputs[stage.reads[0]]
    return Outcome(
        shard=job.shard,
        n_documents=documents.num_rows,
        n_words=pc.sum(documents["n_words"]).as_py() or 0,
        n_failed=failed.num_rows,
        peak_rss_mb=peak_rss_mb(),
        cpu_seconds=time.process_time() - begun,
        process=this_process(),
    )


def _alone(job: Job) -> Staging:
    """Return where the documents of a shard wait that is worked on one by one."""
    return Staging(job.staging / "alone" / f"{job.stage}-{job.shard:06d}")


def this_process() -> str:
    """Return what tells this process from all others that work on a run."""
    return f"{socket.gethostname()}:{os.getpid()}"


def peak_rss_mb() -> float:
    """Return this process's highest resident memory so far, in MB (10**6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _apply(stage: Stage, job: Job, inputs: Tables) -> tuple[Tables, list[Failure]]:
    try:
        with _limited(job.memory_mb), _panics_are_errors():
            return stage.apply(job, inputs), []
    except ExonymError:
        raise
    except Exception:
        return _apply_to_each(stage, job, inputs, inputs[stage.reads[0]])


def _apply_to_each(
    stage: Stage, job: Job, inputs: Tables, documents: pa.Table
) -> tuple[Tables, list[Failure]]:
    """Apply a stage to each of ``documents`` alone; return what it gives and those it fails on."""
    outputs = [stage.apply(job, _rows_of(inputs, []))]
    failures = []
    for document in documents.to_pylist():
        try:
            with _limited(job.memory_mb), _panics_are_errors():
                outputs.append(stage.apply(job, _rows_of(inputs, [document["doc_id"]])))
        except ExonymError:
            raise
        except MemoryError:
            message = f"it takes more than {job.memory_mb} MB"
            failures.append(Failure(document, "out_of_memory", message))
        except Exception as error:
            message = f"{type(error).__name__}: {error}".splitlines()[0]
            failures.append(Failure(document, "stage_failed", message))
    joined = {name: pa.concat_tables([tables[name] for tables in outputs]) for name in stage.writes}
    return joined, failures


def _rows_of(inputs: Tables, doc_ids: Sequence[str]) -> Tables:
    wanted = pa.array(doc_ids, pa.string())
    return {name: table.filter(pc.is_in(table["doc_id"], wanted)) for name, table in inputs.items()}


@contextmanager
def _panics_are_errors() -> Iterator[None]:
    """Raise RuntimeError where a library in Rust panics, which is no :class:`Exception`."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise RuntimeError(f"a library failed: {error}") from error


@contextmanager
def _limited(memory_mb: int) -> Iterator[None]:
    """Let this process take at most so much memory beyond what it has; without effect off Linux.

    Beyond the limit Python raises MemoryError; a library that cannot bear it ends the process.
    """
    sizes = Path("/proc/self/statm")
    if not sizes.exists():
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(sizes.read_text(encoding="ascii").split()[0])
    wanted = pages * resource.getpagesize() + memory_mb * 10**6
    allowed = min(limit for limit in (wanted, soft, hard) if limit != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _failed_table(job: Job, failures: Sequence[Failure]) -> pa.Table:
    origins = Staging(job.staging).read_part("document_sources", job.shard)
    rows = []
    for failure in failures:
        doc_id = failure.document["doc_id"]
        origin = origins.filter(pc.equal(origins["doc_id"], doc_id)).to_pylist()[0]
        rows.append(
            {
                "source": origin["source"],
                "line": origin["line"],
                "stage": job.stage,
                "error": failure.error,
                "message": failure.message,
                "attempts": 1,
                "payload": failure.document["text"].encode()[: job.payload_bytes],
                "run_id": job.run_id,
                "doc_id": doc_id,
            }
        )
    return pa.Table.from_pylist(rows, WORKING_FAILED)
