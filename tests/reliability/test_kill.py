"""Killed at any moment, the next command ends with the same bytes as without the kill."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL
from time import sleep

import pytest

from .command import contents, end_of, exonym, kill_group, killing_at, start, unresolved
from .conftest import Scene

_GROUPS = 12
"""The points are dealt out to so many tests, so that each is quick."""


def points(steps: list[tuple[str, str]]) -> list[int]:
    """Return the first step of every kind: the same thing done to the same kind of file.

    Shards, days and generations are of one kind. In staging a file is only cut in half and held
    back from its name: what else happens there looks the same from outside.
    """
    kinds: dict[tuple[str, str], int] = {}
    for number, (step, path) in enumerate(steps):
        if step in ("write", "rename") or "staging" not in path or step == "remove":
            kind = re.sub(r"\d{6}|\d{4}-\d\d-\d\d", "N", path)
            kinds.setdefault((step, kind), number)
    return sorted(kinds.values())


def test_there_are_many_points(scene: Scene) -> None:
    assert len(points(scene.steps)) >= 80
    assert {scene.steps[number][0] for number in points(scene.steps)} >= {
        "write",
        "rename",
        "link",
        "done",
        "remove",
        "commit",
    }


@pytest.mark.parametrize("group", range(_GROUPS))
def test_killed_at_a_step(
    scene: Scene, fresh: Callable[[], Path], tmp_path: Path, group: int
) -> None:
    log = tmp_path / "log"
    for number in points(scene.steps)[group::_GROUPS]:
        out = fresh()
        assert exonym(scene.command(out), log, killing_at(number)).code == -SIGKILL
        assert unresolved(out) == set(), scene.steps[number]
        assert exonym(scene.command(out), log).code == 0, scene.steps[number]
        assert contents(out) == scene.expected, scene.steps[number]


def test_killed_at_random_times_again_and_again(
    scene: Scene, fresh: Callable[[], Path], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    moments = random.Random(20260305)
    for _ in range(2):
        out = fresh()
        for _ in range(6):
            child = start(scene.command(out), log)
            sleep(moments.uniform(0.05, 0.6))
            kill_group(child)
            end_of(child, log)
            assert unresolved(out) == set()
        assert exonym(scene.command(out), log).code == 0
        assert contents(out) == scene.expected
