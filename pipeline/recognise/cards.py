"""The card of a model: the ``model.toml`` that names it, its licence and its files' checksums.

Keys: ``name``, ``engine``, ``languages``, ``licence``; for a model trained here also the
``command`` that does it, ``corpora`` (source and licence by name) and ``f1`` (exact-span micro F1,
0 to 1, by part and corpus); for a registered one ``source``, the name or path by which its engine
finds it. ``files`` holds the SHA-256 of every file by its path, relative to where the files lie.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from pipeline.recognise.base import EngineUnavailable
from pipeline.recognise.checksum import sha256_of

MODELS_DIR: Final = Path("models")
"""Where the models lie, relative to the repository root."""

CARD_FILE: Final = "model.toml"
README_FILE: Final = "README.md"


def read_card(folder: Path) -> dict[str, Any]:
    """Return what the card in ``folder`` says; raises EngineUnavailable where there is none."""
    try:
        return tomllib.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EngineUnavailable(
            f"no model in {folder}: it has no {CARD_FILE}; check the routing, or take the folder "
            "from the repository again"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EngineUnavailable(
            f"{folder / CARD_FILE} is no TOML: {error}; take it from the repository again"
        ) from None


def locate(reference: str, models_dir: Path) -> tuple[str, dict[str, Any] | None]:
    """Return the source of the model that a routing value refers to, and its card where it has one.

    ``reference`` is a folder with a card, by its name in ``models_dir`` or by its path, and the
    source is then that folder or what the card names; anything else is a source itself.
    """
    for folder in (models_dir / reference, Path(reference)):
        if (folder / CARD_FILE).is_file():
            card = read_card(folder)
            return str(card.get("source", folder)), card
    return reference, None


def differing_files(expected: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """Return ``missing``, ``changed`` or ``extra`` for every file that is not as the card says.

    Both arguments map a file's name to its SHA-256.
    """
    states = {}
    for file in sorted({*expected, *found}):
        if file not in found:
            states[file] = "missing"
        elif file not in expected:
            states[file] = "extra"
        elif expected[file] != found[file]:
            states[file] = "changed"
    return states


def check_files(card: Mapping[str, Any] | None, hashes: Mapping[str, str], source: str) -> None:
    """Compare the checksums of a model's files with its card; raises EngineUnavailable."""
    if card is None:
        return
    for file, state in differing_files(card["files"], hashes).items():
        raise EngineUnavailable(
            f"{file} of {source} is {state}, says its {CARD_FILE}: take the model from the "
            "repository again, or register it anew"
        )


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write ``card``: strings, numbers, lists of strings, and tables of these."""
    (folder / CARD_FILE).write_text("\n".join(_toml_lines(card, ())) + "\n", encoding="utf-8")


def model_files(folder: Path) -> list[str]:
    """Return the files that make up the model in ``folder``, as sorted relative paths.

    The card and its README are no part of it, nor is what Python compiles for itself.
    """
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(
        path.as_posix()
        for path in paths
        if path.as_posix() not in (CARD_FILE, README_FILE) and "__pycache__" not in path.parts
    )


def hash_files(folder: Path, files: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of every one of ``files``, given relative to ``folder``."""
    return {file: sha256_of(folder / file) for file in files}


def digest_of(hashes: Mapping[str, str]) -> str:
    """Return one SHA-256 over the names and checksums of several files, whatever their order."""
    lines = (f"{hashes[file]}  {file}\n" for file in sorted(hashes))
    return sha256("".join(lines).encode()).hexdigest()


def _toml_lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterable[str]:
    """Write plain values first, then a table for every mapping.

    A string, number or list of strings looks the same in JSON and in TOML.
    """
    for key, value in table.items():
        if not isinstance(value, Mapping):
            yield f"{_key(key)} = {json.dumps(value, ensure_ascii=False)}"
    for key, value in table.items():
        if isinstance(value, Mapping):
            if not all(isinstance(item, Mapping) for item in value.values()):
                yield f"\n[{'.'.join(map(_key, (*path, key)))}]"
            yield from _toml_lines(value, (*path, key))


def _key(key: str) -> str:
    is_bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if is_bare else json.dumps(key, ensure_ascii=False)
