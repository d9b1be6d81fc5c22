"""What the detectors get to read: a copy of the text without what misleads them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import regex

_INVISIBLE: Final = regex.compile(r"\p{Cf}+")
"""Zero-width characters, which stand inside words (cld2 raises on some)."""

_DISTRACTIONS: Final = regex.compile(
    r"https?://\S+|www\.\S+|(?<!\S)[^\s@]+@\S+|[@#][\p{L}\p{N}_]+|\p{N}+|[\p{Cc}\p{Co}\p{Cs}]"
)
"""Addresses, handles, digits, control and private-use characters, and surrogates (cld2 raises)."""

_MARKS_OF_ADDRESSES: Final = re.compile(r"://|www\.|[@#]")
_FEWER_DISTRACTIONS: Final = regex.compile(r"[\p{N}\p{Cc}\p{Co}\p{Cs}]+")
"""What else there is of them where no address or handle can be, which is found much faster."""

_MOSTLY: Final = 0.8
"""Share of capitals among the letters with case from which a text is in capitals."""


READ: Final = 5000
"""Characters of a text that are looked at: more change no answer and cost time."""


@lru_cache(maxsize=256)
def cleaned(text: str) -> str:
    """Return the first :data:`READ` characters of ``text`` without distractions.

    In lower case where they are all in capitals. White space becomes single spaces.
    """
    text = _INVISIBLE.sub("", lowered(text[:READ]))
    found = _DISTRACTIONS if _MARKS_OF_ADDRESSES.search(text) else _FEWER_DISTRACTIONS
    return " ".join(found.sub(" ", text).split())


def lowered(text: str) -> str:
    """Return ``text`` in lower case when it is all in capitals, unchanged otherwise.

    A dotted capital İ shows that the text is Turkish or Azerbaijani, where I is the capital of ı.
    """
    small = sum(map(str.islower, text))
    if len(text) - small < _MOSTLY * len(text):  # nor are those capitals that are among the rest
        return text
    capitals = sum(map(str.isupper, text))
    if not capitals or capitals < _MOSTLY * (capitals + small):
        return text
    if "İ" in text:
        text = text.replace("I", "ı").replace("İ", "i")
    return text.lower()
