"""Which writing system a name is in."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import cache, lru_cache
from typing import Final

LATIN: Final = "Latn"
DEVANAGARI: Final = "Deva"
"""ISO 15924 codes of the scripts that the five languages are written in."""

_CODES: Final = {
    "LATIN": LATIN,
    "DEVANAGARI": DEVANAGARI,
    "CYRILLIC": "Cyrl",
    "GREEK": "Grek",
    "ARABIC": "Arab",
    "HEBREW": "Hebr",
    "CJK": "Hani",
    "HIRAGANA": "Hira",
    "KATAKANA": "Kana",
    "HANGUL": "Hang",
    "THAI": "Thai",
    "BENGALI": "Beng",
    "GURMUKHI": "Guru",
    "GUJARATI": "Gujr",
    "TAMIL": "Taml",
    "TELUGU": "Telu",
    "GEORGIAN": "Geor",
    "ARMENIAN": "Armn",
}

_REMEMBERED: Final = 65_536
"""Names whose script is kept."""


@lru_cache(maxsize=_REMEMBERED)
def script_of(text: str) -> str:
    """Return the ISO 15924 code of the script that most letters of ``text`` are in.

    ``Zyyy`` (undetermined) where it holds no letter, ``Zzzz`` (uncoded) for a script not listed.
    """
    letters = list(filter(str.isalpha, text))
    if not letters:
        return "Zyyy"
    if text.isascii():
        return LATIN
    counts = Counter(map(_script_name, letters))
    return _CODES.get(counts.most_common(1)[0][0], "Zzzz")


@cache
def _script_name(letter: str) -> str:
    """Return the first word of the letter's name in Unicode: mostly its script."""
    return unicodedata.name(letter, "?").split()[0].split("-")[0]
