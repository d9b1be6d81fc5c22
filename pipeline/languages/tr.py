"""Turkish: case endings behind an apostrophe or glued on, titles, and letters to English ones.

Endings follow vowel harmony and consonant assimilation as described in Göksel and Kerslake,
Turkish: A Comprehensive Grammar (2005), chapters 3, 6 and 8. An ending is written in the data file
with capitals for the letters that vary: ``A`` is a or e, ``I`` is ı, i, u or ü, ``D`` is d or t,
``C`` is c or ç; a letter in brackets stands behind a vowel alone, or (for s) likewise.
"""

from __future__ import annotations

import itertools
import re
from functools import cache
from typing import Final

from pipeline.languages import shared
from pipeline.languages.base import Reading

_DATA: Final = shared.load_data("tr")
_RULES: Final = shared.respellings(_DATA["respelling"])
_SOUNDING: Final = shared.respellings(_DATA["sounding"])

_VOWELS: Final = "aeıioöuüâîû"
_BACK: Final = "aıouâû"
_ROUNDED: Final = "oöuüû"
_VOICELESS: Final = "fstkçşhp"
_VARIANTS: Final = {"A": "ae", "I": "ıiuü", "D": "dt", "C": "cç"}
_APOSTROPHE: Final = "'’‘ʼ＇`´′‛"
_QUOTED: Final = re.compile(rf"[{_APOSTROPHE}]+(\w+)$")
_FOLLOWING: Final = re.compile(rf" ?[{_APOSTROPHE}]{{1,2}}(\w{{1,9}})(?!\w)")
_WINDOW: Final = 40


def _lower(text: str) -> str:
    """Return ``text`` in lower case as Turkish has it: İ is i, I is ı."""
    return text.replace("İ", "i").replace("I", "ı").lower()


def _all_forms(ending: str) -> set[str]:
    """Return every written form of an ending, with and without its bracketed letter."""
    bare = re.sub(r"\(.\)", "", ending)
    full = ending.replace("(", "").replace(")", "")
    return {
        "".join(letters)
        for form in (bare, full)
        for letters in itertools.product(*(_VARIANTS.get(letter, letter) for letter in form))
    }


@cache
def _harmonic(vowel: str, before: str, ending: str) -> str:
    """Return the form of ``ending`` behind a stem with this last vowel and this last letter."""
    if ending.startswith("("):
        ending = (ending[1] if before in _VOWELS else "") + ending[3:]
    form = ""
    for letter in ending:
        if letter == "A":
            letter = "a" if vowel in _BACK else "e"
        elif letter == "I":
            if vowel in _BACK:
                letter = "u" if vowel in _ROUNDED else "ı"
            else:
                letter = "ü" if vowel in _ROUNDED else "i"
        elif letter == "D":
            letter = "t" if before in _VOICELESS else "d"
        elif letter == "C":
            letter = "ç" if before in _VOICELESS else "c"
        if letter in _VOWELS:
            vowel = letter
        before = letter
        form += letter
    return form


def _last_vowel(stem: str) -> str:
    """Return the last vowel of a lower-case word, empty when it has none."""
    return next((letter for letter in reversed(stem) if letter in _VOWELS), "")


_SUFFIXES: Final = frozenset(
    form for ending in _DATA["endings"]["apostrophe"] for form in _all_forms(ending)
)
_BARE: Final[tuple[tuple[str, float], ...]] = tuple(
    (ending, cost) for ending, cost in _DATA["endings"]["bare"]
)
_PARTICLES: Final = frozenset(_DATA["endings"]["particles"])
_INSTITUTIONS: Final = frozenset(_DATA["institutions"])
_LONGEST_BARE: Final = 5
_TRANSLATIONS: Final = shared.Translations.from_data(_DATA)
_TITLES: Final = shared.Titles.from_data(_DATA, _lower)


