"""Character bigrams and trigrams of fold keys, as numbers.

A fold key is ASCII, lower case, single spaces. Its symbols are the word boundary (a space, and one
at either end), 26 letters, 10 digits and one for anything else, so that every bigram and trigram
has a small number of its own and no vocabulary has to be stored or loaded.
"""

from __future__ import annotations

import string
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

_SYMBOLS: Final = 38
_BIGRAMS: Final = _SYMBOLS**2
SIZE: Final = _BIGRAMS + _SYMBOLS**3
"""How many different bigrams and trigrams there are."""

_OTHER: Final = _SYMBOLS - 1
_TABLE: Final = bytes(
    0 if byte == 0x20 else (string.ascii_lowercase + string.digits).find(chr(byte)) + 1 or _OTHER
    for byte in range(256)
)

Codes = npt.NDArray[np.int32]
_Number = TypeVar("_Number", bound=np.signedinteger[Any])


def symbols(key: str) -> bytes:
    """Return ``key`` with word boundaries at both ends, one byte a symbol."""
    return f" {key} ".encode().translate(_TABLE)


def codes(marked: bytes) -> Codes:
    """Return the distinct bigrams and trigrams of ``marked`` (from :func:`symbols`), ascending."""
    found, _ = _all_codes(marked)
    return _distinct(found)


def codes_of_keys(keys: list[str]) -> tuple[Codes, npt.NDArray[np.int64]]:
    """Return the distinct pairs of n-gram and key, by n-gram, then key (as positions in ``keys``).

    The two arrays have the same length.
    """
    marked = [symbols(key) for key in keys]
    lengths = np.fromiter(map(len, marked), dtype=np.int64, count=len(marked))
    grams, starts = _all_codes(b"".join(marked))
    owner = np.repeat(np.arange(len(keys), dtype=np.int64), lengths)
    ends = np.cumsum(lengths)[owner[starts]]
    width = np.where(grams < _BIGRAMS, 2, 3)
    inside = starts + width <= ends
    pairs = grams[inside].astype(np.int64) * len(keys) + owner[starts[inside]]
    gram, key = np.divmod(_distinct(pairs), max(len(keys), 1))
    return gram.astype(np.int32), key


def _distinct(numbers: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
    """Return the distinct ``numbers``, ascending, and sort these: np.unique takes far longer."""
    numbers.sort()
    return numbers[np.append(True, numbers[1:] != numbers[:-1])] if len(numbers) else numbers


def _all_codes(marked: bytes) -> tuple[Codes, npt.NDArray[np.int64]]:
    """Return the number of every bigram and trigram of ``marked`` and where it starts."""
    values = np.frombuffer(marked, dtype=np.uint8).astype(np.int32)
    bigrams = values[:-1] * _SYMBOLS + values[1:]
    trigrams = _BIGRAMS + bigrams[:-1] * _SYMBOLS + values[2:]
    starts = np.concatenate(
        [
            np.arange(len(bigrams), dtype=np.int64),
            np.arange(len(trigrams), dtype=np.int64),
        ]
    )
    return np.concatenate([bigrams, trigrams]), starts
