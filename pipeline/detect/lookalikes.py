"""Hindi and the languages written like it, told apart by their frequent words."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

from pipeline.detect.text import comparable_words

HINDI: Final = "hi"

_SHARE: Final = 0.04
"""Share of a text's words from which it is not Hindi: a quoted name or word stays below it."""


def lookalike_of(text: str) -> str | None:
    """Return the ISO 639-3 code of the language whose words stand in ``text``; None for none."""
    words = comparable_words(text)
    found = Counter(_language_of_word()[word] for word in words if word in _language_of_word())
    del found[HINDI]
    if not found or found.total() < _SHARE * len(words):
        return None
    return min(found, key=lambda language: (-found[language], language))


def hindi_words(text: str) -> int:
    """Return how many words of ``text`` Hindi alone uses often."""
    return sum(_language_of_word().get(word) == HINDI for word in comparable_words(text))


@cache
def _language_of_word() -> Mapping[str, str]:
    file = resources.files("pipeline.detect").joinpath("lookalikes.toml")
    listed = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        folded: language
        for language, words in listed.items()
        for word in words
        for folded in comparable_words(word)
    }
