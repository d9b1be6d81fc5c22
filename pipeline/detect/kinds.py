"""What kind of text each line is: body, a headline said again, a credit, or boilerplate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.detect.boilerplate import is_boilerplate, is_paragraph, opens_related, resumption
from pipeline.detect.credits import (
    is_credit_anywhere,
    is_credit_at_edge,
    is_name,
    trailing_credit,
)
from pipeline.detect.lines import Line, lines_of
from pipeline.detect.repeats import Headlines

BODY: Final = "body"
REPEAT: Final = "repeat"
CREDIT: Final = "credit"
BOILERPLATE: Final = "boilerplate"

_TOP: Final = 6
"""Lines from a text's headline on in which its byline stands."""


@dataclass(slots=True)
class Piece:
    """A line, or the credit cut off its end, and its kind."""

    line: Line
    kind: str


def pieces_of(text: str) -> list[Piece]:
    """Return the lines of ``text`` with their kinds, in order.

    A caption that ends in a credit gives two pieces. All that is not white space is in a piece.
    """
    pieces = _cut_captions(_marked(list(lines_of(text))))
    _mark_repeats(pieces)
    _mark_top(pieces)
    _mark_foot(pieces)
    return pieces


def _marked(lines: Sequence[Line]) -> list[Piece]:
    """Return ``lines`` as pieces: those that are boilerplate or credit by themselves, and blocks
    of links to other texts, marked; body otherwise."""
    pieces: list[Piece] = []
    article: list[Line] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        index += 1
        if opens_related(line) and any(map(is_paragraph, article)):
            end = index + resumption(article, lines[index:])
            pieces += [Piece(other, BOILERPLATE) for other in lines[index - 1 : end]]
            index = end
            continue
        kind = _kind_alone(line, first=not article)
        pieces.append(Piece(line, kind))
        if kind == BODY:
            article.append(line)
    return pieces


def _kind_alone(line: Line, *, first: bool) -> str:
    """Return the kind of ``line`` by its own words; the ``first`` line of all is no credit."""
    if line.is_long:
        return BODY
    if is_boilerplate(line) or opens_related(line):
        return BOILERPLATE
    if not first and is_credit_anywhere(line):
        return CREDIT
    return BODY


def _cut_captions(pieces: Sequence[Piece]) -> list[Piece]:
    """Return ``pieces`` with the credits at the ends of body lines cut off."""
    cut: list[Piece] = []
    for piece in pieces:
        line, credits = piece.line, list[Piece]()
        while piece.kind == BODY and (place := trailing_credit(line.text)):
            credits.append(Piece(line.part(place, len(line.text)), CREDIT))
            line = line.part(0, place)
        cut += [Piece(line, piece.kind), *reversed(credits)] if credits else [piece]
    return cut


def _mark_repeats(pieces: Sequence[Piece]) -> None:
    """Mark the body lines that say an earlier headline again."""
    headlines = Headlines()
    for piece in pieces:
        if piece.kind != BODY:
            continue
        if headlines.said_before(piece.line):
            piece.kind = REPEAT
        else:
            headlines.add(piece.line)


def _mark_top(pieces: list[Piece]) -> None:
    """Mark bylines and dates under the headline, and names beside them."""
    headline = next((i for i, piece in enumerate(pieces) if piece.kind == BODY), len(pieces))
    top = range(headline + 1, min(headline + _TOP, len(pieces)))
    for index in top:
        line = pieces[index].line
        if pieces[index].kind == BODY and not line.is_long and is_credit_at_edge(line):
            pieces[index].kind = CREDIT
    for index in top:
        beside = pieces[index - 1 : index] + pieces[index + 1 : index + 2]
        if (
            pieces[index].kind == BODY
            and not pieces[index].line.is_long
            and is_name(pieces[index].line.text)
            and any(piece.kind == CREDIT for piece in beside)
        ):
            pieces[index].kind = CREDIT


def _mark_foot(pieces: Sequence[Piece]) -> None:
    """Mark bylines, sources and names below the last line of the article."""
    for index in range(len(pieces) - 1, 0, -1):
        piece = pieces[index]
        if piece.kind != BODY:
            continue
        if piece.line.is_long:
            return
        above = pieces[index - 1]
        signed = is_name(piece.line.text) and (above.kind != BODY or is_paragraph(above.line))
        if not signed and not is_credit_at_edge(piece.line):
            return
        piece.kind = CREDIT
