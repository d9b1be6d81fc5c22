"""Which writing system a name is in."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import Final

_CODES: Final = {
    "LATIN": "Latn",
    "DEVANAGARI": "Deva",
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


def script_of(text: str) -> str:
    """Return the ISO 15924 code of the script that most letters of ``text`` are in.

    ``Zyyy`` (undetermined) where it holds no letter, ``Zzzz`` (uncoded) for a script not listed.
    """
    counts = Counter(
        unicodedata.name(character, "?").split()[0].split("-")[0]
        for character in text
        if character.isalpha()
    )
    if not counts:
        return "Zyyy"
    return _CODES.get(counts.most_common(1)[0][0], "Zzzz")
