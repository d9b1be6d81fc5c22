from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.recognise.decode import best_path, tag_runs, transition_mask

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
BEGIN, FOLLOW = transition_mask(TAGS)


def is_valid(tags: list[str]) -> bool:
    before = "O"
    for tag in tags:
        if tag.startswith("I-") and before[2:] != tag[2:]:
            return False
        before = tag
    return True


@given(
    st.lists(
        st.lists(st.integers(-8, 8), min_size=len(TAGS), max_size=len(TAGS)),
        min_size=1,
        max_size=4,
    )
)
def test_best_path_is_the_best_valid_one(rows: list[list[int]]) -> None:
    scores = np.array(rows, np.float32)
    path = best_path(scores, BEGIN, FOLLOW)
    assert is_valid([TAGS[number] for number in path])
    reached = sum(scores[position, number] for position, number in enumerate(path))
    best = max(
        sum(scores[position, number] for position, number in enumerate(other))
        for other in product(range(len(TAGS)), repeat=len(rows))
        if is_valid([TAGS[number] for number in other])
    )
    assert reached == best


def test_no_words_no_path() -> None:
    assert best_path(np.zeros((0, len(TAGS)), np.float32), BEGIN, FOLLOW) == []


def test_tag_runs() -> None:
    tags = ["B-PER", "I-PER", "B-PER", "O", "I-LOC", "I-LOC", "I-PER", "B-LOC"]
    assert tag_runs(tags) == [
        (0, 2, "PER"),
        (2, 3, "PER"),
        (4, 6, "LOC"),
        (6, 7, "PER"),
        (7, 8, "LOC"),
    ]
    assert tag_runs([]) == []
