"""The same night by a pool of processes and by a Dask cluster on the same machine.

Every round publishes the same made articles (``benchmarks/articles.py``) to fresh folders by the
real command: with ``--workers N``, then with ``--executor dask`` on a scheduler and N workers that
``dask``'s own command line started before. The ratio is of the wall time in one round; starting the
command and loading the models count, starting the cluster does not. Rounds follow each other, so
that what else the machine does falls on both; its load stands beside them. Processor seconds are of
all processes, with those that the cluster takes to start.

Run from the repository root:
``python benchmarks/executors.py [--documents 120] [--words 300] [--workers 2] [--rounds 3]
[--profile fast]``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Final

import articles
import night
from distributed import Client

from pipeline.versions import code_hash

_SHARD_DOCUMENTS: Final = "8"
"""So few that a small night has many jobs."""

_START_SECONDS: Final = 180


@contextmanager
def cluster(workers: int, folder: Path) -> Iterator[str]:
    """Give the address of a scheduler with so many workers, which end with the body."""
    told = folder / "scheduler.json"
    place = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(told)]
    one = ["worker", "--nthreads", "1", "--memory-limit", "0", "--local-directory", str(folder)]
    processes = [_dask("scheduler", "--port", "0", *place)]
    try:
        processes += [_dask(*one, *place) for _ in range(workers)]
        until = time.monotonic() + _START_SECONDS
        while not told.exists() and time.monotonic() < until:
            time.sleep(0.1)
        url = str(json.loads(told.read_text(encoding="utf-8"))["address"])
        with Client(url, timeout=_START_SECONDS, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=_START_SECONDS)
        yield url
    finally:
        for process in processes[::-1]:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def _dask(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dask", *arguments]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True)


def take(source: Path, arguments: argparse.Namespace, dask: bool) -> tuple[float, float, float]:
    """Publish ``source`` to a fresh folder; return wall seconds, processor seconds and the load."""
    before = _processor_seconds()
    sizes = (arguments.documents, arguments.workers, arguments.profile)
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        out = Path(folder) / "tables"
        if dask:
            with cluster(arguments.workers, Path(folder)) as url:
                os.environ.update(EXONYM_EXECUTOR="dask", EXONYM_SCHEDULER=url)
                done = night.measure(source, out, *sizes)
            del os.environ["EXONYM_EXECUTOR"], os.environ["EXONYM_SCHEDULER"]
        else:
            done = night.measure(source, out, *sizes)
    return done.wall, _processor_seconds() - before, done.load


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description="Compare the executors on one night.")
    parser.add_argument("--documents", type=int, default=120)
    parser.add_argument("--words", type=int, default=articles.MEDIAN_WORDS, help="median article")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", default="fast", help="of exonym.toml")
    parser.add_argument("--scratch", type=Path, help="a folder with space; default a temporary one")
    arguments = parser.parse_args()
    os.environ["EXONYM_SHARD_DOCUMENTS"] = _SHARD_DOCUMENTS
    print(f"$ python benchmarks/executors.py {shlex.join(sys.argv[1:])}".rstrip())
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, exonym {version('exonym')} (code {code_hash()[:12]}), "
        f"dask {version('dask')}; {os.cpu_count()} cores, {arguments.workers} workers each; "
        f"{arguments.documents} articles, profile {arguments.profile}\n"
    )
    print("| | processes | | | Dask | | | |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    print("| round | wall s | CPU s | load | wall s | CPU s | load | Dask / processes |")
    ratios = []
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        source = Path(folder)
        articles.write(source / "news", arguments.documents, 1, arguments.words)
        for number in range(1, arguments.rounds + 1):
            pool, dask = (take(source / "news", arguments, dask) for dask in (False, True))
            ratios.append(dask[0] / pool[0])
            cells = [f"{wall:.0f} | {cpu:.1f} | {load:.1f}" for wall, cpu, load in (pool, dask)]
            print(f"| {number} | {' | '.join(cells)} | {ratios[-1]:.2f} |", flush=True)
    print(f"\nmedian ratio {median(ratios):.2f}")


if __name__ == "__main__":
    main()
