"""langdetect's answers, worked out in arrays.

langdetect 1.0.9 multiplies and sums its probabilities number by number in Python, which took most
of the time that detection takes. Its text clean-up, its profiles, its draws and the order of every
operation are the same here, so that the answers are, to the last bit; ``tests`` compare them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from langdetect.detector import Detector
from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory
from langdetect.utils.ngram import NGram

_SEED: Final = 0
_BETWEEN_CHECKS: Final = 5
"""Draws after which langdetect looks whether a trial has converged."""

_REMEMBERED: Final = 32_768
"""Words whose n-grams are kept."""

Probabilities = npt.NDArray[np.float64]


class NaiveBayes:
    """All profiles of langdetect: for each of its n-grams, how likely it is in each language."""

    def __init__(self) -> None:
        """Load the profiles, in an order that no file system decides."""
        self._factory = DetectorFactory()
        profiles = sorted(Path(PROFILES_DIRECTORY).iterdir())
        self._factory.load_json_profile([path.read_text(encoding="utf-8") for path in profiles])
        likely = self._factory.word_lang_prob_map
        self._rows = {ngram: row for row, ngram in enumerate(likely)}
        self._likely: Probabilities = np.array(list(likely.values()), np.float64)
        self._factory.word_lang_prob_map = {}
        self._languages: list[str] = self._factory.get_lang_list()
        self._of_word = lru_cache(maxsize=_REMEMBERED)(self._ngrams_of_word)

    def answer(self, text: str) -> str | None:
        """Return the code of the likeliest language of ``text``; None for a text without features.

        ``unknown`` where none is likely. Every call draws from the same seed.
        """
        detector = self._factory.create()
        detector.append(text)
        detector.cleaning_text()
        rows = self._ngrams(detector.text)
        if not rows:
            return None
        likely = self._trials(rows, detector)
        best = int(likely.argmax())
        return self._languages[best] if likely[best] > detector.PROB_THRESHOLD else "unknown"

    def _ngrams(self, text: str) -> list[int]:
        """Return the rows of the n-grams of one to three characters, character by character."""
        *words, last = "".join(map(_normal, text)).split(" ")
        found = [row for word in words if word for row in self._of_word(f" {word} ")]
        return found + list(self._of_word(f" {last}"))

    def _ngrams_of_word(self, letters: str) -> tuple[int, ...]:
        """Return the rows of the n-grams of one word, which begins and may end with a space.

        A capital behind a capital ends none.
        """
        known, found = self._rows.get, []
        after_capital = False
        for at in range(1, len(letters)):
            letter = letters[at]
            is_capital = letter.isupper()
            if not (is_capital and after_capital):
                if letter != " ":
                    found.append(known(letter))
                found.append(known(letters[at - 1 : at + 1]))
                if at > 1:
                    found.append(known(letters[at - 2 : at + 1]))
            after_capital = is_capital
        return tuple(row for row in found if row is not None)

    def _trials(self, rows: Sequence[int], detector: Detector) -> Probabilities:
        """Return the mean of langdetect's trials over the languages."""
        distinct, places = np.unique(np.array(rows), return_inverse=True)
        likely = self._likely[distinct]
        ngrams = places.tolist()
        draw = random.Random(_SEED)
        total: Probabilities = np.zeros(len(self._languages))
        for _ in range(detector.n_trial):
            alpha = detector.alpha + draw.gauss(0.0, 1.0) * detector.ALPHA_WIDTH
            smoothed = likely + alpha / detector.BASE_FREQ
            total += _trial(smoothed, ngrams, draw, detector) / detector.n_trial
        return total


def _trial(
    likely: Probabilities, ngrams: Sequence[int], draw: random.Random, detector: Detector
) -> Probabilities:
    """Return the languages' probabilities, by n-grams drawn until one language is nearly sure."""
    converged, limit = detector.CONV_THRESHOLD, detector.ITERATION_LIMIT
    drawn = _draws(ngrams, draw)
    product: Probabilities = likely[next(drawn)] * (1.0 / len(detector.langlist))
    for _ in range(0, limit, _BETWEEN_CHECKS):
        # Added up one by one, as Python's sum does; numpy's adds in another order.
        product /= np.add.accumulate(product)[-1]
        if np.maximum.reduce(product) > converged:
            return product
        for ngram in islice(drawn, _BETWEEN_CHECKS):
            product *= likely[ngram]
    product /= np.add.accumulate(product)[-1]
    return product


def _draws(ngrams: Sequence[int], draw: random.Random) -> Iterator[int]:
    """Yield what ``draw.choice(ngrams)`` gives time after time, at a third of its cost."""
    size, bits = len(ngrams), draw.getrandbits
    length = size.bit_length()
    while True:
        if (place := bits(length)) < size:
            yield ngrams[place]


@cache
def _normal(letter: str) -> str:
    """Return the letter that stands for ``letter`` in langdetect's profiles."""
    return str(NGram.normalize(letter))
