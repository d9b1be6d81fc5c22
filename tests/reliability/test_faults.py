"""What else goes wrong at night: full disks, signals, clocks, damaged files, a second run."""

from __future__ import annotations

import errno
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep

import pytest

from pipeline import run as run_module
from pipeline.store import Store

from .command import contents, end_of, exonym, killing_at, start, unresolved
from .conftest import NIGHTS, Copies, Scene
from .world import add_articles


def number_of(scene: Scene, step: str, part: str) -> int:
    """Return the first step of that name on a file whose path holds ``part``."""
    return next(
        number for number, (name, path) in enumerate(scene.steps) if name == step and part in path
    )


PLACES = [
    ("write", "incoming"),
    ("write", "recognised"),
    ("write", "tables/entities"),
    ("link", "generation"),
    ("write", "journal.json"),
    ("link", "placing"),
    ("rename", "state.sqlite.backup"),
]
"""Steps from the first file of a run to its last."""


@pytest.mark.parametrize(("step", "part"), PLACES)
def test_a_full_disk_ends_the_run_with_one_line_and_loses_nothing(
    scene: Scene, fresh: Copies, tmp_path: Path, step: str, part: str
) -> None:
    out, log = fresh(), tmp_path / "log"
    left = number_of(scene, step, part)

    def no_space(step: str, path: Path) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    ended = exonym(scene.command(out), log, no_space)
    assert ended.code == 1
    assert len(ended.errors) == 1
    assert "No space left" in ended.errors[0]
    assert unresolved(out) == set()
    assert exonym(scene.command(out), log).code == 0
    assert contents(out) == scene.expected


def test_a_quota_of_the_system_is_no_traceback(scene: Scene, fresh: Copies, tmp_path: Path) -> None:
    out, log = fresh(), tmp_path / "log"

    def limited(step: str, path: Path) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))

    ended = exonym(scene.command(out), log, limited)
    assert ended.code == 1
    # One line says what went wrong; another may say that the metrics could not be written either.
    *before, last = ended.errors
    assert "state.sqlite" in last
    assert all("metrics" in line for line in before)
    assert exonym(scene.command(out), log).code == 0
    assert contents(out) == scene.expected


