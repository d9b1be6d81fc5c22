"""How a run tells what it is doing: bars on a terminal, plain lines otherwise, or nothing."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class Reporter(Protocol):
    """Told of every stage when it begins, moves on and ends."""

    def begin(self, stage: str, total: int | None, unit: str) -> None:
        """A stage begins; ``total`` units of work are ahead, None when not known."""

    def advance(self, amount: int = 1) -> None:
        """That many units are done."""

    def end(self) -> None:
        """The stage is over."""


class Silent:
    """Says nothing."""

    def begin(self, stage: str, total: int | None, unit: str) -> None:
        """Say nothing."""

    def advance(self, amount: int = 1) -> None:
        """Say nothing."""

    def end(self) -> None:
        """Say nothing."""


class Lines:
    """One plain line when a stage begins and one when it ends, for logs."""

    def __init__(self, console: Console) -> None:
        """Print to ``console``."""
        self._console = console
        self._stage = ""
        self._unit = ""
        self._done = 0

    def begin(self, stage: str, total: int | None, unit: str) -> None:
        """Print what is ahead."""
        self._stage, self._unit, self._done = stage, unit, 0
        ahead = "" if total is None else f" {total} {unit}"
        self._console.print(f"{stage}:{ahead} …")

    def advance(self, amount: int = 1) -> None:
        """Count."""
        self._done += amount

    def end(self) -> None:
        """Print what was done."""
        self._console.print(f"{self._stage}: {self._done} {self._unit} done")


class Bars:
    """One progress bar a stage, for terminals. Use as a context manager."""

    def __init__(self, console: Console) -> None:
        """Draw on ``console``."""
        self._progress = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop drawing."""
        self._progress.stop()

    def begin(self, stage: str, total: int | None, unit: str) -> None:
        """Add a bar."""
        self._task = self._progress.add_task(stage, total=total, unit=unit)

    def advance(self, amount: int = 1) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.advance(self._task, amount)

    def end(self) -> None:
        """Fill the bar."""
        if self._task is not None:
            done = self._progress.tasks[self._task].completed
            self._progress.update(self._task, total=done)
