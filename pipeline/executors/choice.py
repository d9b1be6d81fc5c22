"""Which executor a command uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.executors import Executor
from pipeline.executors.inline import InlineExecutor
from pipeline.executors.local import LocalExecutor
from pipeline.settings import Settings


@contextmanager
def opened(settings: Settings, out: Path) -> Iterator[Executor]:
    """Give the executor that the settings name, for a run that publishes to ``out``.

    Raises:
        UsageError: Dask is not installed, or the scheduler's address is none.
        ExonymError: the Dask scheduler does not answer.
    """
    if settings.executor == "inline":
        yield InlineExecutor()
    elif settings.executor == "local":
        with LocalExecutor(settings.workers) as processes:
            yield processes
    else:
        try:
            from pipeline.executors.dask import DaskExecutor
        except ModuleNotFoundError as error:
            raise UsageError(
                f"--executor dask needs {error.name}; install it with: pip install 'exonym[dask]'"
            ) from None
        with DaskExecutor(settings.scheduler, settings.workers, out) as cluster:
            yield cluster


@contextmanager
def chosen(executor: Executor | None, workers: int) -> Iterator[Executor]:
    """Give ``executor`` where there is one; else this very process for one worker, or processes."""
    if executor:
        yield executor
    elif workers == 1:
        yield InlineExecutor()
    else:
        with LocalExecutor(workers) as processes:
            yield processes
