"""Which of the languages Exonym reads a piece of text is in, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.detect.clean import cleaned
from pipeline.detect.lookalikes import HINDI, hindi_words, lookalike_of
from pipeline.detect.names import without_names
from pipeline.detect.script import OTHER, SCRIPT_LANGUAGES, script_of
from pipeline.detect.votes import CLD2, LANGDETECT, NO_ANSWER, votes_for
from pipeline.schemas import LANGUAGES, UNDETERMINED
from pipeline.scripts import DEVANAGARI, LATIN

LONG: Final = 8
"""Words from which langdetect and cld2 must agree; below it two of three detectors are enough."""

WORDS: Final = "words"
"""The voter that knows Hindi and languages written like it by their words."""

_SHORT: Final = 3
"""Words below which only all three detectors together are believed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The language of a piece of text: a code of Exonym's or ``und``.

    ``score`` is the share of ``votes`` for it, 0.0 where none was cast; ``reason`` is one of those
    that the schema of segments lists: the rule that decided, also where it decided for ``und``.
    """

    lang: str
    score: float
    votes: Mapping[str, str]
    reason: str


def decide(text: str, neighbour: str | None = None, hint: str | None = None) -> Verdict:
    """Return the language of ``text``.

    ``neighbour`` is the language of the text around it, where that is known; ``hint`` what the
    input claimed. Neither overrules detectors that answer clearly.
    """
    script = script_of(text)
    if script == OTHER:
        return Verdict(UNDETERMINED, 0.0, {}, "script")
    if script is None:
        return _unsure({}, neighbour, hint if hint in LANGUAGES else None)
    copy = cleaned(text)
    votes: Mapping[str, str] = dict(votes_for(copy))
    length = len(copy.split())
    hint = hint if hint in SCRIPT_LANGUAGES[script] else None
    lookalike = lookalike_of(copy) if script == DEVANAGARI else None
    if lookalike and (length >= LONG or neighbour is None):
        return _verdict(UNDETERMINED, script, {**votes, WORDS: lookalike}, "majority")
    if length >= LONG:
        return _of_long(votes, script, neighbour, hint)
    if neighbour is None and script == DEVANAGARI and _is_hindi(copy, votes):
        return _verdict(HINDI, script, {**votes, WORDS: HINDI}, "majority")
    if neighbour is None and script == LATIN:
        votes = _of_the_rest(copy, votes)
    return _of_short(votes, script, length, neighbour, hint)


def _of_long(
    votes: Mapping[str, str], script: str, neighbour: str | None, hint: str | None
) -> Verdict:
    """Decide a text of :data:`LONG` words or more: by agreement, or what supports one voter."""
    if votes[LANGDETECT] == votes[CLD2] != NO_ANSWER:
        return _verdict(votes[CLD2], script, votes, "agreement")
    answer, number = _most(votes)
    if number < 2 or answer in SCRIPT_LANGUAGES[script]:
        if hint in votes.values():
            return _verdict(hint, script, votes, "hint")
        if neighbour in votes.values():
            return _verdict(neighbour, script, votes, "inherited")
    return _verdict(UNDETERMINED, script, votes, "agreement")


def _is_hindi(text: str, votes: Mapping[str, str]) -> bool:
    """Whether the words of a short text say that it is Hindi: two do, one if no two voters object.

    Foreign names make up much of a headline, and look like Marathi or Nepali to the detectors.
    """
    answer, number = _most(votes)
    objected = number >= 2 and answer != HINDI
    return hindi_words(text) >= (2 if objected else 1)


def _of_the_rest(text: str, votes: Mapping[str, str]) -> Mapping[str, str]:
    """Return the votes for a short text of names from elsewhere: of what stands around the names.

    The detectors take `Recep Tayyip Erdoğan arrives in Bucharest` for Turkish. Where two of them
    agree on the words around the names, these decide. Where they do not, what the names are taken
    for is no answer unless one of them hears it in those words as well, if names are the most.
    """
    names, rest = without_names(text)
    if names < 2 or not rest:
        return votes
    of_rest = votes_for(rest)
    if _most(of_rest)[1] >= 2:
        return of_rest
    if names > 2 and _most(votes)[0] not in of_rest.values():
        return of_rest
    return votes


def _of_short(
    votes: Mapping[str, str], script: str, length: int, neighbour: str | None, hint: str | None
) -> Verdict:
    """Decide a short text: by majority, unless its neighbours say otherwise.

    In Devanagari cld2 must be of the majority: it alone knows Bhojpuri and Maithili.
    """
    answer, number = _most(votes)
    enough = 2 if length >= _SHORT and neighbour in (None, answer) else len(votes)
    if number < enough or (script == DEVANAGARI and answer not in (votes[CLD2], NO_ANSWER)):
        return _unsure(votes, neighbour, hint)
    if neighbour is not None and answer not in SCRIPT_LANGUAGES[script]:
        return _unsure(votes, neighbour, hint)
    return _verdict(answer, script, votes, "majority")


def _unsure(votes: Mapping[str, str], neighbour: str | None, hint: str | None) -> Verdict:
    """Decide by what stands around or was claimed, for lack of anything better."""
    if neighbour is not None:
        return Verdict(neighbour, _share(neighbour, votes), votes, "inherited")
    if hint is not None:
        return Verdict(hint, _share(hint, votes), votes, "hint")
    return Verdict(UNDETERMINED, _share(UNDETERMINED, votes), votes, "too short")


def _verdict(answer: str | None, script: str, votes: Mapping[str, str], reason: str) -> Verdict:
    """Return the verdict for ``answer``, or for ``und`` where no such text is in ``script``."""
    lang = answer if answer in SCRIPT_LANGUAGES[script] else UNDETERMINED
    return Verdict(str(lang), _share(str(lang), votes), votes, reason)


def _most(votes: Mapping[str, str]) -> tuple[str, int]:
    """Return the language most detectors answered and how many did; the first voter's on a tie."""
    counts = Counter(answer for answer in votes.values() if answer != NO_ANSWER)
    return counts.most_common(1)[0] if counts else (NO_ANSWER, 0)


def _share(lang: str, votes: Mapping[str, str]) -> float:
    """Return the share of ``votes`` for ``lang``; for ``und`` those for no language of Exonym's."""
    if not votes:
        return 0.0
    answers = [vote if vote in LANGUAGES else UNDETERMINED for vote in votes.values()]
    return answers.count(lang) / len(answers)
