"""English: possessives and titles."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from babel import Locale

from pipeline.languages import shared
from pipeline.languages.base import Reading

_DATA: Final = shared.load_data("en")
_TITLES: Final = shared.Titles.from_data(_DATA, str.lower)
_TRANSLATIONS: Final = shared.Translations.from_data(_DATA)
_POSSESSIVE: Final = re.compile(r"(?<=\w)(?:'[sS]|(?<=[sS])')(?!\w)")
_POSSESSIVE_AT_END: Final = re.compile(r"(?<=[\w.)])(?:'[sS]|(?<=[sS])')$")
_WINDOW: Final = 120
_OF_ISO_639_1: Final = 2
"""Letters of a language's code there; rarer languages bear the names of places (Delaware)."""


ENDINGS_OF_PLACES: Final = ("n", "an", "ian")
"""What makes a place's name an adjective: Siberian, Tibetan, Egyptian."""


@cache
def adjectives_of_nations() -> frozenset[str]:
    """Return what languages and those who speak them are called: Kyrgyz, Uzbek, Dutch.

    By the Unicode CLDR's names of the languages of ISO 639-1, without names of territories.
    """
    locale = Locale.parse("en")
    names = {name for code, name in locale.languages.items() if len(code) == _OF_ISO_639_1}
    return frozenset(names) - frozenset(locale.territories.values())


class English:
    """The rules of English."""

    code = "en"

    def orthography(self, text: str) -> str:
        """Return ``text`` in NFC with straight apostrophes."""
        return shared.straighten(shared.compose(text))

    def readings(self, surface: str) -> tuple[Reading, ...]:
        """Return the name without its possessive, and as written."""
        name = self.orthography(surface)
        written = Reading(name, "", 0.0)
        count = self.inside_suffix(name)
        if not count:
            return (written,)
        return (Reading(name[:-count], name[-count:], 0.05), written)

    def suffix_after(self, text: str, end: int) -> str:
        """Return ``'s``, or the bare apostrophe behind an s, where it cannot be a closing quote."""
        match = _POSSESSIVE.match(shared.straighten(text[max(0, end - 1) : end + 3]), min(end, 1))
        if not match:
            return ""
        suffix = text[end : end + len(match.group())]
        if len(suffix) == 1 and _quote_open(text[max(0, end - _WINDOW) : end]):
            return ""
        return suffix

    def inside_suffix(self, surface: str) -> int:
        """Return 2 for a final ``'s``, 1 for the apostrophe behind a plural s, else 0."""
        match = _POSSESSIVE_AT_END.search(shared.straighten(surface))
        if not match or (len(match.group()) == 1 and _quote_open(surface[:-1])):
            return 0
        return len(match.group())

    def strip_titles(self, name: str) -> str:
        """Return ``name`` without ``President``, ``Mr`` and the like."""
        return _TITLES.strip(name, str.lower)

    def ruler_before(self, text: str, start: int) -> int:
        """Return where ``King`` and the like directly before ``text[start:]`` begins."""
        return _TRANSLATIONS.title_before(text, start, str.lower)

    def fold(self, name: str) -> str:
        """Return :func:`pipeline.languages.shared.fold_ascii` of the name."""
        return shared.fold_ascii(self.orthography(name))

    def keys(self, name: str) -> tuple[str, ...]:
        """Return the fold, and that of the translation."""
        fold = self.fold(name)
        return shared.with_sounds(
            fold, [_TRANSLATIONS.key(self.orthography(name).lower(), self.fold)], [fold]
        )

    def translated(self, name: str) -> str:
        """Return the name with ``north`` for ``northern`` and the like."""
        return _TRANSLATIONS.apply(self.orthography(name).lower())

    def transcriptions(self, name: str) -> tuple[str, ...]:
        """Return nothing: the language reads no other's characters."""
        return ()

    def spelled_out(self, name: str) -> str:
        """Return nothing: letters are written, not spelled out."""
        return ""

    def letters(self, name: str) -> str:
        """Return the fold without spaces."""
        return self.fold(name).replace(" ", "")


def _quote_open(before: str) -> bool:
    """Tell whether a single quotation mark was opened in ``before`` and not closed."""
    line = shared.straighten(before.rsplit("\n", 1)[-1])
    opened = len(re.findall(r"(?<!\w)'(?=\w)", line))
    closed = len(re.findall(r"(?<=[\w.,!?])'(?!\w)", line))
    return opened > closed
