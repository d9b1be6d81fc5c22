"""Jobs in supervised processes of this machine."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import (
    ALL_COMPLETED,
    FIRST_COMPLETED,
    BrokenExecutor,
    InvalidStateError,
    wait,
)
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, islice
from multiprocessing import get_context
from time import monotonic
from types import TracebackType
from typing import Any, Final, Generic, Self, cast

import psutil
from pebble import CONSTS, ProcessExpired, ProcessFuture, ProcessPool

from pipeline.errors import ExonymError, StoppedError
from pipeline.executors import Job, Lost, Result
from pipeline.garbage import collect_seldom
from pipeline.imports import spare_pandas
from pipeline.stopping import stop_deferred

_PR_SET_PDEATHSIG: Final = 1
"""From linux/prctl.h: the signal a process gets when the one that started it dies."""

_ENDED: Final = "the workers were ended; run again to resume"

_PULSE_SECONDS: Final = 0.5
_POOL_SECONDS: Final = 0.3
"""How often the pool looks at its processes: at its own ten times a second, that alone would take a
fiftieth of the time that all but the models takes."""

_LEAST_SECONDS: Final = 5.0
"""How long a worker may stand still in any case: it may wait for the processor itself."""

_LEAST_SHARE: Final = 0.001
"""A worker that works less than this part of its time hangs, however many want the processor."""

_JOBS_A_WORKER: Final = 256
"""After so many a worker gives way to a new one: what it remembers of names and what its libraries
keep for themselves grows for longer than that, and starting anew takes a second or two of them."""

_ENDLESS: Final = 10.0**8
"""Seconds, three years: more than some systems' timers take is no limit."""


