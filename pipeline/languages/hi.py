"""Hindi: Devanagari spelling, romanising with schwa deletion, postpositions and titles."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from pipeline.languages import shared
from pipeline.languages.base import Reading

_DATA: Final = shared.load_data("hi")
_TITLES: Final = shared.Titles.from_data(_DATA, str.lower)
_POSTPOSITIONS: Final = frozenset(_DATA["postpositions"])
_LETTER_NAMES: Final[dict[str, str]] = {
    unicodedata.normalize("NFC", name): letter for name, letter in _DATA["letter_names"].items()
}
_NUKTA: Final = "\u093c"
_VIRAMA: Final = "\u094d"
_ANUSVARA: Final = "\u0902"
_CANDRABINDU: Final = "\u0901"
_DANDA: Final = re.compile(r"[।॥]")

_CONSONANTS: Final = {
    "क": "k", "ख": "kh", "ग": "g", "घ": "gh", "ङ": "n", "च": "ch", "छ": "chh", "ज": "j",
    "झ": "jh", "ञ": "n", "ट": "t", "ठ": "th", "ड": "d", "ढ": "dh", "ण": "n", "त": "t",
    "थ": "th", "द": "d", "ध": "dh", "न": "n", "प": "p", "फ": "ph", "ब": "b", "भ": "bh",
    "म": "m", "य": "y", "र": "r", "ल": "l", "ळ": "l", "व": "v", "श": "sh", "ष": "sh",
    "स": "s", "ह": "h", "ऩ": "n", "ऱ": "r", "ऴ": "l",
    "क़": "q", "ख़": "kh", "ग़": "gh", "ज़": "z", "ड़": "r", "ढ़": "rh", "फ़": "f", "य़": "y",
}  # fmt: skip
_SIGNS: Final = {
    "ा": "a", "ि": "i", "ी": "i", "ु": "u", "ू": "u", "ृ": "ri", "ॄ": "ri", "ॅ": "e", "ॆ": "e",
    "े": "e", "ै": "ai", "ॉ": "o", "ॊ": "o", "ो": "o", "ौ": "au",
}  # fmt: skip
_VOWELS: Final = {
    "अ": "a", "आ": "a", "इ": "i", "ई": "i", "उ": "u", "ऊ": "u", "ऋ": "ri", "ऍ": "e", "ऎ": "e",
    "ए": "e", "ऐ": "ai", "ऑ": "o", "ऒ": "o", "ओ": "o", "औ": "au", "ॲ": "e", "ॐ": "om",
}  # fmt: skip
_LABIALS: Final = "पफबभम"


class Hindi:
    """The rules of Hindi."""

    code = "hi"

    def orthography(self, text: str) -> str:
        """Return ``text`` in NFC, without joiners; NFC writes nukta letters as letter and nukta."""
        return shared.straighten(shared.compose(text))

    def readings(self, surface: str) -> tuple[Reading, ...]:
        """Return the name as written, without a stray postposition, and out of the plural."""
        name = self.orthography(surface)
        written = Reading(name, "", 0.0)
        words = name.split()
        if len(words) > 1 and words[-1] in _POSTPOSITIONS:
            return (Reading(" ".join(words[:-1]), words[-1], 0.05), written)
        return (written, *_from_plural(name))

    def suffix_after(self, text: str, end: int) -> str:
        """Return nothing: postpositions are words of their own."""
        return ""

    def inside_suffix(self, surface: str) -> int:
        """Return 0: postpositions are words of their own."""
        return 0

    def strip_titles(self, name: str) -> str:
        """Return ``name`` without ``राष्ट्रपति``, ``श्री``, ``जी`` and the like."""
        return _TITLES.strip(name, str.lower)

    def fold(self, name: str) -> str:
        """Return the name romanised with schwa deletion, words of a-z and 0-9."""
        return shared.fold_ascii(_romanise_text(self.orthography(name)))

    def keys(self, name: str) -> tuple[str, ...]:
        """Return the fold, the acronym it may spell, and other romanisings."""
        written = self.orthography(name)
        fold = self.fold(written)
        return shared.distinct([fold, _acronym(written)])


def _from_plural(name: str) -> list[Reading]:
    """Return the singulars of an oblique or feminine plural: ``-ों``, ``-ओं``, ``-ियों``, ``-ें``."""
    for ending, endings in (("ियों", ("ी", "ि")), ("ओं", ("",)), ("ों", ("", "ा")), ("ें", ("",))):
        if name.endswith(ending) and len(name) - len(ending) >= 2:
            stem = name[: -len(ending)]
            return [Reading(stem + new, ending, 0.5) for new in endings]
    return []


def _romanise_text(text: str) -> str:
    """Romanise every Devanagari word of ``text`` and leave the rest as it is."""
    return re.sub(r"[\u0900-\u0963\u0970-\u097f]+", lambda m: _romanise(m.group()), text)


def _romanise(word: str) -> str:
    """Return one Devanagari word in Latin letters, without the schwas Hindi does not speak."""
    units = _units(word)
    _delete_schwas(units)
    return "".join(consonant + vowel + coda for consonant, vowel, coda in units)


def _units(word: str) -> list[list[str]]:
    """Split a word into (consonant, vowel, coda); the vowel is ``@`` for an inherent schwa."""
    units: list[list[str]] = []
    for index, char in enumerate(word):
        following = word[index + 1 : index + 2]
        letter = char + _NUKTA if following == _NUKTA else char
        if letter in _CONSONANTS or char in _CONSONANTS:
            units.append([_CONSONANTS.get(letter, _CONSONANTS.get(char, "")), "@", ""])
        elif char in _VOWELS:
            units.append(["", _VOWELS[char], ""])
        elif char in _SIGNS:
            if units and units[-1][1] == "@":
                units[-1][1] = _SIGNS[char]
            else:
                units.append(["", _SIGNS[char], ""])
        elif char == _VIRAMA and units:
            units[-1][1] = ""
        elif char in (_ANUSVARA, _CANDRABINDU) and units:
            labial = char == _ANUSVARA and following != "" and following in _LABIALS
            units[-1][2] = "m" if labial else "n"
    return units


def _delete_schwas(units: list[list[str]]) -> None:
    """Settle every ``@``: deleted at the end and, from right to left, in VC_CV; else ``a``.

    Ohala's rule (Aspects of Hindi Phonology, 1983) as used by Narasimhan, Sproat and Kiraz
    (Schwa-Deletion in Hindi Text-to-Speech Synthesis, 2004): a schwa between consonants is dropped
    where a vowel stands before the first and after the second, the right-most first.
    """
    last = len(units) - 1
    for index in range(last, -1, -1):
        if units[index][1] != "@":
            continue
        if index == last:
            final = index > 0 and not units[index][2]
            units[index][1] = "" if final else "a"
            continue
        before = index > 0 and (units[index - 1][1] != "" or units[index - 1][2] != "")
        after = units[index + 1][0] != "" and units[index + 1][1] not in ("", "@")
        after = after or (index + 1 < last and units[index + 1][1] == "a")
        drop = before and after and not units[index][2]
        units[index][1] = "" if drop else "a"


def _acronym(name: str) -> str:
    """Return the Latin letters that ``name`` spells by their English names, empty if it is none."""
    spelled = []
    for word in re.split(r"[\s.\-]+", name):
        letters = _spell(word)
        if word and not letters:
            return ""
        spelled.append(letters)
    acronym = "".join(spelled)
    return acronym if len(acronym) > 1 else ""


def _spell(word: str) -> str:
    """Return the letters whose English names, one after another, make up ``word``."""
    if not word:
        return ""
    for length in range(min(8, len(word)), 0, -1):
        letter = _LETTER_NAMES.get(word[:length])
        if letter is None:
            continue
        if length == len(word):
            return letter
        rest = _spell(word[length:])
        if rest:
            return letter + rest
    return ""
