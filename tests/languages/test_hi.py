"""Romanising Devanagari: no consonant is lost, and spellings of one name fold alike."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import languages

HINDI = languages.get("hi")
# Consonants whose romanising begins with this letter, whatever stands around them.
CONSONANTS = {
    **dict(zip("कखगघचछझटठडढतथदधपफबभमयरलवशषसह", "kkggccjttddttddppbbmyrlvssshh", strict=False)),
    **{"ज": "j", "न": "n", "ण": "n", "ह": "h", "श": "s", "ष": "s", "स": "s"},
}
SIGNS = ["", "", "ा", "ि", "ी", "ु", "ू", "े", "ै", "ो", "ौ", "्"]
syllables = st.tuples(st.sampled_from(sorted(CONSONANTS)), st.sampled_from(SIGNS))


@settings(deadline=None)
@given(st.lists(syllables, min_size=1, max_size=8))
def test_romanising_loses_no_consonant(word: list[tuple[str, str]]) -> None:
    fold = HINDI.fold("".join(consonant + sign for consonant, sign in word))
    letters = [CONSONANTS[consonant] for consonant, _ in word]
    assert re.search(".*".join(letters), fold), fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("मुंबई", "मुम्बई"),
        ("चंडीगढ़", "चण्डीगढ़"),
        ("हिंदी", "हिन्दी"),
        ("चाँद", "चांद"),
        ("शर्मा", "श\u200dर्मा"),
        ("\u0958तर", "क\u093cतर"),
        ("सदिर", "सदीर"),
    ],
)
def test_spellings_of_one_name_fold_alike(one: str, other: str) -> None:
    assert HINDI.fold(one) == HINDI.fold(other)


@pytest.mark.parametrize(
    ("with_nukta", "without"),
    [("ज़ेलेंस्की", "जेलेंस्की"), ("फ़िनलैंड", "फिनलैंड"), ("क़तर", "कतर"), ("कज़ाख़स्तान", "कजाखस्तान")],
)
def test_names_with_and_without_nukta_share_a_key(with_nukta: str, without: str) -> None:
    assert set(HINDI.keys(with_nukta)) & set(HINDI.keys(without))


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("सीबीएसई", "CBSE"),
        ("एसडीएफ़", "SDF"),
        ("बीबी", ""),
        ("सीमा", ""),
        ("नाटो", ""),
        ("", ""),
    ],
)
def test_letters_spelled_out(name: str, letters: str) -> None:
    assert HINDI.spelled_out(name) == letters
