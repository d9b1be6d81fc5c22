"""Search for inputs that break a promise: ``python -m tests.fuzz.run [TARGET ...] --seconds 60``.

Needs atheris (extra ``fuzz``; Linux). Prints a line for each target: seconds by the clock and of
the processor (where other work is done as well, few are left), inputs tried, branches reached,
findings. A target's search ends with its first finding: the input that breaks something is written
to ``found/TARGET`` and stays there as a test; the command then ends with 1.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path
from time import monotonic

FOUND = Path(__file__).parent / "found"
SLOW_SECONDS = 20
MOST_MEMORY_MB = 4096
LONGEST = 4096


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        fuzz(options.targets[0], options.seconds)
        return 0
    from .targets import TARGETS

    chosen = options.targets or list(TARGETS)
    unknown = set(chosen) - set(TARGETS)
    if unknown:
        parser.error(
            f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}"
        )
    print("$ python -m tests.fuzz.run", *sys.argv[1:])
    print(f"{date.today()}, exonym {version('exonym')}, atheris {version('atheris')}, one process")
    print("target          seconds      CPU    inputs branches findings", flush=True)
    failed = [target for target in chosen if not search(target, options.seconds)]
    return 1 if failed else 0


def search(target: str, seconds: int) -> bool:
    """Fuzz a target in a process of its own and print a line; False where something was found."""
    command = [sys.executable, "-m", "tests.fuzz.run", target, "--seconds", str(seconds), "--alone"]
    began, used = monotonic(), _processor_seconds()
    done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    took, used = monotonic() - began, _processor_seconds() - used
    steps = re.findall(r"^#(\d+)\s.*?cov: (\d+)", done.stderr, re.MULTILINE)
    inputs, branches = map(int, steps[-1] if steps else (0, 0))
    findings = int(done.returncode != 0)
    print(f"{target:14} {took:8.0f} {used:8.0f} {inputs:9,} {branches:8,} {findings:8}", flush=True)
    if findings:
        lines = [*done.stdout.splitlines()[-30:], *done.stderr.splitlines()[-5:]]
        print("\n".join(lines), file=sys.stderr, flush=True)
    return not findings


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def fuzz(target: str, seconds: int) -> None:
    """Fuzz a target in this process, which libFuzzer ends."""
    import atheris

    with atheris.instrument_imports(include=["pipeline"]):
        from .targets import SEEDS, TARGETS

    folder = FOUND / target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS[target]):
            (Path(corpus) / str(number)).write_bytes(seed)
        arguments = [
            f"-max_total_time={seconds}",
            f"-timeout={SLOW_SECONDS}",
            f"-rss_limit_mb={MOST_MEMORY_MB}",
            f"-max_len={LONGEST}",
            f"-artifact_prefix={folder}/",
            corpus,
            str(folder),
        ]
        atheris.Setup([sys.argv[0], *arguments], TARGETS[target])
        atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
