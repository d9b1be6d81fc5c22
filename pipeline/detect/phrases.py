"""Set phrases of news pages, by language, read from the TOML files beside this module.

A page is searched for the phrases of all languages at once: sites mix them, and which language a
short line is in is not known yet when its kind is asked.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from babel.dates import get_day_names, get_month_names

from pipeline.detect.text import comparable_words
from pipeline.schemas import LANGUAGES

_DATE_PREFIX: Final = 3
"""Letters after which a month or weekday may be cut short: `Noi`, `Wed`."""


class Phrases:
    """A set of phrases that finds the longest one at a place in a sequence of words."""

    def __init__(self, phrases: Iterable[str]) -> None:
        """Hold ``phrases`` in their comparison form."""
        self._by_first: dict[str, list[tuple[str, ...]]] = {}
        for words in sorted({comparable_words(phrase) for phrase in phrases} - {()}):
            self._by_first.setdefault(words[0], []).append(words)
        for candidates in self._by_first.values():
            candidates.sort(key=len, reverse=True)

    def length_at(self, words: Sequence[str], place: int) -> int:
        """Return the number of words of the longest phrase that begins at ``place``; 0 for none."""
        for phrase in self._by_first.get(words[place], ()):
            if tuple(words[place : place + len(phrase)]) == phrase:
                return len(phrase)
        return 0

    def are(self, words: Sequence[str]) -> bool:
        """Whether ``words`` are one of the phrases, nothing more."""
        return bool(words) and self.length_at(words, 0) == len(words)

    def begin(self, words: Sequence[str]) -> int:
        """Return the number of words of the phrase that ``words`` begin with; 0 for none."""
        return self.length_at(words, 0) if words else 0

    def within(self, words: Sequence[str]) -> bool:
        """Whether a phrase stands anywhere in ``words``."""
        return any(self.length_at(words, place) for place in range(len(words)))

    def without(self, words: Sequence[str]) -> list[str]:
        """Return ``words`` with all phrases taken out, from the left, the longest first."""
        left: list[str] = []
        place = 0
        while place < len(words):
            length = self.length_at(words, place)
            if not length:
                left.append(words[place])
            place += length or 1
        return left


@dataclass(frozen=True, slots=True)
class PagePhrases:
    """The phrases of all languages, one set for each use; `phrases/en.toml` explains the uses."""

    related: Phrases
    read_more: Phrases
    tags: Phrases
    notices: Phrases
    buttons: Phrases
    home: Phrases
    bylines: Phrases
    credits: Phrases
    desks: Phrases
    photos: Phrases
    published: Phrases
    date_words: Phrases
    months: frozenset[str]
    """Names of months and weekdays, and their beginnings of three letters or more."""


@cache
def page_phrases() -> PagePhrases:
    """Return the phrases of all languages, read once a process."""
    uses: dict[str, list[str]] = {}
    for language in LANGUAGES:
        file = resources.files("pipeline.detect").joinpath("phrases", f"{language}.toml")
        for use, phrases in tomllib.loads(file.read_text(encoding="utf-8")).items():
            uses.setdefault(use, []).extend(phrases)
    months = frozenset(_cut_short(uses.pop("dates")))
    sets = {use: Phrases(phrases) for use, phrases in uses.items()}
    return PagePhrases(months=months, **sets)


def _cut_short(spellings: Iterable[str]) -> Iterable[str]:
    """Yield ``spellings`` and the locale data's months and weekdays, whole and cut short."""
    names = list(spellings)
    for language in LANGUAGES:
        names += get_month_names("wide", locale=language).values()
        names += get_month_names("abbreviated", locale=language).values()
        names += get_day_names("wide", locale=language).values()
        names += get_day_names("abbreviated", locale=language).values()
    for name in names:
        for word in comparable_words(name):
            if not word.isdecimal():
                yield word
                yield from (word[:length] for length in range(_DATE_PREFIX, len(word)))
