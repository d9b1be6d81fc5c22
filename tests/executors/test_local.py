import os
import signal
from pathlib import Path

import pytest

from pipeline.errors import ExonymError
from pipeline.executors.local import LocalExecutor


def square(number: int) -> int:
    return number * number


def die_once(marker: Path) -> str:
    """Kill the worker the first time, as a crash would."""
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return marker.name


def die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail(number: int) -> None:
    raise ValueError(number)


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_is_done(workers: int) -> None:
    assert sorted(LocalExecutor(workers).map(square, range(12))) == [n * n for n in range(12)]


def test_jobs_of_a_worker_that_died_are_repeated(tmp_path: Path) -> None:
    markers = [tmp_path / name for name in ("a", "b", "c")]
    markers[0].touch()
    assert sorted(LocalExecutor(2).map(die_once, markers)) == ["a", "b", "c"]


def test_gives_up_when_workers_die_again_and_again() -> None:
    with pytest.raises(ExonymError, match="died"):
        list(LocalExecutor(2).map(die, range(2)))


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_function_comes_through(workers: int) -> None:
    with pytest.raises(ValueError, match="3"):
        list(LocalExecutor(workers).map(fail, [3]))
