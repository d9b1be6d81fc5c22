"""What the knowledge base says of the recogniser's spans: names cut short, names run together.

Organisations have long names of everyday words, and a recogniser loses them first. Where a text
holds such a name of the knowledge base word by word, the name is marked whole; a mention that is a
part of it grows to it and keeps its engine and score.

Names that stand side by side without a comma, as in Turkish and Vietnamese, are taken for one.
Where a mention that nothing known is called consists of a known place and a known person's full
name, in either order, or of two countries, with a hyphen or without, it is parted between them.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import compress
from typing import Any, Final

import pyarrow as pa

from pipeline import schemas
from pipeline.knowledge.index import BEGINNING, Index
from pipeline.knowledge.prior import COUNTRY_KEY
from pipeline.knowledge.text import casefolded_in_place
from pipeline.languages.en import ENDINGS_OF_PLACES, adjectives_of_nations
from pipeline.recognise.sentences import split_sentences
from pipeline.recognise.words import split_words
from pipeline.resolve.cut_names import LABEL as PERSON
from pipeline.resolve.cut_names import grow

ENGINE: Final = "knowledge"
"""The engine of a mention that no recogniser found; its model is the index's checksum."""

LABEL: Final = "ORG"
LEAST_WORDS: Final = 3
"""Shorter names are too often everyday words, or parts of other names."""

MOST_WORDS: Final = 12

LEAST_WORDS_OF_TWO: Final = 2
LEAST_WORDS_OF_PERSON: Final = 2
LEAST_PRIOR_OF_PLACE: Final = 0.6
"""A country or a large city; small places bear everyday words and surnames."""

_CACHED: Final = 16_384
_HYPHENS: Final = frozenset("-‐‑–—")

Row = dict[str, Any]
Found = tuple[int, int]


def spot(
    documents: pa.Table, segments: pa.Table, mentions: pa.Table, index: Index, run_id: str
) -> list[Row]:
    """Return the rows of ``mentions`` with the long organisation names of ``index`` marked whole.

    The arguments are unfinished tables of those schemas; a new row lacks what is not known yet. A
    name found becomes a mention of its own, unless one with its edges is there; mentions inside it,
    or across one of its edges, go, and the first of those inside lends it engine, model, label and
    score. A name inside a longer mention changes nothing. The parts of a parted mention keep all
    else of it, and an English adjective of a nation is no mention. Sorted by document and start; a
    document's rows depend on that document and ``index`` alone.
    """
    texts = dict(zip(documents["doc_id"].to_pylist(), documents["text"].to_pylist(), strict=True))
    by_document: dict[str, list[Row]] = defaultdict(list)
    for row in mentions.to_pylist():
        if not _is_adjective(row, index):
            by_document[row["doc_id"]] += _parted(row, index)
    for doc_id, found in by_document.items():
        by_document[doc_id] = grow(found, index)
    columns = ["doc_id", "segment", "date", "start", "end", "lang", "kind"]
    for segment in segments.select(columns).to_pylist():
        doc_id = segment["doc_id"]
        for new in _spot_segment(texts[doc_id], segment, index, run_id):
            by_document[doc_id] = _insert(by_document[doc_id], new)
    return [
        row
        for doc_id in sorted(by_document)
        for row in sorted(by_document[doc_id], key=lambda row: (row["start"], row["end"]))
    ]


def _is_adjective(row: Row, index: Index) -> bool:
    """Tell whether an English mention is no name but an adjective: Kyrgyz, Central Asian."""
    surface = row["surface"]
    if row["lang"] != "en" or row["ner_label"] == PERSON or index.exact_text(surface, "en"):
        return False
    places = (surface[: -len(ending)] for ending in ENDINGS_OF_PLACES if surface.endswith(ending))
    return surface in adjectives_of_nations() or any(
        _known(place, "en", index).is_place for place in places
    )


def _parted(row: Row, index: Index) -> list[Row]:
    """Return the mention, or the two known names it consists of where nothing is called so."""
    cut = _cut_of(index)(row["surface"], row["lang"])
    if cut is None:
        return [row]
    end, start = cut
    return [
        row | {"surface": row["surface"][:end], "end": row["start"] + end},
        row | {"surface": row["surface"][start:], "start": row["start"] + start},
    ]


@lru_cache(maxsize=1)
def _cut_of(index: Index) -> Callable[[str, str], tuple[int, int] | None]:
    """Return :func:`_cut` in ``index``, which remembers what it was asked, within bounds."""
    return lru_cache(maxsize=_CACHED)(partial(_cut, index))


def _cut(index: Index, surface: str, lang: str) -> tuple[int, int] | None:
    """Return where the first of two known names ends and the second starts; None for one name."""
    words = split_words(surface)
    if len(words) < LEAST_WORDS_OF_TWO or index.exact_text(surface, lang):
        return None
    for number in range(1, len(words)):
        is_hyphen = surface[slice(*words[number])] in _HYPHENS
        end, (start, _) = words[number - 1][1], words[min(number + is_hyphen, len(words) - 1)]
        one, other = (_known(name, lang, index) for name in (surface[:end], surface[start:]))
        if (one.is_country and other.is_country) or (
            surface[end:start].isspace()
            and ((one.is_place and other.is_person) or (one.is_person and other.is_place))
        ):
            return end, start
    return None


