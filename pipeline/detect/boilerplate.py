"""What a page puts around its article: links to other texts, notices, buttons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import regex

from pipeline.detect.lines import Line
from pipeline.detect.phrases import page_phrases
from pipeline.detect.text import ends_a_sentence

_LABEL: Final = regex.compile(r"[^\p{L}]*+([^:：|»>→–—]{1,40}?)\s*(?:[:：|→]|»|>+|–|—)\s*(.*)")
_LONGEST_NOTICE: Final = 60
_LONGEST_LINK: Final = 30
_LONGEST_BUTTON_ROW: Final = 30
_ADDRESS: Final = regex.compile(
    r"(?:e-?mail\s*[:：]?\s*)?(?:[\w.+-]+@[\w-]+\.[\w.-]+|(?:https?://|www\.|pic\.)\S+)[\s,;|.]*",
    regex.IGNORECASE,
)
_COPYRIGHT: Final = regex.compile(r"(?:©|\(c\)|copyright\b)", regex.IGNORECASE)
_TRAIL: Final = regex.compile(r"\s*(?:[>»›|/]|->|→)\s*")

_PARAGRAPH: Final = 10
"""Words from which a line that ends as sentences do is running text."""

_RARE: Final = 5
"""Letters by which a word tells what a text is about; what stands behind is mostly inflection."""

RESUMES_ALONE: Final = 0.35
RESUMES_TOGETHER: Final = 0.15
"""Share of a paragraph's longer words that the article has used before, from which it goes on."""


def is_boilerplate(line: Line) -> bool:
    """Whether ``line`` is by itself a notice, a link to another text, or a row of buttons."""
    return (
        bool(_ADDRESS.fullmatch(line.text))
        or _is_notice(line)
        or _is_link(line)
        or _is_button_row(line)
        or _is_trail(line)
    )


def opens_related(line: Line) -> bool:
    """Whether ``line`` is a heading over links to other texts."""
    return page_phrases().related.are(line.words)


def is_paragraph(line: Line) -> bool:
    """Whether ``line`` is running text: some length, and the end of a sentence at its end."""
    return len(line.words) >= _PARAGRAPH and ends_a_sentence(line.text)


def resumption(article: Sequence[Line], rest: Sequence[Line]) -> int:
    """Return the index in ``rest``, what follows a heading of links, where the article goes on.

    It does at a paragraph that speaks of what ``article`` spoke of: of its distinct longer words,
    the article has used :data:`RESUMES_ALONE`, or :data:`RESUMES_TOGETHER` when another paragraph
    follows at once, since lists of links hold single teasers. ``len(rest)`` when it never does.
    """
    known = _telling_words(article)
    for index, line in enumerate(rest):
        if not is_paragraph(line) or is_boilerplate(line):
            continue
        together = index + 1 < len(rest) and is_paragraph(rest[index + 1])
        paragraphs = rest[index : index + 1 + together]
        told = _telling_words(paragraphs)
        needed = RESUMES_TOGETHER if together else RESUMES_ALONE
        if len(told & known) >= needed * len(told) > 0:
            return index
    return len(rest)


def _telling_words(lines: Sequence[Line]) -> set[str]:
    return {word[:_RARE] for line in lines for word in line.words if len(word) >= _RARE}


def _is_notice(line: Line) -> bool:
    if len(line.words) > _LONGEST_NOTICE:
        return False
    return bool(_COPYRIGHT.match(line.text)) or page_phrases().notices.within(line.words)


def _is_link(line: Line) -> bool:
    """Whether ``line`` is labelled as a link to another text or a list of tags."""
    match = _LABEL.match(line.text)
    if match is None or len(line.words) > _LONGEST_LINK:
        return False
    phrases, label = page_phrases(), Line(0, 0, match[1])
    return any(kind.are(label.words) for kind in (phrases.read_more, phrases.related, phrases.tags))


def _is_button_row(line: Line) -> bool:
    """Whether ``line`` holds nothing but names of buttons, and counts."""
    words = line.words
    if not words or len(words) > _LONGEST_BUTTON_ROW:
        return False
    left = page_phrases().buttons.without(words)
    return len(left) < len(words) and all(word.isdecimal() for word in left)


def _is_trail(line: Line) -> bool:
    """Whether ``line`` is the way to the page: `Home > World > Asia`."""
    steps = _TRAIL.split(line.text)
    if len(steps) < 2 or len(line.words) > _LONGEST_LINK:
        return False
    return page_phrases().home.are(Line(0, 0, steps[0]).words)
