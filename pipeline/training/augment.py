"""Small changes to training sentences, for what news has and the corpora lack."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

TaggedWords = tuple[list[str], list[str]]
"""Words and their BIO tags, of equal length."""

UPPER_SHARE: Final = 0.04
TITLE_SHARE: Final = 0.04
JOIN_SHARE: Final = 0.4
JOINED_WORDS: Final = 90
DROP_STOP_SHARE: Final = 0.15
SWAP_QUOTES_SHARE: Final = 0.5
PLAIN_LETTERS_SHARE: Final = {"ro": 0.12, "vi": 0.04, "tr": 0.02}

_LATIN_LANGUAGES: Final = frozenset({"en", "ro", "tr", "vi"})
_FULL_STOPS: Final = frozenset({".", "।"})
_STRAIGHT: Final = {"‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"'}


def augment(
    sentences: Sequence[TaggedWords], lang: str, rng: random.Random
) -> Iterator[TaggedWords]:
    """Yield every sentence once, in order, some of them changed or joined with the next.

    A headline is in capitals or in title case and lacks its full stop; sentences stand in one
    line with the next; quotes and apostrophes are curly or straight; diacritics are left out.
    """
    position = 0
    while position < len(sentences):
        words, tags = sentences[position]
        position += 1
        while position < len(sentences) and len(words) < JOINED_WORDS and rng.random() < JOIN_SHARE:
            words, tags = words + sentences[position][0], tags + sentences[position][1]
            position += 1
        if not words:
            continue
        if lang in _LATIN_LANGUAGES:
            case = rng.random()
            if case < UPPER_SHARE:
                words = [_upper(word, lang) for word in words]
            elif case < UPPER_SHARE + TITLE_SHARE:
                words = [_upper(word[0], lang) + word[1:] for word in words]
        if rng.random() < PLAIN_LETTERS_SHARE.get(lang, 0.0):
            words = [_plain(word) for word in words]
        if len(words) > 1 and words[-1] in _FULL_STOPS and tags[-1] == "O":
            while len(words) > 1 and words[-1] in _FULL_STOPS and rng.random() < DROP_STOP_SHARE:
                words, tags = words[:-1], tags[:-1]
        if rng.random() < SWAP_QUOTES_SHARE:
            words = _curl(words) if rng.random() < 0.5 else [_STRAIGHT.get(w, w) for w in words]
        yield words, tags


def _upper(text: str, lang: str) -> str:
    return (text.replace("i", "İ") if lang == "tr" else text).upper()


def _plain(text: str) -> str:
    """Leave out diacritics, as who types without them does."""
    text = text.replace("đ", "d").replace("Đ", "D").replace("ı", "i").replace("İ", "I")
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _curl(words: Sequence[str]) -> list[str]:
    curled = []
    is_open = False
    for word in words:
        if word == '"':
            word = "”" if is_open else "“"
            is_open = not is_open
        elif word == "'":
            word = "’"
        curled.append(word)
    return curled
