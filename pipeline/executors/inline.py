"""Jobs in this very process: for notebooks and programs that call the pipeline as a library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pipeline.executors import Job, Lost, Result


class InlineExecutor:
    """No worker processes. A job that crashes or hangs takes the whole process with it."""

    def map(
        self,
        function: Callable[[Job], Result],
        jobs: Iterable[Job],
        seconds: Callable[[Job], float],
    ) -> Iterator[Result | Lost[Job]]:
        """Yield ``function(job)`` for every job, in their order; ``seconds`` has no effect."""
        return map(function, jobs)
