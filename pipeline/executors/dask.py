"""Jobs on a Dask cluster, supervised on every worker as on one machine.

Dask hands jobs to its workers and gives those of a dead worker to another. A worker does not run a
job itself: it has it run in a process of its own (:mod:`pipeline.executors.local`), where the
models are loaded once, and which can crash, hang or run out of memory without taking the worker
with it. So a job ends on a cluster as it would have ended here.
"""

from __future__ import annotations

import logging
import multiprocessing
import socket
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

from distributed import Client, Future, LocalCluster, get_worker, wait
from distributed.scheduler import KilledWorker
from distributed.versions import VersionMismatchWarning

from pipeline.errors import ExonymError, StoppedError, UsageError
from pipeline.executors import Job, Lost, Result
from pipeline.executors.local import LocalExecutor
from pipeline.stopping import stop_deferred
from pipeline.versions import differences, installed

CONNECT_SECONDS: Final = 10
"""How long the scheduler may take to answer."""

WITHOUT_WORKERS_SECONDS: Final = 60
"""How long a run waits while no worker is connected, at its beginning and later."""

_PULSE_SECONDS: Final = 2
_SCHEMES: Final = ("tcp", "tls", "ws", "wss", "ucx")
_DASK_PACKAGES: Final = ("dask", "distributed")


@dataclass(frozen=True, slots=True)
class _Session:
    """One run's use of the cluster."""

    place: str
    """The output folder: one run at a time writes there."""
    token: str
    versions: Mapping[str, str]
    """Those of the process that hands out the jobs."""


class DaskExecutor:
    """Hands jobs to the workers of a Dask cluster. Use as a context manager.

    As many jobs as the workers have threads are under way, so that memory does not grow with their
    number. The models of a worker are loaded with its first job and stay until the context ends.
    """

    def __init__(self, scheduler: str, workers: int, place: Path) -> None:
        """Use the cluster whose scheduler listens at ``scheduler``, such as ``tcp://host:8786``.

        Where that is empty, a cluster of ``workers`` workers is made in this process. ``place`` is
        the output folder, which every worker must see under this path.

        Raises:
            UsageError: ``scheduler`` is no such address.
        """
        scheme, _, rest = scheduler.partition("://")
        if scheduler and (scheme not in _SCHEMES or not rest):
            raise UsageError(f"--scheduler {scheduler}: write an address such as tcp://HOST:8786")
        self._scheduler = scheduler
        self._workers = workers
        self._session = _Session(str(place.absolute()), uuid4().hex, installed())
        self._context = ExitStack()
        self._begun = False

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            ExonymError: the scheduler does not answer, or has another version of Dask.
        """
        for name in ("distributed", "distributed.client"):  # errors are raised here
            logging.getLogger(name).setLevel(logging.CRITICAL)
        warnings.simplefilter("ignore", VersionMismatchWarning)  # compared below
        with ExitStack() as context:
            self._client = context.enter_context(self._connected(context))
            self._compare_scheduler()
            self._context = context.pop_all()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End what the workers may still be doing for this run, and let go of their models."""
        with stop_deferred(), self._context:
            if self._begun and self._client.status == "running":
                self._client.run(_end_session, self._session.place, on_error="ignore")

    def map(
        self,
        function: Callable[[Job], Result],
        jobs: Iterable[Job],
        seconds: Callable[[Job], float],
    ) -> Iterator[Result | Lost[Job]]:
        """Yield ``function(job)``, or a :class:`Lost`, for every job, in whatever order they end.

        Raises what ``function`` raises.

        Raises:
            ExonymError: the cluster is lost, has no workers, or they cannot work for this run.
        """
        self._begin()
        remaining = iter(jobs)
        running: dict[Future, Job] = {}
        try:
            while True:
                with self._reached():
                    room = max(1, self._threads()) - len(running)
                for job in islice(remaining, max(0, room)):
                    with self._reached():
                        running[self._submit(function, job, seconds(job))] = job
                if not running:
                    return
                with self._reached():
                    ended = self._ended(running)
                for future in ended:
                    outcome: Result | Lost[Job] = self._result(future, running.pop(future))
                    yield outcome
        finally:
            if running and self._client.status == "running":
                with suppress(OSError, CancelledError):
                    self._client.cancel(list(running))

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (CancelledError, OSError):
            raise self._lost() from None
        except ExonymError:
            raise
        except Exception:
            if self._client.status == "running":
                raise
            raise self._lost() from None  # a closed client fails in many ways

    def _lost(self) -> ExonymError:
        return ExonymError(
            f"the connection to the Dask scheduler at {self._scheduler} was lost; "
            "see that it is up, then run again to resume"
        )

    def _connected(self, context: ExitStack) -> Client:
        address: Any = self._scheduler or context.enter_context(
            LocalCluster(
                n_workers=self._workers,
                threads_per_worker=1,
                processes=False,
                memory_limit=0,
                dashboard_address="127.0.0.1:0",
            )
        )
        try:
            return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, TimeoutError, ImportError, ValueError) as error:
            raise ExonymError(
                f"no Dask scheduler at {self._scheduler}: {_line(error)}; "
                "start 'dask scheduler' there or correct --scheduler, then run again"
            ) from None

    def _compare_scheduler(self) -> None:
        versions = self._client.get_versions()
        there, here = (versions[who]["packages"] for who in ("scheduler", "client"))
        differing = differences(
            {name: here[name] for name in _DASK_PACKAGES},
            {name: there[name] for name in _DASK_PACKAGES},
        )
        if differing:
            raise ExonymError(f"the scheduler at {self._scheduler} has {_remedy(differing)}")
        with self._importing():
            self._client.run_on_scheduler(installed)

    @contextmanager
    def _importing(self) -> Iterator[None]:
        try:
            yield
        except ImportError as error:
            raise ExonymError(
                f"the cluster at {self._scheduler} cannot import exonym ({_line(error)}); "
                "install it with the same requirements.lock on every machine"
            ) from None

    def _begin(self) -> None:
        """Wait for a worker, and end what an earlier run that was killed left on any of them.

        Not before the first job: the run holds the output folder's lock by then.
        """
        if self._begun:
            return
        try:
            self._client.wait_for_workers(1, timeout=WITHOUT_WORKERS_SECONDS)
        except TimeoutError:
            raise self._no_workers() from None
        with self._importing():
            self._client.run(_begin_session, self._session)
        self._begun = True

    def _threads(self) -> int:
        return sum(self._client.nthreads().values())

    def _submit(self, function: Callable[[Job], Result], job: Job, seconds: float) -> Future:
        return self._client.submit(
            _supervised,
            self._session,
            function,
            job,
            seconds,
            key=f"exonym-{uuid4().hex}",
            pure=False,
        )

    def _ended(self, running: Mapping[Future, Job]) -> list[Future]:
        """Wait for the next futures to end; when told to stop, for all of them."""
        try:
            since = monotonic()
            while True:
                try:
                    return self._wait(running, _PULSE_SECONDS, "FIRST_COMPLETED")
                except TimeoutError:
                    if self._threads():
                        since = monotonic()
                    elif monotonic() - since > WITHOUT_WORKERS_SECONDS:
                        raise self._no_workers() from None
        except StoppedError:
            self._wait(running)
            raise

    def _wait(
        self,
        futures: Iterable[Future],
        seconds: float | None = None,
        until: str = "ALL_COMPLETED",
    ) -> list[Future]:
        with stop_deferred(), self._client.as_current():
            return list(wait(list(futures), seconds, until).done)

    def _result(self, future: Future, job: Job) -> Any:
        try:
            return future.result()
        except CancelledError:
            raise self._lost() from None
        except KilledWorker as error:
            message = f"{error.allowed_failures + 1} Dask workers in turn died of it or while at it"
            return Lost(job, "crashed", message)

    def _no_workers(self) -> ExonymError:
        return ExonymError(
            f"no worker is connected to {self._scheduler or 'the local cluster'}; "
            f"start 'dask worker {self._scheduler}' and run again to resume"
        )


