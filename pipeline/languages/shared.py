"""Helpers that more than one language uses."""

from __future__ import annotations

import heapq
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

from anyascii import anyascii

MAX_KEYS: Final = 9
"""The most keys a name gets: each is a look-up, and each weaker one a chance of a false friend."""

# Patterns, since str.translate takes several times as long where there is nothing to replace.
_APOSTROPHES: Final = re.compile("[’‘ʼʻ＇`´′‛]")
_INVISIBLE: Final = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad]")
_ACRONYM: Final = re.compile(r"\b(?:[a-z]\.){2,}")
_NOT_KEY: Final = re.compile(r"[^a-z0-9]+")


MIN_SOUND: Final = 4
"""The fewest letters by which a name may be found by its sound."""

MIN_SKELETON: Final = 3
"""The fewest letters that a name without its inner vowels must have to be found by."""

MIN_INITIALS: Final = 4
_MAX_INITIALS: Final = 7
_LINKING: Final = frozenset({"of", "the", "and", "for", "in", "on", "to", "with", "a", "an", "at"})

_VOWEL_RUN: Final = re.compile(r"[aeiouy]+")
_VOWEL_CLASSES: Final = {"a": "a", "e": "i", "i": "i", "y": "i", "o": "u", "u": "u"}
_FIRST_VOWEL: Final = re.compile(r"\b[aiu]")
_INNER_VOWEL: Final = re.compile(r"(?<=\w)(?:[iu]|a(?!\b))")
_DOUBLED: Final = re.compile(r"([a-z])\1+")
_NAME_WORD: Final = re.compile(r"[^\s,()/]+")
_WINDOW: Final = 48
_LONGEST_TITLE: Final = 3
"""Code points and words before a name among which a title is looked for."""


def load_data(code: str) -> dict[str, Any]:
    """Return the contents of ``data/<code>.toml``: word lists and rules of one language."""
    path = resources.files(__package__).joinpath("data", f"{code}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def compose(text: str) -> str:
    """Return ``text`` in NFC, without joiners and other invisible marks, spaces single."""
    return " ".join(unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).split())


def straighten(text: str) -> str:
    """Return ``text`` with every kind of apostrophe written ``'``."""
    return _APOSTROPHES.sub("'", text)


def fold_ascii(text: str) -> str:
    """Return ``text`` romanised by anyascii, lower case, as words of a-z and 0-9.

    Apostrophes vanish (``O'Neill`` is ``oneill``) and so do the full stops of an acronym (``U.S.``
    is ``us``); hyphens and all other punctuation become spaces, spaces are single. A name for whose
    letters anyascii has no Latin becomes their code points, so that it still has a key.
    """
    plain = anyascii(straighten(text).replace("'", "")).lower().replace("'", "").replace("`", "")
    plain = _ACRONYM.sub(lambda match: match.group().replace(".", ""), plain)
    key = _NOT_KEY.sub(" ", plain).strip()
    if key:
        return key
    return " ".join(f"u{ord(letter):x}" for letter in text if letter.isalnum())


def sound(key: str) -> str:
    """Return a fold key as it sounds, coarsely: one letter for sounds that languages spell apart.

    Vowels are three classes (a; e, i, y; o, u); of a run of vowels the first counts, and at the
    end of a word the last too (Niger, Nigeria). Empty where fewer than four letters are left. A
    phonetic key in the manner of Metaphone (Philips 1990), made for names that come from other
    languages and scripts; the rules stand in ``data/sound.toml``.
    """
    key = " ".join(map(_sound_of_word, key.split(" ")))
    return key if len(key) >= MIN_SOUND else ""


def sound_or_key(key: str) -> str:
    """Return :func:`sound`, or the key itself where it is too short to have one."""
    return sound(key) or key


@lru_cache(maxsize=16_384)
def _sound_of_word(word: str) -> str:
    """Return a word as it sounds: no rule looks beyond a word, and names share their words."""
    for pattern, replacement, needed in _SOUND_RULES:
        if needed in word:
            word = pattern.sub(replacement, word)
    word = _VOWEL_RUN.sub(_vowel_class, word)
    return _DOUBLED.sub(r"\1", word)


def _vowel_class(run: re.Match[str]) -> str:
    """Return a run of vowels as the class of its first; one that ends a word or in a, as two."""
    vowels = run.group()
    first, last = _VOWEL_CLASSES[vowels[0]], _VOWEL_CLASSES[vowels[-1]]
    at_end = run.end() == len(run.string)
    return first + last if last != first and (at_end or last == "a") else first


