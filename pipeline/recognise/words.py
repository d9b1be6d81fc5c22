"""Splitting text into words by Unicode properties, the same for training and for use.

A word is a run of letters, combining marks and digits: a Devanagari vowel sign or virama belongs to
its word. Joiners (zero width joiner and non-joiner) and the soft hyphen may stand inside a word.
Every other visible character is a word of its own, so that apostrophes, hyphens, brackets and full
stops are split off: ``Bişkek’te`` is ``Bişkek``, ``’``, ``te``. White space and invisible format
characters separate words, and so does a capital after a small letter: pages glue words together
(``saidReuters``), and the parts of ``YouTube`` may still be one name.
"""

from __future__ import annotations

from typing import Final

import regex

_LETTER = r"[\p{L}\p{M}\p{N}]"
_INSIDE = r"[\p{L}\p{M}\p{N}\u200c\u200d\u00ad]"
_INNER_CAPITAL: Final = regex.compile(r"(?<=\p{Ll}\p{M}*)(?=\p{Lu})")
_WORD: Final = regex.compile(rf"{_LETTER}(?:{_INSIDE}*{_LETTER})?|[^\s\p{{Cc}}\p{{Cf}}]")


def split_words(text: str) -> list[tuple[int, int]]:
    """Return start and end (code points, end exclusive) of every word of ``text``, in order."""
    words = [match.span() for match in _WORD.finditer(text)]
    if _INNER_CAPITAL.search(text) is None:
        return words
    parted = []
    for start, end in words:
        for boundary in _INNER_CAPITAL.finditer(text, start, end):
            parted.append((start, boundary.start()))
            start = boundary.start()
        parted.append((start, end))
    return parted
