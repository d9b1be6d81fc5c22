"""Hindi: Devanagari spelling, romanising with schwa deletion, postpositions and titles."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from pipeline.languages import shared
from pipeline.languages.base import Reading

_DATA: Final = shared.load_data("hi")


def _table(name: str) -> dict[str, str]:
    """Return a table of letters from the data file, its keys in NFC."""
    return {unicodedata.normalize("NFC", key): value for key, value in _DATA[name].items()}


_TITLES: Final = shared.Titles.from_data(_DATA, str.lower)
_TRANSLATIONS: Final = shared.Translations.from_data(_DATA)
_POSTPOSITIONS: Final = frozenset(_DATA["postpositions"])
_RULES: Final = shared.respellings(_DATA["respelling"])
_NUKTA: Final = "\u093c"
_VIRAMA: Final = "\u094d"
_ANUSVARA: Final = "\u0902"
_CANDRABINDU: Final = "\u0901"

_LETTER_NAMES: Final = _table("letter_names")
_LONGEST_LETTER_NAME: Final = max(map(len, _LETTER_NAMES))
_LEAST_SPELLED: Final = 3
"""Letters from which a word that the names of letters make up is an acronym.

Of the 446 such words marked in the training parts of the Hindi corpora all are.
"""
_CONSONANTS: Final = _table("consonants")
_SIGNS: Final = _table("signs")
_VOWELS: Final = _table("vowels")
_PLAIN: Final = str.maketrans(
    {
        **{"A": "a", "I": "i", "U": "u", "E": "ai", "O": "au", "W": "o"},
        **{"N": "n", "P": "ph", "R": "r", "S": "sh"},
    }
)
_SONORITY: Final = {
    **dict.fromkeys("szhfS", 1), **dict.fromkeys("mn", 2), **dict.fromkeys("rlR", 3),
    **dict.fromkeys("vy", 4),
}  # fmt: skip
_NASALS: Final = (_ANUSVARA, _CANDRABINDU)
_WORD: Final = re.compile(r"[\u0900-\u0963\u0970-\u097f]+")
_NOT_LETTER: Final = re.compile(r"[^A-Za-z0-9]")
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

    def ruler_before(self, text: str, start: int) -> int:
        """Return where ``राजा`` and the like directly before ``text[start:]`` begins."""
        return _TRANSLATIONS.title_before(text, start, str.lower)

    def fold(self, name: str) -> str:
        """Return the name romanised with schwa deletion, words of a-z and 0-9."""
        return plain(_romanise_text(self.orthography(name)))

    def keys(self, name: str) -> tuple[str, ...]:
        """Return the fold, the acronym it may spell (``csto``), and other romanisings."""
        written = self.orthography(name)
        broad = _romanise_text(written)
        if not plain(broad):  # no letter: the mark of a schwa is an underscore too
            return ()
        spelled = shared.respell(broad, _RULES, shared.MAX_KEYS, plain)
        # English a is written ऐ as often as ए: कैमरन, Cameron.
        sounding = plain(broad.replace("E", "a"))
        translated = _TRANSLATIONS.key(written.lower(), self.fold)
        respelled = [translated, *_acronyms(written), *spelled]
        return shared.with_sounds(plain(broad), respelled, [sounding])

    def translated(self, name: str) -> str:
        """Return the name with ``उत्तरी`` as north, ``द्वीपसमूह`` as islands and the like."""
        return _TRANSLATIONS.apply(self.orthography(name).lower())

    def transcriptions(self, name: str) -> tuple[str, ...]:
        """Return nothing: the language reads no other's characters."""
        return ()

    def spelled_out(self, name: str) -> str:
        """Return the capitals whose English names make up the one word ``name``: ``CBSE``."""
        letters = _spell(self.orthography(name))
        return letters.upper() if len(letters) >= _LEAST_SPELLED else ""

    def letters(self, name: str) -> str:
        """Return the broad romanising: its capitals keep apart what a fold makes one."""
        return _NOT_LETTER.sub("", _romanise_text(self.orthography(name)))


def plain(broad: str) -> str:
    """Return the fold of a broad romanising (:meth:`Hindi.letters`)."""
    return shared.fold_ascii(broad.translate(_PLAIN))


def _from_plural(name: str) -> list[Reading]:
    """Return the singulars of an oblique or feminine plural: ``-ों``, ``-ओं``, ``-ियों``, ``-ें``."""
    for ending, endings in (("ियों", ("ी", "ि")), ("ओं", ("",)), ("ों", ("", "ा")), ("ें", ("",))):
        if name.endswith(ending) and len(name) - len(ending) >= 2:
            stem = name[: -len(ending)]
            return [Reading(stem + new, ending, 0.5) for new in endings]
    return []


def _romanise_text(text: str) -> str:
    """Return ``text`` with every Devanagari word in the broad romanising of :func:`_romanise`."""
    return _WORD.sub(lambda match: _romanise(match.group()), text.lower())


def _romanise(word: str) -> str:
    """Return one Devanagari word in Latin letters, without the schwas Hindi does not speak.

    What a fold does not tell apart but a respelling does stands in capitals: ``A I U`` are the long
    vowels, ``E O`` ai and au, ``W`` the o of English words (ऑ), ``R`` ड़, ``P`` फ, ``S`` ष and
    ``N`` ञ, which makes ज्ञ gy.
    """
    sounds = _sounds(word)
    _delete_schwas(sounds)
    romanised = "".join(sound.consonant + sound.vowel + sound.nasal for sound in sounds)
    return romanised.replace("jN", "gy")


