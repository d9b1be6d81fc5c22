from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.knowledge import grams

KEYS = st.lists(st.text("abyz019 ", max_size=12), min_size=1, max_size=8)


def spelled(key: str) -> set[bytes]:
    marked = grams.symbols(key)
    return {marked[i : i + n] for n in (2, 3) for i in range(len(marked) - n + 1)}


@settings(deadline=None)
@given(KEYS)
def test_keys_share_numbers_where_they_share_bigrams_and_trigrams(keys: list[str]) -> None:
    codes = [set(grams.codes(grams.symbols(key)).tolist()) for key in keys]
    for mine, key in zip(codes, keys, strict=True):
        assert len(mine) == len(spelled(key))
        for theirs, other in zip(codes, keys, strict=True):
            assert len(mine & theirs) == len(spelled(key) & spelled(other))


@settings(deadline=None)
@given(KEYS)
def test_many_keys_at_once_are_as_one_by_one(keys: list[str]) -> None:
    gram, key = grams.codes_of_keys(keys)
    for position, text in enumerate(keys):
        together = gram[key == position]
        assert np.array_equal(together, grams.codes(grams.symbols(text)))


def test_every_number_is_below_the_size() -> None:
    assert grams.codes(grams.symbols("~~~")).max() == grams.SIZE - 1
