"""Bylines, sources, photo credits and publication dates: lines about the text, not of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import regex

from pipeline.detect.lines import Line
from pipeline.detect.names import PARTICLES
from pipeline.detect.phrases import page_phrases

_LABEL: Final = regex.compile(r"[^\p{L}]*+([^:：,|/–—©]{1,40}?)\s*[:：,|/–—©]\s*(.*)")
"""A label, what sets it off, and what it says: `Foto: Getty Images`."""

_LONGEST_CREDIT: Final = 8
_LONGEST_CAPTION: Final = 15
"""Words behind a label of a picture, which may say what it shows: `Image caption, …`."""

_LONGEST_TAIL: Final = 200
"""Characters at the end of a line among which a credit behind a caption begins."""

_LONGEST_DATE_LINE: Final = 24
_LONGEST_REST: Final = 6
"""Words in a publication line that are neither date nor label: a name, a section."""

_LONGEST_NAME: Final = 4
"""Words of a name in a script without capitals."""

_NUMERIC_DATE: Final = regex.compile(r"\b\d{1,4}[./-]\d{1,2}(?:[./-]\d{2,4})?\b")

_POST_SIGNATURE: Final = regex.compile(r"[—–-]\s?\S.{0,80}\(@\w+\)")
"""How an embedded post is signed: `— Name (@handle) November 26, 2025`."""

_PARTICLES: Final = frozenset(
    PARTICLES
    | {"and", "by", "da", "de", "del", "di", "du", "la", "le", "of", "the", "ve", "và", "și"}
)
"""Words that stand in lower case within and between names."""

_CAPITALISED: Final = regex.compile(r"\p{Lu}[\p{L}\p{M}'’.-]*")
_BRACKETED: Final = regex.compile(r"\s*\([^()]*\)$")
_HOLDS_DEVANAGARI: Final = regex.compile(r"\p{Script=Devanagari}")

_AT_END: Final = regex.compile(
    r"(?:(?<=[.!?…।\"”’»)])\s+|\s*[|/•]\s*|\s+[–—-]\s+)"
    r"(?P<credit>(?P<label>[\p{L}\p{M}]+(?:\s[\p{L}\p{M}]+){0,3})\s*[:：/©]\s*[^\s:][^:?!]{0,80})$"
)
"""A credit behind the last sentence of a caption: `… Bishkek. Photo: AP`."""

_IN_BRACKETS: Final = regex.compile(
    r"\s*(?P<credit>[(\[]\s*(?P<label>[^()\[\]:/]{1,160}?)\s*(?P<said>[:/][^()\[\]]{1,60})?"
    r"[)\]]\.?)$"
)


def is_credit_anywhere(line: Line) -> bool:
    """Whether ``line`` is a photo credit, a labelled date or the signature of a post."""
    return _is_photo_credit(line) or _is_dated(line) or bool(_POST_SIGNATURE.match(line.text))


def is_credit_at_edge(line: Line) -> bool:
    """Whether ``line``, at the head or foot of an article, is a byline, source, desk or date."""
    return _is_labelled(line) or _is_byline(line) or _is_desk(line) or _is_bare_date(line)


def is_name(text: str) -> bool:
    """Whether ``text`` reads as a person's name: two to five words, each with a capital.

    A bracket may follow: `(AFP)`.
    """
    words = _BRACKETED.sub("", text).split()
    return 2 <= len(words) <= 5 and _are_names(words) and words[0] not in _PARTICLES


def is_label(text: str) -> bool:
    """Whether ``text`` is what stands before an author or a source: `Haber`, `Written by`."""
    words = Line(0, 0, text).words
    return page_phrases().credits.are(words) or page_phrases().bylines.are(words)


def trailing_credit(text: str) -> int | None:
    """Return where in ``text`` the credit begins with which it ends; None without one.

    That of a caption's picture, or of an article on one line: `… Bishkek. Haber: Ali Kaya`.
    """
    place: int
    tail = max(0, len(text) - _LONGEST_TAIL)
    bracketed = _IN_BRACKETS.search(text, tail)
    if bracketed and (
        _begins_with_photo_label(bracketed["label"], bracketed["credit"])
        or _is_byline_in_brackets(bracketed["label"], bracketed["said"])
    ):
        place = bracketed.start("credit")
        return place
    for match in _AT_END.finditer(text, tail, overlapped=True):
        label = Line(0, 0, match["label"])
        said = match["credit"].split()[len(label.words) :]
        is_photo = page_phrases().photos.are(label.words) and len(said) <= _LONGEST_CREDIT + 1
        is_by = page_phrases().credits.are(label.words) and is_name(
            " ".join(said).strip(" .|/•–—-")
        )
        if is_photo or is_by:
            place = match.start("credit")
            return place
    return None


def _is_byline_in_brackets(label: str, said: str | None) -> bool:
    """Whether a bracket says who wrote: `(Reporting by Ada Lee; …)`, `(इनपुट: पीटीआई)`."""
    words = Line(0, 0, label).words
    if said is not None:
        return page_phrases().credits.are(words)
    return 1 < page_phrases().bylines.begin(words) < len(words)


def _begins_with_photo_label(label: str, credit: str) -> bool:
    """Whether a bracket says more than the label of a picture, and begins with it."""
    inside = Line(0, 0, credit).words
    length = page_phrases().photos.begin(Line(0, 0, label).words)
    return 0 < length < len(inside)


def _is_photo_credit(line: Line) -> bool:
    match = _LABEL.match(line.text)
    if match is None or len(line.words) > _LONGEST_CAPTION + 4:
        return False
    label, said = Line(0, 0, match[1]), match[2]
    return page_phrases().photos.are(label.words) and not said.endswith(("?", "!"))


def _is_labelled(line: Line) -> bool:
    """Whether ``line`` is a label of authors or sources and a few words, or the label alone."""
    match = _LABEL.match(line.text)
    if match is None:
        return False
    label, said = Line(0, 0, match[1]), match[2]
    if not page_phrases().credits.are(label.words):
        return False
    return len(said.split()) <= _LONGEST_CREDIT and not said.endswith(("?", "!"))


def _is_byline(line: Line) -> bool:
    """Whether ``line`` is `By` and names: no colon needed, but nothing else on the line."""
    length = page_phrases().bylines.begin(line.words)
    said = line.text.split()[length:]
    if not length or not 1 <= len(said) <= _LONGEST_CREDIT:
        return False
    if _HOLDS_DEVANAGARI.search(line.text):
        return len(said) <= _LONGEST_NAME
    return _are_names(said)


def _are_names(words: list[str]) -> bool:
    """Whether ``words`` begin with capitals, all but particles and what sets names apart."""
    bare = [word.strip(",;|&/•·()") for word in words]
    return all(word in _PARTICLES or _CAPITALISED.fullmatch(word) for word in bare if word) and any(
        _CAPITALISED.fullmatch(word) for word in bare
    )


def _is_desk(line: Line) -> bool:
    """Whether ``line`` is a short one that ends in the name of a desk: `Web Desk`."""
    words = line.words
    if len(words) > _LONGEST_REST or line.text.endswith((".", "।", "?", "!")):
        return False
    return any(page_phrases().desks.are(words[place:]) for place in range(len(words)))


def _is_dated(line: Line) -> bool:
    """Whether ``line`` holds a date, says that it is one of publication, and little else."""
    return _is_date(line) and page_phrases().published.within(line.words)


def _is_bare_date(line: Line) -> bool:
    """Whether ``line`` is a date and nothing else."""
    return _is_date(line) and not _undated(line)


def _is_date(line: Line) -> bool:
    """Whether ``line`` is a date, with or without words of publication and a name or two."""
    words = line.words
    if not 0 < len(words) <= _LONGEST_DATE_LINE or not any(map(_has_digit, words)):
        return False
    months = page_phrases().months
    if not _NUMERIC_DATE.search(line.text) and not any(word in months for word in words):
        return False
    return len(_undated(line)) <= _LONGEST_REST


def _undated(line: Line) -> list[str]:
    """Return the words of ``line`` that belong to no date and no word of publication."""
    phrases = page_phrases()
    left: Sequence[str] = line.words
    for known in (phrases.published, phrases.credits, phrases.date_words):
        left = known.without(left)
    return [word for word in left if word not in phrases.months and not _has_digit(word)]


def _has_digit(word: str) -> bool:
    return any(character.isdigit() for character in word)
