"""From the recogniser's spans to clean ones: the name alone, its case ending beside it.

The order is fixed: edges (white space, quotes, brackets), the glued case ending, titles of persons,
then overlaps. Only offsets move; the text is never changed.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pipeline import languages
from pipeline.languages.base import Language

_OPENING: Final = "([{<«‹“„‘‚\"'`*_-–—,.;:!?|/।॥•·…"
_CLOSING: Final = ")]}>»›”“’‘\"'`*_-–—,;:!?|/।॥•·…"
_OPENED_BY: Final = {
    **{")": "(", "]": "[", "}": "{", "»": "«", "›": "‹", "’": "‘", '"': '"'},
    **{"”": "„“", "“": "„"},
}
"""What opens what a bracket or quotation mark closes; the languages' habits differ (CLDR)."""
_LONG_LAST_WORD: Final = re.compile(r"[^\W\d_]{5,}\.$")
"""A full stop behind a long word ends a sentence, behind a short one it abbreviates (``Inc.``)."""

_LATIN: Final = re.compile(r"[A-Za-zÀ-ɏḀ-ỿ]")
_DEVANAGARI: Final = re.compile(r"[\u0900-\u097f]")


@dataclass(frozen=True, slots=True)
class Span:
    """A mention's place in its document: ``text[start:end]`` is the name, ``suffix`` follows it."""

    start: int
    end: int
    suffix: str | None = None


def language_of(surface: str, lang: str) -> Language:
    """Return the rules that read ``surface`` in a segment of language ``lang``.

    Names in Latin letters inside Hindi text are spelled as in English; Devanagari anywhere is read
    as Hindi.
    """
    if _DEVANAGARI.search(surface):
        return languages.get("hi")
    if lang == "hi" and _LATIN.search(surface):
        return languages.get("en")
    return languages.get(lang)


def mention_id(doc_id: str, start: int, end: int) -> str:
    """Return the mention's id: the first 32 hex digits of SHA-256 of ``doc_id:start:end``."""
    return hashlib.sha256(f"{doc_id}:{start}:{end}".encode()).hexdigest()[:32]


def clean(text: str, start: int, end: int, label: str, lang: str) -> Span | None:
    """Return the name inside ``text[start:end]``; None when it holds no letter or digit.

    A quotation mark or bracket that follows belongs to the name which opened it.
    ``label`` is the recogniser's (titles come off persons only), ``lang`` the segment's language.
    """
    start, end = _edges(text, start, end)
    if start >= end or not any(c.isalnum() for c in text[start:end]):
        return None
    if end < len(text) and _is_closing(text, start, end):
        end += 1
    language = language_of(text[start:end], lang)
    inside = language.inside_suffix(text[start:end])
    suffix = text[end - inside : end] if inside else ""
    end -= inside
    if label == "PER":
        start, end = _without_titles(text, start, end, language)
    if not suffix:
        suffix = language.suffix_after(text, end)
    return Span(start, end, suffix or None)


def _edges(text: str, start: int, end: int) -> tuple[int, int]:
    """Move both ends inwards over white space, quotes, stray punctuation and unpaired brackets."""
    while start < end:
        first = text[start]
        if first.isspace() or (first in _OPENING and not _closed_inside(text, start, end)):
            start += 1
        elif _ends_outside(text, start, end):
            end -= 1
        else:
            break
    return start, end


def _ends_outside(text: str, start: int, end: int) -> bool:
    """Say whether the last character of the span is no part of the name."""
    last = text[end - 1]
    if last == ".":
        return _LONG_LAST_WORD.search(text, start, end) is not None
    return last.isspace() or (last in _CLOSING and not _is_closing(text, start, end - 1))


def _closed_inside(text: str, start: int, end: int) -> bool:
    """Say whether the bracket or quote at ``start`` closes within the span but before its end."""
    return any(text[start] in _OPENED_BY.get(c, "") for c in text[start + 1 : end - 1])


def _is_closing(text: str, start: int, at: int) -> bool:
    """Say whether the bracket or quote at ``at`` closes one of ``text[start:at]`` that is open."""
    closing, before = text[at], text[start:at]
    opening = _OPENED_BY.get(closing)
    if opening is None:
        return False
    if closing in opening:  # a plain quotation mark opens and closes
        return before.count(closing) % 2 == 1
    return sum(map(before.count, opening)) > before.count(closing)


def _without_titles(text: str, start: int, end: int, language: Language) -> tuple[int, int]:
    surface = text[start:end]
    bare = language.strip_titles(surface)
    at = surface.find(bare)
    if not bare or at < 0:  # the language respelled it: where it stands can no longer be told
        return start, end
    return _edges(text, start + at, start + at + len(bare))


def titled(text: str, start: int, end: int, label: str, lang: str) -> str:
    """Return ``text[start:end]`` with the monarch's or pope's title before it; empty without one.

    ``label`` is the recogniser's, ``lang`` the segment's language. Persons alone have titles.
    """
    begin = languages.get(lang).ruler_before(text, start) if label == "PER" else start
    return text[begin:end] if begin < start else ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A span that a mention claims, with what decides when two claims overlap."""

    row: int
    span: Span
    score: float


def without_overlaps(claims: Iterable[Claim]) -> list[Claim]:
    """Return the claims of one document that remain, by start, none overlapping another.

    Of two that overlap the longer stays, then the surer, then the earlier; an exact copy goes.
    """
    kept: list[Claim] = []
    order = sorted(claims, key=lambda c: (c.span.start - c.span.end, -c.score, c.span.start, c.row))
    for claim in order:
        at = bisect_left(kept, claim.span.start, key=lambda c: c.span.start)
        after_previous = at == 0 or kept[at - 1].span.end <= claim.span.start
        before_next = at == len(kept) or claim.span.end <= kept[at].span.start
        if after_previous and before_next:
            kept.insert(at, claim)
    return kept
