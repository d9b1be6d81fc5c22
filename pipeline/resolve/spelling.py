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
from itertools import pairwise, product
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
_PAIRS_AT_ONCE: Final = 4096
_STEPS: Final = ((1, 0), (0, 1), (1, 1), (1, 2), (2, 1))
"""Letters consumed of the name and of the English one, by unit."""

_ENGLISH_NUMBER: Final = {letter: number for number, letter in enumerate(ENGLISH, start=1)}
_NUMBERS: Final = np.zeros(256, np.intp)
_NUMBERS[list(ENGLISH.encode())] = range(1, len(ENGLISH) + 1)

Costs = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.intp]


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
        size, english = len(alphabet) + 1, len(ENGLISH) + 1
        self._drop = np.full(size, NEVER, np.float32)
        self._add = np.full(english, NEVER, np.float32)
        self._one = np.full((size, english), NEVER, np.float32)
        to_two = np.full((size, english, english), _IMPOSSIBLE, np.float32)
        from_two = np.full((size, size, english), _IMPOSSIBLE, np.float32)
        self._tables: dict[tuple[int, int], Costs] = dict(
            zip(_STEPS, (self._drop, self._add, self._one, to_two, from_two), strict=True)
        )
        for unit in units:
            place = (
                *(self._letter[letter] for letter in unit.letters),
                *(_ENGLISH_NUMBER[letter] for letter in unit.english),
            )
            self._tables[len(unit.letters), len(unit.english)][place] = unit.cost
        self._to_two = to_two.reshape(size, -1)
        self._from_two = from_two.reshape(-1, english)
        self._becomes_two = self._to_two.min(axis=1) < _IMPOSSIBLE
        self._is_second = self._from_two.min(axis=1) < _IMPOSSIBLE

    def costs(self, letters: str, names: Sequence[str]) -> Costs:
        """Return the cost of every name of ``names`` (a-z, 0-9, no spaces) for ``letters``."""
        costs: Costs = self.grid([letters], names)[0]
        return costs

    def grid(self, written: Sequence[str], names: Sequence[str]) -> Costs:
        """Return the costs of all ``names`` (columns) for each of ``written`` (rows)."""
        rows, columns = np.indices((len(written), len(names)))
        costs = self.costs_of(written, names, rows.reshape(-1), columns.reshape(-1))
        return costs.reshape(len(written), len(names))

    def costs_of(
        self, written: Sequence[str], names: Sequence[str], rows: Numbers, columns: Numbers
    ) -> Costs:
        """Return the cost of each of the pairs that ``rows`` and ``columns`` number.

        A row is one of ``written``, a column one of ``names``. Many pairs at a time cost least.
        """
        result = np.zeros(len(rows), np.float32)
        x, y = self._numbers(written), _english(names)
        lengths, ends = (
            np.array([min(len(text), LONGEST) for text in texts]) for texts in (written, names)
        )
        # Of one length together, the longest of ours first: what is done needs no further rows.
        order = np.lexsort((-lengths[rows], ends[columns])) if len(rows) else rows
        for first in range(0, len(order), _PAIRS_AT_ONCE):
            some = order[first : first + _PAIRS_AT_ONCE]
            some = some[np.argsort(-lengths[rows[some]], kind="stable")]
            row, column = rows[some], columns[some]
            long, end = lengths[row], ends[column]
            found = self._least(x[: long[0], row], y[: end.max(), column], long, end)
            result[some] = found
        return result

    def align(self, pairs: Sequence[tuple[str, str]]) -> list[Alignment]:
        """Return the cheapest alignment of every pair of letters and English name."""
        x = self._numbers([letters for letters, _ in pairs])
        y = _english([name for _, name in pairs])
        table = self._table(x, y)
        i, j = (np.array([min(len(pair[side]), LONGEST) for pair in pairs]) for side in (0, 1))
        costs = table[i, j, np.arange(len(pairs))].tolist()
        units: list[list[tuple[str, str]]] = [[] for _ in pairs]
        while (left := np.flatnonzero(i + j)).size:
            step = self._last_steps(table, x, y, i, j)
            for number in left.tolist():
                taken, made = _STEPS[step[number]]
                letters, name = pairs[number]
                unit = (letters[i[number] - taken : i[number]], name[j[number] - made : j[number]])
                units[number].append(unit)
                i[number] -= taken
                j[number] -= made
        return [
            Alignment(tuple(reversed(found)), cost)
            for found, cost in zip(units, costs, strict=True)
        ]

    def _table(self, x: Numbers, y: Numbers) -> Costs:
        """Return the least costs of all beginnings: letters by English letters by pair.

        ``x`` and ``y`` are the letters of the pairs' names and English names, a column a pair.
        """
        table = np.full((len(x) + 1, len(y) + 1, x.shape[1]), _UNREACHED, np.float32)
        table[0, 0] = 0.0
        for i, j in product(range(len(x) + 1), range(len(y) + 1)):
            for taken, made in _STEPS:
                if taken <= i and made <= j:
                    cost = self._tables[taken, made][*x[i - taken : i], *y[j - made : j]]
                    np.minimum(table[i, j], table[i - taken, j - made] + cost, out=table[i, j])
        return table

    def _last_steps(
        self, table: Costs, x: Numbers, y: Numbers, i: Numbers, j: Numbers
    ) -> npt.NDArray[np.intp]:
        """Return which of the steps led most cheaply to the cell at ``i``, ``j`` of every pair."""
        reached = np.full((len(_STEPS), len(i)), np.inf, np.float32)
        for number, (taken, made) in enumerate(_STEPS):
            pair = np.flatnonzero((i >= taken) & (j >= made))
            before_i, before_j = i[pair] - taken, j[pair] - made
            place = (
                *(x[before_i + k, pair] for k in range(taken)),
                *(y[before_j + k, pair] for k in range(made)),
            )
            cost = self._tables[taken, made][place]
            reached[number, pair] = table[before_i, before_j, pair] + cost
        steps: npt.NDArray[np.intp] = reached.argmin(axis=0)
        return steps

    def _numbers(self, written: Sequence[str]) -> Numbers:
        """Return the letters of all texts as numbers, a row a place; 0 for an unknown letter."""
        numbers = np.zeros((_longest(written), len(written)), np.intp)
        for column, text in enumerate(written):
            known = [self._letter.get(letter, 0) for letter in text[:LONGEST]]
            numbers[: len(known), column] = known
        return numbers

    def _least(self, x: Numbers, y: Numbers, lengths: Numbers, ends: Numbers) -> Costs:
        """Return the least cost of each pair, a column of ``x`` and ``y``: the longest ``x`` first.

        ``x`` are the letters of names, ``y`` those of English ones, so many as ``lengths`` and
        ``ends`` say.
        """
        result = np.empty(len(lengths), np.float32)
        size, english = len(self._drop), len(self._add)
        both = y[:-1] * english + y[1:]
        added = np.zeros((len(y) + 1, len(ends)), np.float32)
        np.cumsum(self._add[y], axis=0, out=added[1:])
        # How many pairs have letters left after so many.
        left = np.searchsorted(-lengths, -np.arange(len(x) + 1), side="left").tolist()
        merged = self._is_second[x[:-1] * size + x[1:]]
        before = last = added
        done = np.arange(left[0], len(ends))
        result[done] = last[ends[done], done]
        for i, count in enumerate(left[:-1]):
            last, letter = last[:, :count], x[i, :count]
            row = last + self._drop[letter]
            cost = self._one.reshape(-1).take(letter * english + y[:, :count])
            cost += last[:-1]
            np.minimum(row[1:], cost, out=row[1:])
            if self._becomes_two[letter].any():
                cost = self._to_two.reshape(-1).take(letter * english**2 + both[:, :count])
                cost += last[:-2]
                np.minimum(row[2:], cost, out=row[2:])
            if i and (second := np.flatnonzero(merged[i - 1, :count])).size:
                units = x[i - 1, second] * size + letter[second]
                cost = self._from_two.reshape(-1).take(units * english + y[:, second])
                cost += before[:-1, second]
                row[1:, second] = np.minimum(row[1:, second], cost)
            # A run of added letters: the least of all starts, each with what is added since.
            row -= added[:, :count]
            for fewer, more in pairwise(row):  # much faster than np.minimum.accumulate
                np.minimum(fewer, more, out=more)
            row += added[:, :count]
            done = np.arange(left[i + 1], count)
            result[done] = row[ends[done], done]
            before, last = last, row
        return result


def _longest(texts: Sequence[str]) -> int:
    return min(LONGEST, max(map(len, texts), default=0))


def _english(names: Sequence[str]) -> Numbers:
    """Return the letters of English names as numbers, a row a place; 0 for an unknown letter."""
    width = _longest(names)
    letters = "".join(name[:width].ljust(width) for name in names).encode("ascii", "replace")
    numbers: Numbers = _NUMBERS[np.frombuffer(letters, np.uint8)].reshape(len(names), width)
    return np.ascontiguousarray(numbers.T)


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
