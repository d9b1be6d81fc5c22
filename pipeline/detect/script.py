"""Which script a piece of text is in: the gate before the detectors."""

from __future__ import annotations

import re
from typing import Final

import regex

from pipeline.scripts import DEVANAGARI, LATIN

OTHER: Final = "Zyyy"
"""ISO 15924's code for an undetermined script: stands for all but Latin and Devanagari."""

SCRIPT_LANGUAGES: Final = {
    DEVANAGARI: frozenset({"hi"}),
    LATIN: frozenset({"ro", "tr", "en", "vi"}),
    OTHER: frozenset[str](),
}
"""Which of the languages Exonym reads are written in a script."""

_HOST_SHARE: Final = 0.3
"""Share of Devanagari among the letters from which a text is Hindi's: Hindi sentences are full of
Latin names, while Devanagari within Latin text is rare."""

_LETTERS: Final = {
    LATIN: regex.compile(r"[\p{L}&&\p{Script=Latin}]+", regex.VERSION1),
    DEVANAGARI: regex.compile(r"[[\p{L}\p{M}]&&\p{Script=Devanagari}]+", regex.VERSION1),
    OTHER: regex.compile(r"[\p{L}--\p{Script=Latin}--\p{Script=Devanagari}]+", regex.VERSION1),
}

_NOT_PLAIN_LATIN: Final = re.compile(
    "[^\0-\u00b4\u00b6-\u024f\u1e00-\u1eff\u2000-\u206f\u20a0-\u20cf]"
)
"""Outside the blocks of Latin letters, punctuation and currencies, whose letters are all Latin."""

_NOT_DEVANAGARI: Final = regex.compile(r"[\p{L}--\p{Script=Devanagari}]", regex.VERSION1)


def script_of(text: str) -> str | None:
    """Return the script that most of ``text`` is written in; None for a text without letters."""
    if _NOT_PLAIN_LATIN.search(text) is None:
        return LATIN if any(map(str.isalpha, text)) else None
    if _NOT_DEVANAGARI.search(text) is None:
        return DEVANAGARI if _LETTERS[DEVANAGARI].search(text) else None
    return script_by_count(text)


def script_by_count(text: str) -> str | None:
    """Return what :func:`script_of` does, by counting every letter."""
    counts = {script: sum(map(len, letters.findall(text))) for script, letters in _LETTERS.items()}
    total = sum(counts.values())
    if not total:
        return None
    if counts[DEVANAGARI] >= _HOST_SHARE * total and counts[DEVANAGARI] >= counts[OTHER]:
        return DEVANAGARI
    return LATIN if counts[LATIN] >= counts[OTHER] else OTHER
