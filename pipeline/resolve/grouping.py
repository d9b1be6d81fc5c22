"""Which unknown names of different documents name the same thing.

Precision first: names of several words join when a comparison key is the same or every word is
alike; a single word only when its likeliest key and its label are the same. Names in two scripts
may differ more, since somebody wrote one of them as it sounds, but then the likest pair goes first
and takes no unlike name of its script in. Last, a person's name joins the one that has a word more,
where only one has. The result depends on what is joined, not on its order.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product, starmap
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from pipeline.resolve import generic
from pipeline.resolve.similarity import NUMBERS, align, skeleton, sounds, word_similarity
from pipeline.scripts import LATIN, script_of

ALIKE: Final = 0.92
"""Least similarity of every word at which names of two documents are one name respelled."""

ALIKE_ACROSS_SCRIPTS: Final = 0.6
MEAN_ACROSS_SCRIPTS: Final = 0.75
"""The same of names in two scripts, and their least mean (``benchmarks/unknown_names.py``)."""

ALIKE_RESPELLED: Final = 0.8
MEAN_RESPELLED: Final = 0.9
"""The same of names in one script of which a language that respells has written one."""

_RESPELLING: Final = frozenset({"ro", "tr"})
"""Languages that write foreign names in Latin letters as they sound: Aleksandr Șohin."""

ALIKE_NUMBERED: Final = 0.87
"""The same of a ruler's one name beside his number: Mswati III, मस्वाती तृतीय; not Carol, कार्ल."""

VARIANT: Final = 0.8
"""The same of two names in one script that are both much like a name in another."""

_CACHED: Final = 16_384
_SILENT_W: Final = re.compile(r"(?<=[aeiou])w(?=[^aeiouyw\s])")
_LEAST_TO_SHORTEN: Final = 3
_SHORTENED: Final = "~"
_CONSONANTS: Final = 3
"""How many of a word count towards its block."""

_FEW: Final = 100
"""Pairs of names that are compared without a look at their words first."""

_AT_ONCE: Final = 1_000_000
"""Pairs of names whose words are looked at together: a byte or two each."""

_ROUGHLY: Final = 0.49
"""Less than the plain likeness of sounds below which two words are unlike whatever they cost."""

_ROUNDING: Final = 1e-6


def writing(name: str, lang: str) -> str:
    """Return how ``name`` is written in ``lang``: its script (ISO 15924).

    With the language behind it where that spells foreign names as they sound, in the same letters
    as others: ``Latn-tr``.
    """
    script = script_of(name)
    return f"{script}-{lang}" if script == LATIN and lang in _RESPELLING else script


@dataclass(frozen=True, slots=True, order=True)
class Signature:
    """What an unknown name looks like across documents.

    Its label, its keys, the likeliest first, and how it is written (:func:`writing`).
    """

    label: str
    keys: tuple[str, ...]
    script: str = LATIN

    @property
    def join_keys(self) -> tuple[str, ...]:
        """The keys that join it to others: all of several words, or the likeliest of one."""
        long = tuple(key for key in self.keys if _is_long(key))
        return long if long and long[0] == self.keys[0] else self.keys[:1]

    @property
    def shorter(self) -> frozenset[str]:
        """The likeliest key of a person without one of its three words or more."""
        words = self.keys[0].split()
        if self.label != "PER" or "@" in self.keys[0] or len(words) < _LEAST_TO_SHORTEN:
            return frozenset()
        return frozenset(
            " ".join(words[:i] + words[i + 1 :])
            for i, word in enumerate(words)
            if word not in generic.generations()
        )

    @property
    def registered_keys(self) -> frozenset[str]:
        """The keys under which the registry finds the name: ``join_keys``, shorter ones marked."""
        return frozenset((*self.join_keys, *map(shortened, self.shorter)))


def _is_long(key: str) -> bool:
    """Say whether a name has several words: one word is like another only when it is the same."""
    return " " in key.partition("@")[0]


