"""What exact lookups compare: case-folded text, and its number."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt


def casefold(text: str, lang: str) -> str:
    """Return ``text`` in NFC without case, by the rules of ``lang``.

    Turkish has a dotted and a dotless i (Unicode's SpecialCasing.txt, conditions ``tr``).
    """
    if lang == "tr":
        text = unicodedata.normalize("NFC", text).replace("İ", "i").replace("I", "ı")
    return unicodedata.normalize("NFC", text.casefold())


@lru_cache(maxsize=4)
def casefolded_in_place(text: str, lang: str) -> str | None:
    """Return :func:`casefold` of ``text`` where every letter stays in its place, else None.

    Parts of it are then the case-folded parts: parts of a text in NFC are in NFC.
    """
    # Cached since several questions about one long text follow each other.
    folded = casefold(text, lang)
    in_place = len(folded) == len(text) and unicodedata.is_normalized("NFC", text)
    return folded if in_place else None


def casefolded_parts(text: str, parts: Iterable[tuple[int, int]], lang: str) -> Iterator[str]:
    """Yield :func:`casefold` of each part of ``text``, from start to end, exclusive.

    Parts are folded with the whole where they can be, which is nearly always.
    """
    folded = casefolded_in_place(text, lang)
    for start, end in parts:
        yield casefold(text[start:end], lang) if folded is None else folded[start:end]


def number(text: str) -> int:
    """Return 64 bits of the BLAKE2b hash of ``text``: a short number to sort and search by."""
    return int.from_bytes(_digest(text), "little")


def numbers(texts: Iterable[str]) -> npt.NDArray[np.uint64]:
    """Return :func:`number` of each of ``texts``."""
    return np.frombuffer(b"".join(map(_digest, texts)), "<u8")


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()
