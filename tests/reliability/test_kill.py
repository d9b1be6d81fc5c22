"""Killed at any moment, the next command ends with the same bytes as without the kill.

The night has a few hundred documents in a dozen shards.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from pathlib import Path
from signal import SIGKILL
from time import sleep

import pandas as pd
import pytest

from . import world
from .command import contents, end_of, exonym, kill_group, killing_at, start, unresolved
from .conftest import Copies, Scene

_GROUPS = 12
"""The points are dealt out to so many tests, so that each is quick."""


def points(steps: list[tuple[str, str]]) -> list[int]:
    """Return a step of every kind, the middle one: the same thing done to the same kind of file.

    Shards, days and generations are of one kind. In staging a file is only cut in half and held
    back from its name: what else happens there looks the same from outside.
    """
    kinds: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for number, (step, path) in enumerate(steps):
        if step in ("write", "rename") or "staging" not in path or step == "remove":
            kind = re.sub(r"\d{6}|\d{4}-\d\d-\d\d", "N", path)
            kinds[step, kind].append(number)
    return sorted(numbers[len(numbers) // 2] for numbers in kinds.values())


def test_there_are_many_points(crowd: Scene) -> None:
    assert len(points(crowd.steps)) >= 80
    assert {crowd.steps[number][0] for number in points(crowd.steps)} >= {
        "write",
        "rename",
        "link",
        "done",
        "remove",
        "commit",
    }


def test_past_news_has_a_say_in_the_night(
    crowd: Scene, fresh_crowd: Copies, tmp_path: Path
) -> None:
    out = fresh_crowd()
    assert exonym(crowd.command(out), tmp_path / "log").code == 0
    mentions = pd.read_parquet(out / "mentions")
    alone = mentions[mentions["surface"] == world.SURNAME]
    methods = alone.groupby("date")["link_method"].agg(set)
    assert list(methods) == [{"minted"}, {"news"}, {"news"}]


def test_a_text_that_came_back_is_live(crowd: Scene, fresh_crowd: Copies, tmp_path: Path) -> None:
    out = fresh_crowd()
    for live in reversed(world.CHANGING):
        documents = pd.read_parquet(out / "documents").set_index("text")["superseded_by"]
        texts = documents[list(world.CHANGING)]
        assert list(texts.index[texts.isna()]) == [live]
        assert exonym(crowd.command(out), tmp_path / "log").code == 0


@pytest.mark.parametrize("group", range(_GROUPS))
def test_killed_at_a_step(crowd: Scene, fresh_crowd: Copies, tmp_path: Path, group: int) -> None:
    log = tmp_path / "log"
    for number in points(crowd.steps)[group::_GROUPS]:
        out = fresh_crowd()
        assert exonym(crowd.command(out), log, killing_at(number)).code == -SIGKILL
        assert unresolved(out) == set(), crowd.steps[number]
        assert exonym(crowd.command(out), log).code == 0, crowd.steps[number]
        assert contents(out) == crowd.expected, crowd.steps[number]


def test_killed_at_random_times_again_and_again(
    crowd: Scene, fresh_crowd: Copies, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    moments = random.Random(20260305)
    for _ in range(2):
        out = fresh_crowd()
        for _ in range(8):
            child = start(crowd.command(out), log)
            sleep(moments.uniform(0.1, 1.5))
            kill_group(child)
            end_of(child, log)
            assert unresolved(out) == set()
        assert exonym(crowd.command(out), log).code == 0
        assert contents(out) == crowd.expected
