"""Exporting a tiny two-exit model."""

from __future__ import annotations

import random

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers", reason="needs the extra `train`")
pytest.importorskip("sklearn", reason="needs the extra `train`")

from pipeline.training.export import calibrate, up_to_exit  # noqa: E402
from pipeline.training.joint import TAGS, TwoExits  # noqa: E402


def test_the_exported_exit_answers_as_the_exit_does() -> None:
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=20,
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=32,
        num_labels=len(TAGS),
    )
    model = TwoExits(transformers.BertForTokenClassification(config), exit_layer=2).eval()
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
