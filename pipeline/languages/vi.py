"""Vietnamese: tone marks, titles, and foreign names spelled out in syllables."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from pipeline.languages import shared
from pipeline.languages.base import Reading

CODE: Final = "vi"

_DATA: Final = shared.load_data(CODE)
_TITLES: Final = shared.Titles.from_data(_DATA, str.lower)
_TRANSLATIONS: Final = shared.Translations.from_data(_DATA)
_RULES: Final = shared.respellings(_DATA["respelling"])
_CHINESE: Final[dict[str, list[str]]] = {
    unicodedata.normalize("NFC", syllable): pinyin
    for syllable, pinyin in shared.load_data("sinovietnamese")["syllables"].items()
}
_CACHED: Final = 16_384
_TONES: Final = "\u0300\u0301\u0303\u0309\u0323"
_TONELESS: Final = dict.fromkeys(map(ord, _TONES))


def _tone_moves() -> dict[str, str]:
    """Map oa, oe, uy with the tone on the second vowel to the same with it on the first."""
    moves = {}
    for first, second in ("oa", "oe", "uy"):
        for a in (first, first.upper()):
            for b in (second, second.upper()):
                for tone in _TONES:
                    new = unicodedata.normalize("NFC", a + b + tone)
                    moves[new] = unicodedata.normalize("NFC", a + tone + b)
    return moves


_MOVES: Final = _tone_moves()
_MOVABLE: Final = re.compile(rf"(?<![qQ])(?:{'|'.join(sorted(_MOVES))})(?!\w)")


def are_marked_otherwise(one: str, other: str) -> bool:
    """Say whether two names have other marks: *Sơn* is not *Son* where *Nguyễn* has its marks.

    Who types without any means all; where a tone stands and *y* for *i* make no other word.
    """
    return not (one.isascii() or other.isascii()) and _marked(one) != _marked(other)


@lru_cache(maxsize=_CACHED)
def _marked(name: str) -> str:
    written = unicodedata.normalize("NFD", Vietnamese().orthography(name).lower())
    letters = (char for char in written if char.isalnum() or unicodedata.combining(char))
    return "".join(letters).replace("y", "i")


class Vietnamese:
    """The rules of Vietnamese, in which no word is inflected."""

    code = CODE

    def orthography(self, text: str) -> str:
        """Return ``text`` in NFC, tone marks placed the older way (``hòa``, ``thủy``).

        Open syllables in oa, oe and uy are written with the tone on either vowel; the ``u`` of
        ``qu`` belongs to the consonant and never bears it (``quý``).
        """
        composed = shared.straighten(shared.compose(text))
        return _MOVABLE.sub(lambda match: _MOVES[match.group()], composed)

    def readings(self, surface: str) -> tuple[Reading, ...]:
        """Return the form as written alone."""
        return (Reading(self.orthography(surface), "", 0.0),)

    def suffix_after(self, text: str, end: int) -> str:
        """Return nothing: Vietnamese has no endings."""
        return ""

    def inside_suffix(self, surface: str) -> int:
        """Return 0: Vietnamese has no endings."""
        return 0

    def strip_titles(self, name: str) -> str:
        """Return ``name`` without ``Tổng thống``, ``ông`` and type words such as ``tỉnh``."""
        return _TITLES.strip(name, str.lower)

    def ruler_before(self, text: str, start: int) -> int:
        """Return where ``Quốc vương`` and the like directly before ``text[start:]`` begins."""
        return _TRANSLATIONS.title_before(text, start, str.lower)

    def fold(self, name: str) -> str:
        """Return the name without tones and marks, ``đ`` as d, words of a-z and 0-9."""
        return shared.fold_ascii(self.orthography(name))

    def keys(self, name: str) -> tuple[str, ...]:
        """Return the fold, then respellings of a foreign name written in syllables."""
        fold = self.fold(name)
        joined = self.orthography(name).replace("-", "").lower()
        spelled = shared.respell(joined, _RULES, shared.MAX_KEYS, shared.fold_ascii)
        translated = _TRANSLATIONS.key(self.orthography(name).lower(), self.fold)
        return shared.with_sounds(fold, [translated, *spelled], spelled[:1])

    def translated(self, name: str) -> str:
        """Return the name with ``bắc`` as north, ``quần đảo`` as islands and the like."""
        return _TRANSLATIONS.apply(self.orthography(name).lower())

    def transcriptions(self, name: str) -> tuple[str, ...]:
        """Return a name of Sino-Vietnamese syllables alone as pinyin writes it, two ways at most.

        A place's syllables are written together, a person's surname apart from the given name;
        type words in front are left out (``thành phố Ngân Xuyên``).
        """
        syllables = self.orthography(name).lower().replace("-", " ")
        bare = _TITLES.strip(syllables, str.lower).split()
        if not 2 <= len(bare) <= 4 or not all(syllable in _CHINESE for syllable in bare):
            return ()
        first, *rest = (_CHINESE[syllable][0] for syllable in bare)
        return (first + "".join(rest), f"{first} {''.join(rest)}")

    def spelled_out(self, name: str) -> str:
        """Return nothing: letters are written, not spelled out."""
        return ""

    def letters(self, name: str) -> str:
        """Return the letters without tones, those of ă, â, ê, ô, ơ, ư and đ kept."""
        plain = unicodedata.normalize("NFD", self.orthography(name).lower()).translate(_TONELESS)
        return "".join(filter(str.isalnum, unicodedata.normalize("NFC", plain)))
