"""What it costs that a name in one language is a name in English letters, letter by letter.

A stochastic edit distance (Ristad & Yianilos, Learning String-Edit Distance, 1998) whose units are
one letter for none, one or two, two for one, and none for one. A cost is the negative logarithm of
how often a language's letters (:meth:`pipeline.languages.base.Language.letters`) become those
English ones; ``spelling.tsv`` holds them, learned by :mod:`pipeline.training.spelling`. Names of a
language without learned costs are compared by the costs of ``und``.
"""

from __future__ import annotations

import csv
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.schemas import UNDETERMINED

ENGLISH: Final = string.ascii_lowercase + string.digits
NEVER: Final = 6.5
"""Cost of what was never seen: as unlikely as once in 665 letters."""
LONGEST: Final = 40
"""Letters of a name that are compared; longer names are cut."""

_FILE: Final = "spelling.tsv"
_IMPOSSIBLE: Final = 99.0
_UNREACHED: Final = 1e6
_STEPS: Final = ((1, 0), (0, 1), (1, 1), (1, 2), (2, 1))
"""Letters consumed of the name and of the English one, by unit."""

Costs = npt.NDArray[np.float32]


class Unit(NamedTuple):
    """Letters of a language (at most two), the English ones for them, and the cost, 0 to 6.5."""

    letters: str
    english: str
    cost: float


@dataclass(frozen=True, slots=True)
class Alignment:
    """The cheapest units that turn a name into another, in order, and the sum of their costs."""

    units: tuple[tuple[str, str], ...]
    cost: float


class Spelling:
    """The costs of one language as arrays."""

    def __init__(self, units: Iterable[Unit]) -> None:
        """Take ``units``; letters and pairs that are not among them cost :data:`NEVER`."""
        units = tuple(units)
        alphabet = sorted({letter for unit in units for letter in unit.letters})
        self._letter = {letter: i for i, letter in enumerate(alphabet, start=1)}
        self._english = {letter: i for i, letter in enumerate(ENGLISH, start=1)}
        size, english = len(alphabet) + 1, len(ENGLISH) + 1
        self._drop = np.full(size, NEVER, np.float32)
        self._add = np.full(english, NEVER, np.float32)
        self._one = np.full((size, english), NEVER, np.float32)
        self._to_two = np.full((size, english, english), _IMPOSSIBLE, np.float32)
        self._from_two = np.full((size, size, english), _IMPOSSIBLE, np.float32)
        self._tables: dict[tuple[int, int], Costs] = dict(
            zip(
                _STEPS,
                (self._drop, self._add, self._one, self._to_two, self._from_two),
                strict=True,
            )
        )
        for unit in units:
            place = (
                *(self._letter[letter] for letter in unit.letters),
                *(self._english[letter] for letter in unit.english),
            )
            self._tables[len(unit.letters), len(unit.english)][place] = unit.cost

    def costs(self, letters: str, names: Sequence[str]) -> Costs:
        """Return the cost of every name of ``names`` (a-z, 0-9, no spaces) for ``letters``."""
        return self.pairs([(letters, name) for name in names])

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> Costs:
        """Return the cost of every pair of letters and English name."""
        return _ends(self._table(pairs), pairs) if pairs else np.empty(0, np.float32)

    def align(self, pairs: Sequence[tuple[str, str]]) -> list[Alignment]:
        """Return the cheapest alignment of every pair of letters and English name."""
        table = self._table(pairs)
        return [self._traced(table[:, :, row], *pair) for row, pair in enumerate(pairs)]

    def _table(self, pairs: Sequence[tuple[str, str]]) -> Costs:
        """Return the least costs of all beginnings of all pairs: [letters, English, pair]."""
        x = _numbers([letters[:LONGEST] for letters, _ in pairs], self._letter)
        y = _numbers([name[:LONGEST] for _, name in pairs], self._english)
        table = np.full((len(x) + 1, len(y) + 1, len(pairs)), _UNREACHED, np.float32)
        added = np.zeros(table.shape[1:], np.float32)
        np.cumsum(self._add[y], axis=0, out=added[1:])
        table[0] = added
        for i, letter in enumerate(x, start=1):
            row = table[i]
            row[:] = table[i - 1] + self._drop[letter]
            np.minimum(row[1:], table[i - 1, :-1] + self._one[letter, y], out=row[1:])
            two = table[i - 1, :-2] + self._to_two[letter, y[:-1], y[1:]]
            np.minimum(row[2:], two, out=row[2:])
            if i > 1:
                joined = table[i - 2, :-1] + self._from_two[x[i - 2], letter, y]
                np.minimum(row[1:], joined, out=row[1:])
            # A run of added letters: the least of all starts, each with what is added since.
            row -= added
            np.minimum.accumulate(row, axis=0, out=row)
            row += added
        return table

    def _traced(self, table: Costs, letters: str, name: str) -> Alignment:
        """Return the units by which one pair's table reached its end."""
        letters, name = letters[:LONGEST], name[:LONGEST]
        i, j = len(letters), len(name)
        units = []
        while i or j:
            taken, made = min(
                (step for step in _STEPS if step[0] <= i and step[1] <= j),
                key=lambda step: self._before(table, letters, name, i, j, step),
            )
            units.append((letters[i - taken : i], name[j - made : j]))
            i, j = i - taken, j - made
        return Alignment(tuple(reversed(units)), float(table[len(letters), len(name)]))

    def _before(
        self, table: Costs, letters: str, name: str, i: int, j: int, step: tuple[int, int]
    ) -> float:
        """Return what the cell at ``i``, ``j`` costs when it is reached by ``step``."""
        taken, made = step
        place = (
            *(self._letter.get(letter, 0) for letter in letters[i - taken : i]),
            *(self._english.get(letter, 0) for letter in name[j - made : j]),
        )
        return float(table[i - taken, j - made] + self._tables[step][place])


def _ends(table: Costs, pairs: Sequence[tuple[str, str]]) -> Costs:
    """Return the cells of :meth:`Spelling._table` in which the pairs end."""
    rows = [min(len(letters), LONGEST) for letters, _ in pairs]
    columns = [min(len(name), LONGEST) for _, name in pairs]
    ends: Costs = table[rows, columns, np.arange(len(pairs))]
    return ends


def _numbers(texts: Sequence[str], alphabet: dict[str, int]) -> npt.NDArray[np.int32]:
    """Return the letters of all texts as numbers, position by position; 0 for an unknown letter."""
    numbers = np.zeros((max(map(len, texts), default=0), len(texts)), np.int32)
    for column, text in enumerate(texts):
        numbers[: len(text), column] = [alphabet.get(letter, 0) for letter in text]
    return numbers


@cache
def learned() -> dict[str, Spelling]:
    """Return the costs of ``spelling.tsv`` by language."""
    units: dict[str, list[Unit]] = {}
    path = resources.files(__package__).joinpath(_FILE)
    rows = csv.reader(path.read_text(encoding="utf-8").splitlines()[1:], delimiter="\t")
    for lang, letters, english, cost in rows:
        units.setdefault(lang, []).append(Unit(letters, english, float(cost)))
    return {lang: Spelling(found) for lang, found in units.items()}


def spelling_of(lang: str, spellings: Mapping[str, Spelling]) -> Spelling:
    """Return the costs for names in ``lang``: its own, else those of ``und``."""
    return spellings.get(lang) or spellings[UNDETERMINED]
