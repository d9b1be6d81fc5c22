from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.recognise.windows import cut_windows

LENGTHS = st.lists(st.integers(1, 5), max_size=80)


@given(LENGTHS)
def test_every_word_is_answered_once_within_its_window(lengths: list[int]) -> None:
    windows = cut_windows(lengths, capacity=20, overlap=8)
    answered: list[int] = []
    for window in windows:
        assert window.first <= window.keep_first < window.keep_last <= window.last
        assert sum(lengths[window.first : window.last]) <= 20
        answered += range(window.keep_first, window.keep_last)
    assert answered == list(range(len(lengths)))


@given(LENGTHS)
def test_windows_overlap_only_where_one_is_not_enough(lengths: list[int]) -> None:
    windows = cut_windows(lengths, capacity=20, overlap=8)
    assert (len(windows) == 1) == (0 < sum(lengths) <= 20)
    for before, after in pairwise(windows):
        assert before.first < after.first < before.last < after.last
