"""How much memory a process has, for benchmarks to print."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

STATUS: Final = Path("/proc/self/status")
OWN: Final = "RssAnon:"
SAMPLED_EVERY: Final = 0.05
"""Seconds between two looks at the memory."""


def peak_mib() -> float:
    """Return the most memory this process has had resident, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def own_mib() -> float:
    """Return the memory that this process alone has resident, in MiB; 0.0 where nothing tells."""
    if not STATUS.exists():
        return 0.0
    lines = STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    return next((int(line.split()[1]) / 2**10 for line in lines if line.startswith(OWN)), 0.0)


@contextmanager
def sampled() -> Iterator[list[float]]:
    """Give a list that :func:`own_mib` is added to, again and again, until the block is left."""
    samples = [own_mib()]
    done = threading.Event()

    def sample() -> None:
        while not done.wait(SAMPLED_EVERY):
            samples.append(own_mib())

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        done.set()
        thread.join()
