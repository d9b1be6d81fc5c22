"""Learns what a language's letters become in English, from names in both.

Hard expectation maximisation: names are aligned by the costs known so far, the units of the
alignments are counted, and the counts, smoothed towards the first guess, are the next costs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from pipeline.resolve.similarity import SOUNDS_ALIKE, VOWELS
from pipeline.resolve.spelling import ENGLISH, NEVER, Alignment, Spelling, Unit

ROUNDS: Final = 4
_AT_ONCE: Final = 400
_TOO_FAR: Final = (1.8, 1.5)
"""Cost a letter, in the first round and later, above which two names are not one respelled."""
_SMOOTHING: Final = 3.0
_JOINED: Final = 0.6
"""How much two neighbouring units count for the one they would make together, in early rounds."""
_LEAST_COUNT: Final = 1.5
_RARE: Final = 1e-3

_SAME, _VOWEL, _ALIKE, _SOFT, _OTHER = 0.3, 1.6, 2.2, 2.2, 5.0


def first_guess(letters: Iterable[str], fold: Callable[[str], str]) -> list[Unit]:
    """Return costs for ``letters`` before anything is learned, by what each folds to."""
    units = []
    for letter in sorted(set(letters)):
        plain = fold(letter)
        if not plain:
            units.append(Unit(letter, "", _SAME))
            continue
        units += [Unit(letter, english, _guess(plain[0], english)) for english in ENGLISH]
        if len(plain) == 2:
            units.append(Unit(letter, plain, _SAME))
        units.append(Unit(letter, "", _dropped(plain[0])))
    return [*units, *(Unit("", english, _dropped(english)) for english in ENGLISH)]


def fit(
    pairs: Sequence[tuple[str, str]], fold: Callable[[str], str], rounds: int = ROUNDS
) -> list[Unit]:
    """Return the units of a language learned from ``pairs`` of its letters and an English name.

    ``fold`` says what a letter is in plain ones, empty for none.
    """
    pairs = sorted(pairs, key=lambda pair: (len(pair[0]), len(pair[1]), pair))
    guess = first_guess((letter for letters, _ in pairs for letter in letters), fold)
    units = guess
    for number in range(rounds):
        spelling = Spelling(units)
        aligned = [
            alignment
            for start in range(0, len(pairs), _AT_ONCE)
            for alignment in spelling.align(pairs[start : start + _AT_ONCE])
        ]
        units = _costs(_count(aligned, first=number == 0, join=number < rounds - 1), guess)
    return units


def _count(alignments: Iterable[Alignment], *, first: bool, join: bool) -> Counter[tuple[str, str]]:
    """Count the units of names that are respellings of each other."""
    counts: Counter[tuple[str, str]] = Counter()
    for alignment in alignments:
        length = sum(len(english) for _, english in alignment.units)
        if alignment.cost > max(1, length) * _TOO_FAR[0 if first else 1]:
            continue
        counts.update(alignment.units)
        if join:
            for (a, b), (c, d) in zip(alignment.units, alignment.units[1:], strict=False):
                if (len(a + c), len(b + d)) in ((1, 2), (2, 1)):
                    counts[a + c, b + d] += _JOINED  # type: ignore[assignment]
    return counts


def _costs(counts: Counter[tuple[str, str]], guess: Iterable[Unit]) -> list[Unit]:
    """Return the costs that follow from ``counts``, smoothed by the first guess."""
    total = sum(counts.values())
    seen: Counter[str] = Counter()
    prior: dict[str, float] = {}
    for (letters, _), count in counts.items():
        seen[letters[:1]] += count
    singles = [unit for unit in guess if unit.letters and len(unit.english) < 2]
    for unit in singles:
        prior[unit.letters] = prior.get(unit.letters, 0.0) + math.exp(-unit.cost)
    costs = {}
    for unit in singles:
        share = math.exp(-unit.cost) / prior[unit.letters]
        mass = counts[unit.letters, unit.english] + _SMOOTHING * share
        costs[unit.letters, unit.english] = mass / (seen[unit.letters] + _SMOOTHING)
    for (letters, english), count in counts.items():
        if not letters:
            costs[letters, english] = max(count / total, _RARE)
        elif len(letters) + len(english) == 3 and count >= _LEAST_COUNT:
            costs[letters, english] = count / (seen[letters[0]] + _SMOOTHING)
    found = (
        Unit(letters, english, round(min(NEVER, -math.log(share + 1e-4)), 3))
        for (letters, english), share in sorted(costs.items())
    )
    return [unit for unit in found if unit.cost < NEVER and set(unit.english) <= set(ENGLISH)]


def _guess(plain: str, english: str) -> float:
    if plain == english:
        return _SAME
    if plain in VOWELS and english in VOWELS:
        return _VOWEL
    return _ALIKE if frozenset((plain, english)) in SOUNDS_ALIKE else _OTHER


def _dropped(letter: str) -> float:
    return _SOFT if letter in VOWELS or letter == "h" else _OTHER
