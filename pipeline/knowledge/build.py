"""Builds the index of :mod:`pipeline.knowledge.index` from the readable knowledge files.

The files are read in step, an entry at a time; what has to be sorted goes through
:class:`pipeline.knowledge.spill.Spill`, so that memory hardly grows with the number of names.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import tempfile
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.knowledge import grams
from pipeline.knowledge.entry import Entry
from pipeline.knowledge.files import Row, knowledge_files, merge_rows
from pipeline.knowledge.index import (
    ALIAS_LANGUAGES,
    BEGINNING,
    CURRENT,
    ENTRY_COLUMNS,
    FORMAT,
    META,
    MOST_NAMES,
    Index,
    IndexMissingError,
    fingerprint,
)
from pipeline.knowledge.keys import Keyed, keyed_rows, store_keys
from pipeline.knowledge.spill import Spill
from pipeline.knowledge.storage import ArrayWriter, Texts, TextWriter, read_array, write_array
from pipeline.knowledge.text import casefold, number
from pipeline.knowledge.vectors import NameVectors, lengths, unpack
from pipeline.languages.shared import sound_or_key

INDEX_FOLDER: Final = "index"
"""Where the index lies in the folder of the knowledge files, unless told otherwise."""

_KEYS_FOLDER: Final = "keys"
_ALIASES_AT_ONCE: Final = 50_000
_FOLDS_AT_ONCE: Final = 100_000
_UNSORTED_FOLDS: Final = "unsorted"
_WORDS_CACHED: Final = 1 << 18
_COMMON_SHARE: Final = 0.02
_COMMON_FLOOR: Final = 5_000
"""An n-gram in more folds than this share of them, and than this many, gets no postings."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What :func:`build_command` built: counts, size and time."""

    entries: int
    aliases: int
    by_file: dict[str, int]
    by_label: dict[str, int]
    by_language: dict[str, int]
    size_bytes: int
    seconds: float
    checksum: str


def build(
    knowledge_dir: Path, out_dir: Path | None = None, model: NameVectors | None = None
) -> Index:
    """Build the index of the files in ``knowledge_dir`` into ``out_dir`` and open it.

    ``model`` says what names mean, unless told otherwise the one beside the knowledge files.

    The same files and code give the same bytes. The new version is put in force by replacing one
    small file, so that readers never see half of it; those that have the old one open keep it.
    Raises :class:`pipeline.knowledge.files.KnowledgeError` when a file is wrong; the old index then
    stays.
    """
    out_dir = out_dir or knowledge_dir / INDEX_FOLDER
    with _locked(out_dir):
        return _build(knowledge_dir, out_dir, model or NameVectors.beside(knowledge_dir))


def ensure(knowledge_dir: Path, out_dir: Path | None = None) -> Index:
    """Open the index of ``knowledge_dir``, building it first when it is missing or stale."""
    out_dir = out_dir or knowledge_dir / INDEX_FOLDER
    index = _open_fresh(knowledge_dir, out_dir)
    if index is not None:
        return index
    with _locked(out_dir):  # another process may have built it while this one waited
        return _open_fresh(knowledge_dir, out_dir) or _build(
            knowledge_dir, out_dir, NameVectors.beside(knowledge_dir)
        )


def build_command(knowledge_dir: Path, out_dir: Path | None = None) -> Summary:
    """Build the index anew and say what is in it, how large it is and how long it took."""
    started = time.perf_counter()
    index = build(knowledge_dir, out_dir)
    seconds = time.perf_counter() - started
    counts = index.counts
    return Summary(
        entries=len(index),
        aliases=sum(counts["aliases_by_language"].values()),
        by_file=counts["rows_by_file"],
        by_label=counts["entries_by_label"],
        by_language=counts["aliases_by_language"],
        size_bytes=index.size_bytes,
        seconds=seconds,
        checksum=index.checksum,
    )


