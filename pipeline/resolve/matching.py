"""How likely a name and a known name are one, whatever language either is written in.

A multinomial logistic regression (McFadden, Conditional Logit Analysis, 1974) over few features,
with the further choice that none of the known entities is meant. :mod:`pipeline.training.names`
trains it on names of which the file says whom they name, among them names whose bearer is not
known, and writes its weights as plain numbers.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Final

from rapidfuzz.distance import Levenshtein

from pipeline import languages
from pipeline.languages.shared import MIN_INITIALS, initials, sound
from pipeline.resolve import generic, meaning
from pipeline.resolve.forms import Form
from pipeline.resolve.meaning import Meanings
from pipeline.resolve.spelling import Spelling, learned, spelling_of
from pipeline.schemas import UNDETERMINED

FEATURES: Final = (
    "same", "letters", "letters_squared", "total", "plain", "covered", "covers", "first", "last",
    "kind_same", "kind_lacking", "kind_more", "kind_other", "qualifier", "region", "country",
    "length", "prior", "prior_letters", "initials",
)  # fmt: skip
"""What is looked at.

``same``: a key is the other's; ``letters``: spelling cost a letter, and its square; ``total``: the
cost of the whole; ``plain``: Levenshtein similarity of the keys; ``covered`` and ``covers``: how
much of our words finds a like one among theirs, by letters, and of theirs among ours, by how much
a word tells; ``first`` and ``last``: how alike the first and the last words are; ``kind_…``: both
names say the same kind of place, they lack ours, we lack theirs, or they differ (city, province);
``qualifier``: how many words like north and new only one has; ``region`` and ``country``: it is
one; ``length``: logarithm of the letters; ``prior``: the known entity's, in the knowledge base, and
times the spelling cost a letter; ``initials``: a word sounds like the initials of many.
"""

_FILE: Final = "matching.toml"
_CACHED: Final = 65536
_READINGS: Final = 2
_KEYS: Final = 4
_UNLIKE: Final = 1.5
"""Cost a letter from which the keys need no look."""
_DEAREST: Final = 2.5
_DEAREST_TOTAL: Final = 20.0
_QUALIFIER: Final = 0.4
_KIND: Final = 0.03
"""What it adds to the cost a letter that kinds differ, when the best comparison is chosen."""
_FREE: Final = 0.3
_HALVED: Final = 0.5
"""A word's likeness is 1 up to the one cost a letter and halves (e-fold) with each of the other."""

_LEAST_SHARED: Final = 0.3
_MOST_SHARED: Final = 0.6
_ALIKE: Final = 1.0
"""Cost a letter up to which two names may be one by their spelling."""

