"""Words to sub-word pieces, the same for training and for use."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from unicodedata import normalize

from tokenizers import Tokenizer

MAX_PIECES_PER_WORD: Final = 16
"""Pieces kept of one word. A longer word is a number, a hash or an address, never a name."""


class WordPieces:
    """Encodes single words with a sentencepiece vocabulary, each with its own word-start mark.

    A word has the same pieces however its accents are encoded: the vocabulary's own normalising
    drops the marks of letters that carry two, where they come apart (``ễ``), so NFC comes first.

    The pieces of a word do not depend on its neighbours, so they are kept: a night's news repeats
    few distinct words very often. The store is emptied when it holds ``capacity`` words, which
    bounds memory and changes no result.
    """

    def __init__(self, tokenizer: Tokenizer, capacity: int = 200_000) -> None:
        """Encode with ``tokenizer``; raises ValueError where it lacks a special piece."""
        self._tokenizer = tokenizer
        self._capacity = capacity
        self._known: dict[str, tuple[int, ...]] = {}
        self.start: Final = self._special("<s>")
        self.end: Final = self._special("</s>")
        self.padding: Final = self._special("<pad>")
        self.unknown: Final = self._special("<unk>")

    @classmethod
    def from_file(cls, path: Path) -> WordPieces:
        """Load a ``tokenizer.json`` as the tokenizers library writes it."""
        return cls(Tokenizer.from_file(str(path)))

    def encode(self, word: str) -> tuple[int, ...]:
        """Return the ids of the pieces of ``word``: at least one, at most MAX_PIECES_PER_WORD."""
        pieces = self._known.get(word)
        if pieces is None:
            if len(self._known) >= self._capacity:
                self._known.clear()
            ids = self._tokenizer.encode(normalize("NFC", word), add_special_tokens=False).ids
            pieces = self._known[word] = tuple(ids[:MAX_PIECES_PER_WORD]) or (self.unknown,)
        return pieces

    def _special(self, piece: str) -> int:
        number = self._tokenizer.token_to_id(piece)
        if number is None:
            raise ValueError(f"the tokenizer has no piece {piece}")
        return int(number)
