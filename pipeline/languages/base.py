"""What every language module provides.

A language module knows the spelling, inflection and titles of one language and nothing of mentions,
entities or tables. All methods are pure functions of their arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a surface form as a name in its dictionary form.

    ``name`` is the name in the nominative, in the surface's own script, orthography normalised;
    ``suffix`` what was taken off its end (empty when nothing was); ``cost`` is 0.0 for the form as
    written and grows with the doubt, at most 1.0. The cost weighs a reading against a name that is
    known; where none is, the order of :meth:`Language.readings` says which to take.
    """

    name: str
    suffix: str
    cost: float


class Language(Protocol):
    """The rules of one language."""

    @property
    def code(self) -> str:
        """ISO 639-1 code, or ``und`` for the rules used when the language is not known."""

    def orthography(self, text: str) -> str:
        """Return ``text`` in standard spelling (NFC; nukta, comma below, tone marks).

        Idempotent. Changes no letter's identity: it settles which code points write it.
        """

    def readings(self, surface: str) -> tuple[Reading, ...]:
        """Return the dictionary forms ``surface`` may stand for, the likeliest first.

        The form as written (after :meth:`orthography`) is always among them. Where an ending is
        uncertain, the readings with and without it are both kept.
        """

    def suffix_after(self, text: str, end: int) -> str:
        """Return the ending glued on behind ``text[:end]`` (``'ın``), empty when there is none."""

    def inside_suffix(self, surface: str) -> int:
        """Return how many final code points of ``surface`` are an ending behind an apostrophe.

        0 when there is none: ``Putin'ın`` gives 3 in Turkish, ``O'Neill`` gives 0.
        """

    def strip_titles(self, name: str) -> str:
        """Return ``name`` without leading and trailing titles and honorifics, never empty."""

    def ruler_before(self, text: str, start: int) -> int:
        """Return where a monarch's or pope's title directly before ``text[start:]`` begins.

        ``start`` where none stands there. It is no part of the name, yet without it ``Philippe``
        may be anyone: with it he has the :meth:`keys` of ``King Philippe``.
        """

    def fold(self, name: str) -> str:
        """Return the comparison key of ``name``: romanised, ASCII, lower case, single spaces.

        Idempotent on its own output. Empty only when ``name`` holds no letter or digit.
        """

    def translated(self, name: str) -> str:
        """Return ``name`` in lower case with the words that say what it names in English.

        ``Kuzey Makedonya`` is ``north makedonya``, ``Quần đảo Pitcairn`` ``islands pitcairn``. In
        English itself a word stands for its variants: ``northern`` is ``north``.
        """

    def spelled_out(self, name: str) -> str:
        """Return the acronym that ``name`` spells letter by letter, in capitals; mostly nothing.

        Hindi ``सीबीएसई`` is ``CBSE``: three letters at least, since two may make any word.
        """

    def letters(self, name: str) -> str:
        """Return the letters of ``name`` that its spelling in English depends on, without spaces.

        They are the units of :mod:`pipeline.resolve.spelling`: Romanian and Turkish letters with
        their marks, Vietnamese ones without tones, Devanagari in the broad romanising.
        """

    def transcriptions(self, name: str) -> tuple[str, ...]:
        """Return fold keys of the name in another language's reading of the same characters.

        Vietnamese ``Quảng Châu`` is ``guangzhou``. Native names have such readings too, so these
        are no :meth:`keys`: they say what to compare a name with, and prove nothing.
        """

    def keys(self, name: str) -> tuple[str, ...]:
        """Return the fold keys under which ``name`` may be found, the likeliest first, distinct.

        Covers the language's own respelling of foreign names: Turkish ``Caparov`` gives
        ``caparov`` and ``japarov``. Holds :meth:`fold` of the name first, then that of
        :meth:`translated`, then respellings; the last ones are coarse, the name by its sound and,
        where it is long, by its consonants, and are shared with more namesakes.
        """
