"""The ONNX engine: a token classifier trained here, run by ONNX Runtime.

A model is a folder with ``model.onnx`` (inputs ``input_ids`` and ``attention_mask``, output
``logits``), ``tokenizer.json``, ``labels.json`` (the tags in the order of the logits), where it was
calibrated ``calibration.json`` and ``shapes.json``, and ``model.toml``, which names the model and
the SHA-256 of the other files.

A model in two parts has ``upper.onnx`` as well, the layers above those of ``model.onnx``: it reads
further outputs of the lower part and gives ``logits``. It runs only where the lower part is not
sure: if each word's best tag has at least the probability ``exit_confidence`` of the card, that
answer stands (Li et al. 2021, "Accelerating BERT Inference for Sequence Labeling via Early-Exit",
for whole sentences).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime

from pipeline.recognise.base import Span
from pipeline.recognise.calibration import Calibration
from pipeline.recognise.cards import check_files, digest_of, hash_files, model_files, read_card
from pipeline.recognise.decode import Scores, best_path, tag_runs, transition_mask
from pipeline.recognise.pieces import WordPieces
from pipeline.recognise.shapes import ShapeCorrection
from pipeline.recognise.windows import cut_windows
from pipeline.recognise.words import split_words

MODEL_FILE: Final = "model.onnx"
UPPER_FILE: Final = "upper.onnx"
TOKENIZER_FILE: Final = "tokenizer.json"
LABELS_FILE: Final = "labels.json"
CALIBRATION_FILE: Final = "calibration.json"
SHAPES_FILE: Final = "shapes.json"

MAX_PIECES: Final = 192
"""Longest input, start and end marks included: as long as in training."""

SLOWER_FUSIONS: Final = ["SkipLayerNormFusion"]
"""What ONNX Runtime would fuse and thereby slow down: on a CPU, the sum and the norm after it take
a fifth of the time apart."""

OVERLAP: Final = 48
"""Pieces that neighbouring windows of a long sentence share."""


class OnnxEngine:
    """Names by a token classifier over sub-word pieces."""

    name: Final = "onnx"

    def __init__(self, folder: Path) -> None:
        """Load the model in ``folder``.

        Raises EngineUnavailable where a file is absent or is not the one the card was written for.
        """
        card = read_card(folder)
        hashes = hash_files(folder, model_files(folder))
        check_files(card, hashes, str(folder))
        self.model: Final = str(card["name"])
        self.sha256: Final = digest_of(hashes)
        self._tags: list[str] = json.loads((folder / LABELS_FILE).read_text(encoding="utf-8"))
        self._begin, self._follow = transition_mask(self._tags)
        self._pieces = WordPieces.from_file(folder / TOKENIZER_FILE)
        self._calibration = Calibration.from_file(folder / CALIBRATION_FILE)
        self._shapes = ShapeCorrection.from_file(folder / SHAPES_FILE)
        self._outside = self._tags.index("O")
        self._session = open_session(folder / MODEL_FILE)
        self._upper: onnxruntime.InferenceSession | None = None
        self._outputs = ["logits"]
        self._exit_at = -math.inf
        if UPPER_FILE in hashes:
            self._upper = open_session(folder / UPPER_FILE)
            self._outputs += [tensor.name for tensor in self._upper.get_inputs()]
            self._exit_at = math.log(card["exit_confidence"])

    def recognise(self, sentences: Sequence[str], lang: str) -> list[list[Span]]:
        """Find the names in the sentences of one document; see ``base.Engine``.

        All languages share one model; ``lang`` says only what the shapes of words mean. Each
        sentence goes through alone: 8-bit models take the scale of their activations from the whole
        batch, so what shares one would change the answer, and padding would cost more time than
        batches save on one core. A span's score is the mean probability of its words' tags,
        calibrated.
        """
        return [self._names(sentence, lang) for sentence in sentences]

    def _names(self, sentence: str, lang: str) -> list[Span]:
        words = split_words(sentence)
        if not words:
            return []
        scores = self.tag_scores(sentence, words)
        surfaces = [sentence[i:j] for i, j in words]
        return self.spans(words, self._shapes.apply(scores, self._outside, surfaces, lang))

    def tag_scores(self, sentence: str, words: Sequence[tuple[int, int]]) -> Scores:
        """Return the logarithms of the tags' probabilities, (words, tags), by the network alone.

        ``words`` are the offsets of the words of ``sentence``, at least one.
        """
        return self._word_scores([self._pieces.encode(sentence[i:j]) for i, j in words])

    def spans(self, words: Sequence[tuple[int, int]], scores: Scores) -> list[Span]:
        """Return the names by what :meth:`tag_scores` returned, in order."""
        path = best_path(scores, self._begin, self._follow)
        probability = np.exp(scores[np.arange(len(path)), path])
        return [
            Span(
                words[first][0],
                words[last - 1][1],
                label,
                self._calibration.apply(float(probability[first:last].mean())),
            )
            for first, last, label in tag_runs([self._tags[number] for number in path])
        ]

    def _word_scores(self, words: Sequence[Sequence[int]]) -> Scores:
        """Return the tag scores of a sentence's words, given the pieces of each."""
        windows = cut_windows([len(word) for word in words], MAX_PIECES - 2, OVERLAP)
        scores = [
            self._window_scores(words[window.first : window.last])[
                window.keep_first - window.first : window.keep_last - window.first
            ]
            for window in windows
        ]
        return np.concatenate(scores)

    def _window_scores(self, words: Sequence[Sequence[int]]) -> Scores:
        """Return the tag scores of words that go through the model together."""
        ids = [self._pieces.start]
        first_pieces = []
        for word in words:
            first_pieces.append(len(ids))
            ids.extend(word)
        ids.append(self._pieces.end)
        inputs = {
            "input_ids": np.array([ids], np.int64),
            "attention_mask": np.ones((1, len(ids)), np.int64),
        }
        logits, *states = self._session.run(self._outputs, inputs)
        scores = _log_probability(logits[0][first_pieces])
        if self._upper is None or scores.max(axis=1).min() >= self._exit_at:
            return scores
        (logits,) = self._upper.run(["logits"], dict(zip(self._outputs[1:], states, strict=True)))
        return _log_probability(logits[0][first_pieces])


def _log_probability(logits: Scores) -> Scores:
    """Return the logarithms of the tags' probabilities; both arrays are (words, tags)."""
    result: Scores = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return result


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """Open an ONNX file for one thread, with the fusions that pay on a CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        path,
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=SLOWER_FUSIONS,
    )
