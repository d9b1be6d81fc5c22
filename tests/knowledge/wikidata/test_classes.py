from __future__ import annotations

import numpy as np

from pipeline.knowledge.wikidata.classes import Kind, kinds, label_of

ROOTS = {"PER": [1], "LOC": [2], "ORG": [3]}


def of(*pairs: tuple[int, int]) -> dict[int, Kind]:
    children, parents = np.array(pairs, dtype=np.uint32).reshape(-1, 2).T
    return kinds(ROOTS, children, parents)


def test_subclasses_of_subclasses_count() -> None:
    known = of((10, 2), (11, 10), (12, 3), (20, 21))
    assert {number: kind.label for number, kind in known.items()} == {
        1: "PER",
        2: "LOC",
        3: "ORG",
        10: "LOC",
        11: "LOC",
        12: "ORG",
    }


def test_the_nearest_class_decides_and_the_first_label_a_tie() -> None:
    known = of((10, 3), (11, 10), (11, 2), (12, 2), (12, 3))
    assert known[11] == Kind(1, 1, "LOC")
    assert known[12] == Kind(1, 1, "LOC")
    assert label_of([11, 10], known) == "LOC"
    assert label_of([10, 1], known) == "PER"
    assert label_of([99], known) is None
    assert label_of([], known) is None


def test_circles_end() -> None:
    assert of((2, 10), (10, 2), (10, 10))[10] == Kind(1, 1, "LOC")
