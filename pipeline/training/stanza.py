"""Train a small Stanza named-entity tagger for one language.

``python -m pipeline.training.stanza --lang tr --out models/stanza-tr`` lets Stanza's own tagger
(BiLSTM over word vectors and a character LSTM, CRF on top; Qi et al. 2018, Akbik et al. 2018
without the character language model) learn from the train parts of the language's corpora, keeps
the weights that are best on dev, and writes them to ``--out`` beside the word vectors they need.
A stopped run goes on from its best checkpoint in ``--work``, with the optimiser and the count of
steps anew; for the weights of a run that was not stopped, empty that folder first.

The word vectors are the input embeddings of the encoder, averaged over a word's pieces and reduced
by principal components. They stay as they are in training, and words met once in training have
none: so the tagger learns what to do with words that it has never seen.
"""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from safetensors import safe_open
from stanza.models import ner_tagger
from stanza.models.common.pretrain import PretrainedWordVocab
from stanza.models.common.vocab import VOCAB_PREFIX
from tokenizers import Tokenizer

from pipeline.recognise.base import Engine
from pipeline.recognise.pieces import WordPieces
from pipeline.recognise.stanza import MODEL_FILE, StanzaEngine
from pipeline.training.augment import TaggedWords
from pipeline.training.monolingual import (
    SEED,
    parse_arguments,
    read_dev,
    read_training,
    write_trained_card,
)

ENCODER: Final = Path("../shared/encoder")
VECTORS_FILE: Final = "vectors.pt"
DIMENSIONS: Final = 128
LEAST_COUNT: Final = 2
"""How often a word must stand in the train parts to have a vector of its own."""
SPREAD: Final = 0.3
"""Root mean square of the vectors' values, about that of the character LSTM's."""
_WORD_START: Final = "▁"

RECIPE: Final[Sequence[str]] = (
    *("--optim", "adam", "--lr", "0.002", "--lr_decay", "0.5", "--patience", "1"),
    *("--min_lr", "0.0002", "--batch_size", "32", "--dropout", "0.3", "--word_dropout", "0.02"),
    *("--hidden_dim", "128", "--char_hidden_dim", "48", "--char_emb_dim", "32"),
    *("--no_emb_finetune", "--eval_interval", "250", "--log_step", "50", "--max_steps", "3250"),
)
"""Options of Stanza's tagger; see ``python -m stanza.models.ner_tagger --help``."""

WEAKNESSES: Final = (
    "It is small, and has no character language model as Stanza's own taggers have.",
    "Organisations are found worst. There are no scores: Stanza gives none.",
)

PATH_OPTIONS: Final = ("_dir", "_file")
"""Endings of the names of options that hold paths."""


def surface_counts(sentences: Iterable[TaggedWords]) -> dict[str, Counter[str]]:
    """Count, for every lower-cased word, the spellings it stands in."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for words, _ in sentences:
        for word in words:
            counts[word.lower()][word] += 1
    return counts


def word_vectors(
    counts: Mapping[str, Counter[str]], encoder: Path
) -> tuple[list[str], npt.NDArray[np.float16]]:
    """Return lower-cased words and their vectors, float16 of shape (words, DIMENSIONS).

    The words are those met at least LEAST_COUNT times and those that are one piece of the encoder.
    A word's vector is the mean over its spellings, each the mean of its pieces' input embeddings,
    projected on the principal components of all of them.
    """
    tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    pieces = WordPieces(tokenizer)
    with safe_open(encoder / "model.safetensors", framework="np") as file:
        embeddings = file.get_tensor("embeddings.word_embeddings.weight").astype(np.float32)
    spellings = {
        word: counter for word, counter in counts.items() if counter.total() >= LEAST_COUNT
    }
    for piece in tokenizer.get_vocab():
        word = piece.removeprefix(_WORD_START)
        if piece.startswith(_WORD_START) and word.isalpha() and word.lower() not in counts:
            spellings.setdefault(word.lower(), Counter())[word] = 1
    words = sorted(spellings)
    vectors = np.stack([_mean_vector(spellings[word], pieces, embeddings) for word in words])
    vectors -= vectors.mean(axis=0)
    _, directions = np.linalg.eigh(vectors.T @ vectors)
    projected = vectors @ directions[:, ::-1][:, :DIMENSIONS]
    projected *= SPREAD / np.sqrt(np.mean(projected**2))
    return words, projected.astype(np.float16)


def _mean_vector(
    spellings: Counter[str], pieces: WordPieces, embeddings: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    means = [embeddings[list(pieces.encode(spelling))].mean(axis=0) for spelling in spellings]
    mean: npt.NDArray[np.float32] = np.average(means, axis=0, weights=list(spellings.values()))
    return mean.astype(np.float32)


def save_vectors(words: Sequence[str], vectors: npt.NDArray[np.float16], path: Path) -> None:
    """Write word vectors as Stanza's ``Pretrain`` reads them."""
    special = np.zeros((len(VOCAB_PREFIX), vectors.shape[1]), dtype=np.float16)
    emb = torch.from_numpy(np.concatenate([special, vectors]))
    torch.save({"vocab": PretrainedWordVocab(list(words)).state_dict(), "emb": emb}, path)


