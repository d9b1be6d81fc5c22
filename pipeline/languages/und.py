"""Names in a language that is not known, or none of the five."""

from __future__ import annotations

from pipeline.languages import shared
from pipeline.languages.base import Reading


class Undetermined:
    """Only what holds in every language: no endings, no titles."""

    code = "und"

    def orthography(self, text: str) -> str:
        """Return ``text`` in NFC with straight apostrophes."""
        return shared.straighten(shared.compose(text))

    def readings(self, surface: str) -> tuple[Reading, ...]:
        """Return the form as written alone."""
        return (Reading(self.orthography(surface), "", 0.0),)

    def suffix_after(self, text: str, end: int) -> str:
        """Return nothing: endings of an unknown language are unknown."""
        return ""

    def inside_suffix(self, surface: str) -> int:
        """Return 0: endings of an unknown language are unknown."""
        return 0

    def strip_titles(self, name: str) -> str:
        """Return ``name``."""
        return name

    def ruler_before(self, text: str, start: int) -> int:
        """Return ``start``: titles of an unknown language are unknown."""
        return start

    def fold(self, name: str) -> str:
        """Return :func:`pipeline.languages.shared.fold_ascii` of the name."""
        return shared.fold_ascii(self.orthography(name))

    def keys(self, name: str) -> tuple[str, ...]:
        """Return the fold."""
        fold = self.fold(name)
        return shared.with_sounds(fold, (), [fold])

    def translated(self, name: str) -> str:
        """Return the name in lower case: words of an unknown language are unknown."""
        return self.orthography(name).lower()

    def transcriptions(self, name: str) -> tuple[str, ...]:
        """Return nothing: the language reads no other's characters."""
        return ()

    def spelled_out(self, name: str) -> str:
        """Return nothing: letters are written, not spelled out."""
        return ""

    def letters(self, name: str) -> str:
        """Return the fold without spaces."""
        return self.fold(name).replace(" ", "")
