"""Names that every country has its own of: Ministry of Justice, Independence Square.

Such a name tells nothing across documents without its country. The words stand in ``generic.toml``,
by language; they are compared as the languages' comparison keys.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Final

from pipeline import languages

_FILE: Final = "generic.toml"


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
