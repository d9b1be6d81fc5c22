"""Exonym: who, where and which organisation the news was about, whatever the language wrote."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pipeline.extraction import extract
    from pipeline.tables import Tables

__all__ = ["Tables", "extract"]

_HOMES: Final = {"Tables": "pipeline.tables", "extract": "pipeline.extraction"}
"""Where each public name lives: imported on first use, so that importing this stays light."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(_HOMES[name]), name)
