from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.recognise import routing
from pipeline.recognise.base import EngineUnavailable


@pytest.mark.parametrize("value", ["joint", "onnx:", "keras:joint", ""])
def test_a_value_that_is_no_engine(value: str) -> None:
    with pytest.raises(ValueError, match="is no engine"):
        routing.load_engines({"en": value}, Path("models"))


def test_an_absent_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="check the routing"):
        routing.load_engines({"en": "onnx:nothing"}, tmp_path)


def test_each_model_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def load_engine(value: str, models_dir: Path) -> object:
        loaded.append(value)
        return object()

    monkeypatch.setattr(routing, "load_engine", load_engine)
    engines = routing.load_engines({"en": "onnx:a", "hi": "onnx:a", "ro": "onnx:b"}, Path("models"))
    assert loaded == ["onnx:a", "onnx:b"]
    assert engines["en"] is engines["hi"] is not engines["ro"]


def test_no_engine_library_is_imported_before_it_is_used() -> None:
    code = (
        "import sys; import pipeline.recognise.routing; "
        "print({'onnxruntime', 'spacy', 'stanza', 'torch'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
