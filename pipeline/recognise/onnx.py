"""The ONNX engine: a token classifier trained here, run by ONNX Runtime.

A model is a folder with ``model.onnx`` (inputs ``input_ids`` and ``attention_mask``, output
``logits``), ``tokenizer.json``, ``labels.json`` (the tags in the order of the logits) and
``model.toml``, which names the model and the SHA-256 of the other files.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime

from pipeline.recognise.base import Span
from pipeline.recognise.cards import check_files, digest_of, hash_files, model_files, read_card
from pipeline.recognise.decode import Scores, best_path, tag_runs, transition_mask
from pipeline.recognise.pieces import WordPieces
from pipeline.recognise.windows import Window, cut_windows, make_batches
from pipeline.recognise.words import split_words

MODEL_FILE: Final = "model.onnx"
TOKENIZER_FILE: Final = "tokenizer.json"
LABELS_FILE: Final = "labels.json"

MAX_PIECES: Final = 192
"""Longest input, start and end marks included: as long as in training."""

OVERLAP: Final = 48
"""Pieces that neighbouring windows of a long sentence share."""

BATCH_PIECES: Final = 1536
"""Pieces in a batch, padding included: enough to keep one core busy."""


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
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            folder / MODEL_FILE, options, providers=["CPUExecutionProvider"]
        )

    def recognise(self, sentences: Sequence[str], lang: str) -> list[list[Span]]:
        """Find the names in the sentences of one document; see ``base.Engine``.

        All languages share one model: ``lang`` changes nothing. A span's score is the mean
        probability of its words' tags.
        """
        spans = [split_words(sentence) for sentence in sentences]
        scores = self._word_scores(sentences, spans)
        return [self._names(words, logits) for words, logits in zip(spans, scores, strict=True)]

    def _word_scores(
        self, sentences: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> list[Scores]:
        """Return the logits of every sentence's words, (words, tags)."""
        encoded = [
            [self._pieces.encode(sentence[start:end]) for start, end in words]
            for sentence, words in zip(sentences, spans, strict=True)
        ]
        windows = [
            window
            for number, words in enumerate(encoded)
            for window in cut_windows(
                number, [len(word) for word in words], MAX_PIECES - 2, OVERLAP
            )
        ]
        scores = [np.zeros((len(words), len(self._tags)), np.float32) for words in encoded]
        lengths = [
            2 + sum(len(word) for word in encoded[window.sentence][window.first : window.last])
            for window in windows
        ]
        for batch in make_batches(lengths, BATCH_PIECES):
            self._run([windows[number] for number in batch], encoded, scores)
        return scores

    def _run(
        self,
        batch: Sequence[Window],
        encoded: Sequence[Sequence[tuple[int, ...]]],
        scores: Sequence[Scores],
    ) -> None:
        """Run one batch, whose first window is the longest, and store the logits in ``scores``."""
        rows, firsts = [], []
        for window in batch:
            row = [self._pieces.start]
            first_pieces = []
            for word in encoded[window.sentence][window.first : window.last]:
                first_pieces.append(len(row))
                row.extend(word)
            row.append(self._pieces.end)
            rows.append(row)
            firsts.append(first_pieces)
        ids = np.full((len(rows), len(rows[0])), self._pieces.padding, np.int64)
        mask = np.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        logits = self._session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0]
        for window, first_pieces, row_logits in zip(batch, firsts, logits, strict=True):
            kept = slice(window.keep_first - window.first, window.keep_last - window.first)
            scores[window.sentence][window.keep_first : window.keep_last] = row_logits[
                first_pieces[kept]
            ]

    def _names(self, words: Sequence[tuple[int, int]], logits: Scores) -> list[Span]:
        if not words:
            return []
        log_probability = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        path = best_path(log_probability, self._begin, self._follow)
        probability = np.exp(log_probability[np.arange(len(path)), path])
        return [
            Span(words[first][0], words[last - 1][1], label, float(probability[first:last].mean()))
            for first, last, label in tag_runs([self._tags[number] for number in path])
        ]