_lock: Final = threading.Lock()
_tokens: Final[dict[str, str]] = {}
"""On a worker: the session that may use it, by output folder."""
_processes: Final[dict[tuple[str, str], LocalExecutor]] = {}
"""On a worker: its processes by output folder and worker, of which a program may hold several."""


def _begin_session(session: _Session) -> None:
    """On a worker: end what is left of earlier sessions for the same folder, and take no more."""
    _check(session)
    with _lock:
        if _tokens.get(session.place) != session.token:
            _end(session.place)
        _tokens[session.place] = session.token


def _end_session(place: str) -> None:
    """On a worker: let go of the processes, with their models, that worked for a folder."""
    with _lock:
        _end(place)


def _end(place: str) -> None:
    for key in [key for key in _processes if key[0] == place]:
        _processes.pop(key).__exit__(None, None, None)


def _supervised(
    session: _Session, function: Callable[[Job], Result], job: Job, seconds: float
) -> Result | Lost[Job]:
    """On a worker: have a process do the job, and return what came of it."""
    [outcome] = _processes_for(session).map(function, [job], lambda _: seconds)
    return outcome


def _processes_for(session: _Session) -> LocalExecutor:
    worker = get_worker()
    key = (session.place, worker.id)
    with _lock:
        if _tokens.setdefault(session.place, session.token) != session.token:
            raise ExonymError(f"a newer run writes to {session.place}; this one ends")
        if key not in _processes:
            _check(session)
            # Dask starts workers as daemons, which may have no processes of their own. All that
            # the flag does in a process is to forbid that.
            multiprocessing.current_process().daemon = False
            _processes[key] = LocalExecutor(worker.state.nthreads)
        return _processes[key]


def _check(session: _Session) -> None:
    differing = differences(session.versions, installed())
    if differing:
        raise ExonymError(f"the worker on {socket.gethostname()} has {_remedy(differing)}")


def _remedy(differing: list[str]) -> str:
    shown = ", ".join(differing[:3])
    more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
    return (
        f"{shown}{more}; install the same requirements.lock on every machine, restart the cluster "
        "and run again"
    )


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
