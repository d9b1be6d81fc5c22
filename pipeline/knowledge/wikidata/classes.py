"""Which classes of a dump are kinds of people, places or organisations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Kind(NamedTuple):
    """What the instances of a class are.

    ``steps`` counts the subclass statements up to a class that stands for ``label``, the label
    numbered ``rank``.
    """

    steps: int
    rank: int
    label: str


def kinds(
    roots: Mapping[str, Iterable[int]],
    children: npt.NDArray[np.uint32],
    parents: npt.NDArray[np.uint32],
) -> dict[int, Kind]:
    """Return what the instances of each class are, classes as numbers of their items.

    ``roots`` are the classes by label; ``children[i]`` is a subclass of ``parents[i]``. A class
    below several roots is of the nearest one's label, of the first label's where two are equally
    near. Breadth first, so that statements that go round in a circle do no harm.
    """
    found: dict[int, Kind] = {}
    for rank, (label, classes) in enumerate(roots.items()):
        level = np.unique(np.fromiter(classes, dtype=np.uint32))
        seen = level
        steps = 0
        while len(level):
            kind = Kind(steps, rank, label)
            for number in level.tolist():
                found[number] = min(found.get(number, kind), kind)
            level = np.setdiff1d(children[np.isin(parents, level)], seen)
            seen = np.union1d(seen, level)
            steps += 1
    return found


def label_of(classes: Iterable[int], known: Mapping[int, Kind]) -> str | None:
    """Return the label of an instance of ``classes``: the nearest one's, if any."""
    found = [known[number] for number in classes if number in known]
    return min(found).label if found else None
