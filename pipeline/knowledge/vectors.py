"""What names mean, as vectors: those of translations point the same way.

A model folder (``models/meaning``) holds a few layers of an encoder that
:mod:`pipeline.training.vectors` trained, as ``model.onnx`` with its ``tokenizer.json`` and its
``model.toml``, which names the SHA-256 of the files. Without such a folder names have no vectors,
and whoever asks for them does without.
"""

from __future__ import annotations

import base64
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unicodedata import normalize

import numpy as np
import numpy.typing as npt

from pipeline.recognise.cards import (
    CARD_FILE,
    check_files,
    digest_of,
    hash_files,
    model_files,
    read_card,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MODEL_FOLDER: Final = "meaning"
"""The model's folder, beside that of the knowledge files."""
MODEL_FILE: Final = "model.onnx"
TOKENIZER_FILE: Final = "tokenizer.json"

VECTOR: Final = "vector"
"""The model's output."""
DIMENSIONS: Final = 128
MAX_PIECES: Final = 48
"""Longest input, start and end marks included; what is longer is cut."""

_STEPS: Final = 127

Vector = npt.NDArray[np.float32]
"""Whole numbers of 8 bits: what counts is the direction."""


class NameVectors:
    """The model in a folder; loaded when it is first asked."""

    def __init__(self, folder: Path) -> None:
        """Take the model in ``folder``; only its card is read.

        Raises :class:`pipeline.recognise.base.EngineUnavailable` where the card is no TOML.
        """
        self._folder = folder
        self._card = read_card(folder)
        self.digest: Final = digest_of(self._card["files"])
        """SHA-256 over the model's files, as its card has them."""

    @classmethod
    def beside(cls, knowledge_dir: Path) -> NameVectors | None:
        """Return the model that lies beside the knowledge files, None where there is none."""
        folder = knowledge_dir.parent / MODEL_FOLDER
        return cls(folder) if (folder / CARD_FILE).exists() else None

    def of(self, name: str) -> Vector:
        """Return the vector of a name, (:data:`DIMENSIONS`,), in whole numbers as it is stored.

        Raises :class:`pipeline.recognise.base.EngineUnavailable` where a file of the model is
        absent or is not the one its card was written for.
        """
        return unpack(self.packed(name))

    def packed(self, name: str) -> str:
        """Return the vector of a name as text: its numbers in 8 bits, in Base64 (RFC 4648)."""
        ids = self._tokenizer.encode(normalize("NFC", name)).ids
        inputs = np.array([ids], np.int64)
        (found,) = self._session.run(
            [VECTOR], {"input_ids": inputs, "attention_mask": np.ones_like(inputs)}
        )
        steps = np.rint(found[0] / np.abs(found[0]).max() * _STEPS).astype(np.int8)
        return base64.b64encode(steps.tobytes()).decode("ascii")

    @cached_property
    def _session(self) -> Any:
        # Most commands never ask, and these libraries take a while to load.
        from pipeline.recognise.onnx import open_session

        check_files(
            self._card, hash_files(self._folder, model_files(self._folder)), str(self._folder)
        )
        return open_session(self._folder / MODEL_FILE)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._folder / TOKENIZER_FILE))
        tokenizer.enable_truncation(MAX_PIECES)
        return tokenizer


def unpack(text: str) -> Vector:
    """Return the vector that :meth:`NameVectors.packed` wrote."""
    return np.frombuffer(base64.b64decode(text), np.int8).astype(np.float32)


def lengths(vectors: Vector) -> Vector:
    """Return the length of each of ``vectors``, (n, :data:`DIMENSIONS`): (n,)."""
    found: Vector = np.linalg.norm(vectors, axis=-1)
    return found


def cosines(some: Vector, others: Vector, lengths_of_others: Vector) -> Vector:
    """Return the cosine of each of ``some`` with each of ``others``: (of some, of others).

    The same however many are asked for at a time: sums of whole numbers so small are exact in any
    order.
    """
    found: Vector = some @ others.T
    found /= lengths(some)[:, None]
    found /= lengths_of_others
    return found