def save_sentences(sentences: Iterable[TaggedWords], path: Path) -> None:
    """Write tagged sentences as Stanza's tagger reads them: JSON, a list of lists of tokens."""
    rows = [
        [{"text": word, "ner": tag} for word, tag in zip(words, tags, strict=True)]
        for words, tags in sentences
        if words
    ]
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")


def train(
    lang: str, corpora: Path, encoder: Path, work: Path, teacher: Engine | None = None
) -> None:
    """Train on the corpora of ``lang``; leave checkpoint and vectors in ``work``."""
    work.mkdir(parents=True, exist_ok=True)
    sentences = read_training(lang, corpora, random.Random(SEED), 1, teacher)
    save_vectors(*word_vectors(surface_counts(sentences), encoder), work / VECTORS_FILE)
    save_sentences(sentences, work / "train.json")
    save_sentences(read_dev(lang, corpora), work / "dev.json")
    checkpoint = work / MODEL_FILE
    resume = ("--finetune", "--finetune_load_name", str(checkpoint)) if checkpoint.exists() else ()
    ner_tagger.main(
        [
            *RECIPE,
            *resume,
            *(
                "--seed",
                str(SEED),
                "--cpu",
                "--shorthand",
                f"{lang}_exonym",
                "--save_dir",
                str(work),
            ),
            *("--save_name", MODEL_FILE, "--wordvec_pretrain_file", str(work / VECTORS_FILE)),
            *("--train_file", str(work / "train.json"), "--eval_file", str(work / "dev.json")),
        ]
    )


def export(work: Path, folder: Path) -> None:
    """Write the tagger in ``work`` to ``folder``, in half precision, with its vectors beside it.

    The fine-tuning vectors are left out, which were not trained and are zero, and so are the paths
    and options of training.
    """
    saved = torch.load(work / MODEL_FILE, map_location="cpu", weights_only=True)
    weights = {
        name: value.half() if value.is_floating_point() else value
        for name, value in saved["model"].items()
        if not name.startswith("delta_emb.")
    }
    vocabulary = {name: value for name, value in saved["vocab"].items() if name != "delta"}
    vocabulary["_key2class"].pop("delta")
    config = {
        name: value for name, value in saved["config"].items() if not name.endswith(PATH_OPTIONS)
    }
    config |= {"wordvec_pretrain_file": VECTORS_FILE, "save_name": MODEL_FILE}
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(work / VECTORS_FILE, folder / VECTORS_FILE)
    torch.save({"model": weights, "vocab": vocabulary, "config": config}, folder / MODEL_FILE)


def main() -> None:
    """Parse the command line, train, and write the model with its card."""
    arguments = parse_arguments("Train a Stanza named-entity tagger for one language.")
    torch.set_num_threads(1)
    train(arguments.lang, arguments.corpora, ENCODER, arguments.work, arguments.teacher)
    export(arguments.work, arguments.out)
    write_trained_card(
        arguments.out, StanzaEngine.name, arguments.lang, WEAKNESSES, arguments.teacher
    )


if __name__ == "__main__":
    main()
