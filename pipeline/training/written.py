"""News passages written for training, with their names marked in the text.

One passage a line; ``[Ankara|LOC]`` is a name, everything else is text. The files lie in
``models/annotations/written``, one a language; ``docs/annotation-parallel.md`` says what is marked.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pipeline.recognise.words import split_words
from pipeline.schemas import LABELS
from pipeline.training.common import LabelledSentence

_NAME: Final = re.compile(r"\[([^\[\]|]+)\|([A-Z]+)\]")


class WrittenError(ValueError):
    """A passage whose marks cannot be read."""


def read_written(path: Path) -> list[LabelledSentence]:
    """Return the passages of a file, in order.

    Raises WrittenError, with the line, where a mark is broken, its label unknown or its edges
    inside a word; OSError where the file is missing.
    """
    passages = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            passages.append(read_passage(line))
        except WrittenError as error:
            raise WrittenError(f"{path}:{number}: {error}") from error
    return passages


def read_passage(line: str) -> LabelledSentence:
    """Turn one marked passage into words and BIO tags. Raises WrittenError where it cannot."""
    text, names = "", []
    end = 0
    for match in _NAME.finditer(line):
        text += line[end : match.start()]
        if match[2] not in LABELS:
            raise WrittenError(f"unknown label {match[2]}")
        names.append((len(text), len(text) + len(match[1]), match[2]))
        text += match[1]
        end = match.end()
    text += line[end:]
    if any(mark in text for mark in "[]|"):
        raise WrittenError("a bracket or bar that belongs to no mark")
    words = split_words(text)
    tags = ["O"] * len(words)
    starts = {start: number for number, (start, _) in enumerate(words)}
    ends = {stop: number for number, (_, stop) in enumerate(words)}
    for start, stop, label in names:
        if start not in starts or stop not in ends:
            raise WrittenError(f"the edges of {text[start:stop]!r} are not those of words")
        first, last = starts[start], ends[stop]
        tags[first : last + 1] = [f"B-{label}"] + [f"I-{label}"] * (last - first)
    return LabelledSentence(
        tuple(text[start:stop] for start, stop in words),
        tuple(tags),
        tuple(text[stop : stop + 1].isspace() for _, stop in words),
    )
