"""How likely a name and a known name are one, whatever language either is written in.

A conditional logit (McFadden, Conditional Logit Analysis, 1974) over few features, with the further
choice that none of the known entities is meant. What is summed up for an entity is the output of a
network of one small hidden layer, with weights of its own for every label.
:mod:`pipeline.training.comparing` trains it on names of which a file says whom they name, among
them names whose bearer is not known, and writes its weights as plain numbers.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache, reduce
from importlib import resources
from itertools import accumulate, chain, groupby, pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from pipeline import languages
from pipeline.languages.shared import MIN_INITIALS, initials, sound_or_key
from pipeline.resolve import generic, meaning
from pipeline.resolve.forms import Form
from pipeline.resolve.meaning import Meanings
from pipeline.resolve.spelling import Spelling, learned, spelling_of
from pipeline.schemas import UNDETERMINED
from pipeline.scripts import LATIN

FEATURES: Final = (
    "same", "letters", "letters_squared", "total", "plain", "covered", "covers", "first", "last",
    "kind_same", "kind_lacking", "kind_more", "kind_other", "qualifier", "region", "country",
    "length", "prior", "prior_letters", "initials", "sound", "words", "our_least", "their_least",
    "meaning", "hi", "ro", "tr", "vi",
)  # fmt: skip
"""What is looked at.

``same``: a key is the other's; ``letters``: spelling cost a letter, and its square; ``total``: the
cost of the whole; ``plain``: Levenshtein similarity of the keys; ``covered`` and ``covers``: how
much of our words finds a like one among theirs, by letters, and of theirs among ours, by how much
a word tells; ``first`` and ``last``: how alike the first and the last words are; ``kind_…``: both
names say the same kind of place, they lack ours, we lack theirs, or they differ (city, province);
``qualifier``: how many words like north and new only one has; ``region`` and ``country``: it is
one; ``length``: logarithm of the letters; ``prior``: the known entity's, in the knowledge base, and
times the spelling cost a letter; ``initials``: a word sounds like the initials of many; ``sound``:
a name sounds the same, as sound keys have it; ``words``: how many words of ours there are, up to
four; ``our_least`` and ``their_least``: how alike the word of ours, or of theirs, is that finds the
least like one; ``meaning``: the cosine of what both mean; ``hi`` to ``vi``: the name is in that
language.
"""

Values = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_OF_WORDS: Final = ("covered", "covers", "first", "last", "our_least", "their_least")
_RANKED_BY: Final = 4
"""How many of these say which of an entity's names fits best."""
_FILE: Final = "matching.tsv"
_INTERCEPT, _OUT = "intercept", "out"
"""Names of the rows of ``matching.tsv`` that stand for no feature."""
_MOST_WORDS: Final = 4
_SH: Final = "sh"
_CACHED: Final = 16_384
_TARGETS_CACHED: Final = 4096
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
_DIGITS: Final = 9
"""Digits of a sum that count: those behind depend on the processor."""

LEAST_PROBABILITY: Final = 0.5
_LEAST_LOGIT: Final = -1e-6
"""A choice as likely as all others together has a logit of at least 0, but for rounding."""

_ALONE: Final = 0.05
"""Likeness below which a word is like none."""

_LEAST_SHARED: Final = 0.3
_LEAST_OF_BOTH: Final = 1.1
"""Likeness of words, all taken together, from which two names may be one: of either name's, and of
both added."""
_LEAST_LIKE: Final = 70.0
"""Likeness of letters (percent of rapidfuzz's ratio, spaces left out) from which they may be."""

_LEAST_MEANING: Final = 0.6
"""Cosine of what they mean from which they may be."""

Weigh = Callable[[Sequence[str]], Sequence[float]]
"""Says how much each of some words tells."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """One way to compare a name: its letters, in what language's spelling, and its kind apart."""

    letters: str
    lang: str
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class Target:
    """A known entity to compare with: comparison keys of its names (not coarse ones), label, prior.

    ``kind`` is ``country``, ``region`` or empty, as the scheme of its key says; ``sounds`` are how
    the keys sound (:func:`pipeline.languages.shared.sound_or_key`), worked out where left empty;
    ``number`` is the entry's in the index.
    """

    keys: tuple[str, ...]
    label: str
    prior: float
    kind: str
    sounds: tuple[str, ...] = ()
    number: int = -1


