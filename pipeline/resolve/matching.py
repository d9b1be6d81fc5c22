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
from functools import cache, cached_property, lru_cache, reduce
from importlib import resources
from itertools import accumulate, chain, pairwise
from operator import truediv
from typing import Final

import numpy as np
import numpy.typing as npt
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

_OF_WORDS: Final = ("covered", "covers", "first", "last")
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

LEAST_PROBABILITY: Final = 0.5
_LEAST_LOGIT: Final = -1e-6
"""A choice as likely as all others together has a logit of at least 0, but for rounding."""

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
    return _Comparison(form, known, weight, meanings, spellings).features(range(len(known)))


def meant(
    form: Form, known: Sequence[Target], weight: Weight, meanings: Mapping[str, Meanings]
) -> list[tuple[int, float]]:
    """Return those of ``known`` that ``form`` likelier means than anything else, as their places.

    Each with its probability, of which :func:`probabilities` of the logits of all is the
    definition. Most names mean none, which their words nearly always tell: letters are compared
    only as far as the answer may depend on them.
    """
    comparison = _Comparison(form, known, weight, meanings)
    logits: dict[int, float] = {}
    alike = []
    weights = trained()
    hopeful = [place for place in range(len(known)) if comparison.may_be_alike(place)]
    for place, values in zip(hopeful, comparison.features(hopeful), strict=True):
        label = known[place].label
        logits[place] = weights[label].logit(values)
        # South Ossetia is not Ossetia, and the University of Delhi is not Delhi.
        if is_alike(values) and not (label == "LOC" and values["qualifier"]):
            alike.append(place)
    if max((logits[place] for place in alike), default=-math.inf) < _LEAST_LOGIT:
        return []
    rest = [place for place in range(len(known)) if place not in logits]
    for place, values in zip(rest, comparison.features(rest), strict=True):
        logits[place] = weights[known[place].label].logit(values)
    likely = probabilities([logits[place] for place in range(len(known))])
    return [(place, likely[place]) for place in alike if likely[place] >= LEAST_PROBABILITY]


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


class _Comparison:
    """A name beside known ones: words first, which cost little, and letters where asked for."""

    def __init__(
        self,
        form: Form,
        known: Sequence[Target],
        weight: Weight,
        meanings: Mapping[str, Meanings],
        spellings: Mapping[str, Spelling] | None = None,
    ) -> None:
        self._form = form
        self._known = known
        self._spellings = spellings if spellings is not None else learned()
        self._keys = [key.text for key in form.keys]
        self._by_words = _by_words(form, known, weight, meanings, self._spellings)
        self._same = [any(key in target.keys for key in self._keys) for target in known]
        self._initials = [spelled_by(form, target.keys) for target in known]

    def may_be_alike(self, place: int) -> bool:
        """Say whether :func:`is_alike` may be true of the known entity at ``place``."""
        found = self._by_words[place]
        shared = min(found["covered"], found["covers"])
        return shared >= _LEAST_SHARED or self._same[place] or self._initials[place]

    def features(self, places: Sequence[int]) -> list[dict[str, float]]:
        """Return the features beside the known entities at ``places``."""
        if not places:
            return []
        letters = _Letters(self._ours, [self._known[place] for place in places], self._spellings)
        return [self._features(place, *letters.beside(self._known[place])) for place in places]

    @cached_property
    def _ours(self) -> tuple[Rendering, ...]:
        return renderings(self._form)

    @cached_property
    def _our_kinds(self) -> frozenset[str]:
        return generic.classes(word for rendering in self._ours for word in rendering.kinds)

    def _features(
        self, place: int, each: float, total: float, qualifier: float
    ) -> dict[str, float]:
        target = self._known[place]
        plain = (
            Levenshtein.normalized_similarity(key, other)
            for key in self._keys[:_KEYS]
            for other in (target.keys if each < _UNLIKE else ())
        )
        return {
            "same": float(self._same[place]),
            "letters": each,
            "letters_squared": each * each,
            "total": min(total, _DEAREST_TOTAL) / 10,
            "plain": max(plain, default=0.0),
            **self._by_words[place],
            **_kind_features(self._our_kinds, target),
            "qualifier": qualifier,
            "region": float(target.kind == "region"),
            "country": float(target.kind == "country"),
            "length": math.log(1 + len(self._form.key)),
            "prior": target.prior,
            "prior_letters": target.prior * each,
            "initials": float(self._initials[place]),
        }


