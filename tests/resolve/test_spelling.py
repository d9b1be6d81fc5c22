"""Spelling costs: the table is the cheapest of all ways, and the shipped costs tell names apart."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import languages
from pipeline.resolve.spelling import LONGEST, NEVER, Spelling, Unit, learned, spelling_of

UNITS = (
    Unit("ş", "s", 1.0), Unit("ş", "sh", 0.2), Unit("c", "j", 0.5), Unit("c", "c", 0.8),
    Unit("kh", "h", 0.4), Unit("k", "k", 0.1), Unit("h", "h", 0.1), Unit("h", "", 1.5),
    Unit("a", "a", 0.1), Unit("a", "e", 1.2), Unit("", "e", 2.0), Unit("", "h", 2.5),
)  # fmt: skip
COSTS = {(unit.letters, unit.english): unit.cost for unit in UNITS}
LETTERS = st.text(alphabet="şckha?", max_size=6)
NAMES = st.text(alphabet="shcjkae", max_size=6)


def cheapest(letters: str, name: str) -> float:
    """Return the least cost by trying every way, apart from the code under test."""

    @cache
    def rest(i: int, j: int) -> float:
        if i == len(letters) and j == len(name):
            return 0.0
        ways = []
        for taken, made in ((1, 0), (0, 1), (1, 1), (1, 2), (2, 1)):
            if i + taken <= len(letters) and j + made <= len(name):
                unit = letters[i : i + taken], name[j : j + made]
                unseen = NEVER if taken < 2 and made < 2 else 99.0
                ways.append(COSTS.get(unit, unseen) + rest(i + taken, j + made))
        return min(ways)

    return rest(0, 0)


@settings(deadline=None, derandomize=True)
@given(LETTERS, st.lists(NAMES, min_size=1, max_size=4))
def test_costs_are_the_cheapest_of_all_ways(letters: str, names: list[str]) -> None:
    found = Spelling(UNITS).costs(letters, names)
    assert found.tolist() == pytest.approx([cheapest(letters, n) for n in names], abs=1e-3)


@settings(deadline=None, derandomize=True)
@given(st.lists(LETTERS, max_size=4), st.lists(NAMES, max_size=4))
def test_names_compared_together_cost_what_each_costs_alone(
    written: list[str], names: list[str]
) -> None:
    spelling = Spelling(UNITS)
    alone = [[float(spelling.costs(one, [name])[0]) for name in names] for one in written]
    assert spelling.grid(written, names).tolist() == alone


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(LETTERS, NAMES), min_size=1, max_size=4))
def test_an_alignment_spells_both_names_and_costs_what_it_says(
    pairs: list[tuple[str, str]],
) -> None:
    for (letters, name), found in zip(pairs, Spelling(UNITS).align(pairs), strict=True):
        assert "".join(unit for unit, _ in found.units) == letters
        assert "".join(unit for _, unit in found.units) == name
        paid = sum(
            COSTS.get(unit, NEVER if max(map(len, unit)) < 2 else 99.0) for unit in found.units
        )
        assert paid == pytest.approx(found.cost, abs=1e-3)


def test_long_names_are_cut() -> None:
    spelling = Spelling(UNITS)
    assert spelling.costs("a" * 500, ["a" * 400])[0] == pytest.approx(0.1 * LONGEST, abs=1e-3)


def test_no_names_cost_nothing() -> None:
    assert len(Spelling(UNITS).costs("a", [])) == 0


def test_a_language_without_costs_is_compared_by_the_general_ones() -> None:
    assert spelling_of("xx", learned()) is learned()["und"]


@pytest.mark.parametrize(
    ("lang", "name", "right", "wrong"),
    [
        ("hi", "जापारोव", "japarov", "japarova"),
        ("hi", "कैलिफ़ोर्निया", "california", "caledonia"),
        ("tr", "Caparov", "japarov", "sapharov"),
        ("tr", "Teksas", "texas", "tikasa"),
        ("tr", "Taşkent", "tashkent", "tasikant"),
        ("ro", "Tașkent", "tashkent", "tacloban"),
        ("ro", "Jîtomîr", "zhytomyr", "jatamara"),
        ("vi", "Ca-na-đa", "canada", "kanata"),
        ("vi", "Xlô-va-ki-a", "slovakia", "slovenia"),
    ],
)
def test_shipped_costs_prefer_the_right_name(lang: str, name: str, right: str, wrong: str) -> None:
    letters = languages.get(lang).letters(name)
    costs = spelling_of(lang, learned()).costs(letters, [right, wrong])
    assert costs[0] < costs[1]
