from __future__ import annotations

import json
import lzma
import random
from pathlib import Path

import pytest

from pipeline.training import labelled
from pipeline.training.common import Corpus
from pipeline.training.labelled import epoch_sentences, training_sentences

TRAIN = [([f"w{number}", "in", "Ulm", "."], ["O", "O", "B-LOC", "O"]) for number in range(40)]
TRAIN += [([f"w{number}", "is", "here", "."], ["O"] * 4) for number in range(40)]
DEV = [TRAIN[3], TRAIN[60], (["Yes", "."], ["O", "O"])]


@pytest.fixture
def corpora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for part, rows in (("train", [*TRAIN, DEV[-1]]), ("dev", DEV)):
        with lzma.open(tmp_path / f"{part}.jsonl.xz", "wt", encoding="utf-8") as file:
            for tokens, tags in rows:
                file.write(json.dumps({"tokens": tokens, "tags": tags}) + "\n")
    monkeypatch.setattr(labelled, "catalogue", lambda: {"made": made()})
    return tmp_path


def made(copies: float = 1, nameless: float = 1.0) -> Corpus:
    return Corpus(
        "made", "en", ".", "x", "CC0", train="train", dev="dev", copies=copies, nameless=nameless
    )


def test_held_out_sentences_are_not_trained_on_but_short_ones_are(corpora: Path) -> None:
    sentences = [sentence.tokens for sentence in training_sentences(made(), corpora)]
    assert len(sentences) == 79
    assert tuple(TRAIN[3][0]) not in sentences
    assert tuple(TRAIN[60][0]) not in sentences
    assert ("Yes", ".") in sentences


def test_copies_and_the_share_without_names(corpora: Path) -> None:
    sentences = epoch_sentences(made(copies=2, nameless=0.5), random.Random(1), corpora)
    named = [sentence for sentence in sentences if "B-LOC" in sentence.tags]
    assert len(named) == 2 * 39
    assert 20 < len(sentences) - len(named) < 60


def test_a_share_is_drawn_of_what_is_taken_once(corpora: Path) -> None:
    half = epoch_sentences(made(), random.Random(1), corpora, share=0.5)
    assert len(half) == 40
    assert half != epoch_sentences(made(), random.Random(2), corpora, share=0.5)
    assert len(epoch_sentences(made(copies=2), random.Random(1), corpora, share=0.5)) == 2 * 79


def test_a_fraction_of_a_copy_is_drawn(corpora: Path) -> None:
    sentences = epoch_sentences(made(copies=1.5), random.Random(1), corpora)
    assert len(sentences) == 79 + 40
    assert sentences[:79] == training_sentences(made(), corpora)
