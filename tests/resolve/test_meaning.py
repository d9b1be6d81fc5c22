"""What words of names mean in English, by the shipped table and by one made up."""

from __future__ import annotations

import pytest

from pipeline.resolve import meaning

TABLE = meaning.by_language(
    [
        ("tr", "konsey", "council", 1.0),
        ("tr", "avrupa", "european", 1.0),
        ("tr", "sulh", "peace", 0.2),
    ]
)


def test_known_words_are_put_into_english() -> None:
    assert meaning.in_english("Avrupa Konseyi", "tr", TABLE) == "european council"
    assert meaning.in_english("Zorkhan Konseyi", "tr", TABLE) == "zorkhan council"


def test_a_name_without_a_known_word_is_not_translated() -> None:
    assert meaning.in_english("Zorkhan", "tr", TABLE) == ""
    assert meaning.in_english("Avrupa Konseyi", "ro", TABLE) == ""


def test_a_doubtful_word_stays_as_it_is() -> None:
    assert meaning.in_english("Avrupa Sulh", "tr", TABLE) == "european sulh"


def test_words_of_the_same_beginning_are_nearly_as_good() -> None:
    (meant,) = meaning.of_words(["Avrupa"], "tr", TABLE)
    assert meaning.strength(meant, "european") == 1.0
    assert 0 < meaning.strength(meant, "europe") < 1
    assert meaning.strength(meant, "eurasian") == 0


@pytest.mark.parametrize(
    ("lang", "name", "words"),
    [
        ("hi", "अंतर्राष्ट्रीय ऊर्जा एजेंसी", {"international", "energy", "agency"}),
        ("ro", "Agenția Internațională pentru Energie", {"international", "energy", "agency"}),
        ("tr", "Uluslararası Enerji Ajansı", {"international", "energy", "agency"}),
        ("vi", "Cơ quan Năng lượng Quốc tế", {"international", "energy", "agency"}),
    ],
)
def test_shipped_meanings_translate_bodies(lang: str, name: str, words: set[str]) -> None:
    meant = meaning.of_words(name.split(), lang, meaning.learned())
    for word in words:
        assert max(meaning.strength(found, word) for found in meant) >= 0.5
