"""The same night on a Dask cluster that its own command line started, and what goes wrong there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from distributed import Client

from pipeline.errors import ExonymError
from pipeline.executors import dask
from pipeline.executors.dask import DaskExecutor

from .command import contents, unresolved
from .conftest import Copies, Scene

PROGRAM = "from pipeline.cli import main; main()"


def start(arguments: list[str], log: Path, program: str = PROGRAM) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def end_of(process: subprocess.Popen[bytes], log: Path) -> tuple[int, list[str]]:
    """Return the exit code and the lines that are errors."""
    code = process.wait()
    lines = log.read_text(encoding="utf-8").splitlines()
    return code, [line for line in lines if line.startswith(("exonym:", "Traceback"))]


def on(cluster: Any) -> list[str]:
    return ["--executor", "dask", "--scheduler", cluster.url]


def wait_until_some_is_done(out: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a shard was through the first stage; many others are ahead."""
    while not list((out / ".exonym" / "staging").glob("documents/*.parquet")):
        assert process.poll() is None
        sleep(0.01)


def workers_of(cluster: Any) -> list[int]:
    """Return the process ids of the workers (not of the nannies that watch them)."""
    with Client(cluster.url, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        return sorted(client.run(os.getpid).values())


@pytest.mark.parametrize("for_good", [False, True], ids=["and is replaced", "for good"])
def test_a_worker_that_is_killed_changes_no_byte(
    crowd: Scene, fresh_crowd: Copies, tmp_path: Path, cluster: Any, for_good: bool
) -> None:
    out, log = fresh_crowd(), tmp_path / "log"
    worker = workers_of(cluster)[0]
    process = start([*crowd.command(out), *on(cluster)], log)
    wait_until_some_is_done(out, process)
    if for_good:
        os.killpg(os.getpgid(worker), signal.SIGKILL)
    else:
        os.kill(worker, signal.SIGKILL)
    assert end_of(process, log) == (0, [])
    assert contents(out) == crowd.expected
    if for_good:
        cluster.start_worker()
    assert worker not in workers_of(cluster)


def test_a_run_that_is_killed_is_finished_by_the_next(
    crowd: Scene, fresh_crowd: Copies, tmp_path: Path, cluster: Any
) -> None:
    out, log = fresh_crowd(), tmp_path / "log"
    process = start([*crowd.command(out), *on(cluster)], log)
    wait_until_some_is_done(out, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert unresolved(out) == set()
    again = start([*crowd.command(out), *on(cluster)], log)
    assert end_of(again, log) == (0, [])
    assert contents(out) == crowd.expected


def test_sigterm_leaves_with_143_and_local_processes_go_on(
    crowd: Scene, fresh_crowd: Copies, tmp_path: Path, cluster: Any
) -> None:
    out, log = fresh_crowd(), tmp_path / "log"
    process = start([*crowd.command(out), *on(cluster)], log)
    wait_until_some_is_done(out, process)
    os.killpg(process.pid, signal.SIGTERM)
    code, errors = end_of(process, log)
    assert code == 143
    assert len(errors) == 1
    assert end_of(start(crowd.command(out), log), log) == (0, [])
    assert contents(out) == crowd.expected


def test_without_a_scheduler_there_is_a_cluster_of_its_own(
    scene: Scene, fresh: Copies, tmp_path: Path
) -> None:
    out, log = fresh(), tmp_path / "log"
    command = [*scene.command(out), "--executor", "dask", "--workers", "2"]
    assert end_of(start(command, log), log) == (0, [])
    assert contents(out) == scene.expected


WRONG = {
    "no scheduler there": (["--executor", "dask", "--scheduler", "tcp://127.0.0.1:9"], 1, "9"),
    "no address": (["--executor", "dask", "--scheduler", "nonsense"], 2, "tcp://HOST"),
    "no cluster": (["--scheduler", "tcp://127.0.0.1:9"], 2, "--executor dask"),
    "no such executor": (["--executor", "spark"], 2, "local, dask"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_options_are_one_line(
    scene: Scene, fresh: Copies, tmp_path: Path, wrong: str
) -> None:
    out, log = fresh(), tmp_path / "log"
    options, expected, remedy = WRONG[wrong]
    code, errors = end_of(start([*scene.command(out), *options], log), log)
    assert code == expected
    assert len(errors) == 1
    assert remedy in errors[0]
    assert log.read_text(encoding="utf-8").count("\n") == 1


def test_without_dask_installed_the_extra_is_named(
    scene: Scene, fresh: Copies, tmp_path: Path
) -> None:
    program = f"import sys; sys.modules['distributed'] = None; {PROGRAM}"
    command = [*scene.command(fresh()), "--executor", "dask"]
    code, errors = end_of(start(command, tmp_path / "log", program), tmp_path / "log")
    assert code == 2
    assert "pip install 'exonym[dask]'" in errors[0]


def double(number: int) -> int:
    return 2 * number


def minute(_: object) -> float:
    return 60.0


def test_a_worker_with_other_packages_is_refused(tmp_path: Path, cluster: Any) -> None:
    with DaskExecutor(cluster.url, 1, tmp_path) as executor:
        versions = {**executor._session.versions, "pyarrow": "0.1"}
        executor._session = replace(executor._session, versions=versions)
        with pytest.raises(ExonymError, match=r"pyarrow .* instead of 0\.1.*requirements\.lock"):
            list(executor.map(double, range(3), minute))


def test_a_scheduler_of_another_version_is_refused(
    tmp_path: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Client.get_versions

    def older(client: Client) -> Any:
        versions = told(client)
        versions["scheduler"]["packages"]["distributed"] = "2019.1"
        return versions

    monkeypatch.setattr(Client, "get_versions", older)
    with (
        pytest.raises(ExonymError, match=r"distributed 2019\.1 instead of"),
        DaskExecutor(cluster.url, 1, tmp_path),
    ):
        pass


def test_a_cluster_without_workers_is_not_waited_for_for_ever(
    tmp_path: Path, make_cluster: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask, "WITHOUT_WORKERS_SECONDS", 1)
    empty = make_cluster()
    with (
        DaskExecutor(empty.url, 1, tmp_path) as executor,
        pytest.raises(ExonymError, match=f"dask worker {empty.url}"),
    ):
        list(executor.map(double, range(3), minute))
    worker = empty.start_worker("--no-nanny")
    with DaskExecutor(empty.url, 1, tmp_path) as executor:
        monkeypatch.setattr(dask, "WITHOUT_WORKERS_SECONDS", 60)
        answers = executor.map(double, range(1000), minute)
        assert next(answers) in range(2000)
        monkeypatch.setattr(dask, "WITHOUT_WORKERS_SECONDS", 1)
        os.killpg(worker.pid, signal.SIGKILL)
        with pytest.raises(ExonymError, match="no worker is connected"):
            list(answers)


def test_a_scheduler_that_dies_ends_the_run(
    tmp_path: Path, make_cluster: Callable[[], Any]
) -> None:
    dying = make_cluster()
    dying.start_worker()
    with DaskExecutor(dying.url, 1, tmp_path) as executor:
        answers = executor.map(double, range(1000), minute)
        assert next(answers) in range(2000)
        dying.stop()
        with pytest.raises(ExonymError, match="connection to the Dask scheduler"):
            list(answers)


def wait_for_ever(started: Path) -> None:
    started.touch()
    while True:
        sleep(0.01)


def test_what_an_earlier_run_left_on_the_workers_is_ended(tmp_path: Path, cluster: Any) -> None:
    with DaskExecutor(cluster.url, 1, tmp_path) as earlier:
        earlier._begin()
        started = tmp_path / "started"
        left = earlier._submit(wait_for_ever, started, 3600.0)
        while not started.exists():
            assert not left.done(), left.exception()
            sleep(0.01)
        with DaskExecutor(cluster.url, 1, tmp_path) as later:
            assert sorted(later.map(double, range(3), minute)) == [0, 2, 4]
            with pytest.raises(ExonymError, match="the workers were ended"):
                left.result(timeout=60)
            with pytest.raises(ExonymError, match="a newer run"):
                list(earlier.map(double, range(3), minute))
