"""Joining lines into segments: stretches of one language and one kind."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipeline.detect.kinds import BODY, Piece, pieces_of
from pipeline.detect.languages import LONG, Verdict, decide
from pipeline.detect.lines import Line, sentences_of
from pipeline.detect.script import script_of
from pipeline.detect.text import count_words
from pipeline.detect.votes import NO_ANSWER, ask_cld2
from pipeline.schemas import UNDETERMINED


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a text, ``start`` to ``end`` in code points, of one language and one kind."""

    start: int
    end: int
    kind: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Unit:
    """A line, or one sentence of it, that is not cut further."""

    line: Line
    kind: str
    script: str | None
    words: int
    """How many words it has, :data:`LONG` where more."""


_Stretch = list[_Unit]
"""Neighbouring units that are put to the detectors as one text. Never empty."""


def segments_of(text: str, hint: str | None = None) -> list[Segment]:
    """Return the segments of ``text``, in order.

    Segments begin and end at ends of lines or sentences, or where a caption's credit begins.
    They do not overlap, neither begin nor end in white space, and hold all of the text that is not
    white space. ``hint`` is the language that the input claimed.
    """
    stretches = list(_stretches(pieces_of(text)))
    return _merged(stretches, _verdicts(stretches, hint))


def _verdicts(stretches: Sequence[_Stretch], hint: str | None) -> list[Verdict]:
    """Return the language of each stretch: by itself, or else with the help of its neighbours."""
    alone = [decide(_text(stretch), hint=hint) for stretch in stretches]
    known = _known(stretches, alone)
    return [
        verdict if index in known else decide(_text(stretch), _nearest(index, known), hint)
        for index, (stretch, verdict) in enumerate(zip(stretches, alone, strict=True))
    ]


def _known(stretches: Sequence[_Stretch], alone: Sequence[Verdict]) -> dict[int, str]:
    """Return, by index, the languages from which others may inherit.

    Those of long stretches of body text that were decided by themselves; where there are none, of
    long stretches of any kind. Never of short ones: they would pass on their own doubt.
    """
    long = {
        index: verdict.lang
        for index, verdict in enumerate(alone)
        if _is_long(stretches[index]) and verdict.reason != "too short"
    }
    decided = {index: lang for index, lang in long.items() if lang != UNDETERMINED} or long
    body = {index: lang for index, lang in decided.items() if stretches[index][0].kind == BODY}
    return body or decided


def _nearest(index: int, known: dict[int, str]) -> str | None:
    """Return the language of the last known stretch before ``index``, else of the first after."""
    indices = list(known)
    if not indices:
        return None
    return known[indices[max(bisect(indices, index) - 1, 0)]]


def _merged(stretches: Sequence[_Stretch], verdicts: Sequence[Verdict]) -> list[Segment]:
    """Join neighbouring stretches of one kind and language; the longest one's verdict stands."""
    pairs = zip(stretches, verdicts, strict=True)
    segments = []
    for (kind, _), same in groupby(pairs, key=lambda pair: (pair[0][0].kind, pair[1].lang)):
        joined = list(same)
        _, verdict = max(joined, key=lambda pair: _length(pair[0])) if joined[1:] else joined[0]
        start, end = joined[0][0][0].line.start, joined[-1][0][-1].line.end
        segments.append(Segment(start, end, kind, verdict))
    return segments


def _stretches(pieces: Iterable[Piece]) -> Iterator[_Stretch]:
    """Yield the stretches of a text: units of one kind, one script and, to cld2, one language."""
    units = [unit for piece in pieces for unit in _units(piece)]
    for _, same_kind in groupby(units, key=lambda unit: unit.kind):
        for same_script in _runs(list(same_kind), lambda unit: unit.script):
            yield from _runs(same_script, _language_guess)


def _units(piece: Piece) -> Iterator[_Unit]:
    """Yield ``piece``, cut into sentences where it is long enough to hold two languages."""
    lines = [piece.line]
    if count_words(piece.line.text, 2 * LONG) == 2 * LONG:
        lines = sentences_of(piece.line)
    for line in lines:
        yield _Unit(line, piece.kind, script_of(line.text), count_words(line.text, LONG))


def _language_guess(unit: _Unit) -> str | None:
    """Return what cld2 takes a long unit for, without effort; None for a short one."""
    if unit.words < LONG:
        return None
    guess = ask_cld2(unit.line.text, best_effort=False)
    return None if guess == NO_ANSWER else guess


def _runs(units: Sequence[_Unit], key: Callable[[_Unit], str | None]) -> list[_Stretch]:
    """Cut ``units`` where ``key`` changes.

    Units without a key go with the run before them, and so does a run of fewer than :data:`LONG`
    words: a few words in another script or language stay with their host.
    """
    runs: list[_Stretch] = []
    current: str | None = None
    for unit in units:
        own = key(unit)
        if not runs or (own is not None and current is not None and own != current):
            runs.append([])
            current = None
        runs[-1].append(unit)
        current = current or own
    hosted: list[_Stretch] = []
    for run in runs:
        if hosted and not (_is_long(run) and _is_long(hosted[-1])):
            hosted[-1].extend(run)
        else:
            hosted.append(run)
    return hosted


def _is_long(stretch: _Stretch) -> bool:
    return sum(unit.words for unit in stretch) >= LONG


def _length(stretch: _Stretch) -> int:
    return sum(len(unit.line.words) for unit in stretch)


def _text(stretch: _Stretch) -> str:
    """Return the text of a stretch; the detectors need its words, not its exact white space."""
    return "\n".join(unit.line.text for unit in stretch)
