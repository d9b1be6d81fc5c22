"""Every seed, and whatever a search found once, is borne."""

from __future__ import annotations

from pathlib import Path

import pytest

from .targets import SEEDS, TARGETS

FOUND = Path(__file__).parent / "found"
CASES = [
    *((name, f"seed {number}", seed) for name in SEEDS for number, seed in enumerate(SEEDS[name])),
    *((path.parent.name, path.name, path.read_bytes()) for path in sorted(FOUND.glob("[!.]*/*"))),
]


def test_every_target_has_a_seed() -> None:
    assert set(SEEDS) == set(TARGETS)
    assert {path.name for path in FOUND.iterdir() if path.is_dir()} <= set(TARGETS)


@pytest.mark.parametrize(
    ("name", "data"),
    [pytest.param(name, data, id=f"{name}: {case}") for name, case, data in CASES],
)
def test_it_is_borne(name: str, data: bytes) -> None:
    TARGETS[name](data)
