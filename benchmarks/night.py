"""Whole nights of different sizes: speed by stage, memory, disk, and how time grows with size.

For every size a fresh folder gets that many made articles (``benchmarks/articles.py``), and the
real command publishes them: ``exonym run``, in processes of its own. Speed is words by processor
seconds of all processes together, so it hardly depends on what else the machine does; wall seconds
stand beside it with the machine's load. ``recognise`` includes loading the models, ``rest`` is what
no stage counts: starting Python, hashing files, and putting the tables in place.

Run from the repository root:
``python benchmarks/night.py --documents 100 1000 10000 [--words 300] [--workers 1 2]
[--profile fast]``.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, linear_regression
from typing import Final

import articles
from prometheus_client.parser import text_string_to_metric_families

from pipeline.schemas import TABLES
from pipeline.versions import code_hash

STAGES: Final = ("ingest", "detect", "recognise", "resolve", "publish")
REST: Final = "rest"
_LOAD_EVERY: Final = 5.0
"""Seconds between two looks at the machine's load."""


@dataclass(frozen=True, slots=True)
class Night:
    """One measured run. Seconds of processor time by stage, of all processes together."""

    documents: int
    words: int
    mentions: int
    workers: int
    wall: float
    cpu: dict[str, float]
    peak_main_mb: float
    peak_worker_mb: float
    table_bytes: int
    state_bytes: int
    load: float
    """Processes that wanted to run, on average, this run's among them."""

    @property
    def total(self) -> float:
        """Processor seconds of the whole command."""
        return sum(self.cpu.values())

    @property
    def without_models(self) -> float:
        """Processor seconds of everything but recognise."""
        return self.total - self.cpu["recognise"]


