"""What letters become is learned from pairs of names."""

from __future__ import annotations

import random

from pipeline.languages.shared import fold_ascii
from pipeline.resolve.spelling import Spelling
from pipeline.training.spelling import first_guess, fit


def pairs() -> list[tuple[str, str]]:
    """Return made-up names in which c is written j, ş sh, and k stays."""
    draw = random.Random(3)
    names = ["".join(draw.choices("cşkaomr", k=6)) for _ in range(150)]
    return [(name, name.replace("c", "j").replace("ş", "sh")) for name in names]


def test_rules_of_the_pairs_are_learned() -> None:
    units = {(unit.letters, unit.english): unit.cost for unit in fit(pairs(), fold_ascii)}
    assert units["c", "j"] < 0.2 < units["c", "c"]
    assert units["ş", "sh"] < 0.5 < units["ş", "s"]
    assert units["k", "k"] < 0.1


def test_learned_costs_are_lower_than_guessed_ones_on_new_names() -> None:
    learned = Spelling(fit(pairs(), fold_ascii))
    guessed = Spelling(first_guess("cşkaomr", fold_ascii))
    assert learned.costs("caşar", ["jashar"])[0] < guessed.costs("caşar", ["jashar"])[0]


def test_pairs_that_are_no_respelling_teach_nothing() -> None:
    odd = [*pairs(), *(("kkkk", "ooaoaoao") for _ in range(40))]
    units = {(unit.letters, unit.english): unit.cost for unit in fit(odd, fold_ascii)}
    assert units["k", "k"] < 0.1
    assert units.get(("k", "o"), 9.0) > 3.0


def test_the_same_pairs_give_the_same_costs_in_any_order() -> None:
    assert fit(pairs(), fold_ascii) == fit(pairs()[::-1], fold_ascii)