class _Letters:
    """What it costs to spell a name as known ones."""

    def __init__(
        self,
        ours: Sequence[Rendering],
        known: Sequence[Target],
        spellings: Mapping[str, Spelling],
    ) -> None:
        self._ours = ours
        theirs = (r.letters for target in known for key in target.keys for r in of_key(key))
        columns = list(dict.fromkeys(filter(None, theirs)))
        self._column = {letters: i for i, letters in enumerate(columns)}
        self._costs: dict[tuple[str, str], list[float]] = {}
        for lang in dict.fromkeys(rendering.lang for rendering in ours):
            written = list(dict.fromkeys(r.letters for r in ours if r.lang == lang))
            costs = spelling_of(lang, spellings).grid(written, columns).tolist()
            self._costs |= {(lang, one): row for one, row in zip(written, costs, strict=True)}

    def beside(self, target: Target) -> tuple[float, float, float]:
        """Return the least cost a letter, the cost of the whole, and the qualifiers that differ."""
        best = (_DEAREST, _DEAREST_TOTAL, 0.0)
        least = math.inf
        theirs = [
            (self._column[r.letters], len(r.letters), r.kinds)
            for key in target.keys
            for r in of_key(key)
            if r.letters
        ]
        for mine in self._ours:
            costs, length = self._costs[mine.lang, mine.letters], len(mine.letters)
            for column, other_length, kinds in theirs:
                total = costs[column]
                each = total / max(length, other_length)
                if each >= least:
                    continue
                different = mine.kinds ^ kinds
                qualified = len(generic.qualifiers(different))
                rank = each + _QUALIFIER * qualified + _KIND * bool(different)
                if rank < least:
                    least = rank
                    best = (min(each, _DEAREST), total, float(min(qualified, 2)))
        return best


def _by_words(
    form: Form,
    known: Sequence[Target],
    weight: Weight,
    meanings: Mapping[str, Meanings],
    spellings: Mapping[str, Spelling],
) -> list[dict[str, float]]:
    """Return how well the words of ``form`` and of the best of each target's names pair."""
    words = _words(form)
    keys = [key.split() for target in known for key in target.keys]
    if not words or not keys:
        return [dict.fromkeys(_OF_WORDS, 0.0) for _ in known]
    others = list(dict.fromkeys(chain.from_iterable(keys)))
    like = _like_words(form, words, others, meanings, spellings)
    # What stands behind a shorter name's last word is a word that is like none and tells nothing.
    column = {word: i for i, word in enumerate(others)}
    width = max(map(len, keys))
    padding = [len(others)] * width
    places = np.array([[*map(column.__getitem__, key), *padding][:width] for key in keys])
    tells = np.array([*map(weight, others), 0.0])[places]
    meant = np.array([int(target.label != "PER") for target in known for _ in target.keys])
    rows = np.arange(len(words))[:, None]
    pairs = like[meant[:, None, None], rows, places[:, None]]
    best, most = pairs.max(axis=2), pairs.max(axis=1)
    lengths = [len(letters) for _, letters in words]
    covered = _added(length * best[:, i] for i, length in enumerate(lengths)) / sum(lengths)
    total = _added(tells.T)
    covers = _added((tells * most).T) / np.where(total, total, 1.0)
    found = np.stack([covered, covers, best[:, 0], best[:, -1]], axis=1)
    rank = _added(found.T)
    return [
        dict(zip(_OF_WORDS, found[first + int(rank[first:last].argmax())].tolist(), strict=True))
        if last > first
        else dict.fromkeys(_OF_WORDS, 0.0)
        for first, last in pairwise(accumulate((len(target.keys) for target in known), initial=0))
    ]


def _like_words(
    form: Form,
    words: Sequence[tuple[str, str]],
    others: Sequence[str],
    meanings: Mapping[str, Meanings],
    spellings: Mapping[str, Spelling],
) -> npt.NDArray[np.float64]:
    """Return how alike words are, 0 to 1: by spelling, and by spelling or meaning.

    [which of these, word of ``words``, word of ``others``], with a last column of zeros.
    """
    like = np.zeros((2, len(words), len(others) + 1))
    costs = spelling_of(form.lang, spellings).grid([letters for _, letters in words], others)
    meant = meaning.of_words([word for word, _ in words], form.lang, meanings)
    for i, ((_, letters), row) in enumerate(zip(words, costs.tolist(), strict=True)):
        lengths = [max(len(letters), length) for length in map(len, others)]
        like[:, i, :-1] = [*map(_likeness, map(truediv, row, lengths))]
        if meant[i]:
            strengths = meaning.strengths(meant[i], others)
            np.maximum(like[1, i, :-1], strengths, out=like[1, i, :-1])
    return like


def _added(parts: Iterable[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """Return the sum of ``parts``, added one by one: the order decides the last bit."""
    return reduce(np.add, parts)


def _words(form: Form) -> list[tuple[str, str]]:
    """Return the words of the likeliest reading, some in English already, with their letters."""
    language = languages.get(form.lang)
    words = dict.fromkeys(language.translated(form.name).split())
    return [(word, letters) for word in words if (letters := language.letters(word))]


def _likeness(each: float) -> float:
    """Return how alike two words are whose spelling costs so much a letter, 0 to 1."""
    return math.exp((_FREE - each) / _HALVED) if each > _FREE else 1.0