def measure(source: Path, out: Path, documents: int, workers: int, profile: str) -> Night:
    """Publish ``source`` to the new folder ``out`` and return what that took."""
    command = [str(Path(sys.executable).with_name("exonym")), "run", str(source), "--out", str(out)]
    command += ["--date", articles.LAST_DAY.isoformat(), "--workers", str(workers), "--quiet"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    with _loads() as loads:
        subprocess.run(command, check=True, env=os.environ | {"EXONYM_PROFILE": profile})
    wall = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told = metrics(out / ".exonym" / "metrics.prom")
    cpu = {stage: told["exonym_run_stage_cpu_seconds", stage] for stage in STAGES}
    return Night(
        documents=documents,
        words=int(told["exonym_run_words", ""]),
        mentions=int(told["exonym_run_mentions", ""]),
        workers=workers,
        wall=wall,
        cpu=cpu | {REST: total - sum(cpu.values())},
        peak_main_mb=told["exonym_run_peak_memory_main_bytes", ""] / 1e6,
        peak_worker_mb=told["exonym_run_peak_memory_worker_bytes", ""] / 1e6,
        table_bytes=sum(_size(out / table) for table in TABLES),
        state_bytes=sum(path.stat().st_size for path in (out / ".exonym").glob("state.sqlite*")),
        load=fmean(loads),
    )


def metrics(path: Path) -> dict[tuple[str, str], float]:
    """Return the samples of a Prometheus file by name and label, which is empty for none."""
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(path.read_text(encoding="utf-8"))
        for sample in family.samples
    }


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return b of the fit seconds = a · size^b, least squares of the logarithms; 1 is linear."""
    slope, _ = linear_regression([*map(math.log, sizes)], [*map(math.log, seconds)])
    return slope


@contextmanager
def _loads() -> Iterator[list[float]]:
    """Give a list that fills with the number of processes that want to run, while the body does."""
    loads = [_running()]
    over = threading.Event()

    def look() -> None:
        while not over.wait(_LOAD_EVERY):
            loads.append(_running())

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield loads
    finally:
        over.set()
        watcher.join()


def _running() -> float:
    """Return how many processes run or want to; the average of a minute where that is not told."""
    told = Path("/proc/loadavg")
    if not told.exists():
        return os.getloadavg()[0]
    return float(told.read_text(encoding="ascii").split()[3].split("/")[0])


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def speed_table(nights: Sequence[Night]) -> list[str]:
    """Return words per second of one core by stage, a line a run."""
    columns = [*STAGES, REST]
    heads = ["documents", "words", "workers", *columns, "all but recognise", "all"]
    lines = _head(heads)
    for night in nights:
        seconds = [*(night.cpu[column] for column in columns), night.without_models, night.total]
        figures = [f"{night.words / second:,.0f}" for second in seconds]
        lines.append(_row(f"{night.documents:,}", f"{night.words:,}", str(night.workers), *figures))
    return lines


def size_table(nights: Sequence[Night]) -> list[str]:
    """Return time, memory and disk, a line a run."""
    columns = ["documents", "workers", "wall s", "CPU s", "load", "peak MB of a worker"]
    columns += ["of the main", "mentions", "table bytes a mention", "state bytes a mention"]
    lines = _head(columns)
    for night in nights:
        lines.append(
            _row(
                f"{night.documents:,}",
                str(night.workers),
                f"{night.wall:.0f}",
                f"{night.total:.1f}",
                f"{night.load:.1f}",
                f"{night.peak_worker_mb:.0f}",
                f"{night.peak_main_mb:.0f}",
                f"{night.mentions:,}",
                f"{night.table_bytes / night.mentions:.0f}",
                f"{night.state_bytes / night.mentions:.0f}",
            )
        )
    return lines


def growth_lines(nights: Sequence[Night]) -> list[str]:
    """Return how processor time grows with the words, by workers; nothing for a single size."""
    lines = []
    for workers in sorted({night.workers for night in nights}):
        same = [night for night in nights if night.workers == workers]
        sizes = [float(night.words) for night in same]
        if len(set(sizes)) < 2:
            continue
        parts = [f"all {exponent(sizes, [night.total for night in same]):.2f}"]
        parts += [
            f"{stage} {exponent(sizes, [night.cpu[stage] for night in same]):.2f}"
            for stage in STAGES
        ]
        lines.append(
            f"Exponent of CPU seconds by words (1 is linear), {workers} worker(s): "
            + ", ".join(parts)
        )
    return lines


def _head(columns: Sequence[str]) -> list[str]:
    return [_row(*columns), _row(*["---:"] * len(columns))]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description="Measure whole nights of different sizes.")
    parser.add_argument("--documents", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--words", type=int, default=articles.MEDIAN_WORDS, help="median article")
    parser.add_argument("--workers", type=int, nargs="+", default=[1])
    parser.add_argument("--profile", default="shipped", help="of exonym.toml")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scratch", type=Path, help="a folder with space; default a temporary one")
    arguments = parser.parse_args()
    scratch = {"--scratch", str(arguments.scratch)}  # where it lay is nobody's affair
    told = shlex.join(word for word in sys.argv[1:] if word not in scratch)
    print(f"$ python benchmarks/night.py {told}")
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, exonym {version('exonym')} (code {code_hash()[:12]}), "
        f"profile {arguments.profile}; {os.cpu_count()} × {_processor()}"
    )
    nights = []
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        for documents in arguments.documents:
            source = Path(folder) / f"news-{documents}"
            articles.write(source, documents, arguments.seed, arguments.words)
            for workers in arguments.workers:
                out = Path(folder) / f"tables-{documents}-{workers}"
                night = measure(source, out, documents, workers, arguments.profile)
                nights.append(night)
                print(f"{documents} documents, {night.wall:.0f} s", file=sys.stderr, flush=True)
                shutil.rmtree(out)
            shutil.rmtree(source)
    print("\nWords per second of one core:\n", *speed_table(nights), "", sep="\n")
    print(*size_table(nights), "", *growth_lines(nights), sep="\n")


if __name__ == "__main__":
    main()
