"""The labelled sentences of a corpus, whoever labelled them."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

from pipeline.training.annotations import load
from pipeline.training.common import (
    CORPORA_DIR,
    Corpus,
    LabelledSentence,
    Part,
    catalogue,
    read_sentences,
)
from pipeline.training.written import read_written


def labelled_sentences(
    corpus: Corpus, part: Part, root: Path = CORPORA_DIR
) -> list[LabelledSentence] | None:
    """Return the sentences of a part with BIO tags, in order; None where there is no such part.

    Raises OSError where a file is missing, AnnotationError where our labels do not fit the text.
    """
    path = corpus.path(part, root)
    if path is None:
        return None
    if corpus.written:
        return read_written(path)
    return list(read_sentences(path)) if corpus.annotations is None else load(corpus, part, root)


@cache
def held_out(lang: str, root: Path = CORPORA_DIR) -> frozenset[tuple[str, ...]]:
    """Return the sentences, as tokens, of the dev and test parts of all corpora of ``lang``.

    Sentences of fewer than four tokens are left out: they are too common to count as seen.
    """
    parts: tuple[Part, ...] = ("dev", "test")
    return frozenset(
        sentence.tokens
        for corpus in catalogue().values()
        if corpus.lang == lang
        for part in parts
        for sentence in labelled_sentences(corpus, part, root) or ()
        if len(sentence.tokens) > 3
    )


def training_sentences(corpus: Corpus, root: Path = CORPORA_DIR) -> list[LabelledSentence]:
    """Return the train part without the sentences that are held out; empty where there is none."""
    kept_back = held_out(corpus.lang, root)
    sentences = labelled_sentences(corpus, "train", root) or []
    return [sentence for sentence in sentences if sentence.tokens not in kept_back]


def epoch_sentences(
    corpus: Corpus, rng: random.Random, root: Path = CORPORA_DIR, share: float = 1.0
) -> list[LabelledSentence]:
    """Return the training sentences of one epoch, with the copies and the share the catalogue says.

    A fraction of a copy is drawn with ``rng``, as is which of the sentences without a name are left
    out. A ``share`` below 1 draws so many of a corpus that is taken once an epoch; those taken more
    often stay whole.
    """
    sentences = training_sentences(corpus, root)
    copies = corpus.copies * share if corpus.copies == 1 else corpus.copies
    whole, fraction = divmod(copies, 1)
    drawn = sorted(rng.sample(range(len(sentences)), round(fraction * len(sentences))))
    taken = sentences * int(whole) + [sentences[number] for number in drawn]
    return [
        sentence
        for sentence in taken
        if any(tag != "O" for tag in sentence.tags) or rng.random() < corpus.nameless
    ]
