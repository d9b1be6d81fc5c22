"""Cutting a text into its lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from pipeline.boundaries import sentence_boundaries
from pipeline.detect.text import comparable_words
from pipeline.linebreaks import LINE

_LONG: Final = 1000
"""Characters. Patterns that try every place in a line are kept from longer ones."""

_SPLITTER_LANGUAGE: Final = "en"
"""Whose rules sentencex follows: the line's own language is not known yet."""


@dataclass(frozen=True)
class Line:
    """A line of a text, or a part of one, without the white space around it.

    ``start`` and ``end`` are code points into the whole text, ``text`` is what stands there.
    """

    start: int
    end: int
    text: str

    @property
    def is_long(self) -> bool:
        """Whether the line is too long for a heading, a notice or a credit: running text."""
        return len(self.text) > _LONG

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The line's words in their comparison form."""
        return comparable_words(self.text)

    def part(self, start: int, end: int) -> Line:
        """Return the part from ``start`` to ``end``, which count from the line's start."""
        return trimmed(self.text[start:end], self.start + start)


def trimmed(text: str, start: int) -> Line:
    """Return ``text``, which begins at ``start``, as a line without white space at its ends."""
    left = len(text) - len(text.lstrip())
    kept = text.strip()
    return Line(start + left, start + left + len(kept), kept)


def lines_of(text: str) -> Iterator[Line]:
    """Yield the lines of ``text`` that hold more than white space, in order."""
    for match in LINE.finditer(text):
        line = trimmed(match.group(), match.start())
        if line.text:
            yield line


def sentences_of(line: Line) -> list[Line]:
    """Return the sentences of ``line``, by the library sentencex; together they are all of it."""
    spans = sentence_boundaries(line.text, _SPLITTER_LANGUAGE)
    parts = [line.part(start, end) for start, end in spans]
    return [part for part in parts if part.text]
