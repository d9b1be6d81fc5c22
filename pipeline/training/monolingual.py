"""What the recipes for one language at a time share."""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from pipeline.recognise.cards import hash_files, model_files, write_card
from pipeline.schemas import LANGUAGES
from pipeline.training.augment import TaggedWords, augment
from pipeline.training.common import (
    CORPORA_DIR,
    Corpus,
    LabelledSentence,
    catalogue,
    split_tokens,
)
from pipeline.training.labelled import labelled_sentences, training_sentences

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


def read_training(lang: str, root: Path, rng: random.Random, copies: int) -> list[TaggedWords]:
    """Return the train parts of ``lang``, ``copies`` times over and each time augmented anew."""
    sentences = [
        pair for corpus in corpora_of(lang) for pair in _split(training_sentences(corpus, root))
    ]
    return [pair for _ in range(copies) for pair in augment(sentences, lang, rng)]


def _split(sentences: Iterable[LabelledSentence]) -> list[TaggedWords]:
    return [split_tokens(sentence.tokens, sentence.tags) for sentence in sentences]


def write_trained_card(folder: Path, engine: str, lang: str, weaknesses: Sequence[str]) -> None:
    """Write the card of the model that the recipe of ``engine`` left in ``folder``."""
    write_card(
        folder,
        {
            "name": folder.name,
            "engine": engine,
            "languages": [lang],
            "licence": LICENCE,
            "command": f"python -m pipeline.training.{engine} --lang {lang} --out {folder}",
            "weaknesses": list(weaknesses),
            "seed": SEED,
            "corpora": {
                corpus.name: f"{corpus.source}; {corpus.licence}" for corpus in corpora_of(lang)
            },
            "files": hash_files(folder, model_files(folder)),
        },
    )


def parse_arguments(description: str) -> argparse.Namespace:
    """Parse the command line of a recipe: ``lang``, ``out``, ``work`` and ``corpora``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--lang", choices=LANGUAGES, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished model")
    parser.add_argument("--work", type=Path, help="folder for what training leaves [work/NAME]")
    parser.add_argument("--corpora", type=Path, default=CORPORA_DIR)
    arguments = parser.parse_args()
    arguments.work = arguments.work or Path("work") / arguments.out.name
    return arguments
