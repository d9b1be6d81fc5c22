"""The knowledge base as memory-mapped arrays: opened in an instant, shared by all workers.

An index is a folder: ``CURRENT`` names the subfolder in force, which holds tables with text as
Arrow IPC files and plain numbers as NumPy files, all read through memory maps. Names are decoded
only when asked for. :mod:`pipeline.knowledge.build` writes it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.errors import UsageError
from pipeline.knowledge import grams
from pipeline.knowledge.entry import Alias, Entry
from pipeline.knowledge.files import source_hashes
from pipeline.knowledge.text import casefold, number
from pipeline.schemas import LANGUAGES, UNDETERMINED

FORMAT: Final = 1
"""Raised whenever the files of the index change their meaning."""

CURRENT: Final = "CURRENT"
META: Final = "meta.json"
ALIAS_LANGUAGES: Final = (*LANGUAGES, UNDETERMINED)
"""The languages of aliases, as they are numbered in the index."""

_POSTINGS_PER_QUERY: Final = 200_000
"""How many postings a similarity lookup reads before it leaves common n-grams to the rescoring."""
_RESCORED: Final = 3
"""How many candidates are rescored for each one asked for."""
_CACHED: Final = 16_384


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


def fingerprint(knowledge_dir: Path) -> str:
    """Return what an index of ``knowledge_dir`` depends on, as a SHA-256 in hex.

    The knowledge files, the format, and the code that makes keys and priors.
    """
    state = {
        "format": FORMAT,
        "sources": source_hashes(knowledge_dir),
        "code": {
            name: _package_hash(name) for name in ("pipeline.languages", "pipeline.knowledge")
        },
    }
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def _package_hash(name: str) -> str:
    digest = hashlib.sha256()
    for relative, file in sorted(_files_in(resources.files(name), ""), key=lambda item: item[0]):
        digest.update(relative.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _files_in(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for item in folder.iterdir():
        if item.is_dir() and item.name != "__pycache__":
            found += _files_in(item, f"{prefix}{item.name}/")
        elif item.is_file():
            found.append((prefix + item.name, item))
    return found


class Index:
    """The compiled knowledge base. Entries and keys are numbered from 0; see :meth:`open`."""

    def __init__(self, folder: Path) -> None:
        """Map the files of ``folder``, one version of an index; callers use :meth:`open`."""
        self._folder = folder
        self._meta: dict[str, Any] = json.loads((folder / META).read_text(encoding="utf-8"))
        if self._meta["format"] != FORMAT:
            raise IndexMissingError(f"{folder} is an index of another format")
        self._entries = _texts(folder / "entries.arrow")
        self._alias_text = _texts(folder / "aliases.arrow")["text"]
        self._key_text = _texts(folder / "keys.arrow")["text"]
        self._word_text = _texts(folder / "words.arrow")["text"]
        numbers = functools.partial(_numbers, folder)
        self._prior = numbers("entry_prior")
        self._entry_aliases = numbers("entry_aliases")
        self._alias_entry = numbers("alias_entry")
        self._alias_lang = numbers("alias_lang")
        self._alias_source = numbers("alias_source")
        self._text_number = numbers("text_number")
        self._text_alias = numbers("text_alias")
        self._key_number = numbers("key_number")
        self._key_aliases = numbers("key_aliases")
        self._key_alias = numbers("key_alias")
        self._key_rank = numbers("key_rank")
        self._key_norm = numbers("key_norm")
        self._word_number = numbers("word_number")
        self._word_folds = numbers("word_folds")
        self._word_entries = numbers("word_entries")
        self._word_entry = numbers("word_entry")
        self._gram_weight = numbers("gram_weight")
        self._gram_keys = numbers("gram_keys")
        self._gram_key = numbers("gram_key")
        self._scores: npt.NDArray[np.float32] | None = None
        self.similar = functools.lru_cache(maxsize=_CACHED)(self._similar)

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
        return self.checksum != fingerprint(knowledge_dir)

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._prior)

    def entry(self, number: int) -> Entry:
        """Return the entry numbered ``number``. Raises IndexError when there is none."""
        if not 0 <= number < len(self):
            raise IndexError(f"no entry {number}: the index holds {len(self)}")
        row: dict[str, Any] = {
            column: texts[number].as_py() or None for column, texts in self._entries.items()
        }
        first, last = self._entry_aliases[number : number + 2].tolist()
        aliases = tuple(self._alias(alias) for alias in range(first, last))
        names: dict[str, str] = {}
        for alias in aliases:
            if alias.lang != UNDETERMINED:
                names.setdefault(alias.lang, alias.text)
        return Entry(names=names, aliases=aliases, prior=float(self._prior[number]), **row)

    def prior(self, number: int) -> float:
        """Return the prior of the entry numbered ``number`` without decoding the entry."""
        return float(self._prior[number])

    def by_key(self, key: str) -> int | None:
        """Return the number of the entry whose :attr:`Entry.key` is ``key``, if any."""
        keys = self._entries["key"]
        low, high = 0, len(keys)
        while low < high:
            middle = (low + high) // 2
            if keys[middle].as_py() < key:
                low = middle + 1
            else:
                high = middle
        return low if low < len(keys) and keys[low].as_py() == key else None

    def exact(self, key: str) -> list[Hit]:
        """Return the aliases that have ``key`` among their fold keys.

        By key rank, then by falling prior, then in the order of the index.
        """
        found = self._find_key(key)
        if found is None:
            return []
        first, last = self._key_aliases[found : found + 2].tolist()
        hits = [
            self._hit(int(self._key_alias[i]), int(self._key_rank[i])) for i in range(first, last)
        ]
        return sorted(hits, key=lambda hit: (hit.key_rank, -self._prior[hit.entry]))

    def exact_text(self, text: str, lang: str) -> list[Hit]:
        """Return the aliases written as ``text``, but for case, each in its own language's rules.

        ``lang`` says how to take the case off ``text``. Aliases of ``lang`` come first, then those
        of no language, then the others; within each by falling prior.
        """
        folded = casefold(text, lang)
        wanted = number(folded)
        first = int(np.searchsorted(self._text_number, wanted, side="left"))
        last = int(np.searchsorted(self._text_number, wanted, side="right"))
        hits = [self._hit(int(alias), 0) for alias in self._text_alias[first:last]]
        places = {lang: 0, UNDETERMINED: 1}
        return sorted(
            (hit for hit in hits if casefold(hit.alias_text, hit.alias_lang) == folded),
            key=lambda hit: (places.get(hit.alias_lang, 2), -self._prior[hit.entry]),
        )

    def holds_texts(self, texts: Sequence[str], lang: str) -> npt.NDArray[np.bool_]:
        """Tell which of ``texts`` :meth:`exact_text` would find, but for rare false alarms.

        Much faster than asking one by one: a quick look for texts of which few are names.
        """
        wanted = np.array([number(casefold(text, lang)) for text in texts], np.uint64)
        places = np.searchsorted(self._text_number, wanted)
        places[places == len(self._text_number)] = 0
        return np.asarray(self._text_number[places] == wanted)

    def _similar(self, key: str, limit: int = 50) -> tuple[Similar, ...]:
        """Return the ``limit`` entries with the fold keys most like ``key``, the likest first.

        The cosine of TF-IDF vectors over character bigrams and trigrams with word boundaries, each
        n-gram of a key counted once; an entry stands with its best key. Candidates are found by
        their rarer n-grams, then scored on all. Equal ones by falling prior. Answers are cached.
        """
        codes = grams.codes(grams.symbols(key))
        weights = self._gram_weight[codes]
        norm = math.sqrt(float(weights.sum()))
        candidates, sums, unread = self._candidates(codes, weights, limit * _RESCORED)
        names: list[str] = self._key_text.take(pa.array(candidates)).to_pylist()
        cosines = [
            round((total + _shared(name, unread)) / (norm * key_norm), 6)
            for name, total, key_norm in zip(
                names, sums.tolist(), self._key_norm[candidates].tolist(), strict=True
            )
        ]
        found: dict[int, Similar] = {}
        last = 0.0
        for place in sorted(range(len(names)), key=lambda place: -cosines[place]):
            if len(found) >= limit and cosines[place] < last:
                break
            last = cosines[place]
            for entry in self._entries_of_key(int(candidates[place])):
                found.setdefault(entry, Similar(entry, names[place], last))
        ranked = sorted(
            found.values(), key=lambda hit: (-hit.similarity, -self._prior[hit.entry], hit.entry)
        )
        return tuple(ranked[:limit])

    def _candidates(
        self, codes: grams.Codes, weights: npt.NDArray[np.float32], limit: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], list[tuple[bytes, float]]]:
        """Return the ``limit`` keys that share most of the rarer n-grams, for its length.

        Each with its sum of shared weights; and the common n-grams that were not read, with their
        weights. A few keys more come back where several are equal.
        """
        if self._scores is None:
            self._scores = np.zeros(len(self._key_text), dtype=np.float32)
        starts, ends = self._gram_keys[codes].tolist(), self._gram_keys[codes + 1].tolist()
        touched: list[npt.NDArray[np.uint32]] = []
        unread: list[tuple[bytes, float]] = []
        budget = _POSTINGS_PER_QUERY
        for i in np.argsort(-weights, kind="stable").tolist():
            budget -= ends[i] - starts[i]
            if starts[i] == ends[i] or (budget < 0 and touched):
                unread.append((grams.text(int(codes[i])), float(weights[i])))
                continue
            posting = self._gram_key[starts[i] : ends[i]]
            before = self._scores[posting]
            touched.append(posting[before == 0])
            self._scores[posting] = before + weights[i]
        if not touched:
            return np.empty(0, np.int64), np.empty(0, np.float32), unread
        keys = np.concatenate(touched)
        sums = self._scores[keys]
        self._scores[keys] = 0
        if len(keys) > limit:
            partial = sums / self._key_norm[keys]
            best = np.flatnonzero(partial >= np.partition(partial, -limit)[-limit])
            keys, sums = keys[best], sums[best]
        return keys.astype(np.int64), sums, unread

    def by_word(self, word: str, limit: int = 200) -> list[int]:
        """Return the entries with ``word`` in a fold key, at most ``limit``, by falling prior."""
        found = self._find_word(word)
        if found is None:
            return []
        first, last = self._word_entries[found : found + 2].tolist()
        entries: list[int] = self._word_entry[first : min(last, first + limit)].tolist()
        return entries

    def word_idf(self, word: str) -> float:
        """Return how rare ``word`` is among the plain folds of the entries' names.

        The natural logarithm of all entries by the entries that have it, both plus one: 0 for a
        word in every entry.
        """
        found = self._find_word(word)
        entries = 0 if found is None else int(self._word_folds[found])
        return math.log((1 + len(self)) / (1 + entries))

    def _entries_of_key(self, key: int) -> set[int]:
        first, last = self._key_aliases[key : key + 2].tolist()
        return set(self._alias_entry[self._key_alias[first:last]].tolist())

    def _find_key(self, key: str) -> int | None:
        return _find(key, self._key_number, self._key_text)

    def _find_word(self, word: str) -> int | None:
        return _find(word, self._word_number, self._word_text)

    def _alias(self, alias: int) -> Alias:
        return Alias(
            text=self._alias_text[alias].as_py(),
            lang=ALIAS_LANGUAGES[self._alias_lang[alias]],
            source=self._meta["alias_sources"][self._alias_source[alias]],
        )

    def _hit(self, alias: int, key_rank: int) -> Hit:
        found = self._alias(alias)
        return Hit(int(self._alias_entry[alias]), found.text, found.lang, found.source, key_rank)


def _shared(key: str, weighted: list[tuple[bytes, float]]) -> float:
    """Return the sum of the weights of those n-grams that ``key`` holds."""
    marked = grams.symbols(key)
    return sum([weight for gram, weight in weighted if gram in marked])


def _find(text: str, numbers: npt.NDArray[np.uint64], texts: pa.Array) -> int | None:
    """Return where ``text`` stands in ``texts``, which is sorted by the hash in ``numbers``."""
    wanted = number(text)
    place = int(np.searchsorted(numbers, wanted))
    while place < len(numbers) and numbers[place] == wanted:
        if texts[place].as_py() == text:
            return place
        place += 1
    return None


def _texts(path: Path) -> dict[str, pa.LargeStringArray]:
    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    return {name: table[name].chunk(0) for name in table.column_names}


def _numbers(folder: Path, name: str) -> npt.NDArray[Any]:
    # A view as a plain array: indexing a np.memmap costs several times as much.
    return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