KINSHIPS: Final = {
    "same": "the comparison key is the same",
    "alike": "every word is spelled alike",
    "sound": "it sounds alike in another script, or a language that respells names",
    "word more": "it is the same but for a word that one of the two leaves out",
}
"""Why two unknown names are one, and what that means, the strongest reason first."""


def kinship(one: Signature, other: Signature) -> str | None:
    """Return the strongest of :data:`KINSHIPS` between two names; None where there is none."""
    ours, theirs = one.join_keys, other.join_keys
    if set(ours) & set(theirs):
        return "same"
    if any(starmap(alike, product(ours, theirs))):
        return "alike"
    scripts = (one.script, other.script)
    if any(likeness_across(a, b, *scripts) for a, b in product(ours, theirs)):
        return "sound"
    if one.keys[0] in other.shorter or other.keys[0] in one.shorter:
        return "word more"
    return None


def shortened(key: str) -> str:
    """Return ``key`` as the registry has it for names that have a word more."""
    return f"{_SHORTENED}{key}"


def may_join(key: str, label: str, other_label: str) -> bool:
    """Say whether two names that share ``key`` may be one: a person is never a place or a body.

    Places and bodies are often taken for each other, but one word is too little to overlook it.
    """
    if label == other_label:
        return True
    return "PER" not in (label, other_label) and " " in key.partition("@")[0]


def alike(a: str, b: str) -> bool:
    """Say whether two keys of several words are one name, word for word, in any order.

    What stands behind ``@`` has to be the same.
    """
    words, others = _words_of_both(a, b)
    pairs = align(words, others)
    return len(words) > 1 and len(pairs) == len(words) and min(s for _, _, s in pairs) >= ALIKE


def likeness_across(a: str, b: str, one: str, other: str) -> float:
    """Return how alike two keys of names in two writings are; 0.0 where they are two names.

    ``one`` and ``other`` are the writings. The mean of the words' similarities, word for word in
    their order, which a name keeps when it is written as it sounds. What stands behind ``@`` has to
    be the same, and so has a ruler's number, which is not counted.
    """
    if one == other:
        return 0.0
    words, others = _words_of_both(a, b)
    pairs = list(zip(words, others, strict=True))
    if len(pairs) < 2:
        return 0.0
    numbers = {(x, y) for x, y in pairs[1:] if x == y and x in NUMBERS}
    similarities = [_sounds_like(*pair) for pair in pairs if pair not in numbers]
    same_script = one[: len(LATIN)] == other[: len(LATIN)]
    least = ALIKE_RESPELLED if same_script else ALIKE_ACROSS_SCRIPTS
    if len(similarities) < 2:
        least = ALIKE_NUMBERED
    if not similarities or min(similarities) < least:
        return 0.0
    mean = sum(similarities) / len(similarities)
    return mean if mean >= (MEAN_RESPELLED if same_script else MEAN_ACROSS_SCRIPTS) else 0.0


def _sounds_like(word: str, other: str) -> float:
    """Return how alike two words are, whether a final e is spoken or not: Joe is written जो."""
    spoken = (word, word.removesuffix("e")), (other, other.removesuffix("e"))
    return max(word_similarity(a, b) for a, b in product(*spoken) if a and b)


def _words_of_both(a: str, b: str) -> tuple[list[str], list[str]]:
    """Return the words of two keys; none where they cannot be one name word for word."""
    name, _, place = a.partition("@")
    other, _, other_place = b.partition("@")
    words, others = name.split(), other.split()
    return (words, others) if place == other_place and len(words) == len(others) else ([], [])


@lru_cache(maxsize=_CACHED)
def block(key: str) -> str:
    """Return what two keys must share to be compared: the first consonants of each word, by class.

    A w that closes a syllable is no consonant: Brown is written ब्राउन. A shortened key is in none.
    """
    if key.startswith(_SHORTENED):
        return ""
    spoken = _SILENT_W.sub("", key.partition("@")[0])
    return " ".join(sorted(word[:_CONSONANTS] for word in skeleton(spoken).split()))


