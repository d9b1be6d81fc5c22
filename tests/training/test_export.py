"""Exporting a tiny two-exit model."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers", reason="needs the extra `train`")
pytest.importorskip("sklearn", reason="needs the extra `train`")

from pipeline.training.export import calibrate, export_float, up_to_exit  # noqa: E402
from pipeline.training.joint import TAGS, TwoExits  # noqa: E402
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


def test_the_exported_exit_answers_as_the_exit_does() -> None:
    model = make_model()
    ids = torch.tensor([[1, 2, 3], [4, 5, 0]])
    with torch.inference_mode():
        _, early = model(ids, ids != 0)
        alone = up_to_exit(model)(ids, attention_mask=ids != 0).logits
    assert torch.allclose(early, alone, atol=1e-6)


def test_calibrated_scores_are_shares_of_right_spans() -> None:
    rng = random.Random(1)
    scores = [(score, rng.random() < score**3) for score in (rng.random() for _ in range(20_000))]
    calibration = calibrate(scores)
    for score in (0.5, 0.7, 0.9):
        assert calibration.apply(score) == pytest.approx(score**3, abs=0.05)


def test_weights_come_back_from_an_exported_file(tmp_path: Path) -> None:
    model = make_model().model
    for value in model.parameters():
        # Equal tensors, as those of fresh biases, would be stored once under one of their names.
        torch.nn.init.normal_(value, mean=0.1, std=0.3)
    export_float(model, tmp_path / "fp32.onnx")
    ids = np.array([[1, 2, 3, 7], [4, 5, 9, 11]])
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    quantise(tmp_path / "fp32.onnx", tmp_path / "int8.onnx", [inputs])
    restored = weights_of(tmp_path / "int8.onnx")
    known = {name: value for name, value in model.state_dict().items() if ".embedd" not in name}
    assert restored.keys() == known.keys()
    for name, value in known.items():
        assert torch.allclose(restored[name], value, atol=0.05 * float(value.abs().max())), name
