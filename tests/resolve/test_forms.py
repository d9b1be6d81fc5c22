"""Keys of written names."""

from __future__ import annotations

import pytest

from pipeline.resolve.forms import looks_like_acronym, read


def test_readings_come_before_respellings() -> None:
    form = read("Caparov", "tr")
    assert form.key == "caparov"
    assert "japarov" in {key.text for key in form.keys}
    assert form.read == {"caparov"}


def test_an_inflected_name_is_read_in_the_nominative() -> None:
    form = read("Rusiei", "ro")
    assert form.name == "Rusia"
    assert {"rusia", "rusiei"} <= form.read


def test_english_names_in_hindi_text_are_read_as_english() -> None:
    assert read("Sadyr Japarov", "hi").lang == "en"
    assert read("जापारोव", "en").lang == "hi"


def test_sound_keys_stand_apart() -> None:
    form = read("Sadır Caparov", "tr")
    assert form.coarse
    assert not set(form.coarse) & {key.text for key in form.keys}


@pytest.mark.parametrize(
    ("surface", "expected"),
    [
        ("CSTO", True),
        ("U.S.", True),
        ("OPEC+", True),
        ("AGİT", True),
        ("Putin", False),
        ("A", False),
        ("NEW YORK", False),
        ("नाटो", False),
    ],
)
def test_acronyms(surface: str, expected: bool) -> None:
    assert looks_like_acronym(surface) is expected
