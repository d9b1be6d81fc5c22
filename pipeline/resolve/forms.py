"""A name as it is written, and all the keys under which it may be looked up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pipeline import languages
from pipeline.languages.shared import skeleton, sound
from pipeline.resolve.normalise import language_of
from pipeline.schemas import UNDETERMINED
from pipeline.scripts import script_of

MOST_KEYS: Final = 12
"""Keys kept of one form; the doubtful ones behind them are never right."""

_RESPELLING: Final = 0.1
"""What each further key of one reading costs: Turkish ``Caparov`` as ``japarov``."""

_LONGEST_ACRONYM: Final = 10
_INTERNATIONAL: Final = "en"
"""The language whose acronyms are written in all others, too."""
_CACHED: Final = 16_384
"""Forms kept: the names of today that come again. Each takes a kilobyte or two."""


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
    language's respellings of foreign names; ``read`` are the former alone. ``coarse`` are sound
    keys, which many names share: they find candidates and prove nothing.
    """

    surface: str
    lang: str
    script: str
    keys: tuple[Key, ...]
    read: frozenset[str]
    coarse: tuple[str, ...]
    words: tuple[str, ...]
    """The words of the likeliest key."""

    def __hash__(self) -> int:
        """Return a hash of what all else follows from: forms are looked up again and again."""
        return hash((self.surface, self.lang))

    @property
    def name(self) -> str:
        """The likeliest reading."""
        return self.keys[0].name if self.keys else self.surface

    @property
    def key(self) -> str:
        """The likeliest comparison key; empty when the language's rules leave nothing."""
        return self.keys[0].text if self.keys else ""

    @property
    def spelled_out(self) -> str:
        """The acronym that the name spells letter by letter: ``CBSE`` for ``सीबीएसई``."""
        return languages.get(self.lang).spelled_out(self.name)

    def name_under(self, key: str) -> str:
        """Return the reading that ``key`` was made of."""
        return next((k.name for k in self.keys if k.text == key), self.name)


@lru_cache(maxsize=_CACHED)
def read(surface: str, lang: str) -> Form:
    """Return the form of ``surface`` in a segment of language ``lang``."""
    language = language_of(surface, lang)
    found: dict[str, tuple[int, int, Key]] = {}
    read_keys: set[str] = set()
    coarse: dict[str, None] = {}
    for order, reading in enumerate(language.readings(surface)):
        texts = language.keys(reading.name)
        sounding = {sound(text) for text in texts}
        sounding |= {skeleton(text) for text in sounding}
        for rank, text in enumerate(texts):
            if rank == 0:
                read_keys.add(text)
            elif text in sounding:
                coarse.setdefault(text)
                continue
            key = Key(text, reading.name, min(1.0, reading.cost + _RESPELLING * rank))
            if text not in found or (rank, order) < found[text][:2]:
                found[text] = (rank, order, key)
    keys = [key for _, _, key in sorted(found.values(), key=lambda f: f[:2]) if key.text]
    words = tuple(keys[0].text.split()) if keys else ()
    return Form(
        surface=surface,
        lang=language.code,
        script=script_of(surface),
        keys=tuple(keys[:MOST_KEYS]),
        read=frozenset(read_keys),
        coarse=tuple(text for text in coarse if text not in found)[:MOST_KEYS],
        words=words,
    )


def is_read(acronym_lang: str, lang: str) -> bool:
    """Say whether who reads ``lang`` knows acronyms of ``acronym_lang``: his own and English ones.

    AP is the European Parliament in Turkish alone, and DNA an agency in Romanian.
    """
    return UNDETERMINED in (acronym_lang, lang) or acronym_lang in (lang, _INTERNATIONAL)


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
