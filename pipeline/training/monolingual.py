"""What the recipes for one language at a time share."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pipeline.recognise.cards import hash_files, model_files, write_card
from pipeline.schemas import LANGUAGES
from pipeline.training.augment import TaggedWords, augment
from pipeline.training.common import (
    CORPORA_DIR,
    Corpus,
    Part,
    catalogue,
    read_sentences,
    split_tokens,
)

SEED: Final = 20261121
LICENCE: Final = "CC BY-SA 4.0"
"""The licence of all weights trained here, whatever their corpora."""


def corpora_of(lang: str) -> list[Corpus]:
    """Return the corpora of ``lang`` that have a train part, in the order of the catalogue."""
    return [corpus for corpus in catalogue().values() if corpus.lang == lang and corpus.train]


def read_part(lang: str, part: Part, root: Path) -> list[TaggedWords]:
    """Return the sentences of ``part`` of every corpus of ``lang``, split into our words."""
    paths = [corpus.path(part, root) for corpus in corpora_of(lang)]
    return [
        split_tokens(row.tokens, row.tags)
        for path in paths
        if path is not None
        for row in read_sentences(path)
    ]


def training_sentences(lang: str, root: Path, rng: random.Random, copies: int) -> list[TaggedWords]:
    """Return the train parts of ``lang``, ``copies`` times over and each time augmented anew."""
    sentences = read_part(lang, "train", root)
    return [pair for _ in range(copies) for pair in augment(sentences, lang, rng)]


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
