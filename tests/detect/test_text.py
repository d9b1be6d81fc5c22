"""The comparison form of lines."""

from __future__ import annotations

import sys
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.detect.text import comparable_words, count_words

CHANGED = [
    letter
    for letter in map(chr, range(sys.maxunicode + 1))
    if letter.casefold() != letter or unicodedata.normalize("NFC", letter) != letter
]
"""Every character that the comparison form spells otherwise."""


def test_words_are_counted_as_they_are_compared() -> None:
    assert len(CHANGED) > 2000
    for letter in CHANGED:
        for text in (letter, f"a{letter}b", f"{letter}\u0301 {letter}"):
            assert count_words(text, 9) == len(comparable_words(text)), ascii(text)


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=60), st.integers(0, 12))
def test_no_more_words_are_counted_than_asked_for(text: str, most: int) -> None:
    assert count_words(text, most) == min(most, len(comparable_words(text)))
