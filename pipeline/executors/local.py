"""Jobs in processes of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from typing import Final

from pipeline.errors import ExonymError
from pipeline.executors import Job, Result

_MAX_REBUILDS: Final = 3
_WAITING_PER_WORKER: Final = 2


class LocalExecutor:
    """Spawned worker processes; with one worker, this very process.

    Jobs are handed out a few at a time, so that memory does not grow with their number. When a
    worker dies the pool is built again and the unfinished jobs are repeated.
    """

    def __init__(self, workers: int) -> None:
        """Use ``workers`` processes, at least one."""
        self._workers = workers

    def map(self, function: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
        """Yield ``function(job)`` for every job, in whatever order they end.

        Raises:
            ExonymError: workers died again and again.
        """
        if self._workers == 1:
            yield from map(function, jobs)
            return
        remaining = iter(jobs)
        repeat: list[Job] = []
        for _ in range(_MAX_REBUILDS + 1):
            with ProcessPoolExecutor(self._workers, mp_context=get_context("spawn")) as pool:
                running: dict[Future[Result], Job] = {}
                try:
                    yield from self._drain(pool, function, repeat, remaining, running)
                except BrokenProcessPool:
                    repeat = list(running.values())
                    continue
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
            return
        raise ExonymError(
            f"worker processes died {_MAX_REBUILDS + 1} times; "
            "give them more memory or use fewer --workers"
        )

    def _drain(
        self,
        pool: ProcessPoolExecutor,
        function: Callable[[Job], Result],
        repeat: list[Job],
        remaining: Iterator[Job],
        running: dict[Future[Result], Job],
    ) -> Iterator[Result]:
        capacity = self._workers * _WAITING_PER_WORKER
        for job in repeat:
            running[pool.submit(function, job)] = job
        while True:
            for job in islice(remaining, max(capacity - len(running), 0)):
                running[pool.submit(function, job)] = job
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                result = future.result()
                del running[future]
                yield result
