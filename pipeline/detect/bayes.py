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
"""Words whose n-grams are kept."""

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
        found = [row for word in words if word for row in self._of_word(f" {word} ")]
        return found + list(self._of_word(f" {last}"))

    def _ngrams_of_word(self, letters: str) -> tuple[int, ...]:
        """Return the rows of the n-grams of one word, which begins and may end with a space.

        A capital behind a capital ends none.
        """
        found = []
        row_of = self._rows.get
        after_capital = False
        for at, letter in enumerate(letters[1:], start=1):
            is_capital = letter.isupper()
            if not (is_capital and after_capital):
                if letter != " ":
                    found.append(row_of(letter))
                found.append(row_of(letters[at - 1 : at + 1]))
                if at > 1:
                    found.append(row_of(letters[at - 2 : at + 1]))
            after_capital = is_capital
        return tuple(row for row in found if row is not None)

    def _trials(self, rows: Sequence[int]) -> Probabilities:
        """Return the mean of langdetect's trials over the languages, or enough of it to tell.

        A trial adds no more than its share: when the first language leads by more than what is
        left, it stays the first.
        """
        detector = self._detector
        draw = _Draws()
        total: Probabilities = np.zeros(len(self._languages))
        for left in reversed(range(detector.n_trial)):
            alpha = detector.alpha + draw.gauss(0.0, 1.0) * detector.ALPHA_WIDTH
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
        size, at_once = len(rows), _BETWEEN_CHECKS * _CHECKS_AT_ONCE
        drawn = draw.places(size, at_once + 1)
        draw.use(1)
        # Row by row what all n-grams drawn before a check come to; the first row is the beginning.
        products = np.empty((_CHECKS_AT_ONCE + 1, len(self._languages)))
        products[-1] = (self._likely[rows[drawn.pop(0)]] + weight) / len(self._languages)
        for done in range(0, limit, at_once):
            if done:
                drawn = draw.places(size, at_once)
            factors = self._likely.take([rows[place] for place in drawn], axis=0)
            factors += weight
            np.divide(products[-1], products[-1].sum(), out=products[0])
            blocks = factors.reshape(_CHECKS_AT_ONCE, _BETWEEN_CHECKS, -1)
            np.multiply.reduce(blocks, axis=1, out=products[1:])
            np.multiply.accumulate(products, axis=0, out=products)
            totals = products.sum(axis=1)
            sure = (products.max(axis=1) > converged * totals).nonzero()[0].tolist()
            checks = min(_CHECKS_AT_ONCE, (limit - done) // _BETWEEN_CHECKS, *sure[:1])
            if checks:
                draw.use(_BETWEEN_CHECKS * checks)
            if checks < _CHECKS_AT_ONCE:
                found: Probabilities = products[checks] / totals[checks]
                return found
        last: Probabilities = products[-1] / products[-1].sum()
        return last


class _Draws(random.Random):
    """What ``random.Random(_SEED)`` draws, many at a time: ``gauss`` and ``choice`` of a sequence.

    The generator's bits are the same for every text, so that they are made once.
    """

    def __init__(self) -> None:
        super().__init__(_SEED)
        self._next = 0
        self._ends: list[int] = []
        self._used = 0

    def random(self) -> float:
        """Return the next number below 1.0, as CPython makes it of 53 bits."""
        high, low = _bits(self._next, 2).tolist()
        self._next += 2
        return float(((high >> 5) * (1 << 26) + (low >> 6)) / (1 << 53))

    def places(self, size: int, count: int) -> list[int]:
        """Return the places that the next ``count`` calls of ``choice`` take of so many items.

        Only those that :meth:`use` is told of are past.
        """
        shift, width = np.uint32(_WORD_BITS - size.bit_length()), 4 * count
        while True:
            places = _bits(self._next, width) >> shift
            taken = (places < size).nonzero()[0][:count]
            if len(taken) == count:
                break
            width *= 2
        self._ends = (taken + (self._next + 1)).tolist()
        self._used = 0
        chosen: list[int] = places[taken].tolist()
        return chosen

    def use(self, count: int) -> None:
        """Go on behind the next ``count`` of the last :meth:`places`."""
        self._used += count
        self._next = self._ends[self._used - 1]


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