class Turkish:
    """The rules of Turkish."""

    code = "tr"

    def orthography(self, text: str) -> str:
        """Return ``text`` in NFC with straight apostrophes."""
        return shared.straighten(shared.compose(text))

    def readings(self, surface: str) -> tuple[Reading, ...]:
        """Return the name without its ending and as written.

        An ending behind an apostrophe is certain, and so is one that the spelling rules glue to an
        institution (``Dışişleri Bakanlığından``: Türk Dil Kurumu, Yazım Kılavuzu, 2012). Any other
        glued one is taken off where harmony and consonants allow it, the form as written first.
        """
        name = self.orthography(surface)
        written = Reading(name, "", 0.0)
        count = self.inside_suffix(name)
        if count:
            return (Reading(name[:-count].rstrip("'"), name[-count:], 0.05), written)
        bare = _bare_readings(name)
        sure = [reading for reading in bare if reading.cost < 0.1]
        return (*sure, written, *(reading for reading in bare if reading.cost >= 0.1))

    def suffix_after(self, text: str, end: int) -> str:
        """Return apostrophe and ending (``'ın``, a loose `` 'ta``), empty when there is none."""
        match = _FOLLOWING.match(text, end)
        if not match or not text[:end].strip():
            return ""
        stem, ending = text[max(0, end - _WINDOW) : end], match.group(1)
        loose = match.group()[0].isspace()
        if not _is_suffix(stem, ending) or (loose and not _fits(stem, ending)):
            return ""
        return match.group()

    def inside_suffix(self, surface: str) -> int:
        """Return the length of a final apostrophe and ending, 0 when there is none."""
        match = _QUOTED.search(surface)
        if not match or not _is_suffix(surface[: match.start()], match.group(1)):
            return 0
        return len(match.group())

    def strip_titles(self, name: str) -> str:
        """Return ``name`` without ``Cumhurbaşkanı``, ``Sayın``, ``Bey`` and the like."""
        return _TITLES.strip(name, _lower)

    def ruler_before(self, text: str, start: int) -> int:
        """Return where ``Kral`` and the like directly before ``text[start:]`` begins."""
        return _TRANSLATIONS.title_before(text, start, _lower)

    def fold(self, name: str) -> str:
        """Return the name in plain letters: ı is i, ş is s, ğ is g, words of a-z and 0-9."""
        return shared.fold_ascii(self.orthography(name))

    def keys(self, name: str) -> tuple[str, ...]:
        """Return the fold, then respellings towards English (``Caparov``: ``japarov``)."""
        written = self.orthography(name)
        fold = self.fold(written)
        spelled = shared.respell(_lower(written), _RULES, shared.MAX_KEYS, shared.fold_ascii)
        english = shared.respell(_lower(written), _SOUNDING, 1, shared.fold_ascii)
        translated = _TRANSLATIONS.key(_lower(written), self.fold)
        return shared.with_sounds(fold, [translated, *spelled], [fold, *english])

    def translated(self, name: str) -> str:
        """Return the name with ``kuzey`` as north, ``adaları`` as islands and the like."""
        return _TRANSLATIONS.apply(_lower(self.orthography(name)))

    def transcriptions(self, name: str) -> tuple[str, ...]:
        """Return nothing: the language reads no other's characters."""
        return ()

    def spelled_out(self, name: str) -> str:
        """Return nothing: letters are written, not spelled out."""
        return ""

    def letters(self, name: str) -> str:
        """Return the letters with their marks, lower case."""
        return "".join(filter(str.isalnum, _lower(self.orthography(name))))


def _is_suffix(stem: str, ending: str) -> bool:
    """Tell whether ``ending`` behind an apostrophe can be a case ending of a name ``stem``."""
    if _lower(ending) not in _SUFFIXES:
        return False
    words = re.findall(r"\w+", stem)
    if not words:
        return False
    last = words[-1]
    if last.isupper() or last.isdigit():
        return True
    # Names such as Hawai'i and Sana'a: an ending that begins with a vowel needs a consonant before
    # it, but for a silent e (Moore'un).
    if ending[0].lower() in _VOWELS and _lower(last[-1]) in _VOWELS.replace("e", ""):
        return False
    return len(last) >= 2


def _fits(stem: str, ending: str) -> bool:
    """Tell whether ``ending`` obeys harmony behind ``stem`` and is no word of its own."""
    last, ending = _lower(re.findall(r"\w+", stem)[-1]), _lower(ending)
    vowel = _last_vowel(last)
    if ending in _PARTICLES or not vowel:
        return False
    forms = _DATA["endings"]["apostrophe"]
    return any(_harmonic(vowel, last[-1], form) == ending for form in forms)


def _bare_readings(name: str) -> list[Reading]:
    """Return readings of ``name`` whose last word loses an ending that is glued on."""
    head, _, word = name.rpartition(" ")
    plain = _lower(word)
    found: dict[str, Reading] = {}
    for length in range(max(3, len(plain) - _LONGEST_BARE), len(plain)):
        stem, vowel = plain[:length], _last_vowel(plain[:length])
        if not vowel or not stem[-1].isalpha():
            continue
        kept = word[:length]
        for ending, cost in _BARE:
            if _harmonic(vowel, stem[-1], ending) != plain[length:]:
                continue
            price = 0.05 if head and stem in _INSTITUTIONS else cost
            found = _cheaper(found, Reading(f"{head} {kept}".strip(), word[length:], price))
            # A k between vowels softens to ğ: Zonguldak, Zonguldağa.
            if stem[-1] == "ğ" and plain[length] in _VOWELS:
                hard = kept[:-1] + ("K" if kept[-1] == "Ğ" else "k")
                found = _cheaper(found, Reading(f"{head} {hard}".strip(), word[length:], price))
    return sorted(found.values(), key=lambda reading: (reading.cost, -len(reading.name)))


def _cheaper(found: dict[str, Reading], reading: Reading) -> dict[str, Reading]:
    """Return ``found`` with ``reading``, unless it has the same name at no higher cost."""
    known = found.get(reading.name)
    return found if known and known.cost <= reading.cost else {**found, reading.name: reading}
