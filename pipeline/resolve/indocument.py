"""Which mentions of one document name the same thing, before anything is looked up for good.

Four rules, in this order: the same comparison key; the same full name spelled otherwise; an acronym
and its long form (Schwartz & Hearst 2003, and by adjacency alone across languages); a part of a
full name and the full name.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from rapidfuzz import fuzz, process

from pipeline.resolve.forms import Form, looks_like_acronym
from pipeline.resolve.generic import is_generic
from pipeline.resolve.methods import ACRONYM, SURNAME
from pipeline.resolve.similarity import align, word_similarity
from pipeline.scripts import DEVANAGARI

SAME_NAME: Final = 0.9
"""Least similarity of every word at which two spellings in one document are one name."""

_SHORTLIST: Final = 60.0
"""Rough likeness in percent below which two keys are not compared word by word."""

_OPENS: Final = re.compile(r"[^\W\d]{0,4}[\"”’»]?\s?[(\[]\s?[\"“„«]?")
_IN_BRACKETS: Final = re.compile(r"[^\s()\[\],;:]{2,12}")


@dataclass(frozen=True, slots=True)
class Named:
    """A clean mention: its place, the recogniser's label and its form.

    ``titled`` is its form with the ruler's title that stands before it. Not ``in_body`` are names
    in credits and related posts, which say nothing of what the text is about.
    """

    start: int
    end: int
    label: str
    form: Form
    titled: Form | None = None
    in_body: bool = True


@dataclass(slots=True)
class Cluster:
    """Mentions of one document that name the same thing.

    ``members`` are positions in the document's list of mentions, ascending. ``joined`` says of the
    members that did not come by their own spelling how they came: ``surname`` or ``acronym``.
    """

    members: list[int]
    joined: dict[int, str] = field(default_factory=dict)

    def votes(self, mentions: Sequence[Named]) -> Counter[str]:
        """Return how often the recogniser gave each label to a member."""
        return Counter(mentions[i].label for i in self.members)


Lookup = Callable[[Form], frozenset[int]]
"""The known entities that bear exactly this name."""


Parted = Callable[[Form, Form], bool]
"""Says whether people gave two names that are spelled alike to two entities."""


def cluster(
    mentions: Sequence[Named], text: str, known: Lookup, parted: Parted = lambda one, other: False
) -> list[Cluster]:
    """Return the document's clusters, by first member; each mention is in exactly one.

    ``mentions`` are sorted by start. ``known`` and ``parted`` only ever forbid a union: what the
    knowledge base or people hold to be two things is not made one.
    """
    document = _Document(mentions, text, known, parted)
    document.join_same_keys()
    document.join_respelled()
    document.join_acronyms()
    document.join_parts()
    return document.clusters()


class _Document:
    """The union-find over the mentions of one document."""

    def __init__(self, mentions: Sequence[Named], text: str, known: Lookup, parted: Parted) -> None:
        self.mentions = mentions
        self.text = text
        self.known = known
        self.parted = parted
        self.parent = list(range(len(mentions)))
        self.joined: dict[int, str] = {}

    def root(self, i: int) -> int:
        while self.parent[i] != i:
            self.parent[i] = self.parent[self.parent[i]]
            i = self.parent[i]
        return i

    def union(self, i: int, j: int) -> None:
        a, b = sorted((self.root(i), self.root(j)))
        self.parent[b] = a

    def groups(self) -> dict[int, list[int]]:
        """Return the members by root, both ascending."""
        members: dict[int, list[int]] = defaultdict(list)
        for i in range(len(self.mentions)):
            members[self.root(i)].append(i)
        return members

    def clusters(self) -> list[Cluster]:
        return [
            Cluster(members, {i: self.joined[i] for i in members if i in self.joined})
            for members in self.groups().values()
        ]

    # The same key.

    def join_same_keys(self) -> None:
        """Join equal keys: of readings within a language, of respellings too across languages."""
        parts = {
            word
            for mention in self.mentions
            if mention.label == "PER" and len(mention.form.words) > 1
            for word in mention.form.words
        }

        def place(mention: Named, key: str) -> tuple[str, bool]:
            # Washington the city and George Washington's surname stay apart.
            return key, key in parts and mention.label == "PER"

        first: dict[tuple[str, bool], int] = {}
        for i, mention in enumerate(self.mentions):
            if mention.form.key:
                self.union(first.setdefault(place(mention, mention.form.key), i), i)
        for i, mention in enumerate(self.mentions):
            for key in mention.form.keys[1:]:
                other = first.get(place(mention, key.text))
                if other is None or self.parted(self.mentions[other].form, mention.form):
                    continue
                same_language = self.mentions[other].form.lang == mention.form.lang
                if not same_language or key.text in mention.form.read:
                    self.union(other, i)

    # The same full name, respelled.

    def join_respelled(self) -> None:
        """Join names of several words whose words are all alike: व्लादिमीर पुतिन, Vladimir Putin."""
        full = [m[0] for m in self.groups().values() if len(self.mentions[m[0]].form.words) > 1]
        if len(full) < 2:
            return
        keys = [self.mentions[i].form.key for i in full]
        rough = process.cdist(
            keys, keys, scorer=fuzz.ratio, score_cutoff=_SHORTLIST, dtype=np.uint8
        )
        for a, b in np.argwhere(np.triu(rough, 1)).tolist():
            if self._respelled(full[a], full[b]):
                self.union(full[a], full[b])

    def _respelled(self, i: int, j: int) -> bool:
        ours, theirs = self.mentions[i], self.mentions[j]
        words, others = ours.form.words, theirs.form.words
        if len(words) != len(others) or (ours.label == "PER") != (theirs.label == "PER"):
            return False
        pairs = align(list(words), list(others))
        if len(pairs) < len(words) or min(s for _, _, s in pairs) < SAME_NAME:
            return False
        return not self._known_apart(i, j) and not self.parted(ours.form, theirs.form)

    def _known_apart(self, i: int, j: int) -> bool:
        ours, theirs = self.known(self.mentions[i].form), self.known(self.mentions[j].form)
        return bool(ours and theirs and not ours & theirs)

    # Acronyms.

    def join_acronyms(self) -> None:
        """Join ``long form (ACR)`` and ``ACR (long form)``, then acronyms that are initials."""
        at_start = {mention.start: i for i, mention in enumerate(self.mentions)}
        for i, mention in enumerate(self.mentions):
            opening = _OPENS.match(self.text, mention.end)
            if opening is None:
                continue
            j = at_start.get(opening.end())
            if j is not None:
                self._join_bracketed(i, j)
            else:
                self._join_unmarked(i, opening.end())
        self._join_initials()

    def _join_bracketed(self, outside: int, inside: int) -> None:
        for long, short in ((outside, inside), (inside, outside)):
            if self._abbreviates(self.mentions[short], self.mentions[long], bracketed=True):
                self._join_acronym(long, short)
                return

    def _join_unmarked(self, long: int, at: int) -> None:
        """Join later mentions of an acronym that the recogniser left out where it was explained."""
        found = _IN_BRACKETS.match(self.text, at)
        if found is None or self.text[found.end() : found.end() + 1] not in {")", "]", ","}:
            return
        for short, mention in enumerate(self.mentions):
            if mention.form.surface == found[0] and self._abbreviates(
                mention, self.mentions[long], bracketed=True
            ):
                self._join_acronym(long, short)
                return

    def _abbreviates(self, short: Named, long: Named, *, bracketed: bool) -> bool:
        words = len(long.form.words)
        if words < 2 or "PER" in (short.label, long.label) or len(short.form.words) != 1:
            return False
        shaped = looks_like_acronym(short.form.surface)
        if shaped and letters_match(short.form.key, long.form.key):
            return True
        if not bracketed or long.label != "ORG" or short.label != "ORG":
            return False
        # A translated acronym shares no letters with its long form; a word in Devanagari, which
        # has no capitals, may be one too.
        return shaped or (short.form.script == DEVANAGARI and words > 2)

    def _join_acronym(self, long: int, short: int) -> None:
        if self.root(long) == self.root(short) or self._known_apart(long, short):
            return
        root = self.root(short)
        for i in self.groups()[root]:
            self.joined[i] = ACRONYM
        self.union(long, short)

    def _join_initials(self) -> None:
        long_forms: dict[str, set[int]] = defaultdict(set)
        for i, mention in enumerate(self.mentions):
            if mention.label != "PER" and len(mention.form.words) > 1:
                for initials in initials_of(mention.form.surface):
                    long_forms[initials].add(self.root(i))
        for i, mention in enumerate(self.mentions):
            if mention.label == "PER" or not looks_like_acronym(mention.form.surface):
                continue
            letters = "".join(c for c in mention.form.name if c.isalpha()).upper()
            found = long_forms.get(letters, set())
            if len(found) == 1:
                self._join_acronym(next(iter(found)), i)

    # Parts of full names.

    def join_parts(self) -> None:
        """Join a surname to the person's full name, and a shortened name to the one it shortens."""
        groups = self.groups()
        full = [i for i, m in enumerate(self.mentions) if len(m.form.words) > 1]
        wholes = {
            part: whole
            for root, members in groups.items()
            for part, whole in self._assign_parts(members, self._wholes(root, members, full))
        }
        self.parent = list(range(len(self.mentions)))
        for members in groups.values():
            alone = [i for i in members if i not in wholes]
            for i in alone:
                self.union(alone[0], i)
        for part, whole in wholes.items():
            self.joined.setdefault(part, SURNAME)
            self.union(whole, part)

    def _assign_parts(self, members: list[int], wholes: list[int]) -> Iterable[tuple[int, int]]:
        """Yield each member with the full name it belongs to; members without one are left out."""
        if len({self.root(i) for i in wholes}) == 1:
            for i in members:
                yield i, wholes[0]
            return
        for i in members:  # two bear the name: the one last said in full is meant
            before = [j for j in wholes if self.mentions[j].start < self.mentions[i].start]
            if before:
                yield i, before[-1]

    def _wholes(self, root: int, members: list[int], full: list[int]) -> list[int]:
        """Return the mentions whose names hold the group's name as a part, of the best kind."""
        part = self.mentions[max(members, key=lambda i: len(self.mentions[i].form.words))]
        if part.label != "PER" and is_generic(part.form.key):
            return []  # the parliament need not be the European Parliament
        votes = Counter(self.mentions[i].label for i in members)
        person = votes["PER"] * 2 >= len(members)
        ranked: dict[int, list[int]] = defaultdict(list)
        for i in full:
            whole = self.mentions[i]
            if self.root(i) == root or len(whole.form.words) <= len(part.form.words):
                continue
            rank = part_rank(part.form, whole.form)
            if rank is None:
                continue
            if whole.label == "PER":
                if not person and self.known(part.form):
                    continue
            elif person or rank == 1 or self.known(part.form):
                continue
            ranked[rank].append(i)
        return ranked[min(ranked)] if ranked else []


