"""Names that every country has its own of: Ministry of Justice, Independence Square.

Such a name tells nothing across documents without its country. The words stand in ``generic.toml``,
by language; they are compared as the languages' comparison keys.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

from pipeline import languages

_FILE: Final = "generic.toml"
_HEAD_BEFORE: Final = frozenset({"en", "ro", "vi"})
_HEAD_BEHIND: Final = frozenset({"en", "hi", "tr"})
"""Languages that put the word for what something is before the name proper, and behind it."""
_LONGEST_HEAD: Final = 4
_CACHED: Final = 16_384


@cache
def _file() -> dict[str, Any]:
    text = resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _kinds() -> tuple[frozenset[str], frozenset[str]]:
    kinds = _file()["kinds"]
    return frozenset(kinds["words"]), frozenset(kinds["qualifiers"])


def proper(words: Iterable[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Part ``words`` into those that are the name itself and those that say its kind, in English.

    ``("samsun", "province")`` gives ``("samsun",)`` and ``{"province"}``. Where all words say a
    kind (Central Region), they are the name.
    """
    kinds, qualifiers = _kinds()
    words = tuple(words)
    if kinds.isdisjoint(words) and qualifiers.isdisjoint(words):  # as it mostly is
        return words, frozenset()
    own = tuple(word for word in words if word not in kinds and word not in qualifiers)
    return (own, frozenset(words) - frozenset(own)) if own else (words, frozenset())


def qualifiers(kinds: Iterable[str]) -> frozenset[str]:
    """Return those of ``kinds`` that make another place: north, new, islands."""
    return frozenset(kinds) & _kinds()[1]


@cache
def generations() -> frozenset[str]:
    """Return the words that tell a son from his father: jr."""
    return frozenset(_file()["generations"]["words"])


@cache
def _classes() -> dict[str, str]:
    classes = _file()["kinds"]["classes"]
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
    return frozenset(phrase for lang in _file()["words"] for phrase in _phrases_of(lang))


@cache
def _phrases_of(lang: str) -> frozenset[tuple[str, ...]]:
    """Return those of :func:`_phrases` that a language has."""
    names = _file()["words"].get(lang, ())
    return frozenset(tuple(languages.get(lang).fold(name).split()) for name in names)


@cache
def _longest() -> int:
    return max(map(len, _phrases()))


@lru_cache(maxsize=_CACHED)
def is_generic(key: str) -> bool:
    """Say whether the comparison key ``key`` is made of generic words and phrases alone."""
    words = tuple(key.split())
    made = [True] + [False] * len(words)
    for end in range(1, len(words) + 1):
        starts = range(max(0, end - _longest()), end)
        made[end] = any(made[start] and words[start:end] in _phrases() for start in starts)
    return made[-1]


@cache
def heads() -> dict[str, dict[tuple[str, ...], frozenset[str]]]:
    """Return the words at the head of a name, by language, with the sorts that they stand for."""
    found: dict[str, dict[tuple[str, ...], frozenset[str]]] = {}
    for sort, by_language in _file()["heads"].items():
        for lang, names in by_language.items():
            mine = found.setdefault(lang, {})
            for name in names:
                words = tuple(languages.get(lang).fold(name).split())
                mine[words] = mine.get(words, frozenset()) | {sort}
    return found


def sorts(key: str, lang: str) -> frozenset[str]:
    """Return what sorts of thing the head of a comparison key of ``lang`` says, in English.

    ``ala arca milli parki`` is a park. Words that say no sort are passed over (``milli``), and only
    the outermost head counts: a university's hospital is a hospital. Empty where the name is
    nothing but its head.
    """
    mine = heads().get(lang, {})
    words = tuple(key.split())
    found: frozenset[str] = frozenset()
    if lang in _HEAD_BEFORE:
        found |= _outermost(words, mine, lang, behind=False)
    if lang in _HEAD_BEHIND:
        found |= _outermost(words, mine, lang, behind=True)
    return found


def _outermost(
    words: tuple[str, ...],
    heads: Mapping[tuple[str, ...], frozenset[str]],
    lang: str,
    *,
    behind: bool,
) -> frozenset[str]:
    """Return the sorts of the first head on one side, before any word that is no generic one."""
    phrases = _phrases_of(lang)
    while words:
        for count in range(min(_LONGEST_HEAD, len(words) - 1), 0, -1):
            some = words[-count:] if behind else words[:count]
            if some in heads:
                return heads[some]
            if some in phrases:
                words = words[:-count] if behind else words[count:]
                break
        else:
            return frozenset()
    return frozenset()


@cache
def _companies(lang: str) -> frozenset[tuple[str, ...]]:
    names = _file()["companies"].get(lang, ())
    return frozenset(tuple(languages.get(lang).fold(name).split()) for name in names)


def without_company(key: str, lang: str, least: int = 2) -> str:
    """Return a comparison key of ``lang`` without the words that say that it is a company.

    Empty where there are none, or not ``least`` words besides, or these are generic.
    """
    words = tuple(key.split())
    for count in range(min(_LONGEST_HEAD, len(words) - least), 0, -1):
        for some, rest in ((words[:count], words[count:]), (words[-count:], words[:-count])):
            bare = " ".join(rest)
            if some in _companies(lang) and not is_generic(bare):
                return without_company(bare, lang, least) or bare
    return ""


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
