"""Builds the index of :mod:`pipeline.knowledge.index` from the readable knowledge files."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import tempfile
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import languages
from pipeline.knowledge import grams
from pipeline.knowledge.entry import Alias, Entry
from pipeline.knowledge.files import knowledge_files, read_entries, read_rows
from pipeline.knowledge.index import (
    ALIAS_LANGUAGES,
    CURRENT,
    FORMAT,
    META,
    Index,
    IndexMissingError,
    fingerprint,
)
from pipeline.knowledge.text import casefold, number
from pipeline.schemas import UNDETERMINED

INDEX_FOLDER: Final = "index"
"""Where the index lies in the folder of the knowledge files, unless told otherwise."""

_ENTRY_COLUMNS: Final = ("key", "label", "name", "wikidata", "geonames", "iso_country")
_DEVANAGARI: Final = re.compile("[\u0900-\u097f]")
_KEYS_AT_ONCE: Final = 200_000
_COMMON_SHARE: Final = 0.02
_COMMON_FLOOR: Final = 5_000
"""An n-gram in more keys than this share of them, and than this many, gets no postings."""


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


def build(knowledge_dir: Path, out_dir: Path | None = None) -> Index:
    """Build the index of the files in ``knowledge_dir`` into ``out_dir`` and open it.

    The same files and code give the same bytes. The new version is put in force by replacing one
    small file, so that readers never see half of it; those that have the old one open keep it.
    Raises :class:`pipeline.knowledge.files.KnowledgeError` when a file is wrong; the old index then
    stays.
    """
    out_dir = out_dir or knowledge_dir / INDEX_FOLDER
    with _locked(out_dir):
        return _build(knowledge_dir, out_dir)


def ensure(knowledge_dir: Path, out_dir: Path | None = None) -> Index:
    """Open the index of ``knowledge_dir``, building it first when it is missing or stale."""
    out_dir = out_dir or knowledge_dir / INDEX_FOLDER
    index = _open_fresh(knowledge_dir, out_dir)
    if index is not None:
        return index
    with _locked(out_dir):  # another process may have built it while this one waited
        return _open_fresh(knowledge_dir, out_dir) or _build(knowledge_dir, out_dir)


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


def alias_keys(alias: Alias) -> tuple[str, ...]:
    """Return the fold keys of ``alias``, the likeliest first.

    By its language's rules; an alias of no language by the general ones and the English, or in
    Devanagari, the Hindi.
    """
    if alias.lang != UNDETERMINED:
        rules = [alias.lang]
    elif _DEVANAGARI.search(alias.text):
        rules = ["hi", UNDETERMINED]
    else:
        rules = [UNDETERMINED, "en"]
    keys = [key for lang in rules for key in languages.get(lang).keys(alias.text)]
    return tuple(dict.fromkeys(filter(None, keys)))


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
    return None if index.stale(knowledge_dir) else index


def _build(knowledge_dir: Path, out_dir: Path) -> Index:
    checksum = fingerprint(knowledge_dir)
    staging = Path(tempfile.mkdtemp(prefix=".building-", dir=out_dir))
    try:
        # First, so that a wrong line is reported before the long work.
        rows_by_file = {
            path.name: sum(1 for _ in read_rows(path)) for path in knowledge_files(knowledge_dir)
        }
        names = _Names()
        for entry in read_entries(knowledge_dir):
            names.add(entry)
        names.write(staging)
        meta = {
            "format": FORMAT,
            "checksum": checksum,
            "alias_sources": list(names.sources),
            "counts": {
                "rows_by_file": rows_by_file,
                "entries_by_label": dict(sorted(names.labels.items())),
                "aliases_by_language": names.aliases_by_language(),
            },
        }
        (staging / META).write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")
        _put_in_force(staging, out_dir, checksum[:16])
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Index.open(out_dir)


def _put_in_force(staging: Path, out_dir: Path, version: str) -> None:
    final = out_dir / version
    if not final.exists():  # else: the same content, perhaps open in other processes
        staging.chmod(0o755)
        staging.rename(final)
    pointer = out_dir / f".{CURRENT}"
    pointer.write_text(version + "\n", encoding="utf-8")
    pointer.replace(out_dir / CURRENT)
    for old in out_dir.iterdir():
        if old.is_dir() and old.name != version:
            shutil.rmtree(old, ignore_errors=True)


class _Texts:
    """Many strings, end to end: a tenth of what a list of them takes."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, text: str) -> None:
        self._bytes += text.encode()
        self._ends.append(len(self._bytes))

    def arrow(self) -> pa.Array:
        buffers = [None, pa.py_buffer(self._ends), pa.py_buffer(self._bytes)]
        return pa.Array.from_buffers(pa.large_string(), len(self), buffers)


