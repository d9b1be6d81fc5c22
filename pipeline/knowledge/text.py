"""What exact lookups compare: case-folded text, and its number."""

from __future__ import annotations

import hashlib
import unicodedata


def casefold(text: str, lang: str) -> str:
    """Return ``text`` in NFC without case, by the rules of ``lang``.

    Turkish has a dotted and a dotless i (Unicode's SpecialCasing.txt, conditions ``tr``).
    """
    if lang == "tr":
        text = unicodedata.normalize("NFC", text).replace("İ", "i").replace("I", "ı")
    return unicodedata.normalize("NFC", text.casefold())


def number(text: str) -> int:
    """Return 64 bits of the BLAKE2b hash of ``text``: a short number to sort and search by."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