Likeness = Callable[[Form, Target], float]
"""Says how much a name means the same as a known entity's, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of one label's network, by feature in the order of :data:`FEATURES`.

    The sum is ``intercept``, ``direct`` times the features, and ``out`` times the hyperbolic
    tangents of the hidden units: ``bias`` and ``hidden`` (features by units) times the features.
    """

    intercept: float
    direct: Values
    bias: Values
    hidden: Values
    out: Values

    def logits(self, features: Sequence[Mapping[str, float]]) -> list[float]:
        """Return the sum of every known entity's features: a logit against the choice of none."""
        x = np.array([[values[name] for name in FEATURES] for values in features])
        x = x.reshape(len(features), len(FEATURES))
        sums = np.tanh(x @ self.hidden + self.bias) @ self.out + x @ self.direct + self.intercept
        found: list[float] = np.round(sums, _DIGITS).tolist()
        return found


@cache
def trained() -> dict[str, Weights]:
    """Return the weights of ``matching.tsv`` by label."""
    return parse(resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8"))


def parse(text: str) -> dict[str, Weights]:
    """Return the weights by label of what :func:`serialise` gave."""
    tables: dict[str, dict[str, list[float]]] = {}
    for label, name, *values in csv.reader(text.splitlines()[1:], delimiter="\t"):
        tables.setdefault(label, {})[name] = list(map(float, values))
    return {label: _weights(table) for label, table in tables.items()}


def _weights(table: Mapping[str, Sequence[float]]) -> Weights:
    by_feature = np.array([table[name] for name in FEATURES])
    intercept, *bias = table[_INTERCEPT]
    return Weights(
        intercept, by_feature[:, 0], np.array(bias), by_feature[:, 1:], np.array(table[_OUT][1:])
    )


def serialise(weights: Mapping[str, Weights]) -> str:
    """Return ``weights``, by label, as a tab-separated table of numbers.

    A row a feature: its direct weight, then that of every hidden unit; ``intercept`` holds the
    intercept and the units' biases, ``out`` the weights that the units' values are summed up with.
    """
    units = max(len(one.bias) for one in weights.values())
    lines = [["label", "feature", "direct", *(f"unit{i + 1}" for i in range(units))]]
    for label, one in weights.items():
        rows = [(_INTERCEPT, [one.intercept, *one.bias]), (_OUT, [0.0, *one.out])]
        rows += [
            (name, [direct, *hidden])
            for name, direct, hidden in zip(FEATURES, one.direct, one.hidden, strict=True)
        ]
        lines += [[label, name, *(f"{value:.5g}" for value in values)] for name, values in rows]
    return "".join("\t".join(line) + "\n" for line in lines)


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


@lru_cache(maxsize=_TARGETS_CACHED)
def of_keys(keys: tuple[str, ...]) -> tuple[Rendering, ...]:
    """Return the ways to compare a known entity's ``keys``."""
    return tuple(rendering for key in keys for rendering in of_key(key) if rendering.letters)


@lru_cache(maxsize=_CACHED)
def of_key(key: str) -> tuple[Rendering, ...]:
    """Return the ways to compare a comparison key: whole, and with its kind apart."""
    whole = Rendering(key.replace(" ", ""), UNDETERMINED, frozenset())
    words, kinds = generic.proper(key.split())
    return (whole, Rendering("".join(words), UNDETERMINED, kinds)) if kinds else (whole,)


def features(
    form: Form,
    known: Sequence[Target],
    weigh: Weigh,
    meanings: Mapping[str, Meanings],
    likeness: Likeness,
    spellings: Mapping[str, Spelling] | None = None,
) -> list[dict[str, float]]:
    """Return the features of ``form`` beside every known entity.

    ``weigh`` says how much words tell, ``meanings`` what words mean, by language, ``likeness`` what
    whole names do; ``spellings`` are costs by language, else the learned ones.
    """
    spellings = spellings if spellings is not None else learned()
    (by_words,) = _by_words([(form, known)], weigh, meanings, spellings)
    (letters,) = _letters([(renderings(form), known)], spellings)
    return _Comparison(form, known, by_words, likeness).features(range(len(known)), letters)


def meant(
    questions: Sequence[tuple[Form, Sequence[Target]]],
    weigh: Weigh,
    meanings: Mapping[str, Meanings],
    likeness: Likeness,
) -> list[list[tuple[int, float]]]:
    """Return for each name those known entities that it likelier means than anything else.

    A question is a name and the known entities to choose from; an answer holds their places, each
    with its probability, of which :func:`probabilities` of the logits of all is the definition.
    Most names mean none, which their words nearly always tell: letters are compared only as far as
    the answer may depend on them. Many questions at a time cost least, and change no answer.
    """
    found = _by_words(questions, weigh, meanings, learned())
    compared = [
        _Comparison(form, known, by_words, likeness)
        for (form, known), by_words in zip(questions, found, strict=True)
    ]
    hopeful = [comparison.hopeful() for comparison in compared]
    logits = _logits_at(compared, hopeful)
    decided = [max(some, default=-math.inf) >= _LEAST_LOGIT for some in logits]
    rest = [
        sorted(set(range(len(known))) - set(places)) if may_be else []
        for (_, known), places, may_be in zip(questions, hopeful, decided, strict=True)
    ]
    others = _logits_at(compared, rest)
    answers: list[list[tuple[int, float]]] = []
    for places, some, more, may_be in zip(hopeful, logits, others, decided, strict=True):
        likely = probabilities([*some, *more])[: len(places)] if may_be else []
        pairs = zip(places, likely, strict=False)
        answers.append([(place, share) for place, share in pairs if share >= LEAST_PROBABILITY])
    return answers


def _logits_at(
    compared: Sequence[_Comparison], places: Sequence[Sequence[int]]
) -> list[list[float]]:
    """Return the logits of each comparison's known entities at its ``places``."""
    asked = [
        (one.renderings if some else (), [one.known[place] for place in some])
        for one, some in zip(compared, places, strict=True)
    ]
    letters = _letters(asked, learned())
    labels = [[target.label for target in known] for _, known in asked]
    features = [
        one.features(some, costs)
        for one, some, costs in zip(compared, places, letters, strict=True)
    ]
    logits = iter(_logits([*chain(*labels)], [*chain(*features)], trained()))
    return [[next(logits) for _ in some] for some in labels]


def likelihoods(
    labels: Sequence[str],
    features: Sequence[Mapping[str, float]],
    weights: Mapping[str, Weights],
) -> list[float]:
    """Return how likely each known entity is meant, by the weights of its label."""
    return probabilities(_logits(labels, features, weights))


def _logits(
    labels: Sequence[str],
    features: Sequence[Mapping[str, float]],
    weights: Mapping[str, Weights],
) -> list[float]:
    logits = [0.0] * len(labels)
    for label in sorted(set(labels)):
        places = [place for place, other in enumerate(labels) if other == label]
        found = weights[label].logits([features[place] for place in places])
        for place, logit in zip(places, found, strict=True):
            logits[place] = logit
    return logits


@dataclass(frozen=True, slots=True)
class Difference:
    """What of a name has no like in a known entity's names, and what the spelling costs a letter.

    ``alone`` are the words of the name, some in English, that are like no word of any of them, by
    spelling or by meaning; ``apart`` says that beside each of them both have such a word.
    """

    alone: tuple[str, ...]
    apart: bool
    cost: float


def differences(
    pairs: Sequence[tuple[Form, Target]], meanings: Mapping[str, Meanings]
) -> list[Difference]:
    """Return how each name and the names of the known entity beside it differ."""
    questions = [(form, [target]) for form, target in pairs]
    words = [_words(form) for form, _ in pairs]
    others = [list(dict.fromkeys(chain(*_words_of_keys(target.keys)))) for _, target in pairs]
    alike = _like_words(questions, words, others, meanings, learned())
    letters = _letters([(renderings(form), known) for form, known in questions], learned())
    return [
        _difference(ours, theirs, target, like[int(target.label != "PER")], costs[0][0])
        for (_, target), ours, theirs, like, costs in zip(
            pairs, words, others, alike, letters, strict=True
        )
    ]


def _difference(
    words: Sequence[tuple[str, str]],
    others: Sequence[str],
    target: Target,
    like: npt.NDArray[np.float64],
    cost: float,
) -> Difference:
    best = like.max(axis=1, initial=0.0).tolist()
    column = {word: i for i, word in enumerate(others)}
    apart = [
        bool(
            like[:, places].max(axis=1, initial=0.0).min(initial=1.0) < _ALONE
            and like[:, places].max(axis=0, initial=0.0).min(initial=1.0) < _ALONE
        )
        for places in ([column[word] for word in key] for key in _words_of_keys(target.keys))
    ]
    alone = [word for (word, _), most in zip(words, best, strict=True) if most < _ALONE]
    return Difference(tuple(alone), all(apart), cost)


def spelled_by(form: Form, keys: Iterable[str]) -> bool:
    """Say whether a name of one word is the initials of one of ``keys``: to the letter in Latin.

    In another script it sounds like them, and sh is no s there: सार्क, not शार्क, is SAARC.
    """
    if " " in form.key or len(form.key) < MIN_INITIALS:
        return False
    ours = {key.text for key in form.keys[:_KEYS]}
    firsts = {first for first in map(initials, keys) if first}
    if form.script == LATIN:
        return not ours.isdisjoint(firsts)
    hushed = {_sound(key) for key in ours if key.startswith(_SH)}
    sounds = {_sound(key) for key in ours if not key.startswith(_SH)}
    return any(_sound(f) in (hushed if f.startswith(_SH) else sounds) for f in firsts)


_sound = lru_cache(maxsize=_CACHED)(sound_or_key)


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
        by_words: Sequence[dict[str, float]],
        likeness: Likeness,
    ) -> None:
        self.known = known
        self._form = form
        self._keys = [key.text for key in form.keys]
        self._by_words = by_words
        self._same = [any(key in target.keys for key in self._keys) for target in known]
        self._initials = [spelled_by(form, target.keys) for target in known]
        self._meaning = [likeness(form, target) for target in known]

    def hopeful(self) -> list[int]:
        """Return the places of the known entities that the name may mean at all.

        By words, initials, meaning, or at a rough glance.
        """
        return [place for place in range(len(self.known)) if self._is_hopeful(place)]

    def _is_hopeful(self, place: int) -> bool:
        found = self._by_words[place]
        ours, theirs = found["covered"], found["covers"]
        return (
            (min(ours, theirs) >= _LEAST_SHARED and ours + theirs >= _LEAST_OF_BOTH)
            or self._same[place]
            or self._initials[place]
            or self._meaning[place] >= _LEAST_MEANING
            or self._is_like[place]
        )

    @cached_property
    def _is_like(self) -> list[bool]:
        """For each known entity, whether one of its names is like this one, word breaks aside."""
        language = languages.get(self._form.lang)
        ours = [*self._keys[:_KEYS], *language.transcriptions(self._form.name)]
        theirs = [(i, key) for i, target in enumerate(self.known) for key in target.keys]
        like = process.cdist(
            list(dict.fromkeys(key.replace(" ", "") for key in ours)),
            [key.replace(" ", "") for _, key in theirs],
            scorer=fuzz.ratio,
            score_cutoff=_LEAST_LIKE,
        )
        found = [False] * len(self.known)
        for column in np.flatnonzero(like.max(axis=0)).tolist():
            found[theirs[column][0]] = True
        return found

    def features(
        self, places: Sequence[int], letters: Sequence[tuple[float, float, float]]
    ) -> list[dict[str, float]]:
        """Return the features beside the known entities at ``places``; ``letters`` are theirs."""
        return [self._features(place, *costs) for place, costs in zip(places, letters, strict=True)]

    @cached_property
    def renderings(self) -> tuple[Rendering, ...]:
        """The ways to compare the name."""
        return renderings(self._form)

    @cached_property
    def _sounding(self) -> frozenset[str]:
        return frozenset(map(_sound, self._keys[:_KEYS]))

    @cached_property
    def _our_kinds(self) -> frozenset[str]:
        return generic.classes(word for rendering in self.renderings for word in rendering.kinds)

    def _features(
        self, place: int, each: float, total: float, qualifier: float
    ) -> dict[str, float]:
        target = self.known[place]
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
            "sound": float(
                not self._sounding.isdisjoint(target.sounds or map(_sound, target.keys))
            ),
            "words": float(min(len(self._form.words), _MOST_WORDS)),
            "meaning": self._meaning[place],
            **{lang: float(lang == self._form.lang) for lang in ("hi", "ro", "tr", "vi")},
        }