@dataclass(slots=True)
class _Sound:
    """A consonant (or none) with the vowel and nasal after it; the vowel ``@`` is a schwa."""

    consonant: str
    vowel: str
    nasal: str = ""


def _sounds(word: str) -> list[_Sound]:
    """Split a Devanagari word into consonants with their vowels, schwas not yet settled."""
    sounds: list[_Sound] = []
    for index, char in enumerate(word):
        following = word[index + 1 : index + 2]
        if char in _CONSONANTS:
            letter = char + _NUKTA if following == _NUKTA else char
            sounds.append(_Sound(_CONSONANTS.get(letter, _CONSONANTS[char]), "@"))
        elif char in _VOWELS:
            sounds.append(_Sound("", _VOWELS[char]))
        elif char in _SIGNS:
            if not sounds or sounds[-1].vowel != "@":
                sounds.append(_Sound("", ""))
            sounds[-1].vowel = _SIGNS[char]
        elif char == _VIRAMA and sounds and sounds[-1].vowel == "@":  # no other can be taken away
            sounds[-1].vowel = ""
        elif char in _NASALS and sounds:
            sounds[-1].nasal = _nasal(char, following)
        elif char.isalpha():
            sounds.append(_Sound(shared.fold_ascii(char), ""))
    return sounds


def _nasal(sign: str, following: str) -> str:
    """Return a nasal sign as the nasal of the consonant that follows."""
    if sign == _ANUSVARA and following and following in _LABIALS:
        return "m"
    return "ng" if following == "ह" else "n"


def _delete_schwas(sounds: list[_Sound]) -> None:
    """Settle every ``@``: nothing where Hindi does not speak it, else ``a``.

    A final schwa is silent. Within a word, from right to left, it is silent where the consonant
    before it can close the syllable on its left and the one after it opens one with a vowel: Ohala
    (Aspects of Hindi Phonology, 1983), the rule VC(C)_CV, as used for speech by Narasimhan, Sproat
    and Kiraz (Schwa-Deletion in Hindi Text-to-Speech Synthesis, 2004), with clusters told apart by
    sonority as syllables are in Choudhury, Basu and Sarkar (A Diachronic Approach for Schwa
    Deletion in Indo Aryan Languages, 2004).
    """
    last = len(sounds) - 1
    for sound in sounds[last:]:
        if sound.vowel == "@":
            sound.vowel = "" if last > 0 and not sound.nasal else "a"
    for index in range(last - 1, -1, -1):
        if sounds[index].vowel == "@":
            deleted = _ends_syllable(sounds, index) and _begins_syllable(sounds, index + 1)
            sounds[index].vowel = "" if deleted else "a"


def _ends_syllable(sounds: list[_Sound], index: int) -> bool:
    """Tell whether the consonant at ``index`` can close the syllable before it."""
    if index == 0 or sounds[index].nasal or not sounds[index].consonant:
        return False
    before = sounds[index - 1]
    if before.vowel:
        return True
    # A cluster closes a syllable where it falls in sonority (``rn``, ``st``) behind a vowel.
    falling = _sonority(before.consonant) > _sonority(sounds[index].consonant)
    return index > 1 and falling and sounds[index - 2].vowel != ""


def _begins_syllable(sounds: list[_Sound], index: int) -> bool:
    """Tell whether the consonant at ``index`` opens a syllable, alone or in ``pr``, ``ty``."""
    here = sounds[index]
    if here.vowel or not here.consonant:
        return bool(here.consonant)
    if index + 1 >= len(sounds):
        return False
    after = sounds[index + 1]
    return (
        after.vowel != ""
        and after.consonant[:1] in ("r", "l", "y", "v")
        and _sonority(here.consonant) < _sonority(after.consonant)
    )


def _sonority(consonant: str) -> int:
    """Return how sonorous a consonant is: stops 0, fricatives 1, nasals 2, liquids 3, glides 4."""
    return _SONORITY.get(consonant[:1] if consonant != "sh" else "s", 0)


def _acronyms(name: str) -> list[str]:
    """Return folds of ``name`` with the words that spell Latin letters by name as those letters.

    ``सीएसटीओ`` gives ``csto``, ``बी बी सी`` ``bbc`` and ``एस. जयशंकर`` ``s jayshankar``.
    """
    words = name.replace(".", " ").replace("-", " ").split()
    letters = [_spell(word) for word in words]
    if all(letters) and len("".join(letters)) > 1:
        return ["".join(letters), " ".join(letters)]
    if not any(letters):
        return []
    rest = (spelled or _romanise_text(word) for spelled, word in zip(letters, words, strict=True))
    return [plain(" ".join(rest))]


def _spell(word: str) -> str:
    """Return the letters whose English names, one after another, make up ``word``, or nothing."""
    for length in range(min(_LONGEST_LETTER_NAME, len(word)), 0, -1):
        letter = _LETTER_NAMES.get(word[:length])
        if letter is None:
            continue
        if length == len(word):
            return letter
        rest = _spell(word[length:])
        if rest:
            return letter + rest
    return ""
