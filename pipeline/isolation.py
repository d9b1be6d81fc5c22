"""Shards in worker processes, so that one poisonous document costs one document.

A shard whose worker dies or hangs is taken apart: each of its documents is tried once more, alone,
and what then crashes, hangs or eats memory goes to quarantine. The rest of the shard is put
together again as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from pipeline import shard
from pipeline.errors import ExonymError
from pipeline.executors import Executor, Lost
from pipeline.shard import Job, Outcome

_DOCUMENTS_IN_THE_TIME_OF_ONE: Final = 16
"""How many times faster than its limit an ordinary document is at least."""


def work(executor: Executor, jobs: Iterable[Job]) -> Iterator[Outcome]:
    """Take every shard through its stage, and yield what came of each, in whatever order they end.

    Raises:
        ExonymError: a stage fails without any document.
    """
    lost = []
    for outcome in executor.map(shard.work, jobs, seconds):
        if isinstance(outcome, Lost):
            lost.append(outcome.job)
        else:
            yield outcome
    for job in lost:
        yield _one_by_one(executor, job)


def seconds(job: Job) -> float:
    """Return how long a job may work: a whole shard, or one of its documents."""
    if job.row is not None:
        return job.seconds
    return job.seconds * (1 + shard.n_documents(job) / _DOCUMENTS_IN_THE_TIME_OF_ONE)


def _one_by_one(executor: Executor, job: Job) -> Outcome:
    n_documents = shard.n_documents(job)
    # One past the last row is no document: what fails there is no document's fault.
    for outcome in executor.map(shard.work_alone, [replace(job, row=n_documents)], seconds):
        if isinstance(outcome, Lost):
            raise ExonymError(
                f"{job.stage} fails before any document: {outcome.message}; "
                "give the machine more memory or use fewer --workers"
            )
    rows = (replace(job, row=row) for row in range(n_documents))
    outcomes = executor.map(shard.work_alone, rows, seconds)
    return shard.join(job, [outcome for outcome in outcomes if isinstance(outcome, Lost)])
