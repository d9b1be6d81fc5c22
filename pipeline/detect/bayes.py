"""langdetect's answers, worked out in arrays.

langdetect 1.0.9 multiplies and sums its probabilities number by number in Python, which took most
of the time that detection takes. Its text clean-up, its profiles and its draws are the same here,
and so are all operations but for the order of products and sums, so that the answers are the same
but where the last bit decides; ``tests`` compare them. Of its trials those that could no longer
change the answer are left out.
"""

from __future__ import annotations

import json
import math
import random
import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from langdetect.detector import Detector
from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory
from langdetect.utils.ngram import NGram

_SEED: Final = 0
_WORD_BITS: Final = 32
"""Bits that the random generator makes at a time; what a draw does not need of them is lost."""

_BETWEEN_CHECKS: Final = 5
"""Draws after which langdetect looks whether a trial has converged."""

_CHECKS_AT_ONCE: Final = 12
"""Most trials have converged after so many."""

_ROUNDING: Final = 1e-6
"""More than all the rounding in a sum of trials."""

_REMEMBERED: Final = 32_768
"""Words whose n-grams are kept, stretches of three characters, and numbers drawn."""

_DRAWN_AT_FIRST: Final = 1024
"""Numbers of the generator that suffice for most texts."""

_SPACES: Final = re.compile(" {2,}")
_LATIN: Final = re.compile("[A-z]")
_NOT_LATIN: Final = re.compile("[\u0300-\U0010ffff]")
"""It would leave out Latin Extended Additional but compares a block's number with its name."""

Probabilities = npt.NDArray[np.float64]


