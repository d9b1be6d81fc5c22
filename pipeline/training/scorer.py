"""Learns the weights of :mod:`pipeline.resolve.matching` from names that were asked.

By L-BFGS on the negative log-likelihood of the right choices with a quadratic penalty, features
standardised, all labels at once: entities of several labels compete for a name. Everything is the
same every time. Needs SciPy (extra ``train``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.resolve.matching import FEATURES, Weights

UNITS: Final = 12
_PENALTY: Final = 1.0
_STEPS: Final = 150
_SEED: Final = 20260101
_NETWORKS: Final = 5
_LARGEST: Final = 40.0
_OF_PRIORS: Final = ("prior", "prior_letters")

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Lesson:
    """Entities that were found for a name, by label and features, and which of them is right.

    ``right`` is its place, None where none of them is. ``known`` says how much the choice among all
    of them counts. Once more the choice is made without the right one and its namesakes, the places
    in ``absent``: that none is meant counts ``unknown``.
    """

    labels: Sequence[str]
    features: Sequence[Mapping[str, float]]
    right: int | None
    known: float = 1.0
    unknown: float = 1.0
    absent: frozenset[int] = field(default=frozenset())


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where the weights of one label stand in the vector of all, by their number of features."""

    first: int
    n_features: int

    @property
    def size(self) -> int:
        return self.n_features * (UNITS + 1) + 2 * UNITS + 1

    def parts(self, theta: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], ...]:
        """Return views on hidden weights, biases, outputs, direct weights and the intercept."""
        n, mine = self.n_features, theta[self.first : self.first + self.size]
        ends = np.cumsum([n * UNITS, UNITS, UNITS, n])
        hidden, bias, out, direct, intercept = np.split(mine, ends)
        return hidden.reshape(n, UNITS), bias, out, direct, intercept


def learn(lessons: Sequence[Lesson]) -> dict[str, Weights]:
    """Return the weights by label under which the right choices are likeliest.

    The mean of several networks that begin with other weights (Lakshminarayanan et al. 2017, "Deep
    Ensembles"): of few lessons each learns something else by chance. Where all priors of a label
    are the same nothing can be learned of them, and they weigh nothing.
    """
    from scipy.optimize import minimize

    problem = _Problem(lessons)
    solved = [
        minimize(
            problem.loss,
            problem.start(seed),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": _STEPS},
        ).x
        for seed in range(_SEED, _SEED + _NETWORKS)
    ]
    members = [problem.weights(theta) for theta in solved]
    return {label: average([member[label] for member in members]) for label in members[0]}


def average(members: Sequence[Weights]) -> Weights:
    """Return one network that says what those of ``members`` say on average."""
    return Weights(
        float(np.mean([member.intercept for member in members])),
        np.mean([member.direct for member in members], axis=0),
        np.concatenate([member.bias for member in members]),
        np.concatenate([member.hidden for member in members], axis=1),
        np.concatenate([member.out for member in members]) / len(members),
    )


