"""Where shards are worked on: this machine's processes, or a cluster, by the same ``map``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Lost(Generic[Job]):
    """A job that came to no end: its worker died or hung, or it ran over its time."""

    job: Job
    error: str
    """``crashed`` or ``timed_out``."""
    message: str


class Executor(Protocol):
    """Applies a function to jobs, somewhere."""

    def map(
        self,
        function: Callable[[Job], Result],
        jobs: Iterable[Job],
        seconds: Callable[[Job], float],
    ) -> Iterator[Result | Lost[Job]]:
        """Yield ``function(job)`` for every job, in whatever order they end.

        A job whose worker dies, that takes more than ``seconds(job)`` of the processor, or that
        hangs without working gives a :class:`Lost`, and the others go on. ``function`` must be
        importable by name and safe to repeat; what it raises is raised here. Stopped by SIGTERM,
        the jobs that are under way are finished first.
        """
