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
    """Make the scene. All is loaded in this process first, so that its forks need not."""
    folder = tmp_path_factory.mktemp("reliability")
    made = world.make(folder, root, n_documents=12, shard_documents=4)
    run([str(made.raw)], folder / "warm", date(2026, 3, 1), load(made.config))
    before, after = folder / "before", folder / "after"
    scene = Scene(made, before, {}, [])
    for number, night in enumerate(NIGHTS[:2]):
        world.add_articles(made, f"night{number}", range(100 * number + 100, 100 * number + 104))
        assert exonym(scene.command(before, night), folder / "log").code == 0
    world.add_articles(made, "last", range(500, 510))
    shutil.copytree(before, after)
    assert exonym(scene.command(after), folder / "log", noting(folder / "notes")).code == 0
    return Scene(made, before, contents(after), steps(folder / "notes", after))


@pytest.fixture
def fresh(scene: Scene, tmp_path: Path) -> Callable[[], Path]:
    """Return a function that makes a new copy of the output folder before the third night."""
    made = iter(range(10_000))

    def copy() -> Path:
        out = tmp_path / f"out{next(made)}"
        shutil.copytree(scene.before, out)
        return out

    return copy
