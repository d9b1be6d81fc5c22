"""Train a small spaCy pipeline that finds names in one language.

``python -m pipeline.training.spacy --lang ro --out models/spacy-ro`` reads the train and dev parts
of the language's corpora, lets spaCy train by ``spacy.cfg`` beside this file, keeps the weights
that are best on dev, and writes them to ``--out``. A stopped run goes on from its last checkpoint
in ``--work``, with the optimiser and the count of steps anew; for the weights of a run that was not
stopped, empty that folder first.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import spacy
from spacy.tokens import Doc, DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as train_nlp
from spacy.util import load_config
from spacy.vocab import Vocab

from pipeline.recognise.base import Engine
from pipeline.recognise.spacy import SpacyEngine
from pipeline.training.augment import TaggedWords
from pipeline.training.monolingual import (
    SEED,
    parse_arguments,
    read_dev,
    read_training,
    write_trained_card,
)

CONFIG: Final = Path(__file__).with_name("spacy.cfg")
COPIES: Final = 2

WEAKNESSES: Final = (
    "It knows only its corpora: no pre-trained vectors, and few sentences where a corpus is small.",
    "Organisations are found worst. There are no scores: spaCy's parser gives none.",
)

CEDILLA_SHARE: Final = 0.15
_TO_CEDILLA: Final = str.maketrans("șțȘȚ", "şţŞŢ")


def with_cedillas(sentences: Iterable[TaggedWords], rng: random.Random) -> list[TaggedWords]:
    """Write some Romanian sentences with ş and ţ, as older keyboards and some sites do."""
    return [
        ([word.translate(_TO_CEDILLA) for word in words], tags)
        if rng.random() < CEDILLA_SHARE
        else (words, tags)
        for words, tags in sentences
    ]


def to_docs(sentences: Iterable[TaggedWords], lang: str) -> DocBin:
    """Pack tagged sentences into spaCy's training format."""
    vocab: Vocab = spacy.blank(lang).vocab
    return DocBin(
        docs=[Doc(vocab, words=words, ents=tags) for words, tags in sentences if words],
        attrs=["ENT_IOB", "ENT_TYPE"],
    )


def train(lang: str, corpora: Path, work: Path, teacher: Engine | None = None) -> Path:
    """Train on the corpora of ``lang`` with spaCy's files in ``work``; return the best pipeline."""
    work.mkdir(parents=True, exist_ok=True)
    rng = random.Random(SEED)
    sentences = read_training(lang, corpora, rng, COPIES, teacher)
    if lang == "ro":
        sentences = with_cedillas(sentences, rng)
    to_docs(sentences, lang).to_disk(work / "train.spacy")
    to_docs(read_dev(lang, corpora), lang).to_disk(work / "dev.spacy")
    overrides = {
        "nlp.lang": lang,
        "system.seed": SEED,
        "paths.train": str(work / "train.spacy"),
        "paths.dev": str(work / "dev.spacy"),
    }
    config = load_config(CONFIG, overrides=overrides, interpolate=False)
    last = work / "model-last"
    if last.exists():
        config["components"]["ner"] = {"source": str(last)}
    train_nlp(init_nlp(config), work, stdout=sys.stdout, stderr=sys.stderr)
    return work / "model-best"


def export(best: Path, folder: Path) -> None:
    """Write the pipeline ``best`` to ``folder`` without training's paths and word list."""
    nlp = spacy.load(best)
    nlp.config["paths"] = dict.fromkeys(nlp.config["paths"])
    nlp.meta["name"] = "exonym"
    # The words seen in training are no part of the model: it hashes whatever it meets.
    nlp.to_disk(folder, exclude=["vocab"])


def main() -> None:
    """Parse the command line, train, and write the model with its card."""
    arguments = parse_arguments("Train a spaCy pipeline that finds names in one language.")
    best = train(arguments.lang, arguments.corpora, arguments.work, arguments.teacher)
    export(best, arguments.out)
    write_trained_card(
        arguments.out, SpacyEngine.name, arguments.lang, WEAKNESSES, arguments.teacher
    )


if __name__ == "__main__":
    main()
