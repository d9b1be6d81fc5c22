"""The comparison form of a line, in which the rules for kinds look for words and phrases."""

from __future__ import annotations

import unicodedata
from itertools import islice
from typing import Final

import regex

_ONE_LETTER: Final = {"İ": "i", "I": "i", "ı": "i", "ş": "ș", "Ş": "ș", "ţ": "ț", "Ţ": "ț"}
"""Dotted and dotless i, cedilla and comma below: pages write either, phrases must match both."""

_WORD: Final = regex.compile(r"[\p{L}\p{M}\p{N}\u200c\u200d]+")


def comparable_words(text: str) -> tuple[str, ...]:
    """Return the words of ``text`` in lower case, without punctuation, in one spelling each.

    Words are runs of letters, marks and digits, in NFC. The result serves comparison only.
    """
    folded = unicodedata.normalize("NFC", text).replace("\u200b", "")
    for letter, other in _ONE_LETTER.items():  # several times faster than str.translate
        folded = folded.replace(letter, other)
    return tuple(_WORD.findall(folded.casefold()))


def count_words(text: str, most: int) -> int:
    """Return how many words :func:`comparable_words` has of ``text``, ``most`` where more."""
    # What case folding puts for a letter is a letter as well, so that as many runs remain.
    composed = unicodedata.normalize("NFC", text).replace("\u200b", "")
    return sum(1 for _ in islice(_WORD.finditer(composed), most))


def ends_a_sentence(text: str) -> bool:
    """Whether ``text`` ends as sentences do, closing quotes and brackets apart."""
    return text.rstrip(" \t\"'”’»)]").endswith((".", "!", "?", "…", "।", "॥"))
