"""Turkish endings generated over thousands of place names must read back to the name.

The generator is written apart from the rules under test: full tables of the harmonic forms.
"""

from __future__ import annotations

import pytest

from pipeline import languages
from tests.languages.conftest import PLACES, read_names

TURKISH = languages.get("tr")
VOWELS = "aeıioöuüâî"
# By the last vowel: the vowels of -(n)In and of -DA.
CLOSE = {"a": "ı", "ı": "ı", "â": "ı", "o": "u", "u": "u", "e": "i", "i": "i", "î": "i"}
CLOSE |= {"ö": "ü", "ü": "ü"}
OPEN = {letter: "a" if letter in "aıouâ" else "e" for letter in VOWELS}


def endings(name: str) -> list[str]:
    """Return genitive, dative, accusative, locative, ablative and instrumental of a name."""
    plain = name.replace("İ", "i").replace("I", "ı").lower()
    last = [letter for letter in plain if letter in VOWELS][-1]
    close, wide, vowel = CLOSE[last], OPEN[last], plain[-1] in VOWELS
    d = "t" if plain[-1] in "fstkçşhp" else "d"
    n, y = ("n", "y") if vowel else ("", "")
    forms = [n + close + "n", y + wide, y + close, d + wide, d + wide + "n", y + "l" + wide]
    return [*forms, d + wide + "ki"]


def turkish_names() -> list[str]:
    """Return place names of Turkish letters alone, without apostrophes and digits."""
    alphabet = set("abcçdefgğhıijklmnoöprsştuüvyzâî ")
    return [
        name
        for name in read_names(PLACES, "tr")
        if set(name.replace("İ", "i").replace("I", "ı").lower()) <= alphabet
        and any(letter in VOWELS for letter in name.split()[-1].lower())
        and len(name.split()[-1]) >= 3
    ]


needs_names = pytest.mark.skipif(not PLACES.exists(), reason="needs ../shared/names")


@needs_names
def test_an_ending_behind_an_apostrophe_reads_back() -> None:
    names = turkish_names()
    assert len(names) > 1000
    failed = [
        f"{name}'{ending}"
        for name in names
        for ending in endings(name)
        if TURKISH.readings(f"{name}'{ending}")[0].name != name
        or TURKISH.suffix_after(f"{name}’{ending} gitti", len(name)) != f"’{ending}"
    ]
    assert failed == []


@needs_names
def test_a_glued_ending_is_among_the_readings() -> None:
    failed = [
        name + ending
        for name in turkish_names()
        for ending in endings(name)
        if name not in [reading.name for reading in TURKISH.readings(name + ending)]
    ]
    assert failed == []


@needs_names
def test_a_name_as_written_comes_first() -> None:
    # An institution's case ending is taken off at once; no place name looks like one.
    failed = [name for name in turkish_names() if TURKISH.readings(name)[0].name != name]
    assert failed == []
