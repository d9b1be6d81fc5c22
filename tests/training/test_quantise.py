"""Quantising a made-up network of two matrix products, one of them with outliers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra `train`")

from pipeline.training import quantise as module  # noqa: E402

WIDTH = 16
FIRST, SECOND = "/layer.0/intermediate/dense/MatMul", "/layer.0/output/dense/MatMul"

Floats = npt.NDArray[np.float32]


def make_model() -> Any:
    """Return vectors, whose fourth channel is large, times two matrices with a ReLU between."""
    rng = np.random.default_rng(5)
    table = rng.normal(size=(30, WIDTH)).astype(np.float32)
    table[:, 3] *= 80
    first = rng.normal(size=(WIDTH, WIDTH)).astype(np.float32)
    first[3] /= 80
    second = rng.normal(size=(WIDTH, WIDTH)).astype(np.float32)
    helper, kinds = onnx.helper, onnx.TensorProto
    shape = ["sentence", "piece"]
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["vectors"]),
            helper.make_node("MatMul", ["vectors", "first"], ["inner"], name=FIRST),
            helper.make_node("Relu", ["inner"], ["active"]),
            helper.make_node("MatMul", ["active", "second"], ["plain"], name=SECOND),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=kinds.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["mask_3d"]),
            helper.make_node("Mul", ["plain", "mask_3d"], ["logits"]),
        ],
        "products",
        [
            helper.make_tensor_value_info(name, kinds.INT64, shape)
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("logits", kinds.FLOAT, [*shape, WIDTH])],
        [
            onnx.numpy_helper.from_array(table, "table"),
            onnx.numpy_helper.from_array(first, "first"),
            onnx.numpy_helper.from_array(second, "second"),
            onnx.numpy_helper.from_array(np.array([2]), "last"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


INPUTS = {
    "input_ids": np.arange(30).reshape(3, 10),
    "attention_mask": np.ones((3, 10), np.int64),
}


def run(model: bytes | str) -> Floats:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    logits: Floats = session.run(["logits"], INPUTS)[0]
    return logits


def test_maxima_leave_out_padding() -> None:
    model = make_model()
    mask = np.zeros((3, 10), np.int64)
    mask[0, 0] = 1
    maxima = module.channel_maxima(model, [{**INPUTS, "attention_mask": mask}])
    table = onnx.numpy_helper.to_array(model.graph.initializer[0])
    assert maxima.keys() == {"vectors", "active"}
    np.testing.assert_array_equal(maxima["vectors"], np.abs(table[0]))


def test_smoothing_evens_out_the_channels_and_keeps_the_products() -> None:
    model = make_model()
    before = run(model.SerializeToString())
    maxima = module.channel_maxima(model, [INPUTS])
    module.smooth(model.graph, maxima, {FIRST})
    np.testing.assert_allclose(run(model.SerializeToString()), before, rtol=1e-3, atol=1e-3)
    smoothed = module.channel_maxima(model, [INPUTS])["first_input"]
    spread = maxima["vectors"].max() / maxima["vectors"].min()
    assert smoothed.max() / smoothed.min() < spread / 10


def test_channels_with_large_inputs_are_summed_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OUTLIERS", 3)
    model = make_model()
    before = run(model.SerializeToString())
    maxima = module.channel_maxima(model, [INPUTS])
    assert module.split_outliers(model.graph, maxima, {FIRST}) == {f"{FIRST}_outliers"}
    np.testing.assert_allclose(run(model.SerializeToString()), before, rtol=1e-4, atol=1e-4)
    module.smooth(model.graph, maxima, {FIRST})
    np.testing.assert_allclose(run(model.SerializeToString()), before, rtol=1e-3, atol=1e-3)
    smoothed = module.channel_maxima(model, [INPUTS])["first_input"]
    assert np.flatnonzero(smoothed == 0).tolist() == sorted(np.argsort(maxima["vectors"])[-3:])


def test_quantising_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model()
    onnx.save(model, tmp_path / "fp32.onnx")
    monkeypatch.setattr(module, "OUTLIERS", 3)
    module.quantise(tmp_path / "fp32.onnx", tmp_path / "int8.onnx", [INPUTS])
    before, after = run(model.SerializeToString()), run(str(tmp_path / "int8.onnx"))
    assert np.abs(after - before).max() < 0.03 * np.abs(before).max()
    operators = [node.op_type for node in onnx.load(tmp_path / "int8.onnx").graph.node]
    assert operators.count("MatMulInteger") == 2
    assert operators.count("MatMul") == 1
    module.quantise(tmp_path / "fp32.onnx", tmp_path / "again.onnx", [INPUTS])
    assert (tmp_path / "again.onnx").read_bytes() == (tmp_path / "int8.onnx").read_bytes()
