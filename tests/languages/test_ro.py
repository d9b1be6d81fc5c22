"""Romanian genitives generated over place names must read back to the name."""

from __future__ import annotations

import pytest

from pipeline import languages
from tests.languages.conftest import COUNTRIES, PLACES, read_names

ROMANIAN = languages.get("ro")
LETTERS = set("abcdefghijklmnopqrstuvwxyzăâîșț")
needs_names = pytest.mark.skipif(not PLACES.exists(), reason="needs ../shared/names")


def single_words() -> list[str]:
    """Return names of one word in Romanian letters."""
    names = [*read_names(COUNTRIES, "ro"), *read_names(PLACES, "ro")]
    return [name for name in names if set(name.lower()) <= LETTERS and len(name) > 3]


def feminine_genitive(name: str) -> str:
    """Return the genitive of a feminine name in a: -ia -iei, -ea -ei, -că -căi, else -ei."""
    if name.endswith("ia"):
        return name[:-1] + "ei"
    if name.endswith(("ca", "ga", "ka", "ha")):
        return name[:-1] + "ăi"
    if name.endswith("eea"):
        return name[:-1] + "i"
    return name[:-1] + "ei"


@needs_names
def test_feminine_genitives_read_back_first() -> None:
    names = [name for name in single_words() if name.endswith("a") and name[-2] not in "aeou"]
    assert len(names) > 200
    failed = [name for name in names if ROMANIAN.readings(feminine_genitive(name))[0].name != name]
    assert failed == []


@needs_names
def test_names_in_eea_read_back_first() -> None:
    names = [name for name in single_words() if name.endswith("eea")]
    assert names
    failed = [name for name in names if ROMANIAN.readings(feminine_genitive(name))[0].name != name]
    assert failed == []


@needs_names
def test_masculine_genitives_are_among_the_readings() -> None:
    names = [name for name in single_words() if name[-1] in "bcdfglmnprstvzșț"]
    assert len(names) > 500
    failed = [
        name
        for name in names
        if name not in [reading.name for reading in ROMANIAN.readings(name + "ului")]
        or name not in [reading.name for reading in ROMANIAN.readings(name + "ul")]
    ]
    assert failed == []


def test_cedilla_and_comma_are_one_letter() -> None:
    assert ROMANIAN.fold("Timiş") == ROMANIAN.fold("Timiș")
    assert ROMANIAN.orthography("Ţiriac") == "Țiriac"
