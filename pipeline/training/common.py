"""Reading the labelled corpora."""

from __future__ import annotations

import json
import lzma
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pipeline.recognise.words import split_words

CORPORA_DIR: Final = Path("../shared/corpora")
"""Where the corpora lie, relative to the repository root."""

ANNOTATIONS_DIR: Final = Path("models/annotations")
"""Where labels made for corpora without any lie, relative to the repository root."""

Part = Literal["train", "dev", "test"]


@dataclass(frozen=True, slots=True)
class Corpus:
    """One corpus of the catalogue ``corpora.toml``.

    ``annotations`` names the folder of its labels where they are ours, kept apart from its text;
    ``written`` says that the text is ours as well.
    Training takes every sentence ``copies`` times an epoch, but of those without a name only a
    ``nameless`` share.
    """

    name: str
    lang: str
    folder: str
    source: str
    licence: str
    train: str | None = None
    dev: str | None = None
    test: str | None = None
    annotations: str | None = None
    written: bool = False
    copies: float = 1
    nameless: float = 1.0

    def path(self, part: Part, root: Path = CORPORA_DIR) -> Path | None:
        """Return the file of ``part``, or None where the corpus has no such part."""
        stem = {"train": self.train, "dev": self.dev, "test": self.test}[part]
        if self.written and stem is not None:
            return ANNOTATIONS_DIR / self.folder / f"{stem}.txt"
        return None if stem is None else root / self.folder / f"{stem}.jsonl.xz"

    def annotation_path(self, part: Part, root: Path = ANNOTATIONS_DIR) -> Path | None:
        """Return the file of our labels for ``part``, or None where there are none."""
        if self.annotations is None or self.path(part) is None:
            return None
        return root / self.annotations / f"{part}.tsv"


@dataclass(frozen=True, slots=True)
class LabelledSentence:
    """One sentence of a corpus: its tokens, their BIO tags, and whether a space follows each."""

    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    space_after: tuple[bool, ...]


@cache
def catalogue() -> dict[str, Corpus]:
    """Return every corpus by name."""
    text = Path(__file__).with_name("corpora.toml").read_text(encoding="utf-8")
    return {name: Corpus(name=name, **entry) for name, entry in tomllib.loads(text).items()}


def read_sentences(path: Path) -> Iterator[LabelledSentence]:
    """Yield the sentences of a corpus file, xz-compressed JSON lines, in order.

    Where a row says nothing about spaces, one is taken to follow every token.
    """
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            tokens = tuple(row["tokens"])
            spaces = tuple(row.get("space_after") or [True] * len(tokens))
            yield LabelledSentence(tokens, tuple(row["tags"]), spaces)


def split_tokens(tokens: Sequence[str], tags: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split corpus tokens into words as :func:`split_words` does, carrying the BIO tags along.

    The first word of a token takes its tag; later ones continue the name, so that ``B-LOC`` on
    ``U.S.`` becomes B-LOC, I-LOC, I-LOC, I-LOC. A token without visible characters disappears.
    """
    words: list[str] = []
    word_tags: list[str] = []
    for token, tag in zip(tokens, tags, strict=True):
        for number, (start, end) in enumerate(split_words(token)):
            words.append(token[start:end])
            word_tags.append("I-" + tag[2:] if number and tag != "O" else tag)
    return words, word_tags
