"""The knowledge base as memory-mapped arrays: opened in an instant, shared by all workers.

An index is a folder: ``CURRENT`` names the subfolder in force, which holds strings and numbers as
:mod:`pipeline.knowledge.storage` writes them. Names are decoded only when asked for, and what one
look-up holds in memory does not grow with the index. :mod:`pipeline.knowledge.build` writes it.

Fold keys and words stand in the index by 64 bits of their hash: of a hundred million, one look-up
in 10^11 would take a strange name for one of them.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from pipeline.errors import UsageError
from pipeline.knowledge import grams
from pipeline.knowledge.entry import Alias, Entry
from pipeline.knowledge.files import source_hashes
from pipeline.knowledge.keys import package_hash
from pipeline.knowledge.storage import Texts, read_array
from pipeline.knowledge.text import (
    casefold,
    casefolded_in_place,
    casefolded_parts,
    number,
    numbers,
)
from pipeline.knowledge.vectors import DIMENSIONS, NameVectors, Vector, cosines
from pipeline.schemas import LANGUAGES, UNDETERMINED

FORMAT: Final = 7
"""Raised whenever the files of the index change their meaning."""

CURRENT: Final = "CURRENT"
META: Final = "meta.json"
ALIAS_LANGUAGES: Final = (*LANGUAGES, UNDETERMINED)
"""The languages of aliases, as they are numbered in the index."""

BEGINNING: Final = 8
"""Letters of a case-folded name by which long names are ruled out at a glance."""

MOST_NAMES: Final = 16
"""Names of an entry that others are compared with."""

ENTRY_COLUMNS: Final = ("key", "label", "name", "wikidata", "geonames", "iso_country")
"""What stands, with tabs between, in the text of an entry."""

_LEAST_POSTINGS: Final = 10_000
_POSTINGS_SHARE: Final = 0.01
"""How many postings a similarity look-up reads before it leaves common n-grams to the rescoring:
so many, or that share of the folds where it is more."""
_READ_FOR_NEAR: Final = 0.4
"""Share of these that is read where only near ones are asked for, which share the rarest."""
_RESCORED: Final = 3
"""How many candidates are rescored for each one asked for."""
_ROUNDING: Final = 1e-5
"""What a cosine in six digits may be larger by."""
_COSINES_AT_ONCE: Final = 1 << 22
_CACHED: Final = 16_384
_BEGINNINGS_REMEMBERED: Final = 65_536


class Hit(NamedTuple):
    """An alias that a lookup found.

    ``entry`` is the entry's number, ``key_rank`` the place of the key among the alias's own keys:
    0 for its plain fold, higher for a respelling.
    """

    entry: int
    alias_text: str
    alias_lang: str
    source: str
    key_rank: int


class Similar(NamedTuple):
    """An entry that a similarity lookup found, with its best key and the cosine, 0 to 1."""

    entry: int
    key: str
    similarity: float


class IndexMissingError(UsageError):
    """There is no index in the folder, or one of another format."""


def fingerprint(knowledge_dir: Path, model: NameVectors | None) -> str:
    """Return what an index of ``knowledge_dir`` depends on, as a SHA-256 in hex.

    The knowledge files, the format, the code that makes keys and priors, and the ``model`` that
    makes vectors.
    """
    state = {
        "format": FORMAT,
        "model": model.digest if model else None,
        "sources": source_hashes(knowledge_dir),
        "code": {name: package_hash(name) for name in ("pipeline.languages", "pipeline.knowledge")},
    }
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


class Index:
    """The compiled knowledge base. Entries and keys are numbered from 0; see :meth:`open`."""

    model: NameVectors | None = None
    """What turns further names into vectors like those of the index."""

    def __init__(self, folder: Path) -> None:
        """Map the files of ``folder``, one version of an index; callers use :meth:`open`."""
        self._folder = folder
        self._meta: dict[str, Any] = json.loads((folder / META).read_text(encoding="utf-8"))
        if self._meta["format"] != FORMAT:
            raise IndexMissingError(f"{folder} is an index of another format")
        self._entries = Texts(folder, "entries")
        self._names = Texts(folder, "names")
        self._sounds = Texts(folder, "sounds")
        self._alias_text = Texts(folder, "aliases")
        self._folds = Texts(folder, "folds")
        array = functools.partial(read_array, folder)
        self._prior = array("entry_prior")
        self._entry_aliases = array("entry_aliases")
        self._alias_entry = array("alias_entry")
        self._alias_lang = array("alias_lang")
        self._alias_source = array("alias_source")
        self._text_number = array("text_number")
        self._text_alias = array("text_alias")
        self._beginning_number = array("beginning_number")
        self._key_number = array("key_number")
        self._key_aliases = array("key_aliases")
        self._key_alias = array("key_alias")
        self._key_rank = array("key_rank")
        self._word_number = array("word_number")
        self._word_folds = array("word_folds")
        self._word_entries = array("word_entries")
        self._word_entry = array("word_entry")
        self._fold_key = array("fold_key")
        self._fold_norm = array("fold_norm")
        self._fold_grams = array("fold_grams")
        self._fold_gram = array("fold_gram")
        self._vector = array("vector").reshape(-1, DIMENSIONS)
        self._vector_length = array("vector_length")
        self._vector_alias = array("vector_alias")
        self._gram_weight = array("gram_weight")
        self._gram_folds = array("gram_folds")
        self._gram_fold = array("gram_fold")
        self._may_begin: dict[str, bool] = {}
        self.likest = functools.lru_cache(maxsize=_CACHED)(self._likest)

    @classmethod
    def open(cls, out_dir: Path) -> Index:
        """Open the index in ``out_dir``.

        Safe while another process builds a new version there. Raises :class:`IndexMissingError`
        when there is none.
        """
        for _ in range(3):
            try:
                version = (out_dir / CURRENT).read_text(encoding="utf-8").strip()
            except FileNotFoundError:
                break
            try:
                return cls(out_dir / version)
            except FileNotFoundError:
                continue  # a new version has replaced this one since CURRENT was read
        raise IndexMissingError(f"{out_dir} holds no index: run `exonym knowledge build`")

    @property
    def checksum(self) -> str:
        """SHA-256 in hex of all that went into the index: equal checksums mean equal answers."""
        return str(self._meta["checksum"])

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Number of rows by file, entries by label, aliases by language."""
        return cast(dict[str, dict[str, int]], self._meta["counts"])

    @property
    def size_bytes(self) -> int:
        """Bytes on disk."""
        return sum(file.stat().st_size for file in self._folder.iterdir())

    def stale(self, knowledge_dir: Path) -> bool:
        """Return whether the files of ``knowledge_dir`` or the code have changed since."""
        return self.checksum != fingerprint(knowledge_dir, NameVectors.beside(knowledge_dir))

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._prior)

    def entry(self, number: int) -> Entry:
        """Return the entry numbered ``number``. Raises IndexError when there is none."""
        if not 0 <= number < len(self):
            raise IndexError(f"no entry {number}: the index holds {len(self)}")
        row: dict[str, Any] = self.columns(number)
        first, last = self._entry_aliases[number : number + 2].tolist()
        aliases = tuple(self._alias(alias) for alias in range(first, last))
        names: dict[str, str] = {}
        for alias in aliases:
            if alias.lang != UNDETERMINED:
                names.setdefault(alias.lang, alias.text)
        return Entry(names=names, aliases=aliases, prior=float(self._prior[number]), **row)

    def priors(self, numbers: Sequence[int]) -> npt.NDArray[np.float64]:
        """Return the priors of the entries with these numbers."""
        return np.asarray(self._prior[numbers])

    def prior(self, number: int) -> float:
        """Return the prior of the entry numbered ``number`` without decoding the entry."""
        return float(self._prior[number])

    def names(self, number: int) -> tuple[str, ...]:
        """Return the names to compare with the entry numbered ``number``, by letter and word.

        Those of :func:`pipeline.knowledge.keys.comparison_names` of its aliases, in their order.
        """
        return _split(self._names[number])

    def sounds(self, numbers: Sequence[int]) -> list[tuple[str, ...]]:
        """Return for each of these entries how its names sound, each sound once.

        :func:`pipeline.languages.shared.sound` of :meth:`names`; where too little of the sound is
        left, the name itself.
        """
        return [_split(cells) for cells in self._sounds.some(np.array(numbers, np.int64))]

    def n_aliases(self, number: int) -> int:
        """Return how many aliases the entry numbered ``number`` has."""
        first, last = self._entry_aliases[number : number + 2].tolist()
        return int(last - first)

    def columns(self, number: int) -> dict[str, str | None]:
        """Return :data:`ENTRY_COLUMNS` of the entry numbered ``number`` without its aliases."""
        cells = self._entries[number].split("\t")
        return {c: cell or None for c, cell in zip(ENTRY_COLUMNS, cells, strict=True)}

    def key(self, number: int) -> str:
        """Return the key of the entry numbered ``number`` without decoding the entry."""
        return self._key_of(number)

    def by_key(self, key: str) -> int | None:
        """Return the number of the entry whose :attr:`Entry.key` is ``key``, if any."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._key_of(middle) < key:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self) and self._key_of(low) == key else None

    def folds(self, first: int, last: int) -> list[str]:
        """Return the plain folds of names numbered ``first`` up to ``last``, which is left out."""
        return self._folds.span(first, last)

    @property
    def n_folds(self) -> int:
        """How many different plain folds its names have."""
        return len(self._folds)

    def exact(self, key: str) -> list[Hit]:
        """Return the aliases that have ``key`` among their fold keys.

        By key rank, then by falling prior, then in the order of the index.
        """
        found = _find(key, self._key_number)
        if found is None:
            return []
        first, last = self._key_aliases[found : found + 2].tolist()
        hits = [
            self._hit(int(self._key_alias[i]), int(self._key_rank[i])) for i in range(first, last)
        ]
        return sorted(hits, key=lambda hit: (hit.key_rank, -self._prior[hit.entry]))

    def likeliest(self, key: str, limit: int) -> list[Hit]:
        """Return the first ``limit`` of :meth:`exact` without decoding the others.

        By falling prior, then in the order of the index, whatever their rank.
        """
        found = _find(key, self._key_number)
        if found is None:
            return []
        first, last = self._key_aliases[found : found + 2].tolist()
        places = np.arange(first, last)
        if len(places) > limit:
            priors = self._prior[self._alias_entry[self._key_alias[first:last]]]
            places = places[np.argsort(-priors, kind="stable")[:limit]]
        return [self._hit(int(self._key_alias[i]), int(self._key_rank[i])) for i in places.tolist()]

    def exact_text(self, text: str, lang: str) -> list[Hit]:
        """Return the aliases written as ``text``, but for case, each in its own language's rules.

        ``lang`` says how to take the case off ``text``. Aliases of ``lang`` come first, then those
        of no language, then the others; within each by falling prior.
        """
        folded = casefold(text, lang)
        wanted = np.uint64(number(folded))
        first = int(self._text_number.searchsorted(wanted, side="left"))
        last = int(self._text_number.searchsorted(wanted, side="right"))
        hits = [self._hit(int(alias), 0) for alias in self._text_alias[first:last]]
        places = {lang: 0, UNDETERMINED: 1}
        return sorted(
            (hit for hit in hits if casefold(hit.alias_text, hit.alias_lang) == folded),
            key=lambda hit: (places.get(hit.alias_lang, 2), -self._prior[hit.entry]),
        )

    def may_begin_organisation(self, text: str, starts: Sequence[int], lang: str) -> list[bool]:
        """Tell at which ``starts`` an organisation's name of :data:`BEGINNING` letters may begin.

        False alarms are many, and where case folding moves letters, nothing is ruled out. What was
        asked about before is remembered, within bounds: words come again and again.
        """
        folded = casefolded_in_place(text, lang)
        if folded is None:
            return [True] * len(starts)
        beginnings = [folded[start : start + BEGINNING] for start in starts]
        known = self._may_begin
        if len(known) > _BEGINNINGS_REMEMBERED:
            known.clear()
        unknown = [beginning for beginning in beginnings if beginning not in known]
        if unknown:
            found = _among(numbers(unknown), self._beginning_number).tolist()
            known.update(zip(unknown, found, strict=True))
        return [known[beginning] for beginning in beginnings]

    def holds_parts(
        self, text: str, parts: Sequence[tuple[int, int]], lang: str
    ) -> npt.NDArray[np.bool_]:
        """Tell which parts of ``text`` :meth:`exact_text` would find, but for rare false alarms.

        Much faster than asking one by one: a quick look where few of the parts are names. A part is
        its start and end in code points, the end exclusive.
        """
        wanted = numbers(casefolded_parts(text, parts, lang))
        return _among(wanted, self._text_number)

    def meaning(
        self, vectors: Sequence[Vector], limit: int, least: float = -1.0
    ) -> list[list[int]]:
        """Return for each vector the ``limit`` entries with a name that means most the same.

        Only those whose cosine is at least ``least``. Many vectors at a time cost least.
        """
        at_once = max(_COSINES_AT_ONCE // max(len(self._vector), 1), 1)
        found = []
        for first in range(0, len(vectors), at_once):
            some = np.stack(vectors[first : first + at_once])
            for of_names in cosines(some, self._vector, self._vector_length):
                found.append(self._likest_of(of_names, limit, least))
        return found

    def _likest_of(self, of_names: Vector, limit: int, least: float) -> list[int]:
        """Return the entries of the names with the largest cosines of these, all names' ones."""
        likest, most = np.flatnonzero(of_names >= least), limit * MOST_NAMES
        if len(likest) > most:
            likest = np.sort(likest[np.argpartition(-of_names[likest], most - 1)[:most]])
        order = likest[np.argsort(-of_names[likest], kind="stable")]
        entries = self._alias_entry[self._vector_alias[order]].tolist()
        return list(dict.fromkeys(entries))[:limit]

    def likeness(self, vector: Vector, entry: int) -> float:
        """Return the cosine of ``vector`` and what the entry's names mean, the largest; 0 of none.

        To two digits: those behind depend on the processor.
        """
        first, last = self._entry_aliases[entry : entry + 2].tolist()
        start, end = self._vector_alias.searchsorted((first, last)).tolist()
        own = self._alias_entry[self._vector_alias[start:end]] == entry
        names, lengths = self._vector[start:end], self._vector_length[start:end]
        (of_names,) = cosines(vector[None], names, lengths)
        return max(0.0, round(float(of_names[own].max(initial=0.0)), 2))

    def similar(self, key: str, limit: int = 50) -> tuple[Similar, ...]:
        """Return the ``limit`` entries with the plain folds most like ``key``, the likest first.

        The cosine of TF-IDF vectors over character bigrams and trigrams with word boundaries, each
        n-gram of a fold counted once; an entry stands with its best fold. Candidates are found by
        their rarer n-grams, then scored on all. Equal ones by falling prior.
        """
        entries, folds, cosines = self._ranked(key, limit)
        texts = map(self._folds.__getitem__, folds.tolist())
        return tuple(map(Similar, entries.tolist(), texts, cosines.tolist()))

    def _likest(self, key: str, limit: int, least: float = 0.0) -> npt.NDArray[np.uint32]:
        """Return the entries of :meth:`similar` alone. Answers are cached: leave them as they are.

        Only those whose cosine is at least ``least``, of which there are few, and found sooner.
        """
        # A view would hold all that was looked at in memory.
        return self._ranked(key, limit, least)[0].copy()

    def _ranked(
        self, key: str, limit: int, least: float = 0.0
    ) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return the entries most like ``key``, the fold of each that is, and its cosine."""
        codes = grams.codes(grams.symbols(key))
        weights = self._gram_weight[codes].astype(np.float64)
        folds = self._candidates(codes, weights, limit * _RESCORED, least)
        cosines = self._cosines(folds, codes, weights)
        if least:
            enough = cosines >= least
            folds, cosines = folds[enough], cosines[enough]
        order = np.argsort(-cosines, kind="stable")
        keys = self._fold_key[folds[order]]
        first, last = self._key_aliases[keys], self._key_aliases[keys + 1]
        # The aliases of all folds in a row, and the place in ``order`` of the fold of each.
        counts = (last - first).astype(np.int64)
        place = np.repeat(np.arange(len(order)), counts)
        offsets = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
        entries = self._alias_entry[self._key_alias[first[place] + offsets]]
        entries, best = np.unique(entries, return_index=True)
        best = order[place[best]]
        ranked = np.lexsort((entries, -self._prior[entries], -cosines[best]))[:limit]
        return entries[ranked], folds[best[ranked]], cosines[best[ranked]]

    def _candidates(
        self, codes: grams.Codes, weights: npt.NDArray[np.float64], limit: int, least: float
    ) -> npt.NDArray[np.int64]:
        """Return the ``limit`` folds that share most of the rarer n-grams, for their length.

        A few more come back where several are equal; none whose cosine cannot be ``least``.
        """
        order = np.argsort(-weights, kind="stable")
        codes, weights = codes[order], weights[order]
        starts, ends = self._gram_folds[codes], self._gram_folds[codes + 1]
        counts = ends - starts
        budget = max(_LEAST_POSTINGS, _POSTINGS_SHARE * len(self._folds))
        budget *= _READ_FOR_NEAR if least else 1
        read = max(
            int(np.searchsorted(np.cumsum(counts), budget, side="right")),
            int(np.argmax(counts > 0)) + 1,  # one at least, however long its list is
        )
        # Whoever shares no n-gram but some behind ``read`` has at most their root for a cosine.
        total = float(weights.sum())
        left = total - np.cumsum(weights)
        read = min(read, int(np.argmax(left < least**2 * total)) + 1) if least else read
        # A fold and the rank of an n-gram in one number: sorting brings each fold's together.
        spans = zip(starts[:read].tolist(), ends[:read].tolist(), strict=True)
        found = np.concatenate([self._gram_fold[first:last] for first, last in spans])
        if not len(found):
            return np.empty(0, np.int64)
        bits = read.bit_length()
        fits = (len(self._folds) - 1).bit_length() + bits <= np.iinfo(found.dtype).bits
        packed = found if fits else found.astype(np.uint64)
        packed <<= packed.dtype.type(bits)
        packed |= np.repeat(np.arange(read, dtype=packed.dtype), counts[:read])
        packed.sort()
        holders = packed >> packed.dtype.type(bits)
        begins = np.append(0, np.flatnonzero(holders[1:] != holders[:-1]) + 1)
        shared = weights[packed & packed.dtype.type((1 << bits) - 1)]
        folds: npt.NDArray[np.int64] = holders[begins].astype(np.int64)
        norms = self._fold_norm[folds]
        partial = np.add.reduceat(shared, begins) / norms
        if least:
            may_be = partial + left[read - 1] / norms >= least * math.sqrt(total) - _ROUNDING
            folds, partial = folds[may_be], partial[may_be]
        if len(folds) > limit:
            folds = folds[partial >= np.partition(partial, -limit)[-limit]]
        return folds

    def _cosines(
        self, folds: npt.NDArray[np.int64], codes: grams.Codes, weights: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return the cosine of each of ``folds`` with the key that has these n-grams."""
        if not len(folds):
            return np.empty(0)
        rank = np.zeros(grams.SIZE, np.int16)
        rank[codes] = np.arange(1, len(codes) + 1)
        first = self._fold_grams[folds]
        counts = self._fold_grams[folds + 1] - first
        begins = np.cumsum(counts) - counts
        places = np.arange(int(counts.sum())) + np.repeat(first - begins, counts)
        held = np.append(0.0, weights)[rank[self._fold_gram[places]]]
        shared = np.add.reduceat(held, begins)
        norm = math.sqrt(float(weights.sum()))
        cosines: npt.NDArray[np.float64] = np.round(shared / (norm * self._fold_norm[folds]), 6)
        return cosines

    def by_word(self, word: str, limit: int = 200) -> list[int]:
        """Return the entries with ``word`` in a fold key, at most ``limit``, by falling prior."""
        found = _find(word, self._word_number)
        if found is None:
            return []
        first, last = self._word_entries[found : found + 2].tolist()
        entries: list[int] = self._word_entry[first : min(last, first + limit)].tolist()
        return entries

    def word_idfs(self, words: Sequence[str]) -> list[float]:
        """Return how rare each of ``words`` is among the plain folds of the entries' names.

        The natural logarithm of all entries by the entries that have it, both plus one: 0 for a
        word in every entry.
        """
        wanted = numbers(words)
        known = _among(wanted, self._word_number)
        entries = np.zeros(len(words), np.int64)
        entries[known] = self._word_folds[self._word_number.searchsorted(wanted[known])]
        return [math.log((1 + len(self)) / (1 + count)) for count in entries.tolist()]

    def _key_of(self, number: int) -> str:
        return self._entries[number].partition("\t")[0]

    def _alias(self, alias: int) -> Alias:
        return Alias(
            text=self._alias_text[alias],
            lang=ALIAS_LANGUAGES[self._alias_lang[alias]],
            source=self._meta["alias_sources"][self._alias_source[alias]],
        )

    def _hit(self, alias: int, key_rank: int) -> Hit:
        found = self._alias(alias)
        return Hit(int(self._alias_entry[alias]), found.text, found.lang, found.source, key_rank)


def _among(
    wanted: npt.NDArray[np.uint64], numbers: npt.NDArray[np.uint64]
) -> npt.NDArray[np.bool_]:
    """Tell which of ``wanted`` stand in ``numbers``, which ascend."""
    if not len(numbers):
        return np.zeros(len(wanted), np.bool_)
    places = numbers.searchsorted(wanted)
    places[places == len(numbers)] = 0
    return np.asarray(numbers[places] == wanted)


def _split(cells: str) -> tuple[str, ...]:
    return tuple(cells.split("\t")) if cells else ()


def _find(text: str, numbers: npt.NDArray[np.uint64]) -> int | None:
    """Return where the hash of ``text`` stands in ``numbers``, which ascend."""
    wanted = np.uint64(number(text))
    place = int(numbers.searchsorted(wanted))
    return place if place < len(numbers) and numbers[place] == wanted else None
