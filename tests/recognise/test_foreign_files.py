"""No file of a model can run code: tensors and plain values are all that is taken from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from pipeline.recognise.base import EngineUnavailable
from pipeline.recognise.stanza import StanzaEngine

UNSAFE = re.compile(
    r"allow_pickle=True|weights_only=False|torch\.load\((?![^)]*weights_only=True)"
    r"|\b(?:pickle|cloudpickle|dill|joblib|shelve|marshal)\.(?:load|loads|open|Unpickler)\b"
)


class Malicious:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return Path.touch, (self.target,)  # type: ignore[return-value]


@pytest.mark.parametrize("inside", [False, True])
def test_a_tagger_that_would_run_code_is_refused(tmp_path: Path, inside: bool) -> None:
    target = tmp_path / "ran"
    bad = Malicious(target)
    path = tmp_path / "ner.pt"
    torch.save({"config": {"charlm": bad}, "vocab": {}, "model": {}} if inside else bad, path)
    with pytest.raises(EngineUnavailable, match=r"ner\.pt is no Stanza tagger"):
        StanzaEngine(str(path))
    assert not target.exists()


def test_the_file_would_have_run_code(tmp_path: Path) -> None:
    path = tmp_path / "ner.pt"
    torch.save(Malicious(tmp_path / "ran"), path)
    torch.load(path, weights_only=False)
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("code", ["pickle.load(file)", "np.load(path, allow_pickle=True)"])
def test_unsafe_calls_are_recognised(code: str) -> None:
    assert UNSAFE.search(code)
    assert UNSAFE.search("torch.load(path)")
    assert not UNSAFE.search("torch.load(path, weights_only=True)")


def test_nothing_in_the_package_unpickles(root: Path) -> None:
    found = [
        f"{path.relative_to(root)}: {match[0]}"
        for path in sorted((root / "pipeline").rglob("*.py"))
        for match in UNSAFE.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
