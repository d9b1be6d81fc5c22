from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pipeline.recognise.cards import digest_of, hash_files, read_card, write_card
from pipeline.training import card as module
from pipeline.training.evaluate_corpora import Counts, Result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"weights")
    write_card(
        folder,
        {
            "name": "tiny",
            "engine": "onnx",
            "languages": ["en"],
            "licence": "CC0",
            "command": "python -m tiny",
            "weaknesses": ["It is small."],
            "recipe": {"seed": 3},
            "corpora": {"made": "made up; CC0"},
            "files": hash_files(folder, ["model.onnx"]),
        },
    )
    return folder


def report(sha256: str) -> dict[str, object]:
    result = Result("made", "en", "test", sentences=4, words=40, seconds=0.1)
    result.labels["all"] = Counts(right=3, found=4, expected=4)
    return {"model": "tiny", "sha256": sha256, "peak_rss_mb": 9, "results": [result.as_row()]}


def test_card_and_readme(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_card(folder)
    path = tmp_path / "test.json"
    path.write_text(json.dumps(report(digest_of(before["files"]))))
    arguments = ["card", str(folder), str(path), "--date", "2026-01-02"]
    monkeypatch.setattr(sys, "argv", arguments)
    module.main()
    assert read_card(folder) == {**before, "f1": {"test": {"made": 0.75}}}
    text = (folder / "README.md").read_text()
    assert "| en made | 4 | 75.0 | 0.0 | 0.0 | 0.0 | 400 |" in text
    for said in ("- made: made up; CC0", "2026-01-02", "seed: 3", "It is small."):
        assert said in text


def test_figures_of_other_files_are_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="measure again"):
        module.add_figures(read_card(folder), [report("0" * 64)])
