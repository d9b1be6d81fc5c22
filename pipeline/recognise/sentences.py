"""Splitting text into sentences, offsets kept.

The library sentencex (Wikimedia) finds the boundaries within a line; a line break always is one.
It knows few abbreviations outside English, so a boundary behind a full stop is taken back where the
stop belongs to an abbreviation, an initial or an ordinal number of the language, or where the text
goes on in lower case.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import regex

from pipeline.boundaries import sentence_boundaries
from pipeline.linebreaks import LINE

_LAST_WORD: Final = regex.compile(r"(?r)(?<![\p{L}\p{M}\p{N}])([\p{L}\p{M}]+|\p{N}+)\.\s*$")
_MARK: Final = regex.compile(r"\p{M}")
"""What belongs to the character before it, a full stop or not."""
_LOWER_NEXT: Final = regex.compile(r"[\s\x1f]*+\p{Ll}")
_ORDINAL_LANGUAGES: Final = frozenset({"tr"})
_ROMAN_NUMERAL: Final = regex.compile(r"[IVX]+")
_FALLBACK_LANGUAGE: Final = "en"
_LONGEST: Final = 4_000
"""Code points of the longest sentence. Every mention holds its own: a list on one line of a
megabyte, without a full stop, would be written down for each of its thousand names."""


def split_sentences(text: str, lang: str) -> list[tuple[int, int]]:
    """Return start and end (code points, end exclusive) of every sentence of ``text``, in order.

    ``lang`` is an ISO 639-1 code, or ``und``. Sentences neither overlap nor begin or end in white
    space; what lies between them is white space only. A very long one is cut at white space.
    """
    return [
        span
        for line in LINE.finditer(text)
        for span in _split_line(line.group(), line.start(), lang)
    ]


def _split_line(line: str, offset: int, lang: str) -> Iterator[tuple[int, int]]:
    start = 0
    rules = _FALLBACK_LANGUAGE if lang == "und" else lang
    for _, end in sentence_boundaries(line, rules):
        if end < len(line) and _continues(line, start, end, lang):
            continue
        piece = line[start:end]
        stripped = piece.strip()
        if stripped:
            first = offset + start + len(piece) - len(piece.lstrip())
            yield from _shortened(stripped, first)
        start = end


def _shortened(sentence: str, first: int) -> Iterator[tuple[int, int]]:
    """Yield the sentence, which begins at ``first``, in parts where it is too long."""
    start = 0
    while len(sentence) - start > _LONGEST:
        part = sentence[start : start + _LONGEST + 1].rstrip()
        if len(part) > _LONGEST:  # cut within a word
            part = part.rsplit(maxsplit=1)[0][:_LONGEST]
        yield first + start, first + start + len(part)
        start += len(part)
        while sentence[start].isspace():
            start += 1
    yield first + start, first + len(sentence)


def _continues(line: str, start: int, end: int, lang: str) -> bool:
    """Tell whether the full stop that ends ``line[start:end]`` does not end a sentence."""
    if _MARK.match(line, end):
        return True
    last = _LAST_WORD.search(line, start, end)
    if last is None:
        return False
    if _LOWER_NEXT.match(line, end):
        return True
    word = last.group(1)
    if lang in _ORDINAL_LANGUAGES and _ROMAN_NUMERAL.fullmatch(word):
        return True
    is_initial = len(word) == 1 and word.isupper()
    return is_initial or word.casefold() in _abbreviations(lang)


@cache
def _abbreviations(lang: str) -> frozenset[str]:
    """Return the abbreviations of a language that a name or number follows, in lower case."""
    text = Path(__file__).with_name("abbreviations.toml").read_text(encoding="utf-8")
    return frozenset(word.casefold() for word in tomllib.loads(text).get(lang, []))
