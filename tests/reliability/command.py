"""The real command in a process of its own, which can be made to die at any step on the disk.

A fork of this process, so that libraries and models are loaded once for hundreds of runs.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.cli import main
from pipeline.schemas import TABLES
from pipeline.store import Store, files

Hook = Callable[[str, Path], None]


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, or minus the signal that killed it, and its errors."""

    code: int
    errors: list[str]


def start(arguments: list[str], log: Path, hook: Hook = files.reached) -> int:
    """Start ``exonym`` with ``arguments`` and return its process id."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        os.setsid()
        sys.argv = ["exonym", *arguments]
        os.environ["EXONYM_EXECUTOR"] = "inline"  # the hook is in this process
        with log.open("w", encoding="utf-8") as output:
            sys.stdout = sys.stderr = output
            files.reached = hook
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
    finally:
        os._exit(code)


def end_of(child: int, log: Path) -> Ended:
    """Wait for a started command."""
    _, status = os.waitpid(child, 0)
    errors = [
        line
        for line in log.read_text(encoding="utf-8").splitlines()
        if line.startswith(("exonym:", "Traceback"))
    ]
    return Ended(os.waitstatus_to_exitcode(status), errors)


def exonym(arguments: list[str], log: Path, hook: Hook = files.reached) -> Ended:
    """Run ``exonym`` with ``arguments`` to its end."""
    return end_of(start(arguments, log, hook), log)


def kill_group(child: int) -> None:
    """Kill a started command with all its processes."""
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)


def killing_at(number: int) -> Hook:
    """Return a hook that kills the whole process group at the step with that number, from 0.

    A file that is being written is cut in half first, as a power cut leaves it.
    """
    left = number

    def kill(step: str, path: Path) -> None:
        nonlocal left
        if left == 0:
            if step == "write":
                os.truncate(path, path.stat().st_size // 2)
            os.killpg(0, signal.SIGKILL)
        left -= 1

    return kill


def noting(notes: Path) -> Hook:
    """Return a hook that writes every step to the file ``notes``."""

    def note(step: str, path: Path) -> None:
        with notes.open("a", encoding="utf-8") as file:
            file.write(f"{step}\t{path}\n")

    return note


def steps(notes: Path, out: Path) -> list[tuple[str, str]]:
    """Return the steps that :func:`noting` wrote: what was done, and to which file in ``out``."""
    lines = notes.read_text(encoding="utf-8").splitlines()
    found = (line.partition("\t") for line in lines)
    return [(step, str(Path(path).relative_to(out))) for step, _, path in found]


def contents(out: Path) -> dict[str, str]:
    """Return a checksum of every published and kept file but ``runs``, the one with clock times."""
    folders = [out, *(kept.folder for kept in Store(out).generations.kept())]
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for table in TABLES
        for path in sorted((folder / table).glob("*"))
        if table != "runs"
    }


def unresolved(out: Path) -> set[str]:
    """Return the entity ids in published rows that are neither in entities nor in redirects.

    Raises an error where a published file is not whole.
    """
    store = Store(out)
    known = {
        entity_id
        for table in ("entities", "redirects")
        for entity_id in store.read(table)["entity_id"].to_pylist()
    }
    pointing = {
        "mentions": ("entity_id",),
        "entity_names": ("entity_id",),
        "redirects": ("replaced_by",),
        "daily_entities": ("entity_id",),
        "daily_pairs": ("entity_a", "entity_b"),
    }
    found: set[str] = set()
    for table in TABLES:
        for path in store.tables.paths(table):
            rows = pq.ParquetFile(path).read()
            for column in pointing.get(table, ()):
                found.update(rows[column].to_pylist())
    return found - known