Weight = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Rendering:
    """One way to compare a name: its letters, in what language's spelling, and its kind apart."""

    letters: str
    lang: str
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class Target:
    """A known entity to compare with: comparison keys of its names (not coarse ones), label, prior.

    ``kind`` is ``country``, ``region`` or empty, as the scheme of its key says.
    """

    keys: Sequence[str]
    label: str
    prior: float
    kind: str


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights by feature, and an intercept against the choice of none."""

    intercept: float
    by_feature: Mapping[str, float]

    def logit(self, features: Mapping[str, float]) -> float:
        """Return the weighted sum."""
        return self.intercept + sum(self.by_feature[name] * features[name] for name in FEATURES)


@cache
def trained() -> dict[str, Weights]:
    """Return the weights of ``matching.toml`` by label."""
    text = resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8")
    return {
        label: Weights(values["intercept"], {name: values[name] for name in FEATURES})
        for label, values in tomllib.loads(text).items()
    }


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


@lru_cache(maxsize=_CACHED)
def of_key(key: str) -> tuple[Rendering, ...]:
    """Return the ways to compare a comparison key: whole, and with its kind apart."""
    whole = Rendering(key.replace(" ", ""), UNDETERMINED, frozenset())
    words, kinds = generic.proper(key.split())
    return (whole, Rendering("".join(words), UNDETERMINED, kinds)) if kinds else (whole,)


def features(
    form: Form,
    known: Sequence[Target],
    weight: Weight,
    meanings: Mapping[str, Meanings],
    spellings: Mapping[str, Spelling] | None = None,
) -> list[dict[str, float]]:
    """Return the features of ``form`` beside every known entity.

    ``weight`` says how much a word tells, ``meanings`` what words mean, by language; ``spellings``
    are costs by language, else the learned ones.
    """
    costs = _Costs(form, known, meanings, spellings if spellings is not None else learned())
    kinds = generic.classes(word for rendering in renderings(form) for word in rendering.kinds)
    result = []
    for target in known:
        each, total, qualifier = costs.whole(target)
        near = target.keys if each < _UNLIKE else ()
        plain = (
            Levenshtein.normalized_similarity(key.text, other)
            for key in form.keys[:_KEYS]
            for other in near
        )
        result.append(
            {
                "same": float(any(key.text in target.keys for key in form.keys)),
                "letters": each,
                "letters_squared": each * each,
                "total": min(total, _DEAREST_TOTAL) / 10,
                "plain": max(plain, default=0.0),
                **costs.by_words(target, weight),
                **_kind_features(kinds, target),
                "qualifier": qualifier,
                "region": float(target.kind == "region"),
                "country": float(target.kind == "country"),
                "length": math.log(1 + len(form.key)),
                "prior": target.prior,
                "prior_letters": target.prior * each,
                "initials": float(spelled_by(form, target.keys)),
            }
        )
    return result


def is_alike(values: Mapping[str, float]) -> bool:
    """Say whether two names with these features share enough to be one, however well known.

    The names that the scorer learned from are those that several languages have, so that it trusts
    the prior too far: an island that nobody knows is not Bali. Both names have to share some of
    their words, and most of them unless they are spelled alike.
    """
    shared = min(values["covered"], values["covers"])
    return (
        bool(values["same"] or values["initials"])
        or shared >= _MOST_SHARED
        or (shared >= _LEAST_SHARED and values["letters"] <= _ALIKE)
    )


def spelled_by(form: Form, keys: Iterable[str]) -> bool:
    """Say whether a name of one word sounds like the initials of one of ``keys``."""
    if " " in form.key or len(form.key) < MIN_INITIALS:
        return False
    ours = {_sound(key.text) for key in form.keys[:_KEYS]}
    return any(first and _sound(first) in ours for first in map(initials, keys))


@lru_cache(maxsize=_CACHED)
def _sound(key: str) -> str:
    return sound(key) or key


def _kind_features(ours: frozenset[str], target: Target) -> dict[str, float]:
    """Return how the kinds of place that a name and a known place say go together."""
    if target.label != "LOC":
        return dict.fromkeys(("kind_same", "kind_lacking", "kind_more", "kind_other"), 0.0)
    theirs = generic.classes((*_kinds(target.keys), target.kind))
    return {
        "kind_same": float(bool(ours & theirs)),
        "kind_lacking": float(bool(ours) and not theirs),
        "kind_more": float(bool(theirs) and not ours),
        "kind_other": float(bool(ours) and bool(theirs) and not ours & theirs),
    }


def _kinds(keys: Iterable[str]) -> Iterator[str]:
    return (word for key in keys for way in of_key(key) for word in way.kinds)


class _Costs:
    """What it costs to spell a name, and each of its words, as known names and their words."""

    def __init__(
        self,
        form: Form,
        known: Sequence[Target],
        meanings: Mapping[str, Meanings],
        spellings: Mapping[str, Spelling],
    ) -> None:
        self._ours = renderings(form)
        self._theirs = {key: of_key(key) for target in known for key in target.keys}
        words = _words(form)
        self._words = tuple(letters for _, letters in words)
        self._meant = meaning.of_words([word for word, _ in words], form.lang, meanings)
        whole = list(
            dict.fromkeys(r.letters for group in self._theirs.values() for r in group if r.letters)
        )
        single = list(dict.fromkeys(word for key in self._theirs for word in key.split()))
        pairs: dict[str, list[tuple[str, str]]] = {}
        for mine in self._ours:
            pairs.setdefault(mine.lang, []).extend((mine.letters, other) for other in whole)
        self._whole = {
            lang: _priced(wanted, spelling_of(lang, spellings)) for lang, wanted in pairs.items()
        }
        self._single = _priced(
            [(word, other) for word in self._words for other in single],
            spelling_of(form.lang, spellings),
        )

    def whole(self, target: Target) -> tuple[float, float, float]:
        """Return the least cost a letter, the cost of the whole, and the qualifiers that differ."""
        best = (_DEAREST, _DEAREST_TOTAL, 0.0)
        least = math.inf
        theirs = [r for key in target.keys for r in self._theirs[key] if r.letters]
        for mine in self._ours:
            costs = self._whole[mine.lang]
            for other in theirs:
                total = costs[mine.letters, other.letters]
                each = total / max(len(mine.letters), len(other.letters))
                if each >= least:
                    continue
                different = mine.kinds ^ other.kinds
                qualified = len(generic.qualifiers(different))
                rank = each + _QUALIFIER * qualified + _KIND * bool(different)
                if rank < least:
                    least = rank
                    best = (min(each, _DEAREST), total, float(min(qualified, 2)))
        return best

    def by_words(self, target: Target, weight: Weight) -> dict[str, float]:
        """Return how well the words of the name and of the best of the target's names pair."""
        meant = target.label != "PER"
        found = [self._pair(key.split(), weight, meant=meant) for key in target.keys]
        covered, covers, first, last = max(found, default=(0.0, 0.0, 0.0, 0.0), key=sum)
        return {"covered": covered, "covers": covers, "first": first, "last": last}

    def _pair(
        self, theirs: Sequence[str], weight: Weight, *, meant: bool
    ) -> tuple[float, float, float, float]:
        """Return the shares covered on both sides, and the likeness of first and last words."""
        if not self._words or not theirs:
            return (0.0, 0.0, 0.0, 0.0)
        like = [[self._alike(mine, other) for other in theirs] for mine in self._words]
        for row, meanings in zip(like, self._meant, strict=True):
            if meant and meanings:
                found = (meaning.strength(meanings, other) for other in theirs)
                row[:] = map(max, row, found)
        letters = [len(word) for word in self._words]
        tells = [weight(word) for word in theirs]
        covered = sum(n * max(row) for n, row in zip(letters, like, strict=True)) / sum(letters)
        most = [max(column) for column in zip(*like, strict=True)]
        covers = sum(n * m for n, m in zip(tells, most, strict=True)) / (sum(tells) or 1.0)
        return (covered, covers, max(like[0]), max(like[-1]))

    def _alike(self, mine: str, other: str) -> float:
        return _likeness(self._single[mine, other] / max(len(mine), len(other)))


def _priced(pairs: Sequence[tuple[str, str]], spelling: Spelling) -> dict[tuple[str, str], float]:
    return dict(zip(pairs, spelling.pairs(pairs).tolist(), strict=True))


def _words(form: Form) -> list[tuple[str, str]]:
    """Return the words of the likeliest reading, some in English already, with their letters."""
    language = languages.get(form.lang)
    words = dict.fromkeys(language.translated(form.name).split())
    return [(word, letters) for word in words if (letters := language.letters(word))]


def _likeness(each: float) -> float:
    """Return how alike two words are whose spelling costs so much a letter, 0 to 1."""
    return math.exp(-max(0.0, each - _FREE) / _HALVED)