def group(
    signatures: Iterable[Signature],
    exact: Mapping[Signature, str],
    registered: Mapping[str, Sequence[tuple[str, str]]],
    near: Mapping[str, Sequence[Bearer]],
) -> dict[Signature, tuple[frozenset[Signature], str | None]]:
    """Return for each signature the group it is in, and the registered entity the group is.

    ``exact`` maps a signature to the entity that it was given before, ``registered`` a key to the
    (entity id, label) that have it, ``near`` a block to those who bear a key in it. What was given
    before stays; then same keys go before alike ones, registered entities before others, then what
    sorts first, then names in two scripts, the likest first, and names with a word more come last.
    No group ever holds two registered entities, since ids are stable.
    """
    nodes = sorted(set(signatures))
    union = _Union()
    for node in nodes:
        union.names[_node(node)][node.script].add(node.keys[0])
    for bearer in {bearer for bearers in near.values() for bearer in bearers}:
        names = union.names[(bearer.entity_id,)]
        names[bearer.script].add(bearer.key)
        for script in bearer.scripts:
            names[script].update()  # known to have names there, if none that is near
    near_registered, near_others = [*_near_registered(nodes, near)], [*_near(nodes)]
    edges = (
        (((exact[node],), _node(node)) for node in nodes if node in exact),
        _same_registered_key(nodes, registered),
        _same_key(nodes),
        _alike_registered(near_registered),
        _alike(near_others),
    )
    for kind in edges:
        for a, b in sorted(set(kind)):
            union.join(a, b)
    across = {*_across_scripts_registered(near_registered), *_across_scripts(near_others)}
    for _, a, b in sorted(across, key=lambda edge: (-edge[0], edge[1:])):
        union.join_across_scripts(a, b)
    for a, b in sorted(_with_a_word_more(nodes, registered, union)):
        union.join(a, b)
    members: dict[_Node, list[Signature]] = defaultdict(list)
    for node in nodes:
        members[union.root(_node(node))].append(node)
    return {
        node: (frozenset(together), union.entity.get(root))
        for root, together in members.items()
        for node in together
    }


class Bearer(NamedTuple):
    """A registered entity with one of its keys, and the scripts its names are written in."""

    key: str
    entity_id: str
    label: str
    script: str
    scripts: frozenset[str]


_Node = tuple[str, ...]
"""A signature as (label, script, key, …), or a registered entity as (id,)."""

_Names = defaultdict[str, set[str]]
"""The likeliest keys of names, by script."""

_Edge = tuple[float, _Node, _Node]
"""Two nodes and how alike they are."""


class _Union:
    """A union-find in which a set holds one registered entity at most."""

    def __init__(self) -> None:
        self.parent: dict[_Node, _Node] = {}
        self.entity: dict[_Node, str] = {}
        self.names: dict[_Node, _Names] = defaultdict(lambda: defaultdict(set))

    def root(self, node: _Node) -> _Node:
        while (up := self.parent.get(node, node)) != node:
            self.parent[node] = self.parent.get(up, up)
            node = up
        if len(node) == 1:
            self.entity[node] = node[0]
        return node

    def join(self, a: _Node, b: _Node) -> None:
        first, second = sorted((self.root(a), self.root(b)))
        if first == second or (first in self.entity and second in self.entity):
            return
        if second in self.entity:
            first, second = second, first
        self.parent[second] = first
        for script, names in self.names.pop(second, {}).items():
            self.names[first][script] |= names

    def join_across_scripts(self, a: _Node, b: _Node) -> None:
        """Join two sets unless they have names in one script that are no variants of each other."""
        ours, theirs = self.names[self.root(a)], self.names[self.root(b)]
        if all(_variants(ours[script], theirs[script]) for script in ours.keys() & theirs.keys()):
            self.join(a, b)


def _variants(names: Iterable[str], others: Iterable[str]) -> bool:
    """Say whether any of the keys ``names`` is spelled much like any of ``others``."""
    return any(
        len(words) > 1 and min(map(word_similarity, words, those)) >= VARIANT
        for words, those in starmap(_words_of_both, product(names, others))
    )


def _node(signature: Signature) -> _Node:
    return (signature.label, signature.script, *signature.keys)