@dataclass
class _Names:
    """Everything the index holds, collected entry by entry in flat arrays."""

    entries: dict[str, _Texts] = field(
        default_factory=lambda: {column: _Texts() for column in _ENTRY_COLUMNS}
    )
    priors: array[float] = field(default_factory=lambda: array("d"))
    first_alias: array[int] = field(default_factory=lambda: array("I", [0]))
    alias_text: _Texts = field(default_factory=_Texts)
    alias_entry: array[int] = field(default_factory=lambda: array("I"))
    alias_lang: array[int] = field(default_factory=lambda: array("B"))
    alias_source: array[int] = field(default_factory=lambda: array("H"))
    text_number: array[int] = field(default_factory=lambda: array("Q"))
    key_number: array[int] = field(default_factory=lambda: array("Q"))
    key_text: _Texts = field(default_factory=_Texts)
    key_alias: array[int] = field(default_factory=lambda: array("I"))
    key_rank: array[int] = field(default_factory=lambda: array("B"))
    sources: dict[str, int] = field(default_factory=dict)
    labels: Counter[str] = field(default_factory=Counter)

    def add(self, entry: Entry) -> None:
        for column, values in self.entries.items():
            values.append(getattr(entry, column) or "")
        for alias in entry.aliases:
            self._add_alias(alias, len(self.priors))
        self.priors.append(entry.prior)
        self.first_alias.append(len(self.alias_text))
        self.labels[entry.label] += 1

    def _add_alias(self, alias: Alias, entry: int) -> None:
        position = len(self.alias_text)
        self.alias_text.append(alias.text)
        self.alias_entry.append(entry)
        self.alias_lang.append(ALIAS_LANGUAGES.index(alias.lang))
        self.alias_source.append(self.sources.setdefault(alias.source, len(self.sources)))
        self.text_number.append(int(number(casefold(alias.text, alias.lang))))
        for rank, key in enumerate(alias_keys(alias)):
            self.key_number.append(int(number(key)))
            self.key_text.append(key)
            self.key_alias.append(position)
            self.key_rank.append(min(rank, 255))

    def aliases_by_language(self) -> dict[str, int]:
        counts = np.bincount(_array(self.alias_lang), minlength=len(ALIAS_LANGUAGES))
        return dict(zip(ALIAS_LANGUAGES, counts.tolist(), strict=True))

    def write(self, folder: Path) -> None:
        """Write all arrays of the index to ``folder``."""
        _write_table(
            folder / "entries.arrow",
            {column: values.arrow() for column, values in self.entries.items()},
        )
        _write_table(folder / "aliases.arrow", {"text": self.alias_text.arrow()})
        priors = _array(self.priors)
        alias_entry = _array(self.alias_entry)
        _write_numbers(folder, "entry_prior", priors)
        _write_numbers(folder, "entry_aliases", _array(self.first_alias))
        _write_numbers(folder, "alias_entry", alias_entry)
        _write_numbers(folder, "alias_lang", _array(self.alias_lang))
        _write_numbers(folder, "alias_source", _array(self.alias_source))
        text_number = _array(self.text_number)
        order = np.argsort(text_number, kind="stable")
        _write_numbers(folder, "text_number", text_number[order])
        _write_numbers(folder, "text_alias", order.astype(np.uint32))
        keys = self._write_keys(folder)
        _write_words(folder, keys, alias_entry, priors)

    def _write_keys(self, folder: Path) -> _Keys:
        """Write each distinct key once, in the order of its hash, with the aliases that have it."""
        rows = pa.table(
            {
                "number": _array(self.key_number),
                "text": self.key_text.arrow(),
                "rank": _array(self.key_rank),
                "alias": _array(self.key_alias),
            }
        )
        rows = rows.sort_by([(name, "ascending") for name in rows.column_names])
        rows = rows.combine_chunks()
        texts = rows["text"].chunk(0) if len(rows) else pa.array([], pa.large_string())
        numbers = rows["number"].to_numpy()
        changes = np.ones(len(rows), dtype=bool)
        if len(rows):
            differs = pc.not_equal(texts[1:], texts[:-1])
            changes[1:] = differs.to_numpy(zero_copy_only=False)
        starts = np.flatnonzero(changes)
        keys = _Keys(
            texts=texts.take(pa.array(starts)),
            aliases=np.append(starts, len(rows)).astype(np.uint32),
            alias=rows["alias"].to_numpy(),
            rank=rows["rank"].to_numpy(),
        )
        _write_table(folder / "keys.arrow", {"text": keys.texts})
        _write_numbers(folder, "key_number", numbers[starts])
        _write_numbers(folder, "key_aliases", keys.aliases)
        _write_numbers(folder, "key_alias", keys.alias)
        _write_numbers(folder, "key_rank", keys.rank)
        _write_grams(folder, keys.texts)
        return keys


@dataclass(frozen=True, slots=True)
class _Keys:
    """The distinct keys; the aliases of key ``i`` are ``alias[aliases[i] : aliases[i + 1]]``.

    ``rank`` has the key's place among the keys of each.
    """

    texts: pa.Array
    aliases: npt.NDArray[np.uint32]
    alias: npt.NDArray[np.uint32]
    rank: npt.NDArray[np.uint8]