def skeleton(key: str) -> str:
    """Return the consonants of a sound key, and ``a`` for a word's first vowel or last a.

    The last a tells women's surnames from men's (Ivanov, Ivanova). Empty where fewer than three
    letters are left: too many names share so few.
    """
    bare = _INNER_VOWEL.sub("", _FIRST_VOWEL.sub("a", key))
    bare = _DOUBLED.sub(r"\1", bare)
    return bare if len(bare) >= MIN_SKELETON else ""


def initials(fold: str) -> str:
    """Return the acronym that a folded English name of several words gives, else nothing.

    Of four to seven letters, without ``of`` and its like: ``nato``.
    """
    letters = "".join(word[0] for word in fold.split() if word not in _LINKING)
    return letters if MIN_INITIALS <= len(letters) <= _MAX_INITIALS else ""


def with_sounds(fold: str, spelled: Iterable[str], sounding: Iterable[str]) -> tuple[str, ...]:
    """Return the keys of a name: its fold, its respellings, then sound keys and skeletons.

    ``spelled`` are respellings, the likeliest first; ``sounding`` the few folds whose sound counts.
    At most :data:`MAX_KEYS`, the respellings giving way.
    """
    sounds = [sound(key) for key in sounding]
    coarse = distinct([*sounds, *map(skeleton, sounds)])
    room = MAX_KEYS - len(coarse)
    return distinct([*distinct([fold, *spelled], max(1, room)), *coarse])


def distinct(items: Iterable[str], limit: int = MAX_KEYS) -> tuple[str, ...]:
    """Return the first ``limit`` different non-empty items, in order."""
    return tuple(dict.fromkeys(item for item in items if item))[:limit]


_SOUND_RULES: Final = tuple((re.compile(p), r, n) for p, r, n in load_data("sound")["rules"])


@cache
def rulers() -> frozenset[str]:
    """Return the English titles by which monarchs, their families and popes are called."""
    return frozenset(load_data("en")["titles"]["rulers"])


@dataclass(frozen=True, slots=True)
class Translations:
    """Words of which names are composed, lower case, and what English calls them.

    ``ordinals`` are those that number a ruler and stand before the name (``III. Charles``), where
    English has them behind it.
    """

    english: dict[tuple[str, ...], str]
    longest: int
    ordinals: frozenset[tuple[str, ...]]
    begins: frozenset[str]
    """The first words of all of them."""

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Translations:
        """Read a data file: ``[translations]``, a word or several to the English one.

        And ``[numerals]``: how rulers are numbered ``behind`` the name (``al {}-lea``) or
        ``before`` it (``{}.``).
        """
        behind, before = (
            _numbered(data.get("numerals", {}).get(where, ())) for where in ("behind", "before")
        )
        english = {
            tuple(unicodedata.normalize("NFC", phrase).split()): word
            for phrase, word in data["translations"].items()
        }
        english = {**behind, **before, **english}
        begins = frozenset(phrase[0] for phrase in english)
        return cls(english, max(map(len, english)), frozenset(before), begins)

    def key(self, lower: str, fold: Callable[[str], str]) -> str:
        """Return the fold of a lower-case name with its known words in English.

        Empty where no word of its own is left: ``merkez`` is no name for what is called Central.
        """
        translated = self.apply(lower)
        own = set(lower.replace("-", " ").split())
        return fold(translated) if own & set(translated.split()) else ""

    def apply(self, lower: str) -> str:
        """Return a lower-case name with its known words in English, the longest phrases first.

        A hyphen parts words, but for phrases that are written with one (``nord-est``). The order
        stays: ``kuzey makedonya`` gives ``north makedonya``; but a ruler's number goes behind the
        name.
        """
        words = [
            part
            for word in _NAME_WORD.findall(lower)
            for part in ([word] if (word,) in self.english else word.split("-"))
            if part
        ]
        if self.begins.isdisjoint(words):  # as it mostly is
            return " ".join(words)
        result: list[str] = []
        while words:
            count = next(
                (n for n in range(self.longest, 0, -1) if tuple(words[:n]) in self.english), 0
            )
            phrase, words = tuple(words[: max(1, count)]), words[max(1, count) :]
            if phrase in self.ordinals and words:
                result.append(words.pop(0))
            result.append(self.english.get(phrase, phrase[0]))
        return " ".join(result)

    def title_before(self, text: str, start: int, lower: Callable[[str], str]) -> int:
        """Return where a ruler's title directly before ``text[start:]`` begins, else ``start``."""
        words = list(_NAME_WORD.finditer(text, max(0, start - _WINDOW), start))[-_LONGEST_TITLE:]
        if not words or text[words[-1].end() : start].strip(" \u00a0"):
            return start
        for first in words:
            phrase = tuple(lower(text[first.start() : start]).split())
            if self.english.get(phrase, " ".join(phrase)) in rulers():
                return first.start()
        return start


