"""Search for inputs that break a promise: ``python -m tests.fuzz.run [TARGET ...] --seconds 60``.

Needs atheris (extra ``fuzz``; Linux). An input that breaks something is written to ``found/TARGET``
and stays there as a test; the command then ends with 1.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

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
    failed = [target for target in chosen if not search(target, options.seconds)]
    return 1 if failed else 0


def search(target: str, seconds: int) -> bool:
    """Fuzz a target in a process of its own and print a line; False where something was found."""
    command = [sys.executable, "-m", "tests.fuzz.run", target, "--seconds", str(seconds), "--alone"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    steps = re.findall(r"^#(\d+)\s.*?cov: (\d+)", done.stderr, re.MULTILINE)
    runs, coverage = steps[-1] if steps else ("0", "0")
    state = "nothing found" if done.returncode == 0 else "BROKEN"
    print(f"{target:16} {runs:>9} inputs, {coverage:>6} branches: {state}", flush=True)
    if done.returncode:
        print(
            "\n".join([*done.stdout.splitlines()[-30:], *done.stderr.splitlines()[-5:]]), flush=True
        )
    return done.returncode == 0


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
