"""What the recipes for one language at a time share."""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final

from pipeline.recognise.base import Engine
from pipeline.recognise.cards import hash_files, model_files, write_card
from pipeline.recognise.onnx import OnnxEngine
from pipeline.schemas import LABELS, LANGUAGES
from pipeline.training.augment import TaggedWords, augment
from pipeline.training.common import (
    CORPORA_DIR,
    Corpus,
    LabelledSentence,
    catalogue,
    split_tokens,
)
from pipeline.training.labelled import labelled_sentences, training_sentences
from pipeline.training.swap import names_of, swap_names

SEED: Final = 20261121
LICENCE: Final = "CC BY-SA 4.0"
"""The licence of all weights trained here, whatever their corpora."""


def corpora_of(lang: str) -> list[Corpus]:
    """Return the corpora of ``lang`` that have a train part, in the order of the catalogue."""
    return [corpus for corpus in catalogue().values() if corpus.lang == lang and corpus.train]


def read_dev(lang: str, root: Path) -> list[TaggedWords]:
    """Return the dev parts of every corpus of ``lang``, split into our words."""
    return [
        pair
        for corpus in corpora_of(lang)
        for pair in _split(labelled_sentences(corpus, "dev", root) or [])
    ]


def read_training(
    lang: str, root: Path, rng: random.Random, copies: int, teacher: Engine | None = None
) -> list[TaggedWords]:
    """Return the train parts of ``lang``, ``copies`` times over and each time augmented anew.

    With a ``teacher`` every copy holds the sentences a second time, by :func:`taught`.
    """
    sentences = [
        pair for corpus in corpora_of(lang) for pair in _split(training_sentences(corpus, root))
    ]
    training: list[TaggedWords] = []
    for _ in range(copies):
        silver = [] if teacher is None else taught(sentences, lang, teacher, rng)
        training += augment([*sentences, *silver], lang, rng)
    return training


def taught(
    sentences: Iterable[TaggedWords], lang: str, teacher: Engine, rng: random.Random
) -> list[TaggedWords]:
    """Return the sentences with other names in them, tagged by ``teacher``.

    So a small model learns from a large one what names look like that no corpus holds (Hinton et
    al. 2015, "Distilling the Knowledge in a Neural Network", by the likeliest tags alone).
    """
    names, all_of_them = names_of(lang), dict.fromkeys(LABELS, 1.0)
    result = []
    for sentence in sentences:
        words, _ = swap_names(sentence, lang, names, rng, all_of_them)
        starts = [0, *accumulate(len(word) + 1 for word in words)]
        (spans,) = teacher.recognise([" ".join(words)], lang)
        tags = ["O"] * len(words)
        for span in spans:
            inside = [n for n in range(len(words)) if span.start <= starts[n] < span.end]
            for number in inside:
                tags[number] = f"{'B' if number == inside[0] else 'I'}-{span.label}"
        result.append((words, tags))
    return result


def _split(sentences: Iterable[LabelledSentence]) -> list[TaggedWords]:
    return [split_tokens(sentence.tokens, sentence.tags) for sentence in sentences]


def write_trained_card(
    folder: Path,
    engine: str,
    lang: str,
    weaknesses: Sequence[str],
    teacher: Engine | None = None,
) -> None:
    """Write the card of the model that the recipe of ``engine`` left in ``folder``."""
    command = f"python -m pipeline.training.{engine} --lang {lang} --out {folder}"
    if teacher is not None:
        command += f" --teacher models/{teacher.model}"
    write_card(
        folder,
        {
            "name": folder.name,
            "engine": engine,
            "languages": [lang],
            "licence": LICENCE,
            "command": command,
            "weaknesses": list(weaknesses),
            "seed": SEED,
            "corpora": {
                corpus.name: f"{corpus.source}; {corpus.licence}" for corpus in corpora_of(lang)
            },
            "files": hash_files(folder, model_files(folder)),
        },
    )


def parse_arguments(description: str) -> argparse.Namespace:
    """Parse the command line of a recipe: ``lang``, ``out``, ``work``, ``corpora``, ``teacher``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--lang", choices=LANGUAGES, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished model")
    parser.add_argument("--work", type=Path, help="folder for what training leaves [work/NAME]")
    parser.add_argument("--corpora", type=Path, default=CORPORA_DIR)
    parser.add_argument("--teacher", type=Path, help="folder of an ONNX model that tags more text")
    arguments = parser.parse_args()
    arguments.teacher = arguments.teacher and OnnxEngine(arguments.teacher)
    arguments.work = arguments.work or Path("work") / arguments.out.name
    return arguments
