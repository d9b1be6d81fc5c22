"""Tidying the edges of what an engine found, the same for all engines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import regex

from pipeline.recognise.base import Span
from pipeline.schemas import UNDETERMINED

_PUNCTUATION: Final = regex.compile(r"[\p{P}\p{S}\p{Z}\p{C}]")
_LETTER: Final = regex.compile(r"\p{L}")
_PARTNER: Final = {
    ")": "(", "]": "[", "}": "{", "”": "“„", "’": "‘", "»": "«", '"': '"', "'": "'",
}  # fmt: skip
_OPENING: Final = {
    opening: {closing for closing, openings in _PARTNER.items() if opening in openings}
    for openings in _PARTNER.values()
    for opening in openings
}
_BRACKETED: Final = regex.compile(r"([^()]*\p{L}[^()]*?)\s*\(([^()]*\p{L}[^()]*)\)?")
_ABBREVIATED: Final = regex.compile(
    r"(?<![\p{L}\p{M}\p{N}])(?:\p{Lu}|Inc|Ltd|Co|Corp|Bros|Jr|Sr|Şti)\.$"
)
_NOT_PROSE: Final = regex.compile(
    r"(?:https?://|www\.)\S+"  # addresses on the web
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # e-mail addresses
    r"|(?<!\w)(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{12,}(?!\w)",  # checksums and ids
    regex.IGNORECASE,
)
_CAPITAL: Final = regex.compile(r"\p{Lu}")
_NAMES_HAVE_CAPITALS: Final = frozenset({"ro"})
"""Where a span in small letters is a common noun: of fifteen in the dev parts none is a name.

English and Vietnamese readers type names in small letters, and most of those found are right.
"""


def clean_spans(sentence: str, spans: Iterable[Span], lang: str = UNDETERMINED) -> list[Span]:
    """Return ``spans`` of ``sentence`` with tidy edges, in order and without overlap.

    Quotes, brackets and other punctuation at an edge are cut off, unless they belong to the name:
    the full stop of ``U.S.`` or ``Inc.``, or a bracket or quote whose partner is inside. Spans in
    web and e-mail addresses or checksums are dropped, and those without any letter; a name behind
    an ``@`` stays. A name with another in brackets behind it, such as its acronym, becomes two: so
    most annotators see it. Of two that overlap, the first stays. In some languages (``lang``) a
    name has a capital, where the sentence has one.
    """
    excluded = [match.span() for match in _NOT_PROSE.finditer(sentence)]
    cleaned: list[Span] = []
    parts = [part for span in spans for part in _split_at_brackets(sentence, span)]
    needs_capital = lang in _NAMES_HAVE_CAPITALS and _CAPITAL.search(sentence) is not None
    for span in sorted(parts, key=lambda part: (part.start, -part.end)):
        start, end = _trim(sentence, span.start, span.end)
        if not _LETTER.search(sentence, start, end):
            continue
        if needs_capital and not _CAPITAL.search(sentence, start, end):
            continue
        if any(start < last and first < end for first, last in excluded):
            continue
        if cleaned and start < cleaned[-1].end:
            continue
        cleaned.append(replace(span, start=start, end=end))
    return cleaned


def _split_at_brackets(sentence: str, span: Span) -> list[Span]:
    """Return the name and the one in brackets at its end, or the whole where there is no such."""
    match = _BRACKETED.fullmatch(sentence, span.start, span.end)
    if match is None:
        return [span]
    return [replace(span, start=start, end=end) for start, end in (match.span(1), match.span(2))]


def _trim(sentence: str, start: int, end: int) -> tuple[int, int]:
    """Move both edges inward past punctuation that is not part of the name."""
    while start < end and _PUNCTUATION.match(sentence[start]):
        if _has_closing(sentence[start], sentence[start + 1 : end - 1]):
            break
        start += 1
    while start < end and _PUNCTUATION.match(sentence[end - 1]):
        if _has_opening(sentence[start + 1 : end - 1], sentence[end - 1]):
            break
        if _ABBREVIATED.search(sentence, start, end):
            break
        end -= 1
    return start, end


def _has_closing(opening: str, inside: str) -> bool:
    return any(closing in inside for closing in _OPENING.get(opening, ()))


def _has_opening(inside: str, closing: str) -> bool:
    return any(opening in inside for opening in _PARTNER.get(closing, ""))
