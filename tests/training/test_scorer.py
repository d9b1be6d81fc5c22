"""Learning how names are compared, from lessons that are made up."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

import numpy as np
import pytest

from pipeline.resolve import matching
from pipeline.resolve.matching import FEATURES, likelihoods
from pipeline.training.scorer import UNITS, Lesson, average, learn

pytestmark = pytest.mark.skipif(find_spec("scipy") is None, reason="needs SciPy (extra train)")


def values(letters: float, label_prior: float = 0.5) -> dict[str, float]:
    """Return features of an entity whose name costs so much a letter."""
    return dict.fromkeys(FEATURES, 0.0) | {"letters": letters, "prior": label_prior}


def lessons() -> list[Lesson]:
    """Return lessons in which the cheapest name is meant, unless it costs more than 1 a letter."""
    found = []
    for number in range(60):
        near, far = 0.1 + number / 100, 1.5 + number / 100
        labels = ("LOC", "PER") if number % 2 else ("PER", "LOC")
        found.append(
            Lesson(labels, [values(near), values(far)], 0, absent=frozenset({0}), unknown=0.5)
        )
        found.append(Lesson(labels, [values(far), values(far + 0.5)], None))
    return found


def likely(weights: Mapping[str, matching.Weights], *letters: float) -> list[float]:
    return likelihoods(["PER"] * len(letters), [values(cost) for cost in letters], weights)


def test_the_right_one_is_learned_and_so_is_that_none_is() -> None:
    weights = learn(lessons())
    assert weights.keys() == {"LOC", "PER"}
    right, wrong = likely(weights, 0.3, 1.8)
    assert right > 0.9
    assert wrong < 0.1
    assert sum(likely(weights, 1.8, 2.0)) < 0.1


def test_the_same_is_learned_every_time_and_survives_the_file() -> None:
    weights = learn(lessons())
    assert matching.serialise(learn(lessons())) == matching.serialise(weights)
    read = matching.parse(matching.serialise(weights))
    assert likely(read, 0.3, 1.8) == pytest.approx(likely(weights, 0.3, 1.8), abs=1e-3)


def test_a_prior_that_is_the_same_everywhere_weighs_nothing() -> None:
    weights = learn(lessons())
    low, high = (weights["PER"].logits([values(0.3, label_prior=prior)])[0] for prior in (0.1, 0.9))
    assert low == high


def test_an_average_of_networks_says_what_they_say_on_average() -> None:
    draw = np.random.default_rng(3)
    size = len(FEATURES)
    members = [
        matching.Weights(
            draw.normal(),
            draw.normal(size=size),
            draw.normal(size=UNITS),
            draw.normal(size=(size, UNITS)),
            draw.normal(size=UNITS),
        )
        for _ in range(3)
    ]
    some = [values(0.3), values(1.7, label_prior=0.9)]
    expected = np.mean([member.logits(some) for member in members], axis=0)
    assert average(members).logits(some) == pytest.approx(expected.tolist())
