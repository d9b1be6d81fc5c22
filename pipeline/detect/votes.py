"""Three language detectors and what each of them answers.

langdetect 1.0.9 (Shuyo's naive Bayes over character n-grams, sampled), pycld2 (Google's Compact
Language Detector 2) and py3langid (Lui and Baldwin's langid.py, retrained). All are asked about all
the languages they know: among the five alone, Nepali would be Hindi and Russian Turkish.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Final

import pycld2
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from pipeline.detect.bayes import NaiveBayes

NO_ANSWER: Final = "un"

LANGDETECT: Final = "langdetect"
CLD2: Final = "pycld2"
LANGID: Final = "py3langid"

_LONGEST: Final = 600
"""Characters that are read of a text: more change no answer and cost time."""

_LONGEST_OF_LANGID: Final = 240
"""The same of py3langid, which goes through a text byte by byte."""

_REMEMBERED: Final = 4096
"""Texts whose votes are kept: headings, notices and bylines come again and again."""

_ISO_639: Final = {"zh-cn": "zh", "zh-tw": "zh", "zh-Hant": "zh", "iw": "he", "jw": "jv"}
_NO_LANGUAGE: Final = frozenset({"unknown", "un", "zxx", "xxx"})


@lru_cache(maxsize=_REMEMBERED)
def votes_for(text: str) -> Mapping[str, str]:
    """Return what each detector takes cleaned ``text`` for: its name to an ISO 639 code.

    :data:`NO_ANSWER` where it gave none. The answers depend on ``text`` alone.
    """
    read = _beginning(text, _LONGEST)
    return MappingProxyType(
        {
            LANGDETECT: ask_langdetect(read),
            CLD2: ask_cld2(read),
            LANGID: ask_langid(_beginning(read, _LONGEST_OF_LANGID)),
        }
    )


def _beginning(text: str, longest: int) -> str:
    """Return the words of ``text`` within its first characters, cut where none ends there."""
    return text if len(text) <= longest else text[:longest].rpartition(" ")[0] or text[:longest]


def ask_langdetect(text: str) -> str:
    """Return langdetect's answer; every call draws from the same seed."""
    answer = _langdetect().answer(text)
    return NO_ANSWER if answer is None else _iso_639(answer)


def ask_cld2(text: str, *, best_effort: bool = True) -> str:
    """Return cld2's answer, on ``best_effort`` also where it has little to go by."""
    try:
        _, _, details = pycld2.detect(text, bestEffort=best_effort)
    except pycld2.error:
        return NO_ANSWER
    return _iso_639(details[0][1])


def ask_langid(text: str) -> str:
    """Return py3langid's answer."""
    if not text:
        return NO_ANSWER
    language, _ = _langid().classify(text)
    return _iso_639(language)


def _iso_639(code: str) -> str:
    return NO_ANSWER if code in _NO_LANGUAGE else _ISO_639.get(code, code)


@cache
def _langdetect() -> NaiveBayes:
    return NaiveBayes()


@cache
def _langid() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE)


def forget_detectors() -> None:
    """Let go of the detectors' tables, some 130 MB; they are loaded again when asked."""
    for remembered in (votes_for, _langdetect, _langid):
        remembered.cache_clear()
