"""A name as it is written, and all the keys under which it may be looked up."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pipeline.resolve.normalise import language_of

MOST_KEYS: Final = 12
"""Keys kept of one form; the doubtful ones behind them are never right."""

_RESPELLING: Final = 0.1
"""What each further key of one reading costs: Turkish ``Caparov`` as ``japarov``."""

_LONGEST_ACRONYM: Final = 10


@dataclass(frozen=True, slots=True)
class Key:
    """A comparison key, the name it was made of and its doubt (0.0: as written)."""

    text: str
    name: str
    cost: float


@dataclass(frozen=True, slots=True)
class Form:
    """One way a name is written in one language.

    ``keys`` hold the distinct comparison keys: those of the readings, the likeliest first, then the
    language's respellings of foreign names; ``read`` are the former alone.
    """

    surface: str
    lang: str
    script: str
    keys: tuple[Key, ...]
    read: frozenset[str]

    @property
    def name(self) -> str:
        """The likeliest reading."""
        return self.keys[0].name if self.keys else self.surface

    @property
    def key(self) -> str:
        """The likeliest comparison key; empty when the language's rules leave nothing."""
        return self.keys[0].text if self.keys else ""

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the likeliest key."""
        return tuple(self.key.split())

    def name_under(self, key: str) -> str:
        """Return the reading that ``key`` was made of."""
        return next((k.name for k in self.keys if k.text == key), self.name)


@lru_cache(maxsize=65536)
def read(surface: str, lang: str) -> Form:
    """Return the form of ``surface`` in a segment of language ``lang``."""
    language = language_of(surface, lang)
    found: dict[str, tuple[int, int, Key]] = {}
    read_keys = set()
    for order, reading in enumerate(language.readings(surface)):
        for rank, text in enumerate(language.keys(reading.name)):
            if rank == 0:
                read_keys.add(text)
            key = Key(text, reading.name, min(1.0, reading.cost + _RESPELLING * rank))
            if text not in found or (rank, order) < found[text][:2]:
                found[text] = (rank, order, key)
    keys = [key for _, _, key in sorted(found.values(), key=lambda f: f[:2]) if key.text]
    return Form(
        surface, language.code, script_of(surface), tuple(keys[:MOST_KEYS]), frozenset(read_keys)
    )


def script_of(text: str) -> str:
    """Return the ISO 15924 code of the first letter's script; ``Zyyy`` when it is none of ours."""
    for char in text:
        if char.isalpha():
            name = unicodedata.name(char, "")
            for word, code in _SCRIPTS.items():
                if name.startswith(word):
                    return code
            return "Zzzz"
    return "Zyyy"


_SCRIPTS: Final = {
    "LATIN": "Latn",
    "DEVANAGARI": "Deva",
    "CYRILLIC": "Cyrl",
    "ARABIC": "Arab",
    "GREEK": "Grek",
    "CJK": "Hani",
    "HANGUL": "Hang",
}


def looks_like_acronym(surface: str) -> bool:
    """Say whether ``surface`` is one short word written mostly in capitals: ``CSTO``, ``U.S.``."""
    letters = [c for c in surface if c.isalpha()]
    capitals = sum(c.isupper() for c in letters)
    return (
        2 <= len(letters) <= _LONGEST_ACRONYM
        and not any(c.isspace() for c in surface)
        and capitals >= 2
        and capitals * 3 >= len(letters) * 2
    )
