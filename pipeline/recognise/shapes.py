"""How much the shapes of words say, in one language, about where names are.

A model trained on several languages at once learns one meaning of a capital or an apostrophe, and
one share of names, for all of them. :class:`ShapeCorrection` adds to the score of the tag ``O`` (no
name) what a linear model of word shapes says in addition, fitted for a language on held-out
sentences with the model's own scores as a fixed offset; after the vector scaling of Guo et al.
2017, "On Calibration of Modern Neural Networks", with inputs beside the bias. Which kind of name it
is stays the model's affair.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.recognise.decode import Scores

Vector = npt.NDArray[np.float32]

_APOSTROPHES: Final = frozenset("'’ʼ")
_SHORT: Final = 3

_OWN: Final = (
    "capital",
    "small",
    "capitals",
    "letterless",
    "apostrophe",
    "digit",
    "short",
    "first",
)
_NEIGHBOUR: Final = ("capital", "small", "letterless", "apostrophe", "first")

FEATURES: Final = (
    "any",
    *_OWN,
    *(f"previous {shape}" for shape in _NEIGHBOUR),
    *(f"next {shape}" for shape in _NEIGHBOUR[:-1]),
)
"""Names of the columns of :func:`shape_features`; ``any`` is 1 for every word."""


def shape_features(words: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return the shapes of a sentence's words and of those beside them, (words, ``FEATURES``).

    Every value is 0 or 1; beside the first and the last word all are 0.
    """
    own = np.array([_shape(word) for word in words], np.float32).reshape(len(words), len(_OWN))
    own[:1, _OWN.index("first")] = 1.0
    beside = own[:, [_OWN.index(shape) for shape in _NEIGHBOUR]]
    features = np.zeros((len(words), len(FEATURES)), np.float32)
    features[:, 0] = 1.0
    features[:, 1 : len(_OWN) + 1] = own
    previous = len(_OWN) + 1
    features[1:, previous : previous + len(_NEIGHBOUR)] = beside[:-1]
    features[:-1, previous + len(_NEIGHBOUR) :] = beside[1:, :-1]
    return features


def _shape(word: str) -> tuple[bool, ...]:
    """Return the columns ``_OWN`` of a word, as if it were not the first."""
    initial = word[:1]
    return (
        initial.isupper(),
        initial.islower(),
        len(word) > 1 and word.isupper(),
        not any(map(str.isalpha, word)),
        word in _APOSTROPHES,
        any(map(str.isdigit, word)),
        len(word) <= _SHORT,
        False,
    )


@dataclass(frozen=True, slots=True)
class ShapeCorrection:
    """Weights by language, one a feature; a language that is not there stays as it is."""

    weights: Mapping[str, Vector] = field(default_factory=dict)

    @classmethod
    def from_file(cls, path: Path) -> ShapeCorrection:
        """Read what :meth:`save` wrote; no correction where there is no file.

        Raises KeyError where the file lacks one of ``FEATURES``.
        """
        if not path.is_file():
            return cls()
        told = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            {
                lang: np.array([weights[name] for name in FEATURES], np.float32)
                for lang, weights in told.items()
            }
        )

    def save(self, path: Path) -> None:
        """Write the weights as JSON, by language and feature, to three decimals."""
        told = {
            lang: {
                name: round(float(weight), 3)
                for name, weight in zip(FEATURES, weights, strict=True)
            }
            for lang, weights in self.weights.items()
        }
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")

    def apply(self, scores: Scores, outside: int, words: Sequence[str], lang: str) -> Scores:
        """Return the logarithms of the tags' probabilities, corrected.

        Both are (words, tags); ``outside`` is the number of the tag ``O``.
        """
        weights = self.weights.get(lang)
        if weights is None:
            return scores
        moved = scores.copy()
        moved[:, outside] += shape_features(words) @ weights
        result: Scores = moved - np.logaddexp.reduce(moved, axis=1, keepdims=True)
        return result
