"""Names that every country has its own of: Ministry of Justice, Independence Square.

Such a name tells nothing across documents without its country. The words stand in ``generic.toml``,
by language; they are compared as the languages' comparison keys.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Final

from pipeline import languages

_FILE: Final = "generic.toml"


@cache
def _kinds() -> tuple[frozenset[str], frozenset[str]]:
    text = resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8")
    kinds = tomllib.loads(text)["kinds"]
    return frozenset(kinds["words"]), frozenset(kinds["qualifiers"])


def proper(words: Iterable[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Part ``words`` into those that are the name itself and those that say its kind, in English.

    ``("samsun", "province")`` gives ``("samsun",)`` and ``{"province"}``. Where all words say a
    kind (Central Region), they are the name.
    """
    kinds, qualifiers = _kinds()
    words = tuple(words)
    own = tuple(word for word in words if word not in kinds and word not in qualifiers)
    return (own, frozenset(words) - frozenset(own)) if own else (words, frozenset())


def qualifiers(kinds: Iterable[str]) -> frozenset[str]:
    """Return those of ``kinds`` that make another place: north, new, islands."""
    return frozenset(kinds) & _kinds()[1]


@cache
def generations() -> frozenset[str]:
    """Return the words that tell a son from his father: jr."""
    text = resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8")
    return frozenset(tomllib.loads(text)["generations"]["words"])


@cache
def _classes() -> dict[str, str]:
    text = resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8")
    classes = tomllib.loads(text)["kinds"]["classes"]
    return {word: name for name, words in classes.items() for word in words}


def classes(kinds: Iterable[str]) -> frozenset[str]:
    """Return the classes of ``kinds`` that matter: country, region, district or city."""
    return frozenset(_classes()[kind] for kind in kinds if kind in _classes())


@cache
def _phrases() -> frozenset[tuple[str, ...]]:
    """Return the keys of the generic words and phrases, each as its words.

    Never taken apart: in Vietnamese, where every syllable is a word, *kinh* of *kinh tế* (economy)
    would make a ministry of *Bắc Kinh*, which is Beijing.
    """
    text = resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8")
    return frozenset(
        tuple(languages.get(lang).fold(name).split())
        for lang, names in tomllib.loads(text)["words"].items()
        for name in names
    )


@cache
def _longest() -> int:
    return max(map(len, _phrases()))


def is_generic(key: str) -> bool:
    """Say whether the comparison key ``key`` is made of generic words and phrases alone."""
    words = tuple(key.split())
    made = [True] + [False] * len(words)
    for end in range(1, len(words) + 1):
        starts = range(max(0, end - _longest()), end)
        made[end] = any(made[start] and words[start:end] in _phrases() for start in starts)
    return made[-1]


def without_heads(key: str) -> str:
    """Return ``key`` without generic phrases at either end, where at least two words remain.

    ``yntymak ordo residence`` becomes ``yntymak ordo``: languages translate the kind of a place and
    keep its name.
    """
    words = tuple(key.split())
    while length := _phrase_at_start(words):
        words = words[length:]
    while length := _phrase_at_end(words):
        words = words[:-length]
    return " ".join(words) if len(words) > 1 else key


def _phrase_at_start(words: tuple[str, ...]) -> int:
    """Return how many words the longest generic phrase at the start has; 0 where none is there."""
    lengths = range(min(_longest(), len(words)), 0, -1)
    return next((n for n in lengths if words[:n] in _phrases()), 0)


def _phrase_at_end(words: tuple[str, ...]) -> int:
    lengths = range(min(_longest(), len(words)), 0, -1)
    return next((n for n in lengths if words[-n:] in _phrases()), 0)
