"""How alike two names are, over the ASCII comparison keys that the languages' ``fold`` makes.

Letters: a weighted edit distance (Wagner & Fischer 1974) in which letters that transliterations
exchange are cheap. Words: a soft TF-IDF alignment (Cohen, Ravikumar & Fienberg 2003), in which a
word counts for as much as it tells.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate, product
from string import ascii_lowercase
from typing import Final

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from pipeline.languages.shared import roman
from pipeline.resolve.generic import is_generic

VOWELS: Final = frozenset("aeiouy")

SAME_WORD: Final = 0.78
"""Least similarity at which two words may be the same word spelled otherwise."""

_SAME_NAME_WORD: Final = 0.82
"""The same for persons and places, of which there are more than bodies: Michael is not Mike."""

_SAME_SOUND: Final = 0.97
"""What words count that differ in the spelling of their sounds alone."""

_ROUGHLY: Final = 0.5
_ROUGHLY_PERCENT: Final = 45.0
"""Plain likeness below which nothing is weighed letter by letter."""

_VOWEL_FOR_VOWEL: Final = 0.35
_SOUND_FOR_SOUND: Final = 0.25
_DROPPED_VOWEL: Final = 0.45
_DOUBLED: Final = 0.15
_DROPPED_H: Final = 0.3
_EDGE: Final = 1.5
"""A first letter or an ending more makes another name: Japarov and Japarova, Iran and Tirana."""

SOUNDS_ALIKE: Final = frozenset(
    frozenset(pair)
    for pair in (
        "bv", "vw", "kq", "ck", "cs", "cj", "gj", "jz", "sz", "dt", "fv", "hx", "iy", "uw", "pf",
        "gk", "gh", "hk", "jy", "eo",
    )
)  # fmt: skip
"""Letters that one sound gets in the Latin spellings of different languages."""

_DIGRAPHS: Final = (
    ("dzh", "j"),
    ("tsch", "c"),
    ("sch", "s"),
    ("tch", "c"),
    ("kh", "h"),
    ("ph", "f"),
    ("gh", "g"),
    ("zh", "j"),
    ("sh", "s"),
    ("ch", "c"),
    ("dj", "j"),
    ("ts", "c"),
    ("tz", "c"),
    ("ck", "k"),
    ("ee", "i"),
    ("oo", "u"),
    ("ou", "u"),
)
"""Letter groups for one sound, longest first; rewritten before letters are compared."""


@lru_cache(maxsize=16_384)
def sounds(word: str) -> str:
    """Return ``word`` (a-z) with letter groups for one sound written as one letter."""
    for group, letter in _DIGRAPHS:
        word = word.replace(group, letter)
    return word


def _substitution(a: str, b: str) -> float:
    if a == b:
        return 0.0
    if frozenset((a, b)) in SOUNDS_ALIKE:
        return _SOUND_FOR_SOUND
    if a in VOWELS and b in VOWELS:
        return _VOWEL_FOR_VOWEL
    return 1.0


NUMBERS: Final = frozenset(roman(n) for n in range(1, 31)) - {"xi"}
"""Numbers of rulers as keys have them; as often as the eleventh of them Xi is a name."""

_SUBSTITUTIONS: Final = {
    a + b: cost
    for a, b in product(ascii_lowercase, repeat=2)
    if (cost := _substitution(a, b)) < 1.0
}
"""What it costs to exchange two letters, where it is less than 1."""


def _gap(word: str, at: int) -> float:
    """Return what it costs that the other word lacks ``word[at]``."""
    letter = word[at]
    if at and (word[at - 1] == letter or {word[at - 1], letter} == {"i", "y"}):
        return _DOUBLED
    if at == len(word) - 1 or at == 0:
        return _EDGE
    if letter == "h":
        return _DROPPED_H
    return _DROPPED_VOWEL if letter in VOWELS else 1.0


def _distance(a: str, b: str) -> float:
    gaps_b = [_gap(b, j) for j in range(len(b))]
    row = list(accumulate(gaps_b, initial=0.0))
    cost_of = _SUBSTITUTIONS.get
    for i, letter in enumerate(a):
        gap_a = _gap(a, i)
        diagonal = row[0]
        left = row[0] = diagonal + gap_a
        for j, (other, gap_b) in enumerate(zip(b, gaps_b, strict=True), start=1):
            above = row[j]
            best = diagonal if letter == other else diagonal + cost_of(letter + other, 1.0)
            if (deleted := above + gap_a) < best:
                best = deleted
            if (added := left + gap_b) < best:
                best = added
            diagonal, row[j] = above, best
            left = best
    return row[-1]


@lru_cache(maxsize=16_384)
def word_similarity(a: str, b: str) -> float:
    """Return how alike two words of comparison keys are: 1.0 for equal, 0.0 for unlike."""
    if a == b:
        return 1.0
    if not (a.isalpha() and b.isalpha()):
        return 0.0  # Boeing 737 and 747
    if a in NUMBERS and b in NUMBERS:
        return 0.0  # John Paul I and John Paul II
    a, b = sounds(a), sounds(b)
    if a == b:
        return _SAME_SOUND
    if Levenshtein.normalized_similarity(a, b) < _ROUGHLY:
        return 0.0
    return max(0.0, min(_SAME_SOUND, 1.0 - _distance(a, b) / max(len(a), len(b))))


def align(a: list[str], b: list[str]) -> list[tuple[int, int, float]]:
    """Pair the words of two names one to one, the most alike first.

    Returns (index in ``a``, index in ``b``, similarity) for the pairs of at least
    :data:`SAME_WORD`.
    """
    pairs = sorted(
        (
            (-similarity, abs(i - j), i, j)
            for i, x in enumerate(a)
            for j, y in enumerate(b)
            if (similarity := word_similarity(x, y)) >= SAME_WORD
        ),
    )
    used_a: set[int] = set()
    used_b: set[int] = set()
    chosen = []
    for negative, _, i, j in pairs:
        if i not in used_a and j not in used_b:
            used_a.add(i)
            used_b.add(j)
            chosen.append((i, j, -negative))
    return chosen


def name_similarity(a: str, b: str, weight: Callable[[str], float], label: str) -> float:
    """Return how alike two comparison keys are as names of an entity with that label, 0 to 1.

    ``weight`` says how much a word tells (an inverse document frequency). Words that only one name
    has count against it by their weight. A person's name with words on either side that find no
    partner on the other is someone else's: Sadyr and Sanjar Japarov. Of a place only generic words
    may be missing: South Ossetia is not Ossetia.
    """
    if a == b:
        return 1.0
    if a.replace(" ", "") == b.replace(" ", ""):
        return 0.98  # word breaks differ by language: Chinese and Korean names
    if fuzz.token_sort_ratio(a, b) < _ROUGHLY_PERCENT:
        return 0.0
    words_a, words_b = a.split(), b.split()
    pairs = align(words_a, words_b)
    if not pairs:
        return 0.0
    alone_a = _without(words_a, {i for i, _, _ in pairs})
    alone_b = _without(words_b, {j for _, j, _ in pairs})
    if label != "ORG" and min(s for _, _, s in pairs) < _SAME_NAME_WORD:
        return 0.0
    if label == "PER" and alone_a and alone_b:
        return 0.0
    if label == "LOC" and not all(map(is_generic, alone_a + alone_b)):
        return 0.0
    matched = sum((weight(words_a[i]) + weight(words_b[j])) * s for i, j, s in pairs)
    total = sum(map(weight, words_a)) + sum(map(weight, words_b))
    return matched / total if total else 0.0


def _without(words: list[str], used: set[int]) -> list[str]:
    return [word for i, word in enumerate(words) if i not in used]


_CLASSES: Final = str.maketrans(
    {letter: group[0] for group in ("bvwfp", "kcqgxjsz", "td", "lr", "mn") for letter in group}
    | dict.fromkeys("aeiouyh")
)


@lru_cache(maxsize=16_384)
def skeleton(key: str) -> str:
    """Return the consonants of a comparison key by class of sound, each run once.

    Spellings of one name in different languages nearly always share it; it only ever selects what
    is then compared letter by letter.
    """
    words = []
    for word in key.split():
        classes = sounds(word).translate(_CLASSES)
        words.append("".join(c for i, c in enumerate(classes) if i == 0 or c != classes[i - 1]))
    return " ".join(words)
