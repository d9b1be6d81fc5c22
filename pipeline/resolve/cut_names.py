"""Persons' names that the recogniser cut short, grown to the known full name around them.

*Kassym-Jomart Tokayev* taken for two names, *Phạm Minh* of *Phạm Minh Chính*, *Lam* of *To Lam*:
where the words around a mention make a person's name of the knowledge base with it, word for word,
the mention is that whole name. What the knowledge base does not hold is left as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import compress, product
from typing import Any, Final

from pipeline.knowledge.index import Index
from pipeline.recognise.words import split_words

LABEL: Final = "PER"
MOST_MORE: Final = 3
"""Words that a mention may lack on either side."""

_LONGEST_PARTICLE: Final = 3
"""Letters of small words within names: bin, von, der."""
_HYPHENS: Final = tuple("-‐‑–")
_BETWEEN: Final = "-‐‑– \u00a0.,"
"""What may stand between two names."""

Row = dict[str, Any]
Words = Sequence[tuple[int, int]]


def grow(rows: Sequence[Row], index: Index) -> list[Row]:
    """Return the mentions of one document with the persons' names that were cut short made whole.

    A mention inside of a name that grew goes, one that reaches into it keeps the rest. The grown
    one keeps all else of the first mention that is part of it and of a person.
    """
    by_sentence: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_sentence[row["sentence_start"]].append(row)
    return [row for some in by_sentence.values() for row in _grown(some, index)]


def _grown(rows: list[Row], index: Index) -> list[Row]:
    """Return the mentions of one sentence, those of persons grown."""
    if not any(row["ner_label"] == LABEL for row in rows):
        return rows
    sentence, offset = rows[0]["sentence"], rows[0]["sentence_start"]
    words = split_words(sentence)
    for row in [row for row in rows if row["ner_label"] == LABEL]:
        if row not in rows:  # it went into the one before
            continue
        start, end = row["start"] - offset, row["end"] - offset
        windows = sorted(_windows(sentence, words, start, end), key=lambda w: w[0] - w[1])
        held = index.holds_parts(sentence, windows, row["lang"]).tolist() if windows else []
        for first, last in compress(windows, held):
            if _is_person(sentence[first:last], row["lang"], index):
                grown = {"start": offset + first, "end": offset + last}
                new = row | grown | {"surface": sentence[first:last]}
                rows = [*_outside([one for one in rows if one is not row], new), new]
                break
    return rows


def _windows(sentence: str, words: Words, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of the stretches that hold the mention and some words beside it."""
    inside = [place for place, word in enumerate(words) if start <= word[0] and word[1] <= end]
    if not inside:
        return
    firsts = [start, *_beside(sentence, words, inside[0], -1)]
    lasts = [end, *_beside(sentence, words, inside[-1], +1)]
    for first, last in product(firsts, lasts):
        if (first, last) != (start, end):
            yield first, last


def _beside(sentence: str, words: Words, place: int, step: int) -> Iterator[int]:
    """Yield how far a name may reach from its word at ``place`` on, to the left or right.

    Syllables behind a hyphen are part of their word: *Xéc-gây La-vrốp*.
    """
    more = 0
    while more < MOST_MORE:
        beside = _next(sentence, words, place, step)
        if beside is None:
            return
        more += sentence[slice(*words[(place + beside) // 2])] not in _HYPHENS
        start, end = words[beside]
        is_syllable = sentence[start].islower() and sentence[:start].endswith(_HYPHENS)
        if not sentence[start].islower() or (is_syllable and step > 0):
            yield start if step < 0 else end
        elif end - start > _LONGEST_PARTICLE and not is_syllable:
            return
        place = beside


def _next(sentence: str, words: Words, place: int, step: int) -> int | None:
    """Return the place of the next word of a name: behind a space, a hyphen, an initial's stop."""
    beside = place + step
    if not 0 <= beside < len(words):
        return None
    mark = sentence[slice(*words[beside])]
    is_joined = mark in _HYPHENS or mark == "."
    if is_joined:
        beside += step
        if not 0 <= beside < len(words):
            return None
    first, last = sorted((place, beside))
    between = sentence[words[first][1] : words[last][0]]
    if mark == ".":
        is_part = between.rstrip() == mark and words[first][1] - words[first][0] == 1
    else:
        is_part = between == mark if is_joined else between.isspace()
    return beside if is_part and sentence[words[beside][0]].isalpha() else None


def _is_person(name: str, lang: str, index: Index) -> bool:
    """Tell whether the name is a known person's, and nothing else's."""
    labels = {index.entry(hit.entry).label for hit in index.exact_text(name, lang)}
    return labels == {LABEL}


def _outside(rows: Sequence[Row], new: Row) -> Iterator[Row]:
    """Yield the mentions, those that reach into ``new`` with what is left of them."""
    for row in rows:
        start, end = row["start"], row["end"]
        if start < new["end"] and new["start"] < end:
            if start < new["start"]:
                end = new["start"]
            elif new["end"] < end:
                start = new["end"]
            else:
                continue
            rest = row["surface"][start - row["start"] : end - row["start"]]
            start += len(rest) - len(rest.lstrip(_BETWEEN))
            surface = rest.strip(_BETWEEN)
            if not surface:
                continue
            row = row | {"start": start, "end": start + len(surface), "surface": surface}
        yield row
