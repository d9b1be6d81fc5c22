"""Exporting a tiny two-exit model."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers", reason="needs the extra `train`")
pytest.importorskip("sklearn", reason="needs the extra `train`")

from pipeline.recognise.onnx import MODEL_FILE, UPPER_FILE  # noqa: E402
from pipeline.training.export import calibrate, export_float  # noqa: E402
from pipeline.training.joint import TAGS, TwoExits  # noqa: E402
from pipeline.training.parts import cut_at_exit  # noqa: E402
from pipeline.training.quantise import quantise  # noqa: E402
from pipeline.training.restore import weights_of  # noqa: E402


def make_model() -> TwoExits:
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=20,
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=32,
        num_labels=len(TAGS),
    )
    return TwoExits(transformers.BertForTokenClassification(config), exit_layer=2).eval()


def test_the_two_parts_answer_as_the_two_exits_do(tmp_path: Path) -> None:
    model = make_model()
    lower, upper = export_parts(model, tmp_path)
    ids = torch.tensor([[1, 2, 3], [4, 5, 0]])
    with torch.inference_mode():
        last, early = model(ids, ids != 0)
    inputs = {"input_ids": ids.numpy(), "attention_mask": (ids != 0).long().numpy()}
    states = [tensor.name for tensor in upper.get_inputs()]
    found_early, *values = lower.run(["logits", *states], inputs)
    (found_last,) = upper.run(["logits"], dict(zip(states, values, strict=True)))
    is_piece = (ids != 0).numpy()
    assert np.allclose(found_early[is_piece], early.numpy()[is_piece], atol=1e-5)
    assert np.allclose(found_last[is_piece], last.numpy()[is_piece], atol=1e-5)
    assert not np.allclose(found_early, found_last, atol=1e-2)


def export_parts(model: TwoExits, folder: Path) -> list[Any]:
    export_float(model, folder / "whole.onnx")
    paths = folder / MODEL_FILE, folder / UPPER_FILE
    cut_at_exit(folder / "whole.onnx", *paths)
    return [onnxruntime.InferenceSession(path) for path in paths]


def test_calibrated_scores_are_shares_of_right_spans() -> None:
    rng = random.Random(1)
    scores = [(score, rng.random() < score**3) for score in (rng.random() for _ in range(20_000))]
    calibration = calibrate(scores)
    for score in (0.5, 0.7, 0.9):
        assert calibration.apply(score) == pytest.approx(score**3, abs=0.05)


def test_weights_come_back_from_an_exported_model(tmp_path: Path) -> None:
    model = make_model()
    for value in model.parameters():
        # Equal tensors, as those of fresh biases, would be stored once under one of their names.
        torch.nn.init.normal_(value, mean=0.1, std=0.3)
    export_float(model, tmp_path / "fp32.onnx")
    ids = np.array([[1, 2, 3, 7], [4, 5, 9, 11]])
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    quantise(tmp_path / "fp32.onnx", tmp_path / "int8.onnx", [inputs])
    cut_at_exit(tmp_path / "int8.onnx", tmp_path / MODEL_FILE, tmp_path / UPPER_FILE)
    restored = weights_of(tmp_path)
    known = {name: value for name, value in model.state_dict().items() if ".embedd" not in name}
    assert restored.keys() == known.keys()
    for name, value in known.items():
        assert torch.allclose(restored[name], value, atol=0.05 * float(value.abs().max())), name
