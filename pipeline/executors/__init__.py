"""Where shards are worked on: this machine's processes now, a cluster with the same ``map``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


class Executor(Protocol):
    """Applies a function to jobs, somewhere."""

    def map(self, function: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
        """Yield ``function(job)`` for every job, in whatever order they end.

        ``function`` must be importable by name and safe to repeat: a job whose worker died is
        given to another one.
        """
