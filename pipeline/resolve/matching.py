"""How likely a name and a known name are one, whatever language either is written in.

A multinomial logistic regression (McFadden, Conditional Logit Analysis, 1974) over few features,
with the further choice that none of the known entities is meant. :mod:`pipeline.training.names`
trains it on names of which the file says whom they name, among them names whose bearer is not
known, and writes its weights as plain numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz.distance import Levenshtein

from pipeline import languages
from pipeline.resolve import generic
from pipeline.resolve.forms import Form
from pipeline.resolve.similarity import name_similarity
from pipeline.resolve.spelling import Spelling, learned, spelling_of
from pipeline.schemas import UNDETERMINED

FEATURES: Final = (
    "same", "letters", "letters_squared", "total", "plain", "words", "kind", "qualifier",
    "length", "prior",
)  # fmt: skip
"""What is looked at.

``same``: a key is the other's; ``letters``: spelling cost a letter, and its square; ``total``: the
cost of the whole; ``plain``: Levenshtein similarity of the keys; ``words``: their likeness word by
word, by how much a word tells; ``kind``: one of them alone says what it names (province);
``qualifier``: how many words like north and new only one has; ``length``: logarithm of the letters;
``prior``: the known entity's, in the knowledge base.
"""

_READINGS: Final = 2
_KEYS: Final = 4
_UNLIKE: Final = 1.5
"""Cost a letter from which the keys need no look."""
_DEAREST: Final = 2.5
_DEAREST_TOTAL: Final = 20.0
_QUALIFIER: Final = 0.4
_KIND: Final = 0.03
"""What it adds to the cost a letter that kinds differ, when the best comparison is chosen."""

Weight = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Rendering:
    """One way to compare a name: its letters, in what language's spelling, and its kind apart."""

    letters: str
    lang: str
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights by feature, and an intercept against the choice of none."""

    intercept: float
    by_feature: Mapping[str, float]

    def logit(self, features: Mapping[str, float]) -> float:
        """Return the weighted sum."""
        return self.intercept + sum(self.by_feature[name] * features[name] for name in FEATURES)


def probabilities(logits: Sequence[float]) -> list[float]:
    """Return how likely each of the choices is; what they lack to 1 is that none is right."""
    largest = max((0.0, *logits))
    total = math.exp(-largest) + sum(math.exp(logit - largest) for logit in logits)
    return [math.exp(logit - largest) / total for logit in logits]


def renderings(form: Form) -> tuple[Rendering, ...]:
    """Return the ways to compare ``form``, by its language's letters and by its keys."""
    language = languages.get(form.lang)
    found: dict[Rendering, None] = {}
    for name in list(dict.fromkeys(key.name for key in form.keys))[:_READINGS]:
        found.setdefault(Rendering(language.letters(name), form.lang, frozenset()))
        words, kinds = generic.proper(language.translated(name).split())
        found.setdefault(Rendering(language.letters(" ".join(words)), form.lang, kinds))
    respelled = [key.text for key in form.keys[1:_KEYS]]
    for text in (*respelled, *language.transcriptions(form.name)):
        for rendering in of_key(text):
            found.setdefault(rendering)
    return tuple(rendering for rendering in found if rendering.letters)


def of_key(key: str) -> tuple[Rendering, ...]:
    """Return the ways to compare a comparison key: whole, and with its kind apart."""
    whole = Rendering(key.replace(" ", ""), UNDETERMINED, frozenset())
    words, kinds = generic.proper(key.split())
    return (whole, Rendering("".join(words), UNDETERMINED, kinds)) if kinds else (whole,)


def features(
    form: Form,
    known: Sequence[tuple[Sequence[str], float]],
    weight: Weight,
    spellings: dict[str, Spelling] | None = None,
) -> list[dict[str, float]]:
    """Return the features of ``form`` beside every known entity.

    An entity is the comparison keys of its names (not coarse ones) and its prior. ``weight`` says
    how much a word tells; ``spellings`` are costs by language, else the learned ones.
    """
    spellings = spellings if spellings is not None else learned()
    ours = renderings(form)
    theirs = [[r for key in keys for r in of_key(key)] for keys, _ in known]
    targets = list(dict.fromkeys(r.letters for group in theirs for r in group if r.letters))
    places = {letters: i for i, letters in enumerate(targets)}
    costs = [spelling_of(r.lang, spellings).costs(r.letters, targets) for r in ours]
    result = []
    for (keys, prior), group in zip(known, theirs, strict=True):
        best = (_DEAREST, _DEAREST_TOTAL, 1.0, 0.0)
        least = math.inf
        for mine, by_target in zip(ours, costs, strict=True):
            for other in group:
                if not other.letters:
                    continue
                total = float(by_target[places[other.letters]])
                each = total / max(len(mine.letters), len(other.letters))
                different = mine.kinds ^ other.kinds
                qualified = len(generic.qualifiers(different))
                rank = each + _QUALIFIER * qualified + _KIND * bool(different)
                if rank < least:
                    least = rank
                    best = (each, total, float(bool(different)), float(min(qualified, 2)))
        each, total, kind, qualifier = best
        each = min(each, _DEAREST)
        result.append(
            {
                "same": float(any(key.text in keys for key in form.keys)),
                "letters": each,
                "letters_squared": each * each,
                "total": min(total, _DEAREST_TOTAL) / 10,
                **_keys_compared(form, keys if each < _UNLIKE else (), weight),
                "kind": kind,
                "qualifier": qualifier,
                "length": math.log(1 + len(form.key)),
                "prior": prior,
            }
        )
    return result


def _keys_compared(form: Form, keys: Sequence[str], weight: Weight) -> dict[str, float]:
    """Return how alike the keys are as text and word by word; 0 where there are none."""
    plain = (
        Levenshtein.normalized_similarity(key.text, other)
        for key in form.keys[:_KEYS]
        for other in keys
    )
    words = (
        name_similarity(key.text, other, weight, "ORG")
        for key in form.keys[:_READINGS]
        for other in keys
    )
    return {"plain": max(plain, default=0.0), "words": max(words, default=0.0)}
