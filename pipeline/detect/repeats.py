"""Headlines said again."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import regex
from rapidfuzz.distance import Indel

from pipeline.detect.lines import Line
from pipeline.detect.text import comparable_words, ends_a_sentence

_SHORTEST: Final = 3
_LONGEST: Final = 40
"""Words of a line that may be a headline."""

_LONGEST_TEXT: Final = 600
"""Characters of such a line, for scripts that write no spaces."""

_HEAD: Final = 4
"""Lines from the top among which the page's own headline stands."""

_ALIKE: Final = 0.9
"""Share of words in common and in order, from which two lines say the same headline."""

_SITE_TAIL: Final = regex.compile(r"\s+[|–—-]\s+[^|]{1,60}$|\s*\|[^|]{1,60}$")
_DATE_HEAD: Final = regex.compile(r"^\W*date\W+\d{4}-\d{2}-\d{2}\s+")
"""What crawlers put before and sites behind the headline."""

_FIRST_SENTENCE: Final = regex.compile(r"^.+?[.!?…।](?=\s)")


class Headlines:
    """The headlines that a text has said so far."""

    def __init__(self) -> None:
        """Begin with none."""
        self._exact: set[tuple[str, ...]] = set()
        self._head: list[tuple[str, ...]] = []
        self._lines = 0

    def said_before(self, line: Line) -> bool:
        """Whether ``line`` says a headline that an earlier one said."""
        readings = _readings(line.text)
        return any(words in self._exact for words in readings) or any(
            Indel.normalized_similarity(words, headline, score_cutoff=_ALIKE) > 0
            for words in readings
            for headline in self._head
        )

    def add(self, line: Line) -> None:
        """Remember ``line``, when it may be a headline.

        Its first sentence counts too: captions often repeat no more. (A paragraph that begins with
        the headline's words is not looked up by its first sentence: it goes on to say more.)
        """
        in_head = self._lines < _HEAD
        self._lines += 1
        if not in_head and ends_a_sentence(line.text):
            return
        readings = _readings(line.text)
        if not line.is_long and (first := _FIRST_SENTENCE.match(line.text)):
            readings = (*readings, *_readings(first.group()))
        self._exact.update(readings)
        if in_head:
            self._head += readings


@lru_cache(maxsize=1)  # asked twice about a line, when it is looked up and when it is kept
def _readings(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the words of ``text``, as it stands and without what pages put around a headline.

    Empty for a text too short or too long for a headline.
    """
    if len(text) > _LONGEST_TEXT or len(text.split()) > _LONGEST:
        return ()
    candidates = [_DATE_HEAD.sub("", text)]
    while (shorter := _SITE_TAIL.sub("", candidates[-1])) != candidates[-1]:
        candidates.append(shorter)
    readings = map(comparable_words, candidates)
    return tuple(words for words in readings if len(words) >= _SHORTEST)