def _same_registered_key(
    nodes: list[Signature], registered: Mapping[str, Sequence[tuple[str, str]]]
) -> Iterator[tuple[_Node, _Node]]:
    for node in nodes:
        for key in node.join_keys:
            for entity_id, label in registered.get(key, ()):
                if may_join(key, node.label, label):
                    yield (entity_id,), _node(node)


def _same_key(nodes: list[Signature]) -> Iterator[tuple[_Node, _Node]]:
    holders: dict[str, list[Signature]] = defaultdict(list)
    for node in nodes:
        for key in node.join_keys:
            holders[key].append(node)
    for key, together in holders.items():
        for a in together:
            partner = next((b for b in together if b != a and may_join(key, a.label, b.label)), a)
            if partner != a:
                yield _node(a), _node(partner)


def _with_a_word_more(
    nodes: list[Signature], registered: Mapping[str, Sequence[tuple[str, str]]], union: _Union
) -> Iterator[tuple[_Node, _Node]]:
    """Yield the names that are one but for a word that one of them leaves out.

    Miguel Díaz-Canel and Miguel Díaz-Canel Bermúdez. Nothing is yielded where more than one set of
    ``union`` has the longer name, or the shorter one: Amir Khan, Amir Khan Muttaqi and Amir Khan
    Sabri.
    """
    short: dict[str, set[_Node]] = defaultdict(set)
    long: dict[str, set[_Node]] = defaultdict(set)
    for node in nodes:
        if node.label == "PER":
            short[node.keys[0]].add(_node(node))
        for key in node.shorter:
            long[key].add(_node(node))
    for key in short.keys() | long.keys():
        short[key] |= {(i,) for i, label in registered.get(key, ()) if label == "PER"}
        long[key] |= {(i,) for i, label in registered.get(shortened(key), ()) if label == "PER"}
    for key, names in long.items():
        longer = {union.root(node) for node in names}
        shorter = {union.root(node) for node in short[key]} - longer
        if len(longer) == len(shorter) == 1:
            yield longer.pop(), shorter.pop()


class _Written(NamedTuple):
    """A key of a name and how the name is written (:func:`writing`)."""

    key: str
    writing: str


_NearRegistered = tuple[Signature, str, Bearer]
_NearOther = tuple[Signature, str, Signature, str]
"""Two names and the keys by which they may be one."""


def _near_registered(
    nodes: list[Signature], near: Mapping[str, Sequence[Bearer]]
) -> Iterator[_NearRegistered]:
    for name, members in _by_block(nodes).items():
        if not (bearers := near.get(name)):
            continue
        ours = [_Written(key, node.script) for key, node in members]
        theirs = [_Written(bearer.key, bearer.script) for bearer in bearers]
        for i, j in _may_be_one(ours, theirs):
            (key, node), bearer = members[i], bearers[j]
            if may_join(key, node.label, bearer.label):
                yield node, key, bearer


def _near(nodes: list[Signature]) -> Iterator[_NearOther]:
    for members in _by_block(nodes).values():
        written = [_Written(key, node.script) for key, node in members]
        for i, j in _may_be_one(written, written):
            (key, node), (other_key, other) = members[i], members[j]
            if i < j and other != node and may_join(key, node.label, other.label):
                yield node, key, other, other_key


def _by_block(nodes: Iterable[Signature]) -> dict[str, list[tuple[str, Signature]]]:
    """Return the keys of names of several words, with the names, by block."""
    blocks: dict[str, list[tuple[str, Signature]]] = defaultdict(list)
    for node in nodes:
        for key in node.join_keys if _is_long(node.join_keys[0]) else ():
            blocks[block(key)].append((key, node))
    return blocks