@contextmanager
def _locked(out_dir: Path) -> Iterator[None]:
    """Hold the lock of ``out_dir``, waiting for it; the system frees it when a process dies."""
    out_dir.mkdir(parents=True, exist_ok=True)
    with (out_dir / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _open_fresh(knowledge_dir: Path, out_dir: Path) -> Index | None:
    try:
        index = Index.open(out_dir)
    except IndexMissingError:
        return None
    index.model = NameVectors.beside(knowledge_dir)
    return None if index.stale(knowledge_dir) else index


def _build(knowledge_dir: Path, out_dir: Path, model: NameVectors | None) -> Index:
    checksum = fingerprint(knowledge_dir, model)
    keys = out_dir / _KEYS_FOLDER
    paths = knowledge_files(knowledge_dir)
    stores = [store_keys(path, keys, model) for path in paths]  # a wrong line ends it here
    staging = Path(tempfile.mkdtemp(prefix=".building-", dir=out_dir))
    try:
        rows_by_file: Counter[str] = Counter()
        streams = [_counted(path, keys, model, rows_by_file) for path in paths]
        with _Collector(staging) as collector:
            for entry, found in merge_rows(streams):
                collector.add(entry, {form: cell for one in found for form, cell in one.items()})
        _sort_texts(staging, collector.texts)
        _sort_beginnings(staging, collector.beginnings)
        _sort_keys(staging, collector.keys, collector.folds)
        _sort_words(staging, collector.words)
        _write_grams(staging)
        meta = {
            "format": FORMAT,
            "checksum": checksum,
            "alias_sources": list(collector.sources),
            "counts": {
                "rows_by_file": dict(sorted(rows_by_file.items())),
                "entries_by_label": dict(sorted(collector.labels.items())),
                "aliases_by_language": {
                    lang: collector.languages[lang] for lang in ALIAS_LANGUAGES
                },
            },
        }
        (staging / META).write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")
        _put_in_force(staging, out_dir, checksum[:16])
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    for old in set(keys.iterdir()).difference(stores):
        old.unlink()
    index = Index.open(out_dir)
    index.model = model
    return index


def _counted(
    path: Path, keys: Path, model: NameVectors | None, rows_by_file: Counter[str]
) -> Iterator[tuple[Path, Row, dict[tuple[str, str], Keyed]]]:
    rows_by_file[path.name] = 0
    for row, found in keyed_rows(path, keys, model):
        rows_by_file[path.name] += 1
        yield path, row, found


def _put_in_force(staging: Path, out_dir: Path, version: str) -> None:
    final = out_dir / version
    if not final.exists():  # else: the same content, perhaps open in other processes
        staging.chmod(0o755)
        staging.rename(final)
    pointer = out_dir / f".{CURRENT}"
    pointer.write_text(version + "\n", encoding="utf-8")
    pointer.replace(out_dir / CURRENT)
    for old in out_dir.iterdir():
        if old.is_dir() and old.name not in (version, _KEYS_FOLDER):
            shutil.rmtree(old, ignore_errors=True)


class _Collector:
    """Writes entries and aliases as they come, and spills what has to be sorted.

    A context manager: the files are whole when it is left.
    """

    def __init__(self, folder: Path) -> None:
        self._stack = ExitStack()
        enter = self._stack.enter_context
        self._entries = enter(TextWriter(folder, "entries"))
        self._names = enter(TextWriter(folder, "names"))
        self._sounds = enter(TextWriter(folder, "sounds"))
        self._alias_texts = enter(TextWriter(folder, "aliases"))
        self._fold_texts = enter(TextWriter(folder, _UNSORTED_FOLDS))
        self._priors = enter(ArrayWriter(folder, "entry_prior", np.float64))
        self._entry_aliases = enter(ArrayWriter(folder, "entry_aliases", np.uint32))
        self._alias_entry = enter(ArrayWriter(folder, "alias_entry", np.uint32))
        self._alias_lang = enter(ArrayWriter(folder, "alias_lang", np.uint8))
        self._alias_source = enter(ArrayWriter(folder, "alias_source", np.uint16))
        self._vector = enter(ArrayWriter(folder, "vector", np.float32))
        self._vector_length = enter(ArrayWriter(folder, "vector_length", np.float32))
        self._vector_alias = enter(ArrayWriter(folder, "vector_alias", np.uint32))
        self._entry_aliases.extend(np.zeros(1))
        self.texts = Spill(folder, "texts", alias=np.uint32)
        self.beginnings = Spill(folder, "beginnings")
        self.keys = Spill(folder, "keys", alias=np.uint32, rank=np.uint8)
        self.folds = Spill(folder, "folds", place=np.uint32)
        self.words = Spill(folder, "words", entry=np.uint32, in_fold=np.bool_)
        self.sources: dict[str, int] = {}
        self.labels: Counter[str] = Counter()
        self.languages: Counter[str] = Counter()
        self._pending = _Pending()

    def __enter__(self) -> _Collector:
        return self

    def __exit__(self, *error: Any) -> None:
        self._flush()
        self._stack.close()

    def add(self, entry: Entry, keyed: dict[tuple[str, str], Keyed]) -> None:
        """Take in ``entry`` with the keys of its aliases by text and language."""
        position = len(self._entries)
        self._entries.append("\t".join(getattr(entry, column) or "" for column in ENTRY_COLUMNS))
        self.labels[entry.label] += 1
        compared = (name for form in entry.aliases for name in keyed[form.text, form.lang].compared)
        names = list(dict.fromkeys(compared))[:MOST_NAMES]
        self._names.append("\t".join(names))
        self._sounds.append("\t".join(dict.fromkeys(map(sound_or_key, names))))
        pending = self._pending
        pending.prior.append(entry.prior)
        words: dict[str, bool] = {}
        for alias in entry.aliases:
            self._alias_texts.append(alias.text)
            self.languages[alias.lang] += 1
            place = len(self._alias_texts) - 1
            pending.alias_entry.append(position)
            pending.alias_lang.append(ALIAS_LANGUAGES.index(alias.lang))
            pending.alias_source.append(self.sources.setdefault(alias.source, len(self.sources)))
            folded = casefold(alias.text, alias.lang)
            pending.text_number.append(number(folded))
            if entry.label == "ORG" and len(folded) >= BEGINNING:
                pending.beginning_number.append(number(folded[:BEGINNING]))
            found = keyed[alias.text, alias.lang]
            if found.vector:
                vector = unpack(found.vector)
                self._vector.extend(vector)
                self._vector_length.extend(lengths(vector[None]))
                self._vector_alias.extend(np.array([place]))
            for rank, key in enumerate(found.keys):
                hashed = number(key)
                pending.key_number.append(hashed)
                pending.key_alias.append(place)
                pending.key_rank.append(min(rank, 255))
                for word in key.split(" "):
                    words[word] = words.get(word, False) or rank == 0
                if rank == 0:
                    pending.fold_number.append(hashed)
                    pending.fold_place.append(len(self._fold_texts))
                    self._fold_texts.append(key)
        for word, in_fold in words.items():
            pending.word_number.append(_word_number(word))
            pending.word_entry.append(position)
            pending.word_in_fold.append(in_fold)
        pending.last_alias.append(len(self._alias_texts))
        if len(pending.alias_entry) >= _ALIASES_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        columns = {name: np.array(values) for name, values in vars(self._pending).items()}
        first = len(self._alias_entry)
        self._priors.extend(columns["prior"])
        self._entry_aliases.extend(columns["last_alias"])
        self._alias_entry.extend(columns["alias_entry"])
        self._alias_lang.extend(columns["alias_lang"])
        self._alias_source.extend(columns["alias_source"])
        numbers = columns["text_number"]
        self.texts.add(number=numbers, alias=np.arange(first, first + len(numbers)))
        self.beginnings.add(number=columns["beginning_number"])
        self.keys.add(
            number=columns["key_number"], alias=columns["key_alias"], rank=columns["key_rank"]
        )
        self.folds.add(number=columns["fold_number"], place=columns["fold_place"])
        self.words.add(
            number=columns["word_number"],
            entry=columns["word_entry"],
            in_fold=columns["word_in_fold"],
        )
        self._pending = _Pending()


class _Pending:
    """Columns that the collector has not written yet."""

    def __init__(self) -> None:
        self.prior = array("d")
        self.last_alias = array("I")
        self.alias_entry = array("I")
        self.alias_lang = array("B")
        self.alias_source = array("H")
        self.text_number = array("Q")
        self.beginning_number = array("Q")
        self.key_number = array("Q")
        self.key_alias = array("I")
        self.key_rank = array("B")
        self.fold_number = array("Q")
        self.fold_place = array("I")
        self.word_number = array("Q")
        self.word_entry = array("I")
        self.word_in_fold = array("B")


_word_number = lru_cache(maxsize=_WORDS_CACHED)(number)


def _sort_texts(folder: Path, spill: Spill) -> None:
    """Write the aliases in the order of the hash of their case-folded text."""
    with (
        ArrayWriter(folder, "text_number", np.uint64) as numbers,
        ArrayWriter(folder, "text_alias", np.uint32) as aliases,
    ):
        for part in spill.parts():
            part = part[np.argsort(part["number"], kind="stable")]
            numbers.extend(part["number"])
            aliases.extend(part["alias"])


def _sort_beginnings(folder: Path, spill: Spill) -> None:
    """Write the hash of each beginning of an organisation's name once, in order."""
    with ArrayWriter(folder, "beginning_number", np.uint64) as numbers:
        for part in spill.parts():
            numbers.extend(np.unique(part["number"]))


def _sort_keys(folder: Path, keys: Spill, folds: Spill) -> None:
    """Write each key once, by its hash, with its aliases; and each plain fold, with its key.

    A key's aliases are in the order of the key's rank among the keys of each.
    """
    texts = Texts(folder, _UNSORTED_FOLDS)
    with (
        ArrayWriter(folder, "key_number", np.uint64) as key_number,
        ArrayWriter(folder, "key_aliases", np.uint32) as key_aliases,
        ArrayWriter(folder, "key_alias", np.uint32) as key_alias,
        ArrayWriter(folder, "key_rank", np.uint8) as key_rank,
        ArrayWriter(folder, "fold_key", np.uint32) as fold_key,
        TextWriter(folder, "folds") as fold_texts,
    ):
        for part, fold_part in zip(keys.parts(), folds.parts(), strict=True):
            part = part[np.lexsort((part["alias"], part["rank"], part["number"]))]
            starts = _changes(part["number"])
            numbers = part["number"][starts]
            _, first = np.unique(fold_part["number"], return_index=True)
            fold_part = fold_part[first]
            places = np.searchsorted(numbers, fold_part["number"])
            fold_key.extend(len(key_number) + places)
            for place in fold_part["place"].tolist():
                fold_texts.append(texts[place])
            key_number.extend(numbers)
            key_aliases.extend(len(key_alias) + starts)
            key_alias.extend(part["alias"])
            key_rank.extend(part["rank"])
        key_aliases.extend(np.array([len(key_alias)]))
    for file in folder.glob(f"{_UNSORTED_FOLDS}*"):
        file.unlink()


def _sort_words(folder: Path, spill: Spill) -> None:
    """Write each distinct word of the keys, by its hash, with its entries by falling prior."""
    prior = read_array(folder, "entry_prior")
    with (
        ArrayWriter(folder, "word_number", np.uint64) as numbers,
        ArrayWriter(folder, "word_folds", np.uint32) as folds,
        ArrayWriter(folder, "word_entries", np.uint64) as entries,
        ArrayWriter(folder, "word_entry", np.uint32) as entry,
    ):
        for part in spill.parts():
            part = part[np.lexsort((part["entry"], -prior[part["entry"]], part["number"]))]
            starts = _changes(part["number"])
            numbers.extend(part["number"][starts])
            entries.extend(len(entry) + starts)
            if len(part):
                folds.extend(np.add.reduceat(part["in_fold"].astype(np.uint32), starts))
            entry.extend(part["entry"])
        entries.extend(np.array([len(entry)]))


def _write_grams(folder: Path) -> None:
    """Write the weight of every n-gram, the folds it occurs in, and every fold's norm and n-grams.

    The weight is the square of the smoothed inverse document frequency, ln((1 + n) / (1 + df)) + 1
    (Salton and Buckley 1988, as in scikit-learn), over folds as documents.
    """
    texts = Texts(folder, "folds")
    total = len(texts)
    frequency = np.zeros(grams.SIZE, dtype=np.int64)
    for _, gram, _ in _chunks_of_grams(texts):
        frequency += np.bincount(gram, minlength=grams.SIZE)
    weight = np.square(np.log((1 + total) / (1 + frequency)) + 1)
    common = frequency > max(_COMMON_FLOOR, _COMMON_SHARE * total)
    starts = np.append(0, np.cumsum(np.where(common, 0, frequency)))
    postings = np.lib.format.open_memmap(
        folder / "gram_fold.npy", mode="w+", dtype=np.uint32, shape=(int(starts[-1]),)
    )
    cursor = starts[:-1].copy()
    with (
        ArrayWriter(folder, "fold_norm", np.float32) as norm,
        ArrayWriter(folder, "fold_grams", np.int64) as fold_grams,
        ArrayWriter(folder, "fold_gram", np.uint16) as fold_gram,
    ):
        fold_grams.extend(np.zeros(1))
        for offset, gram, fold in _chunks_of_grams(texts):
            norm.extend(np.sqrt(np.bincount(fold, weights=weight[gram])))
            fold_grams.extend(len(fold_gram) + np.cumsum(np.bincount(fold)))
            fold_gram.extend(gram[np.argsort(fold, kind="stable")])
            kept = ~common[gram]
            gram, fold = gram[kept], fold[kept]
            counts = np.bincount(gram, minlength=grams.SIZE)
            postings[_spans(cursor, counts)] = fold + offset  # by n-gram, then fold, as they come
            cursor += counts
    postings.flush()
    write_array(folder, "gram_weight", weight.astype(np.float32))
    write_array(folder, "gram_folds", starts)


def _chunks_of_grams(
    texts: Texts,
) -> Iterator[tuple[int, npt.NDArray[np.int32], npt.NDArray[np.int64]]]:
    """Yield, chunk by chunk, its first fold, and n-grams with folds as positions in the chunk."""
    for offset in range(0, len(texts), _FOLDS_AT_ONCE):
        gram, fold = grams.codes_of_keys(texts.span(offset, offset + _FOLDS_AT_ONCE))
        yield offset, gram, fold


def _changes(ascending: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return where each run of equal values starts."""
    if not len(ascending):
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(np.append(True, ascending[1:] != ascending[:-1]))


def _spans(first: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the numbers of all spans in a row: ``counts[i]`` of them from ``first[i]`` on."""
    before = np.cumsum(counts) - counts
    spans: npt.NDArray[np.int64] = np.arange(int(counts.sum())) + np.repeat(first - before, counts)
    return spans
