"""What every executor promises: on processes of this machine, and on a Dask cluster."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Thread
from types import FrameType

import pytest
from pebble.pool.base_pool import PoolStatus

from pipeline.errors import ExonymError, StoppedError
from pipeline.executors import Executor, Lost
from pipeline.executors import local as local_module
from pipeline.executors.dask import DaskExecutor
from pipeline.executors.inline import InlineExecutor
from pipeline.executors.local import LocalExecutor
from pipeline.stopping import stop

Opened = AbstractContextManager[Executor]


def local(workers: int, place: Path) -> Opened:
    return LocalExecutor(workers)


def dask(workers: int, place: Path) -> Opened:
    return DaskExecutor("", workers, place)


@pytest.fixture(scope="module", params=[local, dask])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Executor]:
    with request.param(2, tmp_path_factory.mktemp("place")) as executor:
        yield executor


def square(number: int) -> int:
    return number * number


def misbehave(number: int) -> int:
    """Crash on 3, hang on 5."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGSEGV)
    if number == 5:
        while True:
            pass
    return number


def work_for(seconds: float) -> str:
    """Use the processor for so long."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return "done"


def wait_for_nothing(how: str) -> None:
    """Hang without working: asleep, or stopped by a signal."""
    if how == "stopped":
        os.kill(os.getpid(), signal.SIGSTOP)
    while True:
        signal.pause()


def get_no_processor(seconds: float) -> str:
    """Stand still for so long, as where others have the processor, and then be done."""
    subprocess.Popen(["/bin/sh", "-c", f"sleep {seconds}; kill -CONT {os.getpid()}"])
    os.kill(os.getpid(), signal.SIGSTOP)
    return "done"


def fail(number: int) -> None:
    raise ValueError(number)


def whoami(_: int) -> int:
    return os.getpid()


def stop_the_parent(folder: Path) -> str:
    """Have this worker's whole group told to stop, the parent once more, then finish."""
    if not (folder / "told").exists():
        (folder / "told").touch()
        os.kill(os.getppid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        while not (folder / "stopping").exists():
            time.sleep(0)
        os.kill(os.getppid(), signal.SIGTERM)  # so does ``timeout``
        sum(range(10_000_000))  # whoever does not wait is gone before this is done
    (folder / "finished").touch()
    return "finished"


def minute(_: object) -> float:
    return 60.0


def test_every_job_is_done(pair: Executor) -> None:
    expected = [number * number for number in range(12)]
    assert sorted(pair.map(square, range(12), minute)) == expected  # type: ignore[type-var]
    assert list(InlineExecutor().map(square, range(12), minute)) == expected


def test_what_crashes_or_hangs_is_lost_and_the_others_are_done(pair: Executor) -> None:
    found = list(pair.map(misbehave, range(8), lambda number: 2.0 if number == 5 else 60.0))
    lost = {item.job: item for item in found if isinstance(item, Lost)}
    assert sorted(item for item in found if not isinstance(item, Lost)) == [0, 1, 2, 4, 6, 7]
    assert (lost[3].error, lost[5].error) == ("crashed", "timed_out")
    assert "SIGSEGV" in lost[3].message
    assert "2 seconds of work" in lost[5].message


@pytest.mark.parametrize("how", ["asleep", "stopped"])
def test_what_hangs_without_working_is_lost(pair: Executor, how: str) -> None:
    (lost,) = pair.map(wait_for_nothing, [how], lambda _: 0.5)
    assert isinstance(lost, Lost)
    assert lost.error == "timed_out"
    assert "no work for 5 seconds" in lost.message
    assert list(pair.map(square, [3], minute)) == [9]


def test_what_waits_for_the_processor_is_done(pair: Executor) -> None:
    assert list(pair.map(get_no_processor, [1.5], lambda _: 1.0)) == ["done"]


def test_the_time_of_one_job_is_not_counted_to_the_next(pair: Executor) -> None:
    assert list(pair.map(work_for, [0.3] * 5, lambda _: 1.0)) == ["done"] * 5


def test_there_may_be_no_limit(pair: Executor) -> None:
    assert list(pair.map(square, [3], lambda _: math.inf)) == [9]


def test_workers_are_kept_between_calls(pair: Executor) -> None:
    first, second = (set(pair.map(whoami, range(20), minute)) for _ in range(2))
    assert os.getpid() not in first
    assert len(first | second) <= 2


def test_a_worker_gives_way_to_a_new_one_after_many_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_module, "_JOBS_A_WORKER", 5)
    with LocalExecutor(2) as executor:
        found = list(executor.map(numbered, range(40), minute))
    assert sorted(number for number, _ in found) == list(range(40))
    jobs = Counter(pid for _, pid in found)
    assert max(jobs.values()) <= 5
    assert len(jobs) >= 8


def numbered(number: int) -> tuple[int, int]:
    return number, os.getpid()


def threads_of_libraries(_: int) -> str:
    return os.environ["OMP_NUM_THREADS"]


@pytest.mark.parametrize("told", [None, "3"])
def test_a_worker_computes_in_one_thread_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, told: str | None
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", told or "")
    if told is None:
        monkeypatch.delenv("OMP_NUM_THREADS")
    with LocalExecutor(1) as executor:
        assert list(executor.map(threads_of_libraries, [0], minute)) == [told or "1"]


@pytest.mark.parametrize("inline", [False, True])
def test_an_error_of_the_function_comes_through(pair: Executor, inline: bool) -> None:
    with pytest.raises(ValueError, match="3"):
        list((InlineExecutor() if inline else pair).map(fail, [3], minute))


@pytest.mark.parametrize("opened", [local, dask])
def test_told_to_stop_the_job_under_way_is_finished(
    tmp_path: Path, opened: Callable[[int, Path], Opened]
) -> None:
    def told(signum: int, frame: FrameType | None) -> None:
        (tmp_path / "stopping").touch()
        stop(signum, frame)

    before = signal.signal(signal.SIGTERM, told)
    try:
        with opened(1, tmp_path) as executor:
            with pytest.raises(StoppedError):
                list(executor.map(stop_the_parent, [tmp_path] * 3, minute))
            assert (tmp_path / "finished").exists()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_workers_that_died_without_a_job_are_replaced() -> None:
    with LocalExecutor(2) as executor:
        before = {pid for pid in executor.map(whoami, range(4), minute) if isinstance(pid, int)}
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        while executor._pool.active:
            time.sleep(0.05)
        after = set(executor.map(whoami, range(4), minute))
        assert after
        assert after.isdisjoint(before)


def test_a_pool_that_broke_is_not_waited_for() -> None:
    with LocalExecutor(1) as executor:
        found = executor.map(work_for, [30.0, 0.0], minute)

        def break_it() -> None:
            while not executor._pids[0]:
                time.sleep(0.01)
            executor._pool._context.status = PoolStatus.ERROR

        breaking = Thread(target=break_it)
        breaking.start()
        with pytest.raises(ExonymError, match="workers were ended"):
            next(found)
        breaking.join()
        assert list(executor.map(square, [3], minute)) == [9]
