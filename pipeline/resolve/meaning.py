"""What the words of which bodies and places are named mean in English: ``konseyi`` is council.

``meaning.tsv`` holds, by language, the beginnings of words and the English words that they stand
for, learned by :mod:`pipeline.training.meaning` from names and sentences in both languages.
Endings are cut rather than analysed: the first letters of a folded word tell it in these languages.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from importlib import resources
from typing import Final

from pipeline import languages

STEM: Final = 6
"""Letters of a folded word that count."""

_FILE: Final = "meaning.tsv"
_GLOSSARY: Final = "glossary.tsv"
_LIKELY: Final = 0.5
_SURELY: Final = 0.3
"""Least sureness at which a word is put for another in :func:`in_english`."""
_LEAST_SHARED: Final = 4
_MOST_SHARED: Final = 5
_CACHED: Final = 16_384
_INFLECTED: Final = 0.9
"""What a word of the same beginning counts: Asia and Asian, organisation and organization."""

Meaning = Mapping[str, float]
"""English words (folded, whole), and how surely a word stands for each, 0 to 1."""

Meanings = Mapping[str, Meaning]
"""Stem of a word to what it may mean."""


def stem(word: str) -> str:
    """Return what counts of a folded word."""
    return word[:STEM]


@cache
def learned() -> dict[str, Meanings]:
    """Return the contents of ``meaning.tsv`` by language."""
    path = resources.files(__package__).joinpath(_FILE)
    rows = csv.reader(path.read_text(encoding="utf-8").splitlines()[1:], delimiter="\t")
    return by_language((lang, word, english, float(share)) for lang, word, english, share in rows)


def by_language(rows: Iterable[tuple[str, str, str, float]]) -> dict[str, Meanings]:
    """Return rows of language, stem, English word and sureness as a mapping."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for lang, word, english, share in rows:
        found.setdefault(lang, {}).setdefault(word, {})[english] = share
    return dict(found)


def read_glossary() -> list[dict[str, str]]:
    """Return the rows of ``glossary.tsv``: words of which the names of bodies are made.

    By language, forms of one word with ``|`` between them.
    """
    text = resources.files(__package__).joinpath(_GLOSSARY).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t"))


@cache
def _of_bodies() -> frozenset[str]:
    """Return the English words of which the names of bodies are made, folded."""
    fold = languages.get("en").fold
    return frozenset(fold(row["en"]) for row in read_glossary())


def may_be_body(words: Sequence[str], lang: str, meanings: Mapping[str, Meanings]) -> bool:
    """Say whether one of the ``words`` of a name is likely one that the names of bodies have."""
    bodies = _of_bodies()
    return any(
        share >= _LIKELY and word in bodies
        for meant in of_words(words, lang, meanings)
        for word, share in meant.items()
    )


def of_words(words: Sequence[str], lang: str, meanings: Mapping[str, Meanings]) -> list[Meaning]:
    """Return what each of ``words`` of a name in ``lang`` may mean; of unknown ones, nothing."""
    known = meanings.get(lang, {})
    return [known.get(_stem_in(lang, word), {}) for word in words]


@lru_cache(maxsize=_CACHED)
def _stem_in(lang: str, word: str) -> str:
    return stem(languages.get(lang).fold(word))


def in_english(name: str, lang: str, meanings: Mapping[str, Meanings]) -> str:
    """Return the folded name with its words in English where they are known; empty if none is."""
    words = name.split()
    found = of_words(words, lang, meanings)
    fold = languages.get(lang).fold
    if not any(found):
        return ""
    return " ".join(_surest(meant) or fold(word) for word, meant in zip(words, found, strict=True))


def _surest(meant: Meaning) -> str:
    word = max(meant, key=lambda word: meant[word], default="")
    return word if word and meant[word] >= _SURELY else ""


def strength(meant: Meaning, word: str) -> float:
    """Return how surely the English ``word`` is meant, 0 to 1."""
    return max((share * _alike(other, word) for other, share in meant.items()), default=0.0)


def strengths(meant: Meaning, words: Sequence[str]) -> list[float]:
    """Return :func:`strength` of each of ``words``; most do not begin as anything meant does."""
    beginnings = {other[:_LEAST_SHARED] for other in meant}
    return [strength(meant, word) if word[:_LEAST_SHARED] in beginnings else 0.0 for word in words]


def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    length = min(len(one), len(other), _MOST_SHARED)
    return _INFLECTED if length >= _LEAST_SHARED and one[:length] == other[:length] else 0.0