@dataclass(frozen=True)
class Disk:
    """A file system of its own, in memory."""

    folder: Path

    def mount(self, options: str) -> None:
        """Mount it, or change its options; skips where that is not allowed."""
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"may not mount a file system: {done.stderr.strip()}")

    def leave(self, n_bytes: int) -> None:
        """Let only so much more be written."""
        used = shutil.disk_usage(self.folder).used
        self.mount(f"remount,size={used + n_bytes}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk with room enough."""
    made = Disk(tmp_path / "disk")
    made.folder.mkdir()
    made.mount("size=64m")
    yield made
    subprocess.run(["umount", "--lazy", str(made.folder)], check=True)


@pytest.mark.parametrize("n_bytes", [0, 30_000, 80_000, 150_000])
def test_a_disk_that_is_full_ends_the_run_with_one_line_and_loses_nothing(
    scene: Scene, disk: Disk, tmp_path: Path, n_bytes: int
) -> None:
    out, log = disk.folder / "out", tmp_path / "log"
    shutil.copytree(scene.before, out)
    disk.leave(n_bytes)
    ended = exonym(scene.command(out), log)
    assert ended.code == 1
    *before, last = ended.errors
    assert re.search(r"No space left|disk is full", last)
    assert all("metrics" in line for line in before)
    assert unresolved(out) == set()
    disk.mount("remount,size=64m")
    assert exonym(scene.command(out), log).code == 0
    assert contents(out) == scene.expected


def test_a_read_only_disk_is_a_wrong_option(scene: Scene, disk: Disk, tmp_path: Path) -> None:
    out = disk.folder / "out"
    shutil.copytree(scene.before, out)
    before = contents(out)
    disk.mount("remount,ro")
    for command in (scene.command(out), scene.command(disk.folder / "new")):
        ended = exonym(command, tmp_path / "log")
        assert ended.code == 2
        *others, last = ended.errors
        assert "choose another --out" in last
        assert all("metrics" in line for line in others)
    assert contents(out) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_a_wrong_option(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o555)
    ended = exonym(scene.command(tmp_path / "out"), tmp_path / "log")
    assert ended.code == 2
    assert "choose another --out" in ended.errors[0]


def test_of_two_runs_at_once_the_second_leaves_with_3(
    scene: Scene, fresh: Copies, tmp_path: Path
) -> None:
    out = fresh()
    hears, says = os.pipe()
    begun, begins = os.pipe()

    def wait(step: str, path: Path) -> None:
        os.write(begins, b".")
        os.read(hears, 1)

    first = start(scene.command(out), tmp_path / "first", wait)
    os.read(begun, 1)
    second = exonym(scene.command(out), tmp_path / "second")
    os.write(says, b"." * 10_000)
    assert second.code == 3
    assert len(second.errors) == 1
    assert str(first) in second.errors[0]
    assert end_of(first, tmp_path / "first").code == 0
    assert contents(out) == scene.expected


@pytest.mark.parametrize(
    ("step", "part"), [("write", "incoming"), ("write", "recognised"), ("rename", "placing")]
)
def test_sigterm_leaves_with_143_and_the_next_run_goes_on(
    scene: Scene, fresh: Copies, tmp_path: Path, step: str, part: str
) -> None:
    out, log = fresh(), tmp_path / "log"
    left = number_of(scene, step, part)

    def terminate(step: str, path: Path) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        left -= 1

    ended = exonym(scene.command(out), log, terminate)
    assert ended.code == 143
    assert len(ended.errors) == 1
    assert unresolved(out) == set()
    assert exonym(scene.command(out), log).code == 0
    assert contents(out) == scene.expected


@pytest.mark.parametrize("part", ["begun.json", "incoming", "run.json", "recognised"])
def test_resumed_after_midnight_a_run_keeps_its_date(
    scene: Scene, fresh: Copies, tmp_path: Path, part: str
) -> None:
    out, log = fresh(), tmp_path / "log"
    # Killed behind the write where nothing of the night is known before.
    step = "done" if part == "begun.json" else "write"
    exonym(scene.command(out), log, killing_at(number_of(scene, step, part)))
    assert exonym(scene.command(out, "2026-03-08"), log).code == 0
    assert contents(out) == scene.expected


def test_what_came_after_midnight_is_a_night_of_its_own(
    scene: Scene, fresh: Copies, tmp_path: Path
) -> None:
    log, late = tmp_path / "log", tmp_path / "late"
    straight, killed = fresh(), fresh()
    assert exonym(scene.command(straight), log).code == 0
    exonym(scene.command(killed), log, killing_at(number_of(scene, "write", "incoming")))
    late.mkdir()
    add_articles(replace(scene.world, raw=late), "late", range(900, 906))
    for out in (straight, killed):
        assert exonym(scene.command(out, "2026-03-08", str(late)), log).code == 0
    assert contents(killed) == contents(straight)
    assert [kept.run_id[:10] for kept in Store(killed).generations.kept()] == [
        NIGHTS[2],
        "2026-03-08",
    ]


def test_a_clock_that_jumps_changes_no_table(
    scene: Scene, fresh: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, log = fresh(), tmp_path / "log"
    exonym(scene.command(out), log, killing_at(number_of(scene, "write", "settled")))
    long_ago = datetime(1999, 12, 31, tzinfo=UTC)
    hours = iter([900_000, 5, -9_000, 70, 2])
    times = (long_ago + timedelta(hours=next(hours, 0)) for _ in range(100))
    monkeypatch.setattr(run_module, "_now", lambda: next(times).isoformat())
    assert exonym(scene.command(out), log).code == 0
    assert contents(out) == scene.expected
    monkeypatch.undo()
    assert exonym(["status", "--out", str(out)], log).code == 0


def _damages() -> Iterator[Callable[[Path], object]]:
    yield lambda path: path.write_bytes(b"no database" * 1_000)
    yield lambda path: path.write_bytes(path.read_bytes()[:5_000])
    yield lambda path: path.unlink()


@pytest.mark.parametrize("damage", _damages())
def test_a_damaged_state_file_is_found_and_can_be_put_back(
    scene: Scene, fresh: Copies, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    out, log = fresh(), tmp_path / "log"
    state = out / ".exonym" / "state.sqlite"
    before = contents(out)
    damage(state)
    ended = exonym(scene.command(out), log)
    assert ended.code == 1
    (line,) = ended.errors
    assert f"cp {state}.backup {state}" in line
    assert contents(out) == before
    shutil.copy(f"{state}.backup", state)
    assert exonym(scene.command(out), log).code == 0
    assert contents(out) == scene.expected


def test_a_model_file_that_was_changed_is_not_used(
    scene: Scene, fresh: Copies, tmp_path: Path
) -> None:
    out, log = fresh(), tmp_path / "log"
    models = tmp_path / "models"
    shutil.copytree(scene.world.models, models)
    patterns = models / "rules" / "entity_ruler" / "patterns.jsonl"
    patterns.write_bytes(patterns.read_bytes().replace(b"Bishkek", b"Bishkex"))
    config = tmp_path / "exonym.toml"
    settings = scene.world.config.read_text(encoding="utf-8")
    config.write_text(settings.replace(str(scene.world.models), str(models)), encoding="utf-8")
    before = contents(out)
    ended = exonym([*scene.command(out)[:-1], str(config)], log)
    assert ended.code == 2
    (line,) = ended.errors
    assert "patterns.jsonl" in line
    assert contents(out) == before


def _workers(parent: int) -> list[int]:
    """Return the spawned worker processes of a command."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split()
    commands = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    return [child for child, command in commands.items() if b"spawn_main" in command]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds workers through /proc")
@pytest.mark.parametrize("whole_group", [False, True], ids=["a worker", "the whole group"])
def test_worker_processes_are_killed(
    crowd: Scene, fresh_crowd: Copies, tmp_path: Path, *, whole_group: bool
) -> None:
    out = fresh_crowd()
    binary = [sys.executable, "-c", "from pipeline.cli import main; main()"]
    command = [*binary, *crowd.command(out, NIGHTS[2], "--workers", "2")]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    staging = out / ".exonym" / "staging"
    while not (workers := _workers(process.pid)) or not list(staging.glob("documents/*")):
        assert process.poll() is None
        sleep(0.01)
    if whole_group:
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert exonym(crowd.command(out), tmp_path / "log").code == 0
    else:
        os.kill(workers[0], signal.SIGKILL)
        assert process.wait() == 0
    assert contents(out) == crowd.expected
    assert Store(out).generations.kept()
