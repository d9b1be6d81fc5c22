"""Where sentences end within a line, by the library sentencex (Wikimedia), for all who ask it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import regex
import sentencex

_BEFORE_STOP: Final = regex.compile(r"(?<!\s)\s++(?=\.)")


def sentence_boundaries(line: str, lang: str) -> Iterator[tuple[int, int]]:
    """Yield start and end, in code points, of each sentence of ``line`` by the rules of ``lang``.

    The library ends in a Rust panic, which is no :class:`Exception`, at a capital with a no-break
    or another space of several bytes between it and a full stop: it is shown a plain space there.
    """
    shown = _BEFORE_STOP.sub(_plain, line)
    for boundary in sentencex.get_sentence_boundaries(lang, shown):
        yield boundary["start_index"], boundary["end_index"]


def _plain(spaces: regex.Match[str]) -> str:
    return "".join(space if space.isascii() else " " for space in spaces.group())