_MOST_OF_A_NAME: Final = 30


def _numbered(templates: Iterable[str]) -> dict[tuple[str, ...], str]:
    """Return the phrases that number a ruler, in Roman or Arabic digits, to the Roman number.

    Turkish writes the lower case of I without a dot.
    """
    return {
        tuple(template.format(digits).replace("-", " ").split()): roman(number)
        for template in templates
        for number in range(1, _MOST_OF_A_NAME + 1)
        for digits in (roman(number), roman(number).replace("i", "ı"), str(number))
    }


def roman(number: int) -> str:
    """Return a number below 40 in Roman digits, lower case."""
    tens, ones = divmod(number, 10)
    units = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
    return "x" * tens + units[ones]


@dataclass(frozen=True, slots=True)
class Respelling:
    """A rule that respells a name: a regular expression, its replacement, and what it costs."""

    pattern: re.Pattern[str]
    replacement: str
    cost: float


def respellings(rules: Iterable[Sequence[Any]]) -> tuple[Respelling, ...]:
    """Compile rules written ``[pattern, replacement, cost]``."""
    return tuple(Respelling(re.compile(p), r, float(c)) for p, r, c in rules)


def respell(
    text: str, rules: Sequence[Respelling], limit: int, finish: Callable[[str], str] = str
) -> list[str]:
    """Return different respellings of ``text``, the cheapest first, ``text`` itself included.

    A rule applies everywhere in the name or nowhere, since a page that writes ``c`` for ``j`` does
    so throughout. The cost of a respelling is the sum of its rules' costs; a rule with a negative
    cost is usual, so that leaving it out is what costs. ``finish`` is applied to every result.
    """
    active = [rule for rule in rules if rule.pattern.search(text)]
    usual = [rule.cost < 0 for rule in active]
    heap: list[tuple[float, int, tuple[int, ...]]] = [(0.0, -1, ())]
    found: dict[str, None] = {}
    # Best first over the sets of rules that are switched from their usual state.
    while heap and len(found) < limit:
        cost, last, switched = heapq.heappop(heap)
        result = text
        for number, rule in enumerate(active):
            if usual[number] != (number in switched):
                result = rule.pattern.sub(rule.replacement, result)
        found.setdefault(finish(result))
        for number in range(last + 1, len(active)):
            step = cost + abs(active[number].cost)
            heapq.heappush(heap, (step, number, (*switched, number)))
    return list(found)


def _has_letter(word: str) -> bool:
    """Tell whether ``word`` holds a letter (``Quận 1`` is not to become ``1``)."""
    return any(char.isalpha() for char in word)


@dataclass(frozen=True, slots=True)
class Titles:
    """Titles and honorifics of one language, as lower-case word sequences.

    ``before`` stand before a name, ``after`` behind it; ``keep`` are names that begin with such a
    word and lose nothing.
    """

    before: frozenset[tuple[str, ...]]
    after: frozenset[tuple[str, ...]]
    keep: frozenset[tuple[str, ...]]
    longest: int

    @classmethod
    def from_data(cls, data: dict[str, Any], lower: Callable[[str], str]) -> Titles:
        """Read ``[titles]`` of a data file: lists ``before``, ``after`` and ``keep``."""
        lists = [
            frozenset(tuple(lower(item).split()) for item in data["titles"].get(part, ()))
            for part in ("before", "after", "keep")
        ]
        longest = max((len(item) for part in lists for item in part), default=0)
        return cls(lists[0], lists[1], lists[2], longest)

    def strip(self, name: str, lower: Callable[[str], str]) -> str:
        """Return ``name`` without its titles; the name itself where nothing else would be left."""
        words = name.split()
        plain = [lower(word).strip(".,") for word in words]
        first, last = 0, len(words)
        while not self._kept(plain[first:last]):
            before = self._match(plain[first:last], self.before, at_end=False)
            after = 0 if before else self._match(plain[first:last], self.after, at_end=True)
            if not any(map(_has_letter, plain[first + before : last - after])):
                break
            first, last = first + before, last - after
            if not before and not after:
                break
        return " ".join(words[first:last]).strip(" ,") or name

    def _kept(self, plain: list[str]) -> bool:
        return any(tuple(plain[:n]) in self.keep for n in range(1, self.longest + 1))

    def _match(self, plain: list[str], titles: frozenset[tuple[str, ...]], *, at_end: bool) -> int:
        for count in range(min(self.longest, len(plain) - 1), 0, -1):
            part = plain[-count:] if at_end else plain[:count]
            if tuple(part) in titles:
                return count
        return 0