def _write_words(
    folder: Path,
    keys: _Keys,
    alias_entry: npt.NDArray[np.uint32],
    priors: npt.NDArray[np.float64],
) -> None:
    """Write each distinct word of the keys, by its hash, with its entries by falling prior."""
    split = pc.split_pattern(keys.texts, " ")
    words = split.flatten()
    word_key = np.asarray(pc.list_parent_indices(split)).astype(np.int64)
    encoded = words.dictionary_encode()
    distinct: list[str] = encoded.dictionary.to_pylist()
    numbers = np.fromiter(map(number, distinct), dtype=np.uint64, count=len(distinct))
    by_hash = pa.table({"number": numbers, "text": encoded.dictionary})
    order = np.asarray(
        pc.sort_indices(by_hash, [("number", "ascending"), ("text", "ascending")])
    ).astype(np.int64)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    word = place[np.asarray(encoded.indices)]
    # Every word of a key belongs to the entries of all aliases with that key.
    first = keys.aliases[:-1].astype(np.int64)[word_key]
    counts = keys.aliases[1:].astype(np.int64)[word_key] - first
    uses = _spans(first, counts)
    pairs = np.repeat(word, counts) * len(priors) + alias_entry[keys.alias[uses]]
    in_folds = np.unique(pairs[keys.rank[uses] == 0]) // max(len(priors), 1)
    word, entry = np.divmod(np.unique(pairs), max(len(priors), 1))
    entry = entry[np.lexsort((entry, -priors[entry], word))]
    _write_table(folder / "words.arrow", {"text": encoded.dictionary.take(pa.array(order))})
    _write_numbers(folder, "word_number", numbers[order])
    _write_numbers(folder, "word_folds", np.bincount(in_folds, minlength=len(distinct)))
    _write_numbers(folder, "word_entries", _starts(word, len(distinct)))
    _write_numbers(folder, "word_entry", entry.astype(np.uint32))


def _write_grams(folder: Path, texts: pa.Array) -> None:
    """Write the weight of every n-gram, the keys it occurs in, and the norm of every key.

    The weight is the square of the smoothed inverse document frequency, ln((1 + n) / (1 + df)) + 1
    (Salton and Buckley 1988, as in scikit-learn), over keys as documents.
    """
    total = len(texts)
    frequency = np.zeros(grams.SIZE, dtype=np.int64)
    for _, gram, _ in _chunks_of_grams(texts):
        frequency += np.bincount(gram, minlength=grams.SIZE)
    weight = np.square(np.log((1 + total) / (1 + frequency)) + 1)
    common = frequency > max(_COMMON_FLOOR, _COMMON_SHARE * total)
    kept = np.where(common, 0, frequency)
    starts = np.append(0, np.cumsum(kept))
    norm = np.zeros(total, dtype=np.float32)
    postings = np.lib.format.open_memmap(
        folder / "gram_key.npy", mode="w+", dtype=np.uint32, shape=(int(starts[-1]),)
    )
    cursor = starts[:-1].copy()
    for offset, gram, key in _chunks_of_grams(texts):
        size = int(key.max()) + 1
        norm[offset : offset + size] = np.sqrt(np.bincount(key, weights=weight[gram]))
        kept_here = ~common[gram]
        gram, key = gram[kept_here], key[kept_here]
        counts = np.bincount(gram, minlength=grams.SIZE)
        postings[_spans(cursor, counts)] = key + offset  # by n-gram, then key, as they come
        cursor += counts
    postings.flush()
    _write_numbers(folder, "gram_weight", weight.astype(np.float32))
    _write_numbers(folder, "gram_keys", starts)
    _write_numbers(folder, "key_norm", norm)


def _chunks_of_grams(
    texts: pa.Array,
) -> Iterator[tuple[int, npt.NDArray[np.int32], npt.NDArray[np.int64]]]:
    """Yield, chunk by chunk, its first key, and n-grams with keys as positions in the chunk."""
    for offset in range(0, len(texts), _KEYS_AT_ONCE):
        gram, key = grams.codes_of_keys(texts[offset : offset + _KEYS_AT_ONCE].to_pylist())
        yield offset, gram, key


def _spans(first: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the numbers of all spans in a row: ``counts[i]`` of them from ``first[i]`` on."""
    before = np.cumsum(counts) - counts
    spans: npt.NDArray[np.int64] = np.arange(int(counts.sum())) + np.repeat(first - before, counts)
    return spans


def _starts(groups: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.int64]:
    """Return where each of ``size`` groups starts in the ascending ``groups``, and the end."""
    return np.append(0, np.cumsum(np.bincount(groups, minlength=size)))


def _array(values: array[Any]) -> npt.NDArray[Any]:
    return np.frombuffer(values, dtype=values.typecode) if values else np.empty(0, values.typecode)


def _write_numbers(folder: Path, name: str, values: npt.NDArray[Any]) -> None:
    np.save(folder / f"{name}.npy", values, allow_pickle=False)


def _write_table(path: Path, columns: dict[str, pa.Array]) -> None:
    batch = pa.record_batch(columns)
    with pa.ipc.new_file(str(path), batch.schema) as writer:
        writer.write_batch(batch)