class NaiveBayes:
    """All profiles of langdetect: for each of its n-grams, how likely it is in each language."""

    def __init__(self) -> None:
        """Load the profiles, in an order that no file system decides."""
        paths = sorted(Path(PROFILES_DIRECTORY).iterdir())
        profiles = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        ngrams = dict.fromkeys(chain.from_iterable(profile["freq"] for profile in profiles))
        self._rows = {ngram: row for row, ngram in enumerate(ngrams)}
        self._likely: Probabilities = np.zeros((len(ngrams), len(profiles)))
        for column, profile in enumerate(profiles):
            frequencies = profile["freq"]
            rows = np.array([*map(self._rows.__getitem__, frequencies)])
            lengths = np.array([*map(len, frequencies)])
            shares = np.array([*frequencies.values()], np.float64)
            shares /= np.array([math.inf, *profile["n_words"]])[np.where(lengths < 4, lengths, 0)]
            self._likely[rows, column] = shares
        factory = DetectorFactory()
        factory.langlist = self._languages = [profile["name"] for profile in profiles]
        self._detector: Detector = factory.create()
        self._of_word = lru_cache(maxsize=_REMEMBERED)(self._ngrams_of_word)
        self._ending = lru_cache(maxsize=_REMEMBERED)(self._ngrams_ending)

    def answer(self, text: str) -> str | None:
        """Return the code of the likeliest language of ``text``; None for a text without features.

        ``unknown`` where none is likely. Every call draws from the same seed.
        """
        rows = self._ngrams(_cleaned(text, self._detector))
        if not rows:
            return None
        likely = self._trials(rows)
        best = int(likely.argmax())
        return self._languages[best] if likely[best] > self._detector.PROB_THRESHOLD else "unknown"

    def _ngrams(self, text: str) -> list[int]:
        """Return the rows of the n-grams of one to three characters, character by character."""
        *words, last = text.translate(_NORMAL).split(" ")
        spaced = [f" {word} " for word in words if word]
        return [*chain.from_iterable(map(self._of_word, [*spaced, f" {last}"]))]

    def _ngrams_of_word(self, letters: str) -> tuple[int, ...]:
        """Return the rows of the n-grams of one word, which begins and may end with a space."""
        padded = f" {letters}"
        stretches = [padded[at : at + 3] for at in range(len(letters) - 1)]
        return tuple(chain.from_iterable(map(self._ending, stretches)))

    def _ngrams_ending(self, stretch: str) -> tuple[int, ...]:
        """Return the rows of the n-grams that end a stretch of three characters, the short first.

        None holds a space but at an edge; a capital behind a capital ends none.
        """
        before, letter = stretch[1], stretch[2]
        if before.isupper() and letter.isupper():
            return ()
        ngrams = [letter] if letter != " " else []
        ngrams.append(stretch[1:])
        if before != " ":
            ngrams.append(stretch)
        return tuple(self._rows[ngram] for ngram in ngrams if ngram in self._rows)

    def _trials(self, rows: Sequence[int]) -> Probabilities:
        """Return the mean of langdetect's trials over the languages, or enough of it to tell.

        A trial adds no more than its share: when the first language leads by more than what is
        left, it stays the first.
        """
        detector = self._detector
        draw = _Draws(len(rows))
        total: Probabilities = np.zeros(len(self._languages))
        for left in reversed(range(detector.n_trial)):
            alpha = detector.alpha + draw.gauss() * detector.ALPHA_WIDTH
            total += self._trial(rows, draw, alpha / detector.BASE_FREQ) / detector.n_trial
            second, first = np.partition(total, -2)[-2:]
            if first - second > left / detector.n_trial + _ROUNDING:
                break
        return total

    def _trial(self, rows: Sequence[int], draw: _Draws, weight: float) -> Probabilities:
        """Return the languages' probabilities, by n-grams drawn until one language is nearly sure.

        ``weight`` is added to how likely an n-gram is.
        """
        converged, limit = self._detector.CONV_THRESHOLD, self._detector.ITERATION_LIMIT
        at_once = _BETWEEN_CHECKS * _CHECKS_AT_ONCE
        drawn = draw.places(at_once + 1)
        draw.use(1)
        # Row by row what all n-grams drawn before a check come to; the first row is the beginning.
        products = np.empty((_CHECKS_AT_ONCE + 1, len(self._languages)))
        products[-1] = (self._likely[rows[drawn.pop(0)]] + weight) / len(self._languages)
        for done in range(0, limit, at_once):
            if done:
                drawn = draw.places(at_once)
            factors = self._likely.take([rows[place] for place in drawn], axis=0)
            factors += weight
            np.divide(products[-1], products[-1].sum(), out=products[0])
            blocks = factors.reshape(_CHECKS_AT_ONCE, _BETWEEN_CHECKS, -1)
            np.multiply.reduce(blocks, axis=1, out=products[1:])
            np.multiply.accumulate(products, axis=0, out=products)
            totals = np.add.reduce(products, axis=1)
            most = np.maximum.reduce(products, axis=1)
            sure = (most > converged * totals).nonzero()[0].tolist()
            checks = min(_CHECKS_AT_ONCE, (limit - done) // _BETWEEN_CHECKS, *sure[:1])
            if checks:
                draw.use(_BETWEEN_CHECKS * checks)
            if checks < _CHECKS_AT_ONCE:
                found: Probabilities = products[checks] / totals[checks]
                return found
        last: Probabilities = products[-1] / products[-1].sum()
        return last


class _Draws:
    """What ``random.Random(_SEED)`` draws: ``gauss``, and ``choice`` of so many items.

    The generator's bits are the same for every text, so that they are made once.
    """

    def __init__(self, size: int) -> None:
        """Draw from ``size`` items, at least one."""
        self._size = size
        self._next = 0
        self._gauss: list[float] = []
        self._first = 0
        self._look_at(_DRAWN_AT_FIRST)

    def gauss(self) -> float:
        """Return the next number of a normal distribution, which are made two at a time."""
        if not self._gauss:
            first, second = _two_normal(self._next)
            self._next += 4
            self._gauss = [second, first]
        return self._gauss.pop()

    def places(self, count: int) -> list[int]:
        """Return the places that the next ``count`` calls of ``choice`` take.

        Only those that :meth:`use` is told of are past.
        """
        self._first = bisect_left(self._at, self._next)
        while len(self._at) < self._first + count:
            self._look_at(2 * self._seen)
        return self._places[self._first : self._first + count]

    def use(self, count: int) -> None:
        """Go on behind the next ``count`` of the last :meth:`places`."""
        self._first += count
        self._next = self._at[self._first - 1] + 1

    def _look_at(self, seen: int) -> None:
        """Find the places among the generator's first numbers; others are no place and are lost."""
        self._seen = seen
        places = _bits(0, seen) >> np.uint32(_WORD_BITS - self._size.bit_length())
        taken = (places < self._size).nonzero()[0]
        self._at: list[int] = taken.tolist()
        self._places: list[int] = places[taken].tolist()


class _DrawsFrom(random.Random):
    """What ``random.Random(_SEED)`` draws from a number of its generator on."""

    def __init__(self, first: int) -> None:
        super().__init__(_SEED)
        self._next = first

    def random(self) -> float:
        """Return the next number below 1.0, as CPython makes it of 53 bits."""
        high, low = _bits(self._next, 2).tolist()
        self._next += 2
        return float(((high >> 5) * (1 << 26) + (low >> 6)) / (1 << 53))


@lru_cache(maxsize=_REMEMBERED)
def _two_normal(first: int) -> tuple[float, float]:
    """Return the two numbers that ``gauss`` makes of four of the generator's."""
    draw = _DrawsFrom(first)
    return draw.gauss(0.0, 1.0), draw.gauss(0.0, 1.0)


def _bits(first: int, count: int) -> npt.NDArray[np.uint32]:
    """Return what the generator makes from its ``first`` word on, 32 bits each."""
    made = 4096
    while made < first + count:
        made *= 2
    return _words(made)[first : first + count]


@cache
def _words(count: int) -> npt.NDArray[np.uint32]:
    draw = random.Random(_SEED)
    return np.array([draw.getrandbits(_WORD_BITS) for _ in range(count)], np.uint32)


def _cleaned(text: str, detector: Detector) -> str:
    """Return ``text`` as langdetect cleans it: no addresses, no Latin within another script."""
    text = detector.URL_RE.sub(" ", text)
    text = NGram.normalize_vi(detector.MAIL_RE.sub(" ", text))
    text = _SPACES.sub(" ", text[: detector.max_text_length])
    latin, other = len(_LATIN.findall(text)), len(_NOT_LATIN.findall(text))
    return _LATIN.sub("", text) if latin * 2 < other else text


class _Normal(dict[int, str]):
    """The letter that stands for a letter in langdetect's profiles, by code point."""

    def __missing__(self, code: int) -> str:
        self[code] = normal = str(NGram.normalize(chr(code)))
        return normal


_NORMAL: Final = _Normal()
