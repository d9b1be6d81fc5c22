"""The power fails while a run is published or taken back: what was not synced is gone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.schemas import DATED, TABLES
from pipeline.store import Store, files
from pipeline.store.state import LedgerDelta

from .test_store import NO_IDS, redirect

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's /proc")


class Entry(NamedTuple):
    """What a folder says of one file or folder in it."""

    inode: int
    is_folder: bool


class Disk:
    """What of a folder is left after a power cut, by the letter of POSIX.

    A folder has the entries of its last sync and a file the bytes of its own; a folder that was
    renamed is at one place alone. The state file is SQLite's affair: it is taken as it is.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._root = root
        self._entries: dict[int, dict[str, Entry]] = {}
        self._bytes: dict[int, bytes] = {}
        self._open = ExitStack()
        sync = os.fsync

        def fsync(descriptor: int) -> None:
            sync(descriptor)
            self._sync(Path(f"/proc/self/fd/{descriptor}").resolve())

        monkeypatch.setattr(os, "fsync", fsync)
        for path in (root, *root.rglob("*")):
            self._sync(path)

    def close(self) -> None:
        """Let go of the files."""
        self._open.close()

    def _sync(self, path: Path) -> None:
        inode = path.stat().st_ino
        if inode not in self._entries and inode not in self._bytes:
            # Held open, so that no other file gets its number.
            self._open.callback(os.close, os.open(path, os.O_RDONLY))
        if path.is_dir():
            found = ((one.name, one.lstat().st_ino, one.is_dir()) for one in path.iterdir())
            entries = {name: Entry(*of) for name, *of in found}
            folders = {entry for entry in entries.values() if entry.is_folder}
            for elsewhere in self._entries.values():
                for name in [name for name, entry in elsewhere.items() if entry in folders]:
                    del elsewhere[name]
            self._entries[inode] = entries
        else:
            self._bytes[inode] = path.read_bytes()

    def write_to(self, target: Path) -> None:
        """Make ``target`` what would be there after a power cut now."""
        self._write(Entry(self._root.stat().st_ino, is_folder=True), target)
        for path in (self._root / ".exonym").glob("state.sqlite*"):
            if "backup" not in path.name:
                shutil.copy(path, target / ".exonym" / path.name)

    def _write(self, entry: Entry, target: Path) -> None:
        if entry.is_folder:
            target.mkdir()
            for name, inside in self._entries.get(entry.inode, {}).items():
                self._write(inside, target / name)
        else:
            target.write_bytes(self._bytes.get(entry.inode, b""))


def publish(store: Store, run_id: str, day: date) -> None:
    """Publish empty tables with one redirect, named for the run, and keep two generations."""
    for table in TABLES:
        store.staging.write_table(table, [], day if table in DATED else None)
    store.staging.write_table("redirects", [redirect(f"of {run_id}")])
    store.staging.write_manifest({"run_id": run_id})
    attempt = {"run_id": run_id, "attempt": 1, "started": day.isoformat(), "outcome": "published"}
    store.publish(run_id, LedgerDelta([], [], []), NO_IDS, attempt, keep=2)


def take_back(store: Store) -> None:
    """Go back to the first of two runs."""
    store.staging.write_table("runs", [])
    store.roll_back(store.generations.kept()[0])


def seen(store: Store) -> dict[str, bytes]:
    """Return what stands in the published tables and in the kept generations."""
    folders = (store.out, *(kept.folder for kept in store.generations.kept()))
    return {
        str(path.relative_to(store.out)): path.read_bytes()
        for folder in folders
        for table in TABLES
        for path in (folder / table).glob("*")
    }


DAYS = [date(2026, 3, day) for day in range(5, 8)]
ACTIONS: dict[str, Callable[[Store], None]] = {
    "publish": lambda store: publish(store, "r3", DAYS[2]),
    "roll back": take_back,
}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_power_cut_at_any_step_leaves_the_state_before_or_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    store = Store(tmp_path / "out")
    with store.locked():
        for run_id, day in zip(("r1", "r2"), DAYS, strict=False):
            publish(store, run_id, day)
    before = seen(store)
    disk = Disk(store.out, monkeypatch)
    left: list[Path] = []

    def cut(step: str, path: Path) -> None:
        if step not in ("write", "sync"):  # before those nothing new is on the disk
            left.append(tmp_path / f"cut{len(left)}")
            disk.write_to(left[-1])

    with store.locked():
        monkeypatch.setattr(files, "reached", cut)
        ACTIONS[action](store)
        cut("end", store.out)
    monkeypatch.undo()
    disk.close()
    after = seen(store)
    assert len(left) >= 30
    ended = list(_recovered([*left[::2], left[-1]], before, after))
    assert ended == sorted(ended)
    assert {ended[0], ended[-1]} == {False, True}


def _recovered(
    left: list[Path], before: dict[str, bytes], after: dict[str, bytes]
) -> Iterator[bool]:
    """Have the next command take over each folder; yield whether it is as after the action."""
    for folder in left:
        store = Store(folder)
        with store.locked(), store.state() as state:
            shown = seen(store)
            assert shown in (before, after), folder.name
            assert not store.staging.manifest or shown == before, folder.name
            assert state.published()[-1] == store.generations.kept()[-1].run_id, folder.name
        yield shown == after
