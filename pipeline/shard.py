"""One shard through one stage: what a worker process does.

A shard is a few dozen documents. A worker reads the tables that the stage needs, calls the stage's
function and writes what it gives; nothing but counts goes back to the process that handed it out.
A document that makes a stage raise an error is tried alone, and when it fails alone, set aside.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.detect import detect
from pipeline.errors import ExonymError
from pipeline.knowledge.build import ensure
from pipeline.knowledge.index import Index
from pipeline.recognise import recognise
from pipeline.recognise.base import Engine
from pipeline.recognise.routing import load_engines
from pipeline.resolve.document import settle
from pipeline.resolve.rulings import NONE, Rulings
from pipeline.resolve.spotting import spot
from pipeline.schemas import WORKING_FAILED
from pipeline.store import Staging

Tables = Mapping[str, pa.Table]


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
    rulings: Rulings = NONE
    """What people decided about names."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job: counts, and the process's highest resident memory in MB."""

    shard: int
    n_documents: int
    n_words: int
    n_failed: int
    peak_rss_mb: float


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage as a worker sees it: the tables it reads, those it writes, and its function."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    apply: Callable[[Job, Tables], Tables]
    load: Callable[[Job], object] = lambda job: None
    """Loads what the stage works with, once a process; what it raises is no document's fault."""


def _detect(job: Job, tables: Tables) -> Tables:
    documents, segments = detect(tables["incoming"], job.run_id)
    return {"documents": documents, "segments": segments}


def _recognise(job: Job, tables: Tables) -> Tables:
    mentions = recognise(tables["documents"], tables["segments"], _engines(job), job.run_id)
    return {"recognised": mentions}


def _settle(job: Job, tables: Tables) -> Tables:
    documents, segments, index = tables["documents"], tables["segments"], _index(job)
    mentions = spot(documents, segments, tables["recognised"], index, job.run_id)
    return {"settled": settle(documents, segments, mentions, index, job.rulings)}


def _engines(job: Job) -> dict[str, Engine]:
    return _load_engines(job.routing, job.models)


@lru_cache(maxsize=1)
def _load_engines(routing: tuple[tuple[str, str], ...], models: Path) -> dict[str, Engine]:
    return load_engines(dict(routing), models)


def _index(job: Job) -> Index:
    return _open_index(job.models / "knowledge")


@lru_cache(maxsize=1)
def _open_index(knowledge: Path) -> Index:
    return ensure(knowledge)


STAGES: Final[Mapping[str, Stage]] = {
    "detect": Stage(("incoming",), ("documents", "segments"), _detect),
    "recognise": Stage(("documents", "segments"), ("recognised",), _recognise, _engines),
    "resolve": Stage(("documents", "segments", "recognised"), ("settled",), _settle, _index),
}
"""The stages that run shard by shard, in order."""


def is_done(job: Job) -> bool:
    """Tell whether an earlier attempt already wrote all that this job writes."""
    staging = Staging(job.staging)
    last = STAGES[job.stage].writes[-1]
    return staging.part(last, job.shard).exists()


def work(job: Job) -> Outcome:
    """Take one shard through one stage. Repeatable: the last table written marks it done."""
    staging, stage = Staging(job.staging), STAGES[job.stage]
    stage.load(job)
    inputs = {name: staging.read_part(name, job.shard) for name in stage.reads}
    outputs, failed = _apply(stage, job, inputs)
    if failed:
        origins = staging.read_part("document_sources", job.shard)
        rows = [_failure(job, error, document, origins) for document, error in failed]
        staging.write_part(
            f"failed-{job.stage}", job.shard, pa.Table.from_pylist(rows, WORKING_FAILED)
        )
    for name in stage.writes:
        staging.write_part(name, job.shard, outputs[name])
    documents = inputs[stage.reads[0]]
    return Outcome(
        shard=job.shard,
        n_documents=documents.num_rows,
        n_words=pc.sum(documents["n_words"]).as_py() or 0,
        n_failed=len(failed),
        peak_rss_mb=peak_rss_mb(),
    )


def peak_rss_mb() -> float:
    """Return this process's highest resident memory so far, in MB (10**6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _apply(
    stage: Stage, job: Job, inputs: Tables
) -> tuple[Tables, list[tuple[dict[str, object], Exception]]]:
    try:
        return stage.apply(job, inputs), []
    except ExonymError:
        raise
    except Exception:
        return _apply_one_by_one(stage, job, inputs)


def _apply_one_by_one(
    stage: Stage, job: Job, inputs: Tables
) -> tuple[Tables, list[tuple[dict[str, object], Exception]]]:
    documents = inputs[stage.reads[0]]
    nothing = {name: table.slice(0, 0) for name, table in inputs.items()}
    outputs = [stage.apply(job, nothing)]
    failed = []
    for row in range(documents.num_rows):
        doc_id = documents["doc_id"][row]
        alone = {
            name: table.filter(pc.equal(table["doc_id"], doc_id)) for name, table in inputs.items()
        }
        try:
            outputs.append(stage.apply(job, alone))
        except ExonymError:
            raise
        except Exception as error:
            failed.append((documents.slice(row, 1).to_pylist()[0], error))
    joined = {name: pa.concat_tables([tables[name] for tables in outputs]) for name in stage.writes}
    return joined, failed


def _failure(
    job: Job, error: Exception, document: Mapping[str, object], origins: pa.Table
) -> dict[str, object]:
    origin = origins.filter(pc.equal(origins["doc_id"], document["doc_id"])).to_pylist()[0]
    payload = str(document["text"]).encode()[: job.payload_bytes]
    return {
        "source": origin["source"],
        "line": origin["line"],
        "stage": job.stage,
        "error": "stage_failed",
        "message": f"{type(error).__name__}: {error}".splitlines()[0],
        "attempts": 1,
        "payload": payload,
        "run_id": job.run_id,
        "doc_id": document["doc_id"],
    }
