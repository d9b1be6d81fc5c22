"""Jobs in supervised processes of this machine."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, InvalidStateError, wait
from contextlib import suppress
from itertools import islice
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Final, Self, cast

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from pipeline.errors import ExonymError, StoppedError
from pipeline.executors import Job, Lost, Result
from pipeline.imports import spare_pandas

_PR_SET_PDEATHSIG: Final = 1
"""From linux/prctl.h: the signal a process gets when the one that started it dies."""

_ENDED: Final = "the workers were ended; run again to resume"


class LocalExecutor:
    """Spawned worker processes, each replaced when it dies or hangs. Use as a context manager.

    As many jobs as there are workers are under way, so that memory does not grow with their number.
    Workers live as long as the context, so that each loads its models once.
    """

    def __init__(self, workers: int) -> None:
        """Use ``workers`` processes, at least one; they start with the first job."""
        self._workers = workers
        self._waited_for: set[ProcessFuture[Any]] = set()
        self._pool = ProcessPool(
            max_workers=workers,
            initializer=_begin_worker,
            initargs=(os.getpid(),),
            context=get_context("spawn"),
        )

    def __enter__(self) -> Self:
        """Return the executor."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the workers, and what they may still be doing; whoever waits for it gets an error."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        for future in list(self._waited_for):
            with suppress(InvalidStateError):  # done after all
                future.set_exception(ExonymError(_ENDED))

    def map(
        self,
        function: Callable[[Job], Result],
        jobs: Iterable[Job],
        seconds: Callable[[Job], float],
    ) -> Iterator[Result | Lost[Job]]:
        """Yield ``function(job)``, or a :class:`Lost`, for every job, in whatever order they end.

        Raises what ``function`` raises.
        """
        remaining = iter(jobs)
        running: dict[ProcessFuture[Result], Job] = {}
        while True:
            for job in islice(remaining, self._workers - len(running)):
                future = self._pool.schedule(function, (job,), timeout=seconds(job))
                self._waited_for.add(future)
                running[future] = job
            if not running:
                return
            try:
                done = cast(
                    "set[ProcessFuture[Result]]", wait(running, return_when=FIRST_COMPLETED).done
                )
            except StoppedError:
                wait(running)
                raise
            self._waited_for -= done
            for future in done:
                outcome = _result(future, running.pop(future), seconds)
                yield outcome


def _result(
    future: ProcessFuture[Result], job: Job, seconds: Callable[[Job], float]
) -> Result | Lost[Job]:
    try:
        return future.result()
    except ProcessExpired as error:
        return Lost(job, "crashed", f"the worker process died ({_cause(error.exitcode)})")
    except TimeoutError:
        return Lost(job, "timed_out", f"not done after {seconds(job):g} seconds")
    except BrokenExecutor:
        # The pool may notice before we say so that its processes are gone.
        raise ExonymError(_ENDED) from None


def _cause(exit_code: int) -> str:
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"


def _begin_worker(parent: int) -> None:
    """Leave it to the parent to stop this worker, and die with it.

    ``timeout``, systemd and a terminal signal the whole group: a worker that obeyed would lose the
    shard it has in hand. One that outlived its parent would write into the next run's staging.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:  # Linux alone has it.
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    spare_pandas()