def _letters(
    questions: Sequence[tuple[Sequence[Rendering], Sequence[Target]]],
    spellings: Mapping[str, Spelling],
) -> list[list[tuple[float, float, float]]]:
    """Return what it costs to spell names as known ones, by question and known entity.

    A question is the ways to compare a name, and known entities. An answer is the least cost a
    letter, the cost of the whole, and the qualifiers that differ.
    """
    pairs = _Pairs()
    asked = []
    for ours, known in questions:
        theirs = [rendering for target in known for rendering in of_keys(target.keys)]
        names = [rendering.letters for rendering in theirs]
        spans = [
            pairs.add(spelling_of(lang, spellings), [one.letters for one in some], names)
            for lang, some in groupby(ours, key=lambda rendering: rendering.lang)
        ]
        asked.append((ours, known, theirs, spans))
    costs, lengths = pairs.costs(), pairs.lengths()
    found = []
    for ours, known, theirs, spans in asked:
        shape = (len(ours), len(theirs))
        total = np.concatenate([costs[:0], *(costs[span] for span in spans)]).reshape(shape)
        length = np.concatenate([lengths[:0], *(lengths[span] for span in spans)]).reshape(shape)
        found.append(_cheapest(ours, known, theirs, total, total / length))
    return found


def _cheapest(
    ours: Sequence[Rendering],
    known: Sequence[Target],
    theirs: Sequence[Rendering],
    total: npt.NDArray[np.float32],
    each: npt.NDArray[np.float64],
) -> list[tuple[float, float, float]]:
    """Return the best of the costs, in all and a letter, of ``ours`` as each known entity's."""
    rank, qualifiers = each, np.zeros(each.shape)
    kinds = list(dict.fromkeys(rendering.kinds for rendering in chain(ours, theirs)))
    if len(kinds) > 1:
        differing = [[one ^ other for other in kinds] for one in kinds]
        at = np.ix_(*([kinds.index(one.kinds) for one in some] for some in (ours, theirs)))
        qualifiers = np.array([[len(generic.qualifiers(d)) for d in row] for row in differing])[at]
        different = np.array([[float(bool(d)) for d in row] for row in differing])[at]
        rank = each + _QUALIFIER * qualifiers + _KIND * different
    found = []
    ends = accumulate((len(of_keys(target.keys)) for target in known), initial=0)
    for first, last in pairwise(ends):
        if first == last or not ours:
            found.append((_DEAREST, _DEAREST_TOTAL, 0.0))
            continue
        row, column = divmod(int(rank[:, first:last].argmin()), last - first)
        best = row, first + column
        different_qualifiers = float(min(qualifiers[best], 2))
        found.append((min(float(each[best]), _DEAREST), float(total[best]), different_qualifiers))
    return found


