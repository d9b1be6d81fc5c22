"""What every language promises, for any text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import languages
from pipeline.languages.shared import MAX_KEYS, initials

LETTERS = "aâbcdđeəğhıiîİIjkșşțţtuüưvxyzơọồ Жж'’-.सपरकतज़ाी्ंँ\u200d北ع"
names = st.text(alphabet=LETTERS, max_size=14) | st.text(max_size=8)
few = settings(max_examples=40, deadline=None)
every_language = pytest.mark.parametrize("code", languages.CODES)


def test_there_are_six_languages() -> None:
    assert set(languages.CODES) == {"hi", "ro", "tr", "en", "vi", "und"}
    assert all(languages.get(code).code == code for code in languages.CODES)


def test_an_unknown_code_is_a_clear_error() -> None:
    with pytest.raises(KeyError, match="no rules for language 'xx'; there are rules for hi, ro"):
        languages.get("xx")


@every_language
@few
@given(name=names)
def test_orthography_is_idempotent(code: str, name: str) -> None:
    language = languages.get(code)
    once = language.orthography(name)
    assert language.orthography(once) == once


@every_language
@few
@given(name=names)
def test_fold_is_plain_and_idempotent(code: str, name: str) -> None:
    language = languages.get(code)
    fold = language.fold(name)
    assert language.fold(fold) == fold
    assert fold.isascii()
    assert fold == " ".join(fold.lower().split())


@pytest.mark.parametrize("code", [code for code in languages.CODES if code != "hi"])
@few
@given(name=st.text(alphabet="aâbcçdđeéfgğhıiîjkłlmnñoöpqrsșşțtuüvwxyzơọồ -'’", max_size=14))
def test_folding_loses_no_consonant(code: str, name: str) -> None:
    apart = unicodedata.normalize("NFD", name.translate(str.maketrans("đł", "dl")))
    consonants = [char for char in apart if char in "bcdfghjklmnpqrstvwxyz"]
    assert [char for char in languages.get(code).fold(name) if char in consonants] == consonants


@every_language
@few
@given(name=names)
def test_a_name_with_a_letter_has_a_fold(code: str, name: str) -> None:
    language = languages.get(code)
    if any(char.isalnum() for char in language.orthography(name)):
        assert language.fold(name)


@every_language
@few
@given(name=names)
def test_keys_begin_with_the_fold_and_differ(code: str, name: str) -> None:
    language = languages.get(code)
    keys = language.keys(name)
    assert list(keys[:1]) == [key for key in [language.fold(name)] if key]
    assert len(set(keys)) == len(keys) <= MAX_KEYS


@every_language
@few
@given(name=names)
def test_readings_hold_the_form_as_written_at_no_cost(code: str, name: str) -> None:
    language = languages.get(code)
    readings = language.readings(name)
    assert [reading.cost for reading in readings if reading.name == language.orthography(name)] == [
        0.0
    ]
    assert all(0.0 <= reading.cost <= 1.0 for reading in readings)
    assert len({reading.name for reading in readings}) == len(readings)


@every_language
@few
@given(before=names, after=names)
def test_an_ending_is_text_that_follows(code: str, before: str, after: str) -> None:
    language = languages.get(code)
    assert after.startswith(language.suffix_after(before + after, len(before)))


@every_language
@few
@given(name=names)
def test_an_ending_never_is_the_whole_name(code: str, name: str) -> None:
    assert 0 <= languages.get(code).inside_suffix(name) < max(1, len(name))


@every_language
@few
@given(name=names)
def test_titles_never_leave_nothing(code: str, name: str) -> None:
    stripped = languages.get(code).strip_titles(name)
    assert bool(stripped) == bool(name)
    assert languages.get(code).strip_titles(stripped) == stripped


@pytest.mark.parametrize(
    ("fold", "acronym"),
    [
        ("north atlantic treaty organization", "nato"),
        ("organization for security and co operation in europe", "oscoe"),
        ("european union", ""),
        ("united nations relief and works agency for palestine refugees in the near east", ""),
    ],
)
def test_initials_of_four_to_seven_words(fold: str, acronym: str) -> None:
    assert initials(fold) == acronym
