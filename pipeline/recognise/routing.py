"""Which engine reads which language: routing values to loaded engines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pipeline.recognise.base import Engine, EngineUnavailable

ENGINES: Final = ("onnx", "spacy", "stanza")


def load_engines(routing: Mapping[str, str], models_dir: Path) -> dict[str, Engine]:
    """Return the engine for every language of ``routing``, each distinct model loaded once.

    A value is ``onnx:NAME``, ``spacy:NAME_OR_PATH`` or ``stanza:NAME_OR_PATH``: a folder of
    ``models_dir`` by its name, or what that engine knows by the name or path. Only the libraries of
    the engines named are imported.

    Raises EngineUnavailable where a model or library is absent, ValueError for a value that is
    none of these.
    """
    loaded: dict[str, Engine] = {}
    engines = {}
    for lang, value in routing.items():
        if value not in loaded:
            loaded[value] = load_engine(value, models_dir)
        engines[lang] = loaded[value]
    return engines


def load_engine(value: str, models_dir: Path) -> Engine:
    """Load one engine by its routing value; see :func:`load_engines`."""
    kind, _, model = value.partition(":")
    if kind not in ENGINES or not model:
        raise ValueError(f"{value!r} is no engine: write onnx:NAME, spacy:NAME or stanza:NAME")
    try:
        if kind == "onnx":
            from pipeline.recognise.onnx import OnnxEngine

            return OnnxEngine(models_dir / model)
        if kind == "spacy":
            from pipeline.recognise.spacy import SpacyEngine

            return SpacyEngine(model, models_dir)
        from pipeline.recognise.stanza import StanzaEngine

        return StanzaEngine(model, models_dir)
    except ModuleNotFoundError as error:
        raise EngineUnavailable(
            f"{value} needs the library {error.name}: pip install {error.name}"
        ) from error