@dataclass(frozen=True, slots=True)
class _Known:
    """What the knowledge base calls by a name, if anything."""

    is_country: bool
    is_place: bool
    is_person: bool


def _known(name: str, lang: str, index: Index) -> _Known:
    numbers = [hit.entry for hit in index.exact_text(name, lang)]
    entries = [(index.entry(number), index.prior(number)) for number in numbers]
    return _Known(
        any(entry.key.startswith(COUNTRY_KEY) for entry, _ in entries),
        any(entry.label == "LOC" and prior >= LEAST_PRIOR_OF_PLACE for entry, prior in entries),
        any(entry.label == "PER" for entry, _ in entries)
        and len(split_words(name)) >= LEAST_WORDS_OF_PERSON,
    )


def known_names(text: str, lang: str, index: Index) -> list[Found]:
    """Return start and end of every long name of a known organisation in ``text``.

    Names are compared but for case, as ``lang`` writes them or as no language does; they begin with
    a capital where the script has them, and none goes beyond a sentence. Of names that overlap, the
    longest stays.
    """
    # Where case folding moves letters, nothing is ruled out at a glance: one sentence at a time.
    in_place = casefolded_in_place(text, lang) is not None
    whole = [(0, len(text))] if in_place else split_sentences(text, lang)
    found = [
        (first + start, first + end)
        for first, last in whole
        for start, end in _held(text[first:last], lang, index)
        if _is_organisation(text[first + start : first + end], lang, index)
    ]
    if not found:
        return []
    sentences = split_sentences(text, lang)
    starts = [start for start, _ in sentences]
    kept: list[Found] = []
    for start, end in sorted(found, key=lambda window: (window[0] - window[1], window[0])):
        _, sentence_end = sentences[bisect(starts, start) - 1]
        if end <= sentence_end and all(
            end <= other_start or other_end <= start for other_start, other_end in kept
        ):
            kept.append((start, end))
    return sorted(kept)


def _held(text: str, lang: str, index: Index) -> list[Found]:
    """Return the stretches of enough words that the knowledge base holds, but for rare others."""
    words = split_words(text)
    firsts = [first for first, (start, _) in enumerate(words) if not text[start].islower()]
    may_begin = index.may_begin_organisation(text, [words[first][0] for first in firsts], lang)
    windows: list[Found] = []
    for first, is_beginning in zip(firsts, may_begin, strict=True):
        least = words[first : first + LEAST_WORDS]
        if len(least) == LEAST_WORDS and (is_beginning or least[-1][1] - least[0][0] < BEGINNING):
            windows += _windows(words, first, math.inf if is_beginning else BEGINNING)
    return [*compress(windows, index.holds_parts(text, windows, lang).tolist())] if windows else []


def _windows(words: Sequence[Found], first: int, shorter: float) -> Iterator[Found]:
    """Yield the stretches of enough words from the ``first`` on, shorter than ``shorter``."""
    start = words[first][0]
    for _, end in words[first + LEAST_WORDS - 1 : first + MOST_WORDS]:
        if end - start >= shorter:
            return
        yield start, end


def _is_organisation(name: str, lang: str, index: Index) -> bool:
    """Tell whether the name is an organisation's in ``lang``, and nothing else's."""
    labels = {
        index.entry(hit.entry).label
        for hit in index.exact_text(name, lang)
        if hit.alias_lang in (lang, schemas.UNDETERMINED)
    }
    return labels == {LABEL}


def _spot_segment(
    text: str, segment: Mapping[str, Any], index: Index, run_id: str
) -> Iterator[Row]:
    lang, offset = segment["lang"], segment["start"]
    segment_text = text[offset : segment["end"]]
    names = known_names(segment_text, lang, index)
    for sentence_start, sentence_end in split_sentences(segment_text, lang) if names else ():
        for start, end in names:
            if sentence_start <= start < sentence_end:
                yield {
                    "doc_id": segment["doc_id"],
                    "segment": segment["segment"],
                    "date": segment["date"],
                    "lang": lang,
                    "kind": segment["kind"],
                    "label": LABEL,
                    "ner_label": LABEL,
                    "start": offset + start,
                    "end": offset + end,
                    "surface": segment_text[start:end],
                    "sentence": segment_text[sentence_start:sentence_end],
                    "sentence_start": offset + sentence_start,
                    "ner_score": None,
                    "engine": ENGINE,
                    "model": index.checksum,
                    "run_id": run_id,
                }


def _insert(rows: Iterable[Row], new: Row) -> list[Row]:
    """Return ``rows`` with ``new`` in place of what it holds or cuts."""
    rows = list(rows)
    touching = [row for row in rows if row["start"] < new["end"] and new["start"] < row["end"]]
    if any(row["start"] <= new["start"] and new["end"] <= row["end"] for row in touching):
        return rows
    inside = [row for row in touching if new["start"] <= row["start"] and row["end"] <= new["end"]]
    if inside:
        first = min(inside, key=lambda row: (row["start"], row["end"]))
        lent = ("label", "ner_label", "ner_score", "engine", "model")
        new = new | {column: first[column] for column in lent}
    return [row for row in rows if row not in touching] + [new]
