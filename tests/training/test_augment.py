from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from pipeline.training.augment import TaggedWords, augment

SENTENCE: TaggedWords = (
    ["the", '"', "istanbul", '"', "line", "."],
    ["O", "O", "B-LOC", "O", "O", "O"],
)


def all_versions(sentence: TaggedWords, lang: str) -> set[tuple[str, ...]]:
    versions = set()
    for seed in range(400):
        for words, tags in augment([sentence], lang, random.Random(seed)):
            assert len(words) == len(tags)
            assert tags[2] == "B-LOC"
            versions.add(tuple(words))
    return versions


def test_what_may_change() -> None:
    versions = all_versions(SENTENCE, "en")
    assert tuple(SENTENCE[0]) in versions
    assert tuple(SENTENCE[0][:-1]) in versions
    assert ("the", "“", "istanbul", "”", "line", ".") in versions
    assert ("THE", '"', "ISTANBUL", '"', "LINE", ".") in versions
    assert ("The", '"', "Istanbul", '"', "Line", ".") in versions


def test_turkish_capitals_keep_their_dot() -> None:
    capitals = {words[2] for words in all_versions(SENTENCE, "tr")}
    without_diacritics = {"ISTANBUL", "Istanbul"}
    assert capitals - without_diacritics == {"istanbul", "İSTANBUL", "İstanbul"}


def test_hindi_has_no_capitals() -> None:
    assert {words[2] for words in all_versions(SENTENCE, "hi")} == {"istanbul"}


@given(st.integers(0, 2**32), st.integers(0, 12))
def test_every_sentence_comes_once_and_in_order(seed: int, count: int) -> None:
    sentences: list[TaggedWords] = [([f"w{number}"], ["O"]) for number in range(count)]
    result = list(augment(sentences, "hi", random.Random(seed)))
    assert [word for words, _ in result for word in words] == [f"w{n}" for n in range(count)]
    assert result == list(augment(sentences, "hi", random.Random(seed)))
