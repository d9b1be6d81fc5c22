"""Fixtures that tests of several parts share."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import date
from pathlib import Path
from time import sleep
from typing import Any

import psutil
import pytest
import regex
from hypothesis import settings

from pipeline.recognise import Span

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# The same examples every time where a red run would hold up others; new ones at the desk.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


GIGABYTES_A_PROCESS = 2
"""What one process of the tests takes, with the models and libraries that it has loaded."""


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes run the tests: one a core, as far as memory goes."""
    room = psutil.virtual_memory().available // (GIGABYTES_A_PROCESS * 10**9)
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(mine or 1, room))


# Without a sandbox, since CI's user is root; and nothing that calls home.
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of corpora and gold beside the checkout; skips where there is none."""
    if not SHARED.is_dir():
        pytest.skip("needs the corpora and gold in ../shared beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder into which the five articles of data/raw were published. Read only."""
    from pipeline.run import run
    from pipeline.settings import load

    out = tmp_path_factory.mktemp("published")
    run([str(ROOT / "data" / "raw")], out, date(2025, 11, 26), load(ROOT / "exonym.toml"))
    return out


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window; skips where there is none, or no playwright to drive it."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install it")
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium: apt install chromium")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def published_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder into which ten days of data/sample were published at once. Read only."""
    from pipeline.run import run
    from pipeline.settings import load

    out = tmp_path_factory.mktemp("published_sample")
    days = [str(ROOT / "data" / "sample" / f"2025-10-{day}.jsonl") for day in range(12, 22)]
    run(days, out, date(2025, 10, 21), load(ROOT / "exonym.toml"))
    return out


class Capitals:
    """An engine without a model: finds runs of capitalised words, and counts its sentences."""

    name, model, sha256 = "onnx", "capitals", "0" * 64

    def __init__(self) -> None:
        self.n_sentences = 0

    def recognise(self, sentences: Sequence[str], lang: str) -> list[list[Span]]:
        self.n_sentences += len(sentences)
        return [
            [
                Span(*found.span(), "PER", 0.9)
                for found in regex.finditer(r"\p{Lu}\p{Ll}+(?: \p{Lu}\p{Ll}+)*", sentence)
            ]
            for sentence in sentences
        ]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Capitals:
    """The engine of every language in this process."""
    from pipeline import shard

    capitals = Capitals()
    monkeypatch.setattr(
        shard, "_load_engines", lambda routing, models: dict.fromkeys(dict(routing), capitals)
    )
    return capitals


class Cluster:
    """A Dask cluster on this machine, of processes that its own command line started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "scheduler.json"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        while not self._file.exists() or not self._file.read_text(encoding="utf-8"):
            assert self._processes[0].poll() is None, self._log.read_text(encoding="utf-8")
            sleep(0.05)
        self.url = json.loads(self._file.read_text(encoding="utf-8"))["address"]

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *arguments, "--scheduler-file", str(self._file)]
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [*command, "--no-dashboard"],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def start_worker(self, *more: str) -> subprocess.Popen[bytes]:
        """Start a worker, in a process group of its own."""
        place = ["--local-directory", str(self._folder)]
        return self._start(
            "worker", "--nthreads", "1", "--memory-limit", "0", "--host", "127.0.0.1", *place, *more
        )

    def stop(self) -> None:
        """Kill whatever still runs."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def make_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Cluster]]:
    """Return a function that starts a scheduler, to be stopped after the test."""
    with ExitStack() as made:

        def make() -> Cluster:
            new = Cluster(tmp_path_factory.mktemp("cluster"))
            made.callback(new.stop)
            return new

        yield make


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler and two workers."""
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        for _ in range(2):
            made.start_worker()
        yield made
    finally:
        made.stop()