class _Pairs:
    """Pairs of a language's letters and English ones, of which costs are wanted."""

    def __init__(self) -> None:
        self._of: dict[int, _PairsOf] = {}
        self._lengths: list[npt.NDArray[np.int64]] = []
        self._count = 0

    def add(self, spelling: Spelling, written: Sequence[str], names: Sequence[str]) -> slice:
        """Take the pairs of each of ``written`` with all of ``names``; return their places."""
        of = self._of.setdefault(id(spelling), _PairsOf(spelling))
        span = slice(self._count, self._count + len(written) * len(names))
        self._count = span.stop
        rows = [of.written.setdefault(letters, len(of.written)) for letters in written]
        columns = [of.names.setdefault(name, len(of.names)) for name in names]
        shape = (len(rows), len(columns))
        of.rows.append(np.repeat(np.array(rows, np.intp), len(columns)))
        of.columns.append(np.broadcast_to(np.array(columns, np.intp), shape).reshape(-1))
        of.places.append(np.arange(span.start, span.stop))
        lengths = [*map(len, written)], [*map(len, names)]
        self._lengths.append(np.maximum.outer(*lengths).astype(np.int64).reshape(-1))
        return span

    def costs(self) -> npt.NDArray[np.float32]:
        """Return the costs of all pairs, in the order in which they came."""
        costs = np.zeros(self._count, np.float32)
        for of in self._of.values():
            rows, columns = np.concatenate(of.rows), np.concatenate(of.columns)
            found = of.spelling.costs_of([*of.written], [*of.names], rows, columns)
            costs[np.concatenate(of.places)] = found
        return costs

    def lengths(self) -> npt.NDArray[np.int64]:
        """Return the letters of the longer one of each pair."""
        return np.concatenate([np.zeros(0, np.int64), *self._lengths])


