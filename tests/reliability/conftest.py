"""The small world, published once for all tests of a session."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from pipeline.run import run
from pipeline.settings import load

from . import world
from .command import contents, exonym, noting, steps

NIGHTS = ("2026-03-05", "2026-03-06", "2026-03-07")


@dataclass(frozen=True)
class Scene:
    """Two nights are published; the third is to come, and known how it ends."""

    world: world.World
    before: Path
    expected: dict[str, str]
    steps: list[tuple[str, str]]
    """What the third night does on the disk."""

    def command(self, out: Path, night: str = NIGHTS[2], *more: str) -> list[str]:
        """Return the arguments of the third night, published to ``out``."""
        given = ["run", str(self.world.raw), "--out", str(out), "--date", night]
        return [*given, "--config", str(self.world.config), *more]


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Scene:
    """A third night of ten documents, for what is tried at every single step on the disk."""
    return _made(tmp_path_factory.mktemp("reliability"), root, n_documents=10, shard_documents=4)


@pytest.fixture(scope="session")
def crowd(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Scene:
    """A third night of a few hundred documents, in a dozen shards."""
    return _made(tmp_path_factory.mktemp("crowd"), root, n_documents=300, shard_documents=25)


def _made(folder: Path, root: Path, n_documents: int, shard_documents: int) -> Scene:
    """Make a scene. All is loaded in this process first, so that its forks need not."""
    made = world.make(folder, root, n_documents=12, shard_documents=shard_documents)
    run([str(made.raw)], folder / "warm", date(2026, 3, 1), load(made.config))
    before, after = folder / "before", folder / "after"
    scene = Scene(made, before, {}, [])
    for number, night in enumerate(NIGHTS[:2]):
        world.add_articles(made, f"night{number}", range(100 * number + 100, 100 * number + 104))
        (made.raw / "changing.txt").write_text(world.CHANGING[number], encoding="utf-8")
        assert exonym(scene.command(before, night), folder / "log").code == 0
    world.add_articles(made, "last", range(500, 500 + n_documents))
    newcomer = f"{world.NEWCOMER} was in Ankara."  # the third night gives an id as well
    (made.raw / "last-newcomer.txt").write_text(newcomer, encoding="utf-8")
    (made.raw / "changing.txt").write_text(world.CHANGING[0], encoding="utf-8")  # it comes back
    shutil.copytree(before, after)
    assert exonym(scene.command(after), folder / "log", noting(folder / "notes")).code == 0
    return Scene(made, before, contents(after), steps(folder / "notes", after))


Copies = Callable[[], Path]
"""Makes a new copy of the output folder as it is before the third night."""


@pytest.fixture
def fresh(scene: Scene, tmp_path: Path) -> Copies:
    """Copies for the scene."""
    return _copies(scene, tmp_path)


@pytest.fixture
def fresh_crowd(crowd: Scene, tmp_path: Path) -> Copies:
    """Copies for the crowd."""
    return _copies(crowd, tmp_path)


def _copies(scene: Scene, folder: Path) -> Copies:
    made = iter(range(10_000))

    def copy() -> Path:
        out = folder / f"out{next(made)}"
        shutil.copytree(scene.before, out)
        return out

    return copy
