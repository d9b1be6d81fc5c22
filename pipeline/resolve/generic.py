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
def _words() -> frozenset[str]:
    text = resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8")
    return frozenset(
        word
        for lang, names in tomllib.loads(text)["words"].items()
        for name in names
        for word in languages.get(lang).fold(name).split()
    )


def is_generic(key: str) -> bool:
    """Say whether every word of the comparison key ``key`` is generic."""
    return all(word in _words() for word in key.split())


def without_heads(key: str) -> str:
    """Return ``key`` without generic words at either end, where at least two words remain.

    ``yntymak ordo residence`` becomes ``yntymak ordo``: languages translate the kind of a place and
    keep its name.
    """
    words = key.split()
    while words and words[0] in _words():
        words = words[1:]
    while words and words[-1] in _words():
        words = words[:-1]
    return " ".join(words) if len(words) > 1 else key
