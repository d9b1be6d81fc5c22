"""One reader a format, one module a reader.

A module of this package that holds a ``READER`` is a format: to add one, add a file. Nothing else
has to know of it.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Final

from pipeline.ingest.readers.base import Reader


def _readers() -> dict[str, Reader]:
    """Return every reader by each of its suffixes, longest suffix first."""
    modules = [
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    ]
    readers: list[Reader] = [module.READER for module in modules if hasattr(module, "READER")]
    by_suffix = {suffix: reader for reader in readers for suffix in reader.suffixes}
    return dict(sorted(by_suffix.items(), key=lambda item: (-len(item[0]), item[0])))


_READERS: Final = _readers()

SUFFIXES: Final = tuple(sorted(_READERS))
"""The endings of file names that can be read."""


def reader_of(path: str) -> Reader | None:
    """Return the reader for a file of this name, upper or lower case, or None."""
    name = path.lower()
    return next((reader for suffix, reader in _READERS.items() if name.endswith(suffix)), None)
