"""The labels of foreign models, mapped to ours."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path


def to_label(model_label: str) -> str | None:
    """Return PER, LOC or ORG for a model's own label, or None where it is none of these."""
    return _labels().get(model_label)


@cache
def _labels() -> dict[str, str]:
    text = Path(__file__).with_name("labels.toml").read_text(encoding="utf-8")
    return {theirs: ours for ours, labels in tomllib.loads(text).items() for theirs in labels}