@dataclass(slots=True)
class _PairsOf:
    """The pairs of one language: different texts with their numbers, and pairs of numbers."""

    spelling: Spelling
    written: dict[str, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    rows: list[Places] = field(default_factory=list)
    columns: list[Places] = field(default_factory=list)
    places: list[Places] = field(default_factory=list)


_NO_WORDS: Final = dict.fromkeys(_OF_WORDS, 0.0)


def _by_words(
    questions: Sequence[tuple[Form, Sequence[Target]]],
    weigh: Weigh,
    meanings: Mapping[str, Meanings],
    spellings: Mapping[str, Spelling],
) -> list[list[dict[str, float]]]:
    """Return how well the words of names and of the best of each target's names pair.

    By question and known entity.
    """
    words = [_words(form) for form, _ in questions]
    others = [
        list(dict.fromkeys(chain(*(chain(*_words_of_keys(target.keys)) for target in known))))
        for _, known in questions
    ]
    alike = _like_words(questions, words, others, meanings, spellings)
    found = [[_NO_WORDS for _ in known] for _, known in questions]
    targets = [
        (number, place, target)
        for number, (_, known) in enumerate(questions)
        if words[number]
        for place, target in enumerate(known)
    ]
    names = _Names(
        [_words_of_keys(target.keys) for _, _, target in targets],
        [number for number, _, _ in targets],
        [target.label != "PER" for _, _, target in targets],
    )
    if names.words:
        paired = _paired(names, words, others, alike, weigh)
        for owner, features in zip(*_best_of_targets(names, paired), strict=True):
            number, place, _ = targets[owner]
            found[number][place] = dict(zip(_OF_WORDS, features, strict=True))
    return found


@lru_cache(maxsize=_TARGETS_CACHED)
def _words_of_keys(keys: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(key.split()) for key in keys)


class _Names:
    """All names of some known entities in a row, as columns.

    ``words`` are a name's words, ``owner`` is the place of its entity among them, ``question`` that
    of the question to which the entity belongs, and ``by_meaning`` is 1 where it is compared by
    meaning, else 0.
    """

    def __init__(
        self,
        names: Sequence[tuple[tuple[str, ...], ...]],
        questions: Sequence[int],
        by_meaning: Sequence[bool],
    ) -> None:
        """Take each entity's ``names``, question, and whether it is compared by meaning."""
        counts = [*map(len, names)]
        self.words = [*chain(*names)]
        self.owner = np.repeat(np.arange(len(names)), counts)
        self.question = np.repeat(np.array(questions, np.intp), counts)
        self.by_meaning = np.repeat(np.array(by_meaning, np.intp), counts)


def _paired(
    names: _Names,
    words: Sequence[Sequence[tuple[str, str]]],
    others: Sequence[Sequence[str]],
    alike: Sequence[npt.NDArray[np.float64]],
    weigh: Weigh,
) -> npt.NDArray[np.float64]:
    """Return how well the words of each name pair with its question's ``words``, as _OF_WORDS.

    ``alike`` says how alike words are, see :func:`_like_words`. All questions go through together,
    with words that are like none and tell nothing where one has fewer than another.
    """
    starts = [*accumulate(map(len, others), initial=0)]
    padding, most_words = starts[-1], max(map(len, words))
    like = np.zeros((2, most_words, padding + 1))
    lengths = np.zeros((len(words), most_words))
    for number, (ours, own) in enumerate(zip(words, alike, strict=True)):
        like[:, : len(ours), starts[number] : starts[number + 1]] = own
        lengths[number, : len(ours)] = [len(letters) for _, letters in ours]
    columns = [
        {word: column for column, word in enumerate(some, start)}
        for some, start in zip(others, starts, strict=False)
    ]
    counts, questions = np.array([*map(len, names.words)]), names.question
    places = np.full((len(counts), counts.max()), padding)
    is_word = np.arange(counts.max()) < counts[:, None]
    places[is_word] = [
        column_of[word]
        for column_of, some in zip(
            map(columns.__getitem__, questions.tolist()), names.words, strict=True
        )
        for word in some
    ]
    tells = np.array([*weigh([*chain(*others)]), 0.0])[places]
    rows = np.arange(most_words)[:, None]
    pairs = like[names.by_meaning[:, None, None], rows, places[:, None]]
    best, most = pairs.max(axis=2), pairs.max(axis=1)
    length = lengths[questions]
    covered = _added((length * best).T) / _added(length.T)
    total = _added(tells.T)
    covers = _added((tells * most).T) / np.where(total, total, 1.0)
    n_words = np.array([*map(len, words)])[questions]
    last = best[np.arange(len(counts)), n_words - 1]
    our_least = np.where(np.arange(most_words) < n_words[:, None], best, 1.0).min(axis=1)
    their_least = np.where(is_word, most, 1.0).min(axis=1)
    return np.stack([covered, covers, best[:, 0], last, our_least, their_least], axis=1)


def _best_of_targets(
    names: _Names, paired: npt.NDArray[np.float64]
) -> tuple[list[int], list[list[float]]]:
    """Return the entities that have names, by place, and how well the best name of each pairs.

    The first of equally good ones.
    """
    rank, owner = _added(paired.T[:_RANKED_BY]), names.owner
    begins = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
    counts = np.diff(np.append(begins, len(owner)))
    is_best = np.flatnonzero(rank == np.repeat(np.maximum.reduceat(rank, begins), counts))
    of = owner[is_best]
    first = is_best[np.append(True, of[1:] != of[:-1])]
    return owner[first].tolist(), paired[first].tolist()


def _like_words(
    questions: Sequence[tuple[Form, Sequence[Target]]],
    words: Sequence[Sequence[tuple[str, str]]],
    others: Sequence[Sequence[str]],
    meanings: Mapping[str, Meanings],
    spellings: Mapping[str, Spelling],
) -> list[npt.NDArray[np.float64]]:
    """Return how alike words are, 0 to 1: by spelling, and by spelling or meaning.

    By question, [which of these, word of ``words``, word of ``others``].
    """
    pairs = _Pairs()
    spans = [
        pairs.add(spelling_of(form.lang, spellings), [letters for _, letters in ours], theirs)
        for (form, _), ours, theirs in zip(questions, words, others, strict=True)
    ]
    likeness = _likeness(pairs.costs() / pairs.lengths())
    alike = []
    for (form, _), ours, theirs, span in zip(questions, words, others, spans, strict=True):
        own = likeness[span].reshape(len(ours), len(theirs))
        like = np.stack([own, own])
        for i, meant in enumerate(meaning.of_words([w for w, _ in ours], form.lang, meanings)):
            if meant:
                strengths = meaning.strengths(meant, theirs)
                np.maximum(like[1, i], strengths, out=like[1, i])
        alike.append(like)
    return alike


def _added(parts: Iterable[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """Return the sum of ``parts``, added one by one: the order decides the last bit."""
    return reduce(np.add, parts)


def _words(form: Form) -> list[tuple[str, str]]:
    """Return the words of the likeliest reading, some in English already, with their letters."""
    language = languages.get(form.lang)
    words = dict.fromkeys(language.translated(form.name).split())
    return [(word, letters) for word in words if (letters := language.letters(word))]


def _likeness(each: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return how alike words are whose spelling costs so much a letter, 0 to 1."""
    return np.exp(np.minimum((_FREE - each) / _HALVED, 0.0))
