"""The models that recognise names: which there are, whether they are whole, and registering more.

Nothing here loads a model but :func:`add`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.errors import UsageError
from pipeline.recognise.base import EngineUnavailable
from pipeline.recognise.cards import (
    CARD_FILE,
    differing_files,
    digest_of,
    hash_files,
    locate,
    model_files,
    read_card,
    write_card,
)
from pipeline.recognise.labels import to_label
from pipeline.recognise.routing import ENGINES
from pipeline.training.common import catalogue

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Model:
    """A model on disk: its name, its files (relative to ``folder``), and its card if it has one."""

    engine: str
    name: str
    folder: Path
    files: Sequence[str]
    card: Mapping[str, Any] | None

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every file by its name."""
        return hash_files(self.folder, self.files)


def find_model(value: str, models_dir: Path) -> Model:
    """Return the model of a routing value such as ``onnx:joint`` or ``spacy:ro_core_news_sm``.

    Raises UsageError, with the remedy, where it is absent or the value names no engine.
    """
    engine, _, reference = value.partition(":")
    if engine not in ENGINES or not reference:
        raise UsageError(f"'{value}' is no model: write onnx:NAME, spacy:NAME or stanza:NAME")
    try:
        source, card = locate(reference, models_dir)
        folder, files = _files_of(engine, source, models_dir)
    except EngineUnavailable as error:
        raise UsageError(str(error)) from error
    name = str(card["name"]) if card else reference.rstrip("/").rpartition("/")[2]
    return Model(engine, name, folder, files, card)


