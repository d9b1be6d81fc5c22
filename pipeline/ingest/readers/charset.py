"""The encoding of a web page that names none and is not in UTF-8.

Old pages are in the one-byte encoding of their country, in which nearly every byte is a letter, as
it is in the others: what tells them apart is which letters a language is written with.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Final, NamedTuple

from pipeline.ingest.readers.base import wide_encoding

_DECLARED: Final = re.compile(rb"(?:charset|encoding)\s*=", re.IGNORECASE)
_HEAD_BYTES: Final = 4096
"""Where a page may name its encoding; one kilobyte by the standard, which comments push down."""

_MARKUP: Final = re.compile(
    rb"<!--.*?-->|<(script|style)\b.*?</\1\s*>|<[^>]*>|&\w+;", re.IGNORECASE | re.DOTALL
)


class _Writing(NamedTuple):
    """How texts of a country are written, by part of all their letters."""

    encoding: str
    letters: str
    """The letters beyond ASCII, and marks that follow a letter."""
    least_known: float
    """At least this part of the letters beyond ASCII is among them: names have others."""
    telling: str
    """Those of them that stand for other letters, or none, in Western Europe."""
    least_telling: float
    """They are at least this part, and two at least; in the language they are far more."""
    most_beyond: float
    """Letters beyond ASCII are at most this part."""


_WRITINGS: Final = (
    _Writing("cp1254", "çğıöşüâîûÇĞİÖŞÜÂÎÛ", 0.9, "ğışĞİŞ", 0.02, 0.3),
    _Writing("cp1250", "ăâîşţĂÂÎŞŢ", 0.9, "ăşţĂŞŢ", 0.01, 0.3),
    _Writing(
        "cp1258",
        "àáâăèéêíóôơùúưđÀÁÂĂÈÉÊÍÓÔƠÙÚƯĐ\u0300\u0301\u0303\u0309\u0323",
        0.9,
        "ơưđƠƯĐ\u0300\u0301\u0303\u0309\u0323",
        0.05,
        0.6,
    ),
    # Without letters that are frequent ones of Romanian or Hungarian there.
    _Writing("cp1252", "àáâäåæçèéêëíîïñóôöúûüßÀÁÄÅÆÇÈÉÊÍÎÑÓÔÖÚÜ", 0.97, "", 0.0, 0.2),
)


def decoded(data: bytes) -> str | bytes:
    """Return a page's text where its letters tell the encoding, else ``data`` as it is.

    As it is where the page names its encoding or is in a Unicode one, and where it is in none of
    Turkish, Romanian, Vietnamese or a language of Western Europe.
    """
    if _DECLARED.search(data, 0, _HEAD_BYTES) or wide_encoding(data) or _is_utf8(data):
        return data
    counts = Counter(_MARKUP.sub(b" ", data))
    encoding = next((one.encoding for one in _WRITINGS if _fits(one, counts)), None)
    if encoding is None:
        return data
    text = data.decode(encoding, errors="replace")
    # Tones are marks of their own there, and part of the letter wherever else texts come from.
    return unicodedata.normalize("NFC", text) if encoding == "cp1258" else text


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _fits(writing: _Writing, counts: Counter[int]) -> bool:
    """Tell whether bytes, so many of each, are letters in the parts that the language has."""
    beyond = sum(counts[byte] for byte in _LETTERS)
    all_letters = beyond + sum(
        n for byte, n in counts.items() if chr(byte).isalpha() and byte < 128
    )
    known = sum(counts[byte] for byte in writing.letters.encode(writing.encoding))
    telling = [counts[byte] for byte in writing.telling.encode(writing.encoding) if counts[byte]]
    return (
        known >= writing.least_known * beyond
        and sum(telling) >= writing.least_telling * all_letters
        and (len(telling) > 1 or not writing.telling)
        and beyond <= writing.most_beyond * all_letters
    )


def _letters(encoding: str) -> set[int]:
    """Return the bytes beyond ASCII that are letters or marks in an encoding."""
    characters = {
        byte: bytes([byte]).decode(encoding, errors="replace") for byte in range(128, 256)
    }
    return {byte for byte, one in characters.items() if unicodedata.category(one)[0] in "LM"}


_LETTERS: Final = frozenset[int]().union(*(_letters(one.encoding) for one in _WRITINGS))
"""Bytes that are letters in one of the encodings."""
