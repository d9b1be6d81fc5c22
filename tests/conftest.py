"""Fixtures that tests of several parts share."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# The same examples every time where a red run would hold up others; new ones at the desk.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of corpora and gold beside the checkout; skips where there is none."""
    if not SHARED.is_dir():
        pytest.skip("needs the corpora and gold in ../shared beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder into which the five articles of data/raw were published. Read only."""
    from pipeline.run import run
    from pipeline.settings import load

    out = tmp_path_factory.mktemp("published")
    run([str(ROOT / "data" / "raw")], out, date(2025, 11, 26), load(ROOT / "exonym.toml"))
    return out
