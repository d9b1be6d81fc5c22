"""Training the model of what names mean, with an encoder of a few thousand weights."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers", reason="needs the extra `train`")
pytest.importorskip("sklearn", reason="needs the extra `train`")

from pipeline.knowledge.vectors import DIMENSIONS  # noqa: E402
from pipeline.training import vectors  # noqa: E402

PADDING = 1


def make_encoder() -> object:
    torch.manual_seed(2)
    config = transformers.BertConfig(
        vocab_size=40,
        hidden_size=16,
        num_hidden_layers=12,
        num_attention_heads=2,
        intermediate_size=32,
        pad_token_id=PADDING,
    )
    return transformers.BertModel(config)


def test_every_text_is_in_one_batch_of_bounded_size() -> None:
    ids = [[0] * (2 + number % 40) for number in range(300)]
    found = vectors.batches(ids)
    assert sorted(place for batch in found for place in batch) == list(range(300))
    for batch in found:
        assert len(batch) * max(len(ids[place]) for place in batch) <= vectors.PIECES_PER_BATCH


def test_a_student_learns_what_the_encoder_says_of_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(vectors, "EPOCHS", 150)
    ids = [[0, *(2 + (number * step) % 38 for step in (1, 3, 7)), 2] for number in range(60)]
    said = torch.nn.functional.normalize(torch.randn(60, DIMENSIONS), dim=-1)
    student = vectors.Student(make_encoder())
    inputs = vectors.collate(ids, PADDING)

    def likeness() -> float:
        with torch.inference_mode():
            return float((student.eval()(inputs, inputs != PADDING) * said).sum(-1).mean())

    before = likeness()
    checkpoint = tmp_path / "checkpoint.safetensors"
    vectors.train(student, ids, said, PADDING, checkpoint)
    assert likeness() > before + 0.15
    lengths = student(inputs, inputs != PADDING).norm(dim=-1)
    assert torch.allclose(lengths, torch.ones(60), atol=1e-5)


class DownError(Exception):
    """The machine went down."""


def test_a_stopped_training_goes_on_to_the_same_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(vectors, "STEPS_BETWEEN_CHECKPOINTS", 3)
    monkeypatch.setattr(vectors, "PIECES_PER_BATCH", 60)
    ids = [[0, 2 + number % 38, 2 + number * 7 % 38, 2] for number in range(60)]
    said = torch.nn.functional.normalize(torch.randn(60, DIMENSIONS), dim=-1)

    def trained(checkpoint: Path) -> object:
        student = vectors.Student(make_encoder())
        torch.manual_seed(3)
        torch.nn.init.normal_(student.projection.weight)
        vectors.train(student, ids, said, PADDING, checkpoint)
        return student

    whole = trained(tmp_path / "whole.safetensors")
    write = vectors.write_checkpoint

    def write_and_stop(*arguments: object) -> None:
        write(*arguments)
        raise DownError

    monkeypatch.setattr(vectors, "write_checkpoint", write_and_stop)
    with pytest.raises(DownError):
        trained(tmp_path / "stopped.safetensors")
    monkeypatch.setattr(vectors, "write_checkpoint", write)
    resumed = trained(tmp_path / "stopped.safetensors")
    for name, weights in whole.state_dict().items():
        assert torch.equal(weights, resumed.state_dict()[name]), name
