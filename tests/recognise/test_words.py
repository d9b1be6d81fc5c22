from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.recognise.words import split_words


def words(text: str) -> list[str]:
    return [text[start:end] for start, end in split_words(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ankara’ya gitti.", ["Ankara", "’", "ya", "gitti", "."]),
        ("(NATO)", ["(", "NATO", ")"]),
        ("U.S.", ["U", ".", "S", "."]),
        ("Rusya-Çin", ["Rusya", "-", "Çin"]),
        ("दिल्ली में।", ["दिल्ली", "में", "।"]),
        ("क्\u200dष", ["क्\u200dष"]),
        ("Bucu\u00adrești", ["Bucu\u00adrești"]),
        ("a\u200bb", ["a", "b"]),
        ("3,5 %", ["3", ",", "5", "%"]),
        ("to\u0302i", ["to\u0302i"]),
        ("saidReuters", ["said", "Reuters"]),
        ("DevamıMoskova", ["Devamı", "Moskova"]),
        ("e\u0301A", ["e\u0301", "A"]),
        ("NATOdan", ["NATOdan"]),
        ("", []),
        (" \n\t", []),
    ],
)
def test_examples(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text())
def test_words_are_ordered_and_hold_every_visible_character(text: str) -> None:
    covered: set[int] = set()
    last = 0
    for start, end in split_words(text):
        assert last <= start < end
        covered.update(range(start, end))
        last = end
    for position, character in enumerate(text):
        is_visible = unicodedata.category(character) not in ("Cc", "Cf") and character.strip()
        if is_visible:
            assert position in covered


@given(st.text(), st.text())
def test_white_space_always_separates(first: str, second: str) -> None:
    assert words(f"{first} {second}") == words(first) + words(second)


@given(st.text())
def test_a_word_splits_into_itself(text: str) -> None:
    for word in words(text):
        assert words(word) == [word]
