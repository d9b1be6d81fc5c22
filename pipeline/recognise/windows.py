"""Cutting long sentences into overlapping windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """Words ``first`` to ``last`` (exclusive) of a sentence, which go through the model together.

    The answer is kept for the words ``keep_first`` to ``keep_last`` (exclusive): the windows of a
    sentence overlap, and each word is answered where it has the most context on both sides.
    """

    first: int
    last: int
    keep_first: int
    keep_last: int


def cut_windows(lengths: Sequence[int], capacity: int, overlap: int) -> list[Window]:
    """Cut a sentence, given the number of pieces of each word, into windows of ``capacity`` pieces.

    Neighbouring windows share up to ``overlap`` pieces. No word may be longer than ``capacity``
    less ``overlap``. A sentence without words has no window.
    """
    spans: list[tuple[int, int]] = []
    first = last = 0
    while last < len(lengths):
        used = sum(lengths[first:last])
        while last < len(lengths) and used + lengths[last] <= capacity:
            used += lengths[last]
            last += 1
        spans.append((first, last))
        shared = 0
        earliest, first = first + 1, last
        while first > earliest and shared + lengths[first - 1] <= overlap:
            first -= 1
            shared += lengths[first]
    windows = []
    keep_first = 0
    for number, (first, last) in enumerate(spans):
        is_final = number == len(spans) - 1
        keep_last = last if is_final else (spans[number + 1][0] + last + 1) // 2
        windows.append(Window(first, last, keep_first, keep_last))
        keep_first = keep_last
    return windows
