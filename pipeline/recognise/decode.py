"""From tag scores of words to names: constrained decoding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]


def transition_mask(tags: Sequence[str]) -> tuple[Scores, Scores]:
    """Return which BIO tags may begin a sentence and which may follow which.

    The first array is (tags,), the second (tags before, tags after); 0 allows, minus infinity
    forbids. ``I-X`` may follow ``B-X`` and ``I-X`` only.
    """
    begin = np.array([-np.inf if tag.startswith("I-") else 0.0 for tag in tags], np.float32)
    follow = np.zeros((len(tags), len(tags)), np.float32)
    for before, tag_before in enumerate(tags):
        for after, tag_after in enumerate(tags):
            if tag_after.startswith("I-") and tag_before[2:] != tag_after[2:]:
                follow[before, after] = -np.inf
    return begin, follow


def best_path(scores: Scores, begin: Scores, follow: Scores) -> list[int]:
    """Return the allowed tag sequence with the highest sum of ``scores`` (words, tags).

    Viterbi 1967; ``begin`` and ``follow`` come from :func:`transition_mask`. Of equal paths the one
    with the lower tag numbers wins.
    """
    if len(scores) == 0:
        return []
    # Where each word's best tag may stand beside its neighbours', no path is better; most are such.
    greedy = scores.argmax(axis=1)
    if begin[greedy[0]] == 0 and not follow[greedy[:-1], greedy[1:]].any():
        return [int(tag) for tag in greedy]
    best = scores[0] + begin
    back = np.zeros(scores.shape, np.int64)
    for position in range(1, len(scores)):
        reached = best[:, None] + follow
        back[position] = reached.argmax(axis=0)
        best = reached.max(axis=0) + scores[position]
    path = [int(best.argmax())]
    for position in range(len(scores) - 1, 0, -1):
        path.append(int(back[position, path[-1]]))
    return path[::-1]


def tag_runs(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return the names in a BIO sequence as (first word, one past the last, label), in order.

    An ``I-`` tag that continues nothing begins a name, as in the CoNLL-2000 evaluation script.
    """
    runs: list[tuple[int, int, str]] = []
    start, label = 0, ""
    for position, tag in enumerate([*tags, "O"]):
        if label and tag != f"I-{label}":
            runs.append((start, position, label))
            label = ""
        if tag != "O" and not label:
            start, label = position, tag[2:]
    return runs