def part_rank(part: Form, whole: Form) -> int | None:
    """Say how ``part`` is contained in the longer name ``whole``; None when it is not.

    0: as its end (surnames; the given name in Vietnamese), 1: from within, 2: as its beginning.
    Words of one language have to be equal, of two languages alike; an initial stands for its word.
    """
    exact = part.lang == whole.lang
    words, others = part.words, whole.words
    if exact and words and len(words[-1]) > 1 and words[-1] not in others:
        return None  # as it mostly is
    matched = []
    position = 0
    for word in words:
        while position < len(others) and not _same_word(word, others[position], exact=exact):
            position += 1
        if position == len(others):
            return None
        matched.append(position)
        position += 1
    if all(len(word) == 1 for word in words):
        return None
    if matched[-1] == len(others) - 1:
        return 0
    return 2 if matched[0] == 0 else 1


def _same_word(word: str, other: str, *, exact: bool) -> bool:
    if word == other or (len(word) == 1 and other.startswith(word)):
        return True
    return not exact and len(word) > 2 and word_similarity(word, other) >= SAME_NAME


def letters_match(short: str, long: str) -> bool:
    """Say whether the letters of ``short`` occur in order in ``long``, the first at a word's start.

    Both are comparison keys. The test of Schwartz & Hearst (2003), read from the right; every
    letter of the short form but the first may stand anywhere in a word.
    """
    letters = [c for c in short if c.isalnum()]
    at = len(long)
    for k in range(len(letters) - 1, -1, -1):
        at -= 1
        while at >= 0 and (long[at] != letters[k] or (k == 0 and long[at - 1 : at].strip())):
            at -= 1
        if at < 0:
            return False
    return bool(letters)


def initials_of(name: str) -> frozenset[str]:
    """Return the initials of all words of ``name``, and of its capitalised words, in capitals."""
    words = re.findall(r"[^\W\d_]+", name)
    every = "".join(w[0] for w in words).upper()
    capitalised = "".join(w[0] for w in words if w[0].isupper())
    return frozenset(i for i in (every, capitalised) if len(i) > 1)
