from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.recognise.windows import cut_windows, make_batches

LENGTHS = st.lists(st.integers(1, 5), max_size=80)


@given(LENGTHS)
def test_every_word_is_answered_once_within_its_window(lengths: list[int]) -> None:
    windows = cut_windows(3, lengths, capacity=20, overlap=8)
    answered: list[int] = []
    for window in windows:
        assert window.sentence == 3
        assert window.first <= window.keep_first < window.keep_last <= window.last
        assert sum(lengths[window.first : window.last]) <= 20
        answered += range(window.keep_first, window.keep_last)
    assert answered == list(range(len(lengths)))


@given(LENGTHS)
def test_windows_overlap_only_where_one_is_not_enough(lengths: list[int]) -> None:
    windows = cut_windows(0, lengths, capacity=20, overlap=8)
    assert (len(windows) == 1) == (0 < sum(lengths) <= 20)
    for before, after in pairwise(windows):
        assert before.first < after.first < before.last < after.last


@given(st.lists(st.integers(1, 30), max_size=60))
def test_batches_hold_every_window_once_and_stay_small(lengths: list[int]) -> None:
    batches = make_batches(lengths, capacity=64)
    assert sorted(number for batch in batches for number in batch) == list(range(len(lengths)))
    for batch in batches:
        assert lengths[batch[0]] == max(lengths[number] for number in batch)
        assert len(batch) == 1 or len(batch) * lengths[batch[0]] <= 64
