"""What every recognition engine is: the one protocol behind spaCy, Stanza and ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.errors import UsageError


class EngineUnavailable(UsageError):  # noqa: N818
    """A model cannot be used here; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Span:
    """A name in a sentence.

    ``start`` and ``end`` are code points into the sentence, end exclusive; ``label`` is PER, LOC or
    ORG; ``score`` is between 0 and 1, or None where the engine gives none.
    """

    start: int
    end: int
    label: str
    score: float | None = None


class Engine(Protocol):
    """A loaded model that finds names."""

    @property
    def name(self) -> str:
        """Return the engine: ``onnx``, ``spacy`` or ``stanza``."""
        ...

    @property
    def model(self) -> str:
        """Return the model's name."""
        ...

    @property
    def sha256(self) -> str:
        """Return the checksum of the model's files, 64 hex digits."""
        ...

    def recognise(self, sentences: Sequence[str], lang: str) -> list[list[Span]]:
        """Find the names in the sentences of one document, all in one language.

        Returns one list a sentence, its spans in order and without overlap. The answer depends on
        these sentences alone.
        """
        ...