class LocalExecutor:
    """Spawned worker processes, each replaced when it dies or hangs. Use as a context manager.

    Each works in one thread, unless ``OMP_NUM_THREADS`` says otherwise: workers share the cores
    already, and threads of theirs would spend their time waiting for each other.
    A job's seconds are of the processor, all threads together: where others want it as well, a job
    takes longer and is not lost. One whose worker stands still for as long by the clock hangs.
    As many jobs as there are workers are under way, so that memory does not grow with their number.
    Workers outlive a stage, so that each loads its models seldom, and are replaced after
    :data:`_JOBS_A_WORKER` jobs, so that their memory does not grow with the night.
    """

    def __init__(self, workers: int) -> None:
        """Use ``workers`` processes, at least one; they start with the first job."""
        self._workers = workers
        self._context = get_context("spawn")
        CONSTS.sleep_unit = _POOL_SECONDS
        # Libraries read it when they load, which spawned processes have yet to do.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        # Who works on which job. More places than jobs under way: a job that nobody waits for
        # any more, since another raised an error, has its own still.
        self._pids = self._context.RawArray("l", 16 * workers)
        self._places = count()
        self._waited_for: set[ProcessFuture[Any]] = set()
        self._pool = self._new_pool()

    def _new_pool(self) -> ProcessPool:
        return ProcessPool(
            max_workers=self._workers,
            max_tasks=_JOBS_A_WORKER,
            initializer=_begin_worker,
            initargs=(os.getpid(), self._pids),
            context=self._context,
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
        with stop_deferred():  # or a worker that is just starting outlives the pool
            self._end_pool()
        self._give_up(list(self._waited_for))

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
        running: dict[ProcessFuture[Result], _UnderWay[Job]] = {}
        while True:
            try:
                with stop_deferred():  # an error in the midst would leave the pool's locks taken
                    for job in islice(remaining, self._workers - len(running)):
                        begun = _UnderWay(job, seconds(job), next(self._places) % len(self._pids))
                        running[self._scheduled(function, begun)] = begun
                if not running:
                    return
                done = self._ended(running)
            except StoppedError:
                self._ended(running, at_least=len(running))
                raise
            self._waited_for -= done
            for future in done:
                outcome = _result(future, running.pop(future))
                yield outcome

    def _end_pool(self) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    def _give_up(self, futures: Iterable[ProcessFuture[Any]]) -> None:
        for future in futures:
            with suppress(InvalidStateError):  # done after all
                future.set_exception(ExonymError(_ENDED))

    def _scheduled(
        self, function: Callable[[Job], Result], begun: _UnderWay[Job]
    ) -> ProcessFuture[Result]:
        self._pids[begun.place] = 0
        arguments = (begun.place, begun.seconds, function, begun.job)
        try:
            future = self._pool.schedule(_within, arguments)
        except RuntimeError:  # a worker without a job died, which breaks the pool
            if self._waited_for:
                raise ExonymError(_ENDED) from None
            self._end_pool()
            self._pool = self._new_pool()
            future = self._pool.schedule(_within, arguments)
        self._waited_for.add(future)
        return future

    def _ended(
        self, running: Mapping[ProcessFuture[Result], _UnderWay[Job]], at_least: int = 1
    ) -> set[ProcessFuture[Result]]:
        """Wait until so many jobs ended, and end those that hang meanwhile."""
        until = FIRST_COMPLETED if at_least == 1 else ALL_COMPLETED
        beat = monotonic()
        while True:
            with stop_deferred():  # an error in the midst would leave the futures' locks taken
                done = wait(running, _PULSE_SECONDS, until).done
            if len(done) >= at_least:
                return cast("set[ProcessFuture[Result]]", done)
            missed = monotonic() - beat - _PULSE_SECONDS  # this process itself stood still
            beat = monotonic()
            if not self._pool.active:  # a job that came while it broke is nobody's
                self._give_up(running.keys() - done)
            for future in running.keys() - done:
                running[future].since += missed
                running[future].watch(self._pids[running[future].place])


@dataclass(slots=True)
class _UnderWay(Generic[Job]):
    """A job that a worker has or will have, and what was seen of the worker."""

    job: Job
    seconds: float
    place: int
    since: float = 0.0
    """When the worker was last seen to have worked, by the clock; the next, how much by then."""
    worked: float = 0.0
    worker: psutil.Process | None = None
    hangs: bool = False

    def watch(self, pid: int) -> None:
        """Look at the worker with this id, 0 where the job waits for one; end it if it hangs."""
        if not pid:
            return
        with suppress(psutil.Error):  # gone: the pool notices as well
            if self.worker is None:
                self.worker, self.since = psutil.Process(pid), monotonic()
            worked = sum(self.worker.cpu_times()[:2])
            allowed = max(self.seconds, _LEAST_SECONDS)
            if worked - self.worked > _LEAST_SHARE * allowed:
                self.worked, self.since = worked, monotonic()
            elif monotonic() - self.since > allowed:
                self.hangs = True
                self.worker.kill()


def _result(future: ProcessFuture[Result], begun: _UnderWay[Job]) -> Result | Lost[Job]:
    try:
        return future.result()
    except ProcessExpired as error:
        if begun.hangs:
            message = f"it hung: no work for {max(begun.seconds, _LEAST_SECONDS):g} seconds"
            return Lost(begun.job, "timed_out", message)
        if error.exitcode == -signal.SIGPROF:
            message = f"not done after {begun.seconds:g} seconds of work"
            return Lost(begun.job, "timed_out", message)
        return Lost(begun.job, "crashed", f"the worker process died ({_cause(error.exitcode)})")
    except BrokenExecutor:
        # The pool may notice before we say so that its processes are gone.
        raise ExonymError(_ENDED) from None


def _within(place: int, seconds: float, function: Callable[[Job], Result], job: Job) -> Result:
    """In a worker: return ``function(job)``, or die of SIGPROF after ``seconds`` of the processor.

    The system counts and kills, so that code which never comes back to Python ends as well.
    """
    _pids[place] = os.getpid()
    signal.setitimer(signal.ITIMER_PROF, min(seconds, _ENDLESS))
    try:
        return function(job)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _cause(exit_code: int) -> str:
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"


_pids: Any = ()
"""In a worker: where it says on which job it is."""


def _begin_worker(parent: int, pids: Any) -> None:
    """Leave it to the parent to stop this worker, and die with it.

    ``timeout``, systemd and a terminal signal the whole group: a worker that obeyed would lose the
    shard it has in hand. One that outlived its parent would write into the next run's staging.
    """
    global _pids
    _pids = pids
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # a worker inherits what is ignored or blocked
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGPROF])
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:  # Linux alone has it.
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    spare_pandas()
    collect_seldom()