class _Problem:
    """The lessons as arrays: a row an entity, lesson after lesson."""

    def __init__(self, lessons: Sequence[Lesson]) -> None:
        lessons = [lesson for lesson in lessons if lesson.features]
        sizes = [len(lesson.features) for lesson in lessons]
        rows = [[v[name] for name in FEATURES] for lesson in lessons for v in lesson.features]
        labels = np.array([label for lesson in lessons for label in lesson.labels])
        self._starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self._lesson = np.repeat(np.arange(len(lessons)), sizes)
        self._right = np.array(
            [s + x.right for s, x in zip(self._starts, lessons, strict=True) if x.right is not None]
        ).astype(int)
        self._known = np.array([x.known * (x.right is not None) for x in lessons])
        self._unknown = np.array([x.unknown for x in lessons])
        self._left = np.ones(len(rows))
        for start, lesson in zip(self._starts, lessons, strict=True):
            self._left[[start + place for place in lesson.absent]] = 0.0
        self._left[self._right] = 0.0
        x = np.asarray(rows)
        self._rows = {label: np.flatnonzero(labels == label) for label in sorted(set(labels))}
        self._shape: dict[str, _Shape] = {}
        self._mean, self._scale, self._x = {}, {}, {}
        first = 0
        for label, places in self._rows.items():
            mine = x[places]
            for column in map(FEATURES.index, _OF_PRIORS):
                if np.ptp(x[places, FEATURES.index("prior")]) == 0:
                    mine[:, column] = 0.0
            self._mean[label] = mine.mean(axis=0)
            self._scale[label] = np.where(np.ptp(mine, axis=0) > 0, mine.std(axis=0), np.inf)
            scaled = (mine - self._mean[label]) / self._scale[label]
            self._x[label] = scaled.astype(np.float32)
            self._shape[label] = _Shape(first, len(FEATURES))
            first += self._shape[label].size
        self._n = first

    def start(self, seed: int) -> npt.NDArray[np.float64]:
        """Return small weights drawn at random, always the same of a seed; intercepts are 0."""
        draw = np.random.default_rng(seed)
        theta = np.zeros(self._n)
        for shape in self._shape.values():
            hidden, bias, out, _, _ = shape.parts(theta)
            hidden[:] = draw.normal(0, 1 / np.sqrt(len(FEATURES)), hidden.shape)
            bias[:] = draw.normal(0, 0.5, bias.shape)
            out[:] = draw.normal(0, 0.1, out.shape)
        return theta

    def loss(self, theta: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        """Return the loss under ``theta`` and its gradient."""
        logits = np.empty(len(self._lesson))
        tanh: dict[str, Floats] = {}
        for label, shape in self._shape.items():
            hidden, bias, out, direct, intercept = shape.parts(theta)
            x = self._x[label]
            tanh[label] = np.tanh(x @ hidden.astype(np.float32) + bias.astype(np.float32))
            logits[self._rows[label]] = tanh[label] @ out + x @ direct + intercept
        odds = np.exp(np.clip(logits, -_LARGEST, _LARGEST))
        rest = odds * self._left
        total = 1.0 + np.add.reduceat(odds, self._starts)
        total_rest = 1.0 + np.add.reduceat(rest, self._starts)
        weight = self._known[self._lesson]
        value = (self._known * np.log(total)).sum() + (self._unknown * np.log(total_rest)).sum()
        value -= (weight[self._right] * logits[self._right]).sum()
        slope = odds * (self._known / total)[self._lesson]
        slope += rest * (self._unknown / total_rest)[self._lesson]
        slope[self._right] -= weight[self._right]
        gradient = np.zeros(self._n)
        penalty = 0.0
        for label, shape in self._shape.items():
            _, _, out, _, _ = shape.parts(theta)
            g_hidden, g_bias, g_out, g_direct, g_intercept = shape.parts(gradient)
            mine, x, units = slope[self._rows[label]], self._x[label], tanh[label]
            back = (mine[:, None] * out).astype(np.float32) * (1 - units * units)
            g_hidden[:], g_bias[:], g_out[:] = x.T @ back, back.sum(axis=0), mine @ units
            g_direct[:], g_intercept[:] = mine @ x, mine.sum()
            *held, _ = zip(shape.parts(theta), shape.parts(gradient), strict=True)
            for weights, slopes in held:
                penalty += _PENALTY * float((weights * weights).sum()) / 2
                slopes += _PENALTY * weights
        return float(value) + penalty, gradient

    def weights(self, theta: npt.NDArray[np.float64]) -> dict[str, Weights]:
        """Return the weights of ``theta`` for features that are not standardised."""
        found = {}
        for label, shape in self._shape.items():
            hidden, bias, out, direct, intercept = shape.parts(theta)
            mean, scale = self._mean[label], self._scale[label]
            by_unit, by_feature = hidden / scale[:, None], direct / scale
            found[label] = Weights(
                float(intercept[0] - by_feature @ mean),
                by_feature,
                bias - mean @ by_unit,
                by_unit,
                out.copy(),
            )
        return found