def list_models(models_dir: Path, routing: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a row for every language of ``routing``.

    Columns: lang, engine, model, licence, size_mb, f1 (exact-span micro F1 by test corpus), and
    sha256: ``ok``, ``differs``, ``no card`` (a package without checksums to compare with), or what
    to do where the model is absent.
    """
    rows = []
    for lang, value in routing.items():
        engine, _, reference = value.partition(":")
        row: dict[str, Any] = {"lang": lang, "engine": engine, "model": reference}
        try:
            model = find_model(value, models_dir)
        except UsageError as error:
            rows.append({**row, "licence": "", "size_mb": None, "f1": "", "sha256": str(error)})
            continue
        size = sum((model.folder / file).stat().st_size for file in model.files)
        rows.append(
            {
                **row,
                "model": model.name,
                "licence": _licence(model),
                "size_mb": round(size / 1e6, 1),
                "f1": _test_f1(model, lang),
                "sha256": _state(model),
            }
        )
    return rows


def verify(models_dir: Path) -> list[dict[str, str]]:
    """Compare every file of every model in ``models_dir`` with the model's card.

    Returns rows of model, file and state: ``ok``, ``changed``, ``missing``, or ``extra`` for a
    file the card does not name.
    """
    rows = []
    for folder in sorted(path.parent for path in models_dir.glob(f"*/{CARD_FILE}")):
        card = read_card(folder)
        try:
            hashes = _hashes(card, folder, models_dir)
        except UsageError:
            states = dict.fromkeys(card["files"], "missing")
        else:
            states = dict.fromkeys(hashes, "ok") | differing_files(card["files"], hashes)
        rows += [
            {"model": folder.name, "file": file, "state": states[file]} for file in sorted(states)
        ]
    return rows


def _hashes(card: Mapping[str, Any], folder: Path, models_dir: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of the model whose card lies in ``folder``.

    Raises UsageError where a model that was registered is no longer where its card says.
    """
    if card["engine"] in ENGINES:
        return find_model(f"{card['engine']}:{folder.name}", models_dir).hashes()
    return hash_files(folder, model_files(folder))  # it recognises no names: models/meaning


def checksums(routing: Mapping[str, str], models_dir: Path) -> list[tuple[str, str, str, str]]:
    """Return language, engine, model name and SHA-256 of every model of ``routing``, in its order.

    The checksum is one over the names and contents of all the model's files. Raises UsageError,
    with the remedy, where a model is absent.
    """
    known: dict[str, tuple[str, str, str]] = {}
    for value in routing.values():
        if value not in known:
            model = find_model(value, models_dir)
            known[value] = (model.engine, model.name, digest_of(model.hashes()))
    return [(lang, *known[value]) for lang, value in routing.items()]


def add(
    models_dir: Path, name: str, value: str, languages: Sequence[str], licence: str = "unknown"
) -> str:
    """Register the spaCy or Stanza model ``value`` under ``name`` and say how its labels map.

    The model is loaded once to see that it works. Its files stay where they are; what is written is
    ``models_dir/name/model.toml`` with their checksums, and ``spacy:NAME`` or ``stanza:NAME`` can
    stand in the routing then.

    Raises UsageError where ``name`` is taken or no folder's name, the engine is neither of the
    two, or the model does not load or finds no persons, places or organisations.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"'{name}' is no name: use small letters, digits, '.', '_' and '-'")
    folder = models_dir / name
    if folder.exists():
        raise UsageError(f"{folder} is there already: choose another name, or remove it first")
    engine, _, source = value.partition(":")
    if engine not in ("spacy", "stanza"):
        raise UsageError(f"'{value}': only spacy:PACKAGE_OR_PATH and stanza:PATH can be added")
    model = find_model(value, models_dir)
    try:
        labels = _labels(engine, source, models_dir)
    except EngineUnavailable as error:
        raise UsageError(str(error)) from error
    mapping = {label: to_label(label) for label in labels}
    if not any(mapping.values()):
        raise UsageError(f"{value} finds no persons, places or organisations: {', '.join(labels)}")
    folder.mkdir(parents=True)
    write_card(
        folder,
        {
            "name": name,
            "engine": engine,
            "languages": list(languages),
            "licence": licence,
            "source": str(Path(source).resolve()) if Path(source).exists() else source,
            "files": model.hashes(),
        },
    )
    lines = [f"{name}: {len(model.files)} files; route to it with {engine}:{name}"]
    return "\n".join([*lines, *(f"{theirs} -> {ours or '-'}" for theirs, ours in mapping.items())])


def _files_of(engine: str, source: str, models_dir: Path) -> tuple[Path, list[str]]:
    """Return the folder of a model's files and their names in it; raises EngineUnavailable."""
    if engine == "spacy":
        from pipeline.recognise.spacy import pipeline_folder

        folder = pipeline_folder(source)
        return folder, model_files(folder)
    if engine == "stanza":
        from pipeline.recognise.stanza import find_files

        files = find_files(source)
        return files.folder, files.names
    folder = Path(source)
    if not (folder / CARD_FILE).is_file():
        raise EngineUnavailable(f"there is no model {source} in {models_dir}: correct the routing")
    return folder, model_files(folder)


def _labels(engine: str, source: str, models_dir: Path) -> list[str]:
    """Load a spaCy or Stanza model and return its own labels; raises EngineUnavailable."""
    if engine == "spacy":
        from pipeline.recognise.spacy import SpacyEngine

        return SpacyEngine(source, models_dir).labels
    from pipeline.recognise.stanza import StanzaEngine

    return StanzaEngine(source, models_dir).labels


def _state(model: Model) -> str:
    if model.card is None:
        return "no card"
    return "differs" if differing_files(model.card["files"], model.hashes()) else "ok"


def _licence(model: Model) -> str:
    """Return the licence that the card names, or else a spaCy package's own description."""
    described = model.card or _package_description(model.folder)
    return str(described.get("licence") or described.get("license") or "unknown")


def _package_description(folder: Path) -> Mapping[str, Any]:
    path = folder / "meta.json"
    if not path.is_file():
        return {}
    description: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return description


def _test_f1(model: Model, lang: str) -> str:
    """Return what the card says of the test parts of a language's corpora."""
    if model.card is None:
        return ""
    by_corpus = model.card.get("f1", {}).get("test", {})
    return ", ".join(
        f"{f1:.3f} {corpus}" for corpus, f1 in by_corpus.items() if catalogue()[corpus].lang == lang
    )