def _may_be_one(ours: Sequence[_Written], theirs: Sequence[_Written]) -> Iterator[tuple[int, int]]:
    """Yield the places of pairs, of which :func:`alike` or :func:`likeness_across` may take some.

    All that they take are among these, and few others: of the many names in a block most share one
    word and no more, which is seen without comparing name by name.
    """
    if len(ours) * len(theirs) <= _FEW:
        yield from product(range(len(ours)), range(len(theirs)))
        return
    shapes: dict[tuple[str, int], tuple[list[int], list[int]]] = {}
    words: list[list[list[str]]] = [[], []]
    for side, names in enumerate((ours, theirs)):
        for number, written in enumerate(names):
            name, _, place = written.key.partition("@")
            words[side].append(name.split())
            shape = (place, len(words[side][-1]))
            shapes.setdefault(shape, ([], []))[side].append(number)
    for here, there in shapes.values():
        if here and there:
            pairs = _like_word_for_word(
                [words[0][i] for i in here],
                [words[1][j] for j in there],
                np.array([ours[i].writing for i in here]),
                np.array([theirs[j].writing for j in there]),
            )
            for i, j in pairs:
                yield here[i], there[j]


def _like_word_for_word(
    ours: Sequence[Sequence[str]],
    theirs: Sequence[Sequence[str]],
    writings: npt.NDArray[np.str_],
    other_writings: npt.NDArray[np.str_],
) -> Iterator[tuple[int, int]]:
    """Yield the places of names whose words may be alike; all are of as many words.

    In any order by spelling, or in their order by sound where the writings differ.
    """
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys(_chained(ours, theirs)))}
    bare = [vocabulary.setdefault(w.removesuffix("e") or w, len(vocabulary)) for w in [*vocabulary]]
    like = _likeness([*vocabulary])
    named = len(bare)
    sounding = like[:named, :named].copy()
    for rows, columns in ((bare, range(named)), (range(named), bare), (bare, bare)):
        np.maximum(sounding, like[np.ix_(rows, columns)], out=sounding)
    spelled_alike = like[:named, :named] >= ALIKE - _ROUNDING
    sounds_alike = sounding >= ALIKE_ACROSS_SCRIPTS - _ROUNDING
    here, there = (
        np.array([[vocabulary[w] for w in ws] for ws in side]) for side in (ours, theirs)
    )
    step = max(1, _AT_ONCE // len(there))
    for first in range(0, len(here), step):
        some = here[first : first + step]
        found = writings[first : first + step, None] != other_writings
        spelled = np.ones_like(found)
        for place, column in enumerate(some.T):
            found &= sounds_alike[column][:, there[:, place]]
            spelled &= np.logical_or.reduce([spelled_alike[column][:, other] for other in there.T])
        for i, j in np.argwhere(found | spelled).tolist():
            yield first + i, j


def _chained(*sides: Sequence[Sequence[str]]) -> Iterator[str]:
    return (word for side in sides for words in side for word in words)


def _likeness(words: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return :func:`word_similarity` of all pairs of ``words``, but for rounding."""
    sounding = [*map(sounds, words)]
    rough = process.cdist(
        sounding, sounding, scorer=Levenshtein.normalized_similarity, score_cutoff=_ROUGHLY
    )
    like = np.zeros(rough.shape, np.float32)
    for i, j in np.argwhere(np.triu(rough)).tolist():
        like[i, j] = like[j, i] = word_similarity(words[i], words[j])
    return like


def _alike_registered(pairs: Iterable[_NearRegistered]) -> Iterator[tuple[_Node, _Node]]:
    for node, key, bearer in pairs:
        if alike(key, bearer.key):
            yield (bearer.entity_id,), _node(node)


def _alike(pairs: Iterable[_NearOther]) -> Iterator[tuple[_Node, _Node]]:
    for node, key, other, other_key in pairs:
        if alike(key, other_key):
            yield _node(node), _node(other)


def _across_scripts_registered(pairs: Iterable[_NearRegistered]) -> Iterator[_Edge]:
    for node, key, bearer in pairs:
        likeness = likeness_across(key, bearer.key, node.script, bearer.script)
        if likeness:
            yield likeness, (bearer.entity_id,), _node(node)


def _across_scripts(pairs: Iterable[_NearOther]) -> Iterator[_Edge]:
    for node, key, other, other_key in pairs:
        likeness = likeness_across(key, other_key, node.script, other.script)
        if likeness:
            first, second = sorted((_node(node), _node(other)))
            yield likeness, first, second
