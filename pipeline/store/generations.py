"""Kept generations: the published tables as they were after each of the last runs.

::

    DIR/.exonym/generations/000042/generation.json   which run; a folder without it is to be removed
    DIR/.exonym/generations/000042/mentions/…        its tables

A generation's files are second names (hard links) of published ones, so that only what a run
changes takes space. Whoever reads one holds a shared lock on its folder, and it stays until the
lock is gone; the system frees the lock of a process that dies.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.store import files
from pipeline.store.tables import TableFiles

_CARD: Final = "generation.json"


@dataclass(frozen=True, slots=True)
class Generation:
    """A published state that is kept."""

    number: int
    """Counts up from 1; never used again while a generation with a lesser or the same is kept."""
    run_id: str
    """The run that published it."""
    folder: Path

    @property
    def tables(self) -> TableFiles:
        """Its tables, all of them."""
        return TableFiles(self.folder)


class Generations:
    """The folder of kept generations."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``, made when a generation is put into it."""
        self.folder = folder

    def kept(self) -> list[Generation]:
        """Return the generations that are kept, oldest first."""
        found = []
        for card in sorted(self.folder.glob(f"*/{_CARD}")):
            try:
                run_id = files.read_json(card)["run_id"]
            except FileNotFoundError:  # removed since it was listed
                continue
            found.append(Generation(int(card.parent.name), run_id, card.parent))
        return found

    def find(self, run_id: str) -> Generation | None:
        """Return the generation that a run published, None where it is not kept."""
        return next((kept for kept in self.kept() if kept.run_id == run_id), None)

    def next_number(self) -> int:
        """Return a number above that of every folder there is."""
        return max((int(path.name) for path in self.folder.glob("[0-9]*")), default=0) + 1

    def place(self, number: int) -> Path:
        """Return the folder of the generation with that number."""
        return self.folder / f"{number:06d}"

    def remove(self, unwanted: list[Generation], *, though_read: bool = False) -> None:
        """Take generations off the list, and remove every folder that is off it and not read.

        With ``though_read`` also those that are read.
        """
        for generation in unwanted:
            files.remove(generation.folder / _CARD)
        for folder in sorted(self.folder.glob("[0-9]*")):
            if not (folder / _CARD).exists() and (though_read or not _is_read(folder)):
                files.remove_folder(folder)

    @contextmanager
    def pinned(self, run_id: str | None = None) -> Iterator[Generation | None]:
        """Hold a run's generation, the newest by default, so that it is not removed.

        Gives None where it is not kept.
        """
        while True:
            kept = self.kept()
            found = [one for one in kept if run_id in (None, one.run_id)]
            if not found:
                yield None
                return
            try:
                descriptor = os.open(found[-1].folder, os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH)
                if (found[-1].folder / _CARD).exists():
                    yield found[-1]
                    return
            finally:
                os.close(descriptor)


def assemble(folder: Path, run_id: str, *layers: TableFiles) -> None:
    """Make ``folder`` a generation: the files of all layers, a later one's before an earlier one's.

    What was there before is removed.
    """
    files.remove_folder(folder)
    chosen = {name: layer.folder / name for layer in layers for name in layer.names()}
    for name, path in sorted(chosen.items()):
        files.link(path, folder / name)
    for table in {Path(name).parent for name in chosen}:
        files.sync_folder(folder / table)
    files.write_json(folder / _CARD, {"run_id": run_id})


def _is_read(folder: Path) -> bool:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
