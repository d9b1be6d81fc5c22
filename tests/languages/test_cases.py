"""The hand-checked cases of every language.

Kinds: ``reading`` the likeliest reading, ``among`` one of the readings, ``after`` the ending behind
the bar, ``inside`` the final ending, ``title`` without titles, ``ruler`` the title
(between bars) before a name, ``orthography``, ``fold``,
``translated``, ``transcription`` (which is no key), ``letters``, ``key`` one of the keys,
``not key`` a name that must share no key,
``shared`` one that must share a key.
"""

from __future__ import annotations

import pytest

from pipeline import languages
from pipeline.languages.shared import skeleton
from tests.languages.conftest import read_cases

CODES = ("hi", "ro", "tr", "en", "vi")
CASES = [(code, *case) for code in CODES for case in read_cases(code)]


@pytest.mark.parametrize(("code", "surface", "kind", "expected"), CASES)
def test_case(code: str, surface: str, kind: str, expected: str) -> None:
    language = languages.get(code)
    if kind == "reading":
        assert language.readings(surface)[0].name == expected
    elif kind == "among":
        assert expected in [reading.name for reading in language.readings(surface)]
    elif kind == "after":
        before, after = surface.split("|")
        assert language.suffix_after(before + after, len(before)) == expected
    elif kind == "inside":
        count = language.inside_suffix(surface)
        assert surface[len(surface) - count :] == expected
    elif kind == "title":
        assert language.strip_titles(surface) == expected
    elif kind == "ruler":
        before, name = surface.rsplit("|", 1)
        before = before.replace("|", "")
        assert before[language.ruler_before(before + name, len(before)) :] == expected
    elif kind == "orthography":
        assert language.orthography(surface) == expected
    elif kind == "fold":
        assert language.fold(surface) == expected
    elif kind == "translated":
        assert language.translated(surface) == expected
    elif kind == "transcription":
        assert expected in language.transcriptions(surface)
        assert expected not in language.keys(surface)
    elif kind == "letters":
        assert language.letters(surface) == expected
    elif kind == "key":
        assert expected in language.keys(surface)
    elif kind == "not key":
        assert not _telling(language.keys(expected)) & _telling(language.keys(surface))
    elif kind == "shared":
        assert set(language.keys(expected)) & set(language.keys(surface))
    else:
        pytest.fail(f"no such kind of case: {kind}")


def _telling(keys: tuple[str, ...]) -> set[str]:
    """Return the keys but for the consonants alone, which any number of names share."""
    return set(keys) - {skeleton(key) for key in keys}


@pytest.mark.parametrize("code", CODES)
def test_every_language_has_a_hundred_cases(code: str) -> None:
    assert len(read_cases(code)) >= 100
