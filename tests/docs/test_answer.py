"""The question that README and tutorial promise to answer gets its answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .pages import ROOT, blocks


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md"])
def test_in_which_languages_and_beside_whom(page: str, published: Path, tmp_path: Path) -> None:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "processed").symlink_to(published)
    first = next(block for block in blocks(ROOT / page) if block.language == "python")
    command = [sys.executable, "-X", "utf8", "-c", first.code]
    told = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert told.returncode == 0, told.stderr
    rows = {
        tuple(cell.strip() for cell in line.strip("│").split("│"))
        for line in told.stdout.splitlines()
        if line.startswith("│")
    }
    languages = {row[0] for row in rows if len(row) == 3}
    assert {"hi", "ro", "tr", "en", "vi"} <= languages
    assert {("Vladimir Putin", "5"), ("Kyrgyzstan", "5")} <= rows
