"""The day a document was published: from the input's own field, or from a publication line.

A publication line stands in a document's header or footer and is made of labels (`Published on`,
`Yayın Tarihi`), dates, times and short credits; its words are data, in publication_lines.toml. A
date inside prose, in an embedded post or beside a picture is never one.
"""

from __future__ import annotations

import datetime
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby, pairwise, takewhile
from pathlib import Path
from typing import Any, Final

import dateparser

_HEADER_LINES: Final = 12
_FOOTER_LINES: Final = 6
_LONGEST_LINE: Final = 300
"""Code points. What is longer is prose, but for a field at its very beginning."""
_LONGEST_FIELD: Final = 60
_PROSE_WORDS: Final = 30
"""A line of so many words is a paragraph: what follows it is no header any more."""
_CREDIT_WORDS: Final = 6
"""The most words in a byline, a place or a reading time beside a date."""

_LABELS: Final = ("published", "updated", "field")
_AFTER_DATE: Final = ("filler", "colon", "comma")
_BEFORE_DATE: Final = (*_AFTER_DATE, "field")
"""What may stand about a date without making a sentence of it."""

_EARLIEST: Final = datetime.date(1900, 1, 1)
"""What is before it is no date of news: the year 1 is how some databases say that there is none."""

_ISO: Final = re.compile(r"(?:19|20)\d\d-\d\d-\d\d")
_HANDLE: Final = re.compile(r"(?<![\w.])@\w")
_WORD_END: Final = r"(?![\w\u0900-\u0963])"
_MONTH: Final = r"(?:[^\W\d_]|[\u0900-\u0903\u093A-\u094F\u0970])+"
_DATE: Final = rf"""
    (?: (?:19|20)\d\d (?P<gap>[./-]) \d\d? (?P=gap) \d\d? (?!\d) )
  | (?: \d\d? \s? (?P<mark>[./-]) \s? \d\d? \s? (?P=mark) \s? (?:19|20)\d\d (?!\d) )
  | (?: \d\d? \s+ tháng \s+ \d\d? (?: \s+năm | ,) \s+ (?:19|20)\d\d (?!\d) )
  | (?: \d\d? (?:st|nd|rd|th)? [\s-]+ {_MONTH} [.,]? [\s-]+ (?:19|20)\d\d (?!\d) )
  | (?: {_MONTH} \.? \s+ \d\d? (?:st|nd|rd|th)? ,? \s+ (?:19|20)\d\d (?!\d) )
"""
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_HAS_DATE: Final = re.compile(_DATE, re.VERBOSE | re.IGNORECASE)
_TIME: Final = rf"""
    \d\d? (?: : \d\d )+ (?: \.\d+ )? (?: [ap]m{_WORD_END} | Z\b )?
  | \d\d? [h.] \d\d (?!\d)
  | \d\d? \s? (?: h | [ap]m ) {_WORD_END}
  | T (?=\d\d:) | (?: GMT | UTC )? \s? [+-] \d\d? (?: :? \d\d )?
"""
_TOKEN: Final = re.compile(
    rf"""
    (?P<date> {_DATE} )
  | (?P<filler> {_TIME} | [()\[\]] )
  | (?P<colon> : )
  | (?P<comma> [,;] )
  | (?P<bar> [|•·●–—»/] | -(?=\s|$) )
  | (?P<word> [^\s,;:()\[\]|•·●»]+ )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SENTENCE_ENDS: Final = (".", "!", "?", "।", "…")
_SECTIONS: Final = {
    "published": "published",
    "updated": "updated",
    "field": "field",
    "pictures": "picture",
    "filler": "filler",
    "weekdays": "filler",
    "zones": "filler",
}
"""The kind of token that the words of each section of the data file are."""
_DATEPARSER: Final = {
    "STRICT_PARSING": True,
    "PARSERS": ["absolute-time"],
    "DATE_ORDER": "DMY",
    "TIMEZONE": "UTC",
}
_LANGUAGES: Final = ("en", "hi", "ro", "tr", "vi")


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of a line.

    ``kind`` is published, updated, field, date, filler, colon, comma, bar (a mark between parts),
    picture, stop (the end of a sentence) or word; ``lang`` the language of a word of the data file.
    """

    kind: str
    text: str
    lang: str | None = None
    date: datetime.date | None = None


def input_date(given: str, lang: str | None, latest: datetime.date) -> datetime.date | None:
    """Return the day in ``given``, an input's own field, or None where there is none.

    ``given`` is ISO 8601 or holds one date in another usual format; ``lang`` (ISO 639-1) decides
    between day first and month first. The day is the one written: time zones are not converted. A
    day after ``latest`` is none, nor is one before 1900.
    """
    try:
        date = datetime.datetime.fromisoformat(given.strip()).date()
    except ValueError:
        dates = [token.date for token in _tokens(_plain(given[:_LONGEST_LINE]), lang) if token.date]
        if len(dates) != 1:
            return None
        date = dates[0]
    return date if _EARLIEST <= date <= latest else None


def publication_date(text: str, latest: datetime.date) -> datetime.date | None:
    """Return the day that a publication line of ``text`` gives, or None.

    A label of publication goes before a date without label, and that before one of update; the
    header goes before the footer. A day after ``latest`` is none.
    """
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    header = [_plain(line) for line in lines[:_HEADER_LINES]]
    footer = [_plain(line) for line in lines[_HEADER_LINES:][-_FOOTER_LINES:]]
    labelled = [found for line in (*header, *footer) for found in _labelled(line)]
    published = [date for kind, date in labelled if kind != "updated" and date <= latest]
    updated = [date for kind, date in labelled if kind == "updated" and date <= latest]
    # Several days without label are a chronicle or a list, and none of them the document's.
    bare = {date for date in _bare(header) if date <= latest}
    return next(iter([*published, *(bare if len(bare) == 1 else ()), *updated]), None)


def _plain(line: str) -> str:
    """Return the beginning of ``line`` in NFC and with ASCII digits."""
    line = unicodedata.normalize("NFC", line[: 2 * _LONGEST_LINE])
    return re.sub(r"\d", lambda digit: str(unicodedata.decimal(digit.group())), line)


def _labelled(line: str) -> Iterator[tuple[str, datetime.date]]:
    """Yield the kinds and dates of the labels in ``line``, where it is a publication line."""
    if field := _iso_field(line):
        yield "field", field
        return
    tokens = _tokens(line) if _may_be_publication_line(line) else []
    for place, label in enumerate(tokens):
        if label.kind in _LABELS and _opens_clause(tokens, place):
            between = _run(tokens, place + 1, _BEFORE_DATE)
            target = place + 1 + len(between)
            if label.kind == "field" and "colon" not in [token.kind for token in between]:
                continue
            if target < len(tokens) and (date := tokens[target].date) and _closes(tokens, target):
                yield label.kind, date


def _may_be_publication_line(line: str) -> bool:
    """Keep nearly all lines, cheaply, from being looked at closer."""
    return (
        len(line) <= _LONGEST_LINE
        and _YEAR.search(line) is not None
        and _HAS_DATE.search(line) is not None
        and _HANDLE.search(line) is None
    )


def _iso_field(line: str) -> datetime.date | None:
    """Return the date of a line that opens with a field and a date in ISO 8601."""
    opening = line[:_LONGEST_FIELD]
    if not _ISO.search(opening):
        return None
    match _tokens(opening):
        case [_Token(kind="field"), _Token(kind="date", text=text, date=date), *_]:
            return date if _ISO.match(text) else None
    return None


def _opens_clause(tokens: Sequence[_Token], place: int) -> bool:
    """Tell whether the label at ``place`` begins a clause rather than stands in a sentence."""
    before = tokens[:place]
    if not any(token.kind in ("word", "stop") for token in before):
        return True
    if sum(token.kind == "word" for token in before) > 2 * _CREDIT_WORDS:
        return False
    has_colon = place + 1 < len(tokens) and tokens[place + 1].kind == "colon"
    return has_colon or before[-1].kind == "bar" or tokens[place].text[0].isupper()


def _closes(tokens: Sequence[_Token], place: int) -> bool:
    """Tell whether no sentence goes on after the date at ``place``."""
    after = _run(tokens, place + 1, _AFTER_DATE)
    rest = tokens[place + 1 + len(after) :]
    if not rest or rest[0].kind in (*_LABELS, "bar"):
        return True
    if [token.kind for token in rest] == ["stop"]:
        return tokens[0].kind in _LABELS
    has_comma = bool(after) and after[-1].kind == "comma"
    return rest[0].text[0].isupper() and not has_comma and _is_credit(rest)


def _run(tokens: Sequence[_Token], start: int, kinds: Sequence[str]) -> list[_Token]:
    return list(takewhile(lambda token: token.kind in kinds, tokens[start:]))


def _is_credit(tokens: Sequence[_Token]) -> bool:
    kinds = [token.kind for token in tokens]
    return kinds.count("word") <= _CREDIT_WORDS and not {"stop", "picture", "date"} & set(kinds)


def _bare(header: Sequence[str]) -> Iterator[datetime.date]:
    """Yield the dates that stand alone, or with a time or a credit, before the first paragraph."""
    short = list(takewhile(lambda line: len(line.split()) < _PROSE_WORDS, header))
    for number, (previous, line) in enumerate(pairwise(["", *short])):
        if not _may_be_publication_line(line) or _HANDLE.search(previous):
            continue
        tokens = _tokens(line)
        groups = groupby(tokens, key=lambda token: token.kind == "bar")
        parts = [list(part) for is_bar, part in groups if not is_bar]
        dated = [part for part in parts if any(token.date for token in part)]
        # The first line is the headline, which may well end in a date of its own.
        if len(dated) == 1 and (number or len(parts) == 1):
            credits = [part for part in parts if part not in dated]
            dates = [token.date for token in dated[0] if token.kind not in _BEFORE_DATE]
            if len(dates) == 1 and dates[0] and all(map(_is_credit, credits)):
                yield dates[0]


def _tokens(line: str, lang: str | None = None) -> list[_Token]:
    """Split ``line`` into tokens. ``lang`` is its language, where the line does not tell."""
    matches = list(_TOKEN.finditer(line))
    tokens: list[_Token] = []
    place = 0
    while place < len(matches):
        length, token = _longest_term(matches, place)
        tokens.append(token)
        place += length
    said = [token.lang for token in tokens if token.lang not in (None, "en")]
    language = said[0] if said else lang
    return [_dated(token, language) if token.kind == "date" else token for token in tokens]


def _longest_term(matches: Sequence[re.Match[str]], place: int) -> tuple[int, _Token]:
    """Return the token that begins at ``place`` and how many matches it takes up."""
    kind = str(matches[place].lastgroup)
    if kind != "word":
        return 1, _Token(kind, matches[place].group().strip())
    terms, longest_from = _terms()
    longest = longest_from.get(_fold(matches[place].group()), 0)
    near = matches[place : place + longest]
    words = list(takewhile(lambda match: match.lastgroup == "word", near))
    for length in range(len(words), 0, -1):
        text = " ".join(match.group() for match in words[:length])
        if term := terms.get(_fold(text)):
            return length, _Token(term[0], text, term[1])
    text = matches[place].group()
    return 1, _Token("stop" if text.endswith(_SENTENCE_ENDS) else "word", text)


def _dated(token: _Token, lang: str | None) -> _Token:
    """Return the token of a date with its day, or a word where it turns out to be none."""
    try:
        date = _day(token.text, lang)
    except ValueError:
        date = None
    return _Token("date" if date else "word", token.text, None, date)


def _day(text: str, lang: str | None) -> datetime.date | None:
    """Return the day that ``text`` writes. Raises ValueError for a 31 November."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    if len(numbers) == 2:
        day, year = numbers
        name = re.search(_MONTH, re.sub(r"\d+(?:st|nd|rd|th)?", " ", text))
        number = _month(name.group()) if name else None
        return datetime.date(year, number, day) if number else None
    if numbers[0] > 31:
        return datetime.date(*numbers)
    day, month, year = numbers
    if "/" in text or "-" in text:
        if day != month and max(day, month) <= 12 and lang in (None, "en"):
            return None  # American and British order cannot be told apart.
        if month > 12:
            day, month = month, day
    return datetime.date(year, month, day)


@lru_cache(maxsize=4096)
def _month(name: str) -> int | None:
    """Return the number of the month called ``name`` in any of the languages, or None."""
    # Turkish capitals have lower cases of their own: KASIM is kasım.
    for spelling in (name.lower(), name.replace("I", "ı").replace("İ", "i").lower()):
        for abbreviations in _data()["months"].values():
            if spelling in abbreviations:
                return int(abbreviations[spelling])
        date = dateparser.parse(
            f"1 {spelling} 2000", languages=list(_LANGUAGES), settings=_DATEPARSER
        )
        if date and (date.day, date.year) == (1, 2000):
            return int(date.month)
    return None


@cache
def _data() -> dict[str, dict[str, Any]]:
    path = Path(__file__).with_name("publication_lines.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def _terms() -> tuple[dict[str, tuple[str, str]], dict[str, int]]:
    """Return the kind and language of every term of the data file.

    Beside them stands, for every first word of a term, how many words its longest term has.
    """
    terms: dict[str, tuple[str, str]] = {}
    longest_from: dict[str, int] = {}
    for section, kind in _SECTIONS.items():
        for lang, names in _data()[section].items():
            for name in names:
                terms.setdefault(_fold(name), (kind, lang))
                first, *others = _fold(name).split()
                longest_from[first] = max(longest_from.get(first, 0), 1 + len(others))
    return terms, longest_from


def _fold(text: str) -> str:
    """Return ``text`` in lower case with single blanks, every i dotted: İ, I and ı are one."""
    lowered = unicodedata.normalize("NFC", text.replace("İ", "i").replace("ı", "i").lower())
    return " ".join(lowered.split())
