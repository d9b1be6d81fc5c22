"""A fused fp32 ONNX encoder to 8-bit weights, with next to no loss.

Two things cost F1 when activations are rounded to 8 bits with one scale a tensor: channels that are
larger than the others, and the outliers that GELU passes on. So the input of most matrix products
is divided by a factor a channel, and the weights multiplied by it (SmoothQuant, Xiao et al. 2023);
and the second feed-forward product of each layer, whose input comes from GELU, sums in fp32 and
only stores its weights in 8 bits.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnxruntime.quantization import QuantType, quantize_dynamic

Inputs = Mapping[str, npt.NDArray[np.int64]]
Maxima = dict[str, npt.NDArray[np.float32]]

PRODUCTS: Final = ("MatMul", "Attention")
QUANTISED: Final = (*PRODUCTS, "EmbedLayerNormalization")
FLOAT_SUMS: Final = re.compile(r"/layer\.\d+/output/dense/MatMul$")
_SMALLEST: Final = 1e-5


def quantise(source: Path, path: Path, calibration: Sequence[Inputs]) -> None:
    """Write the fp32 ONNX file ``source`` to ``path`` with 8-bit weights.

    ``calibration`` are batches of the model's inputs, padded ones with an ``attention_mask`` of 0.
    Weights keep to 7 of the 8 bits where sums are of 8-bit numbers: processors without VNNI add
    pairs of products in 16 bits, which the eighth bit would overflow.
    """
    model = onnx.load(source)
    names = {node.name for node in _products(model.graph)}
    float_sums = {name for name in names if FLOAT_SUMS.search(name)}
    smooth(model.graph, channel_maxima(model, calibration), names - float_sums)
    store_as_int8(model.graph, float_sums)
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        onnx.save(model, prepared)
        quantize_dynamic(
            prepared,
            path,
            op_types_to_quantize=list(QUANTISED),
            nodes_to_exclude=sorted(float_sums),
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )


def channel_maxima(model: Any, calibration: Sequence[Inputs]) -> Maxima:
    """Return the largest absolute value of each channel of every matrix product's input."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    tensors = sorted({node.input[0] for node in _products(model.graph)})
    for tensor in tensors:
        watched.graph.output.append(
            onnx.helper.make_tensor_value_info(tensor, onnx.TensorProto.FLOAT, None)
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        watched.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    maxima: Maxima = {}
    for inputs in calibration:
        is_piece = inputs["attention_mask"] != 0
        for tensor, values in zip(tensors, session.run(tensors, inputs), strict=True):
            largest = np.abs(values[is_piece]).max(axis=0)
            maxima[tensor] = np.maximum(maxima.get(tensor, largest), largest)
    return maxima


def smooth(graph: Any, maxima: Maxima, names: Collection[str]) -> None:
    """Even out the channels that the named products read; the products stay what they were.

    A channel's factor is the root of its largest input by the root of its largest weight: both
    sides bear half of the difference.
    """
    weights = {weight.name: weight for weight in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.name in names:
            tensor, name = node.input[:2]
            matrix = onnx.numpy_helper.to_array(weights[name])
            largest_weight = np.abs(matrix).max(axis=1)
            factor = np.sqrt(
                np.maximum(maxima[tensor], _SMALLEST) / np.maximum(largest_weight, _SMALLEST)
            ).astype(np.float32)
            _replace(graph, weights[name], matrix * factor[:, None])
            graph.initializer.append(onnx.numpy_helper.from_array(1 / factor, f"{name}_smoothing"))
            node.input[0] = f"{name}_input"
            nodes.append(
                onnx.helper.make_node("Mul", [tensor, f"{name}_smoothing"], [node.input[0]])
            )
        nodes.append(node)
    _set_nodes(graph, nodes)


def store_as_int8(graph: Any, names: Collection[str]) -> None:
    """Store the weights of the named MatMul nodes in 8 bits, one scale a column; sum in fp32."""
    weights = {weight.name: weight for weight in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.name in names:
            name = node.input[1]
            matrix = onnx.numpy_helper.to_array(weights[name])
            scale = np.maximum(np.abs(matrix).max(axis=0), _SMALLEST) / 127
            rounded = np.rint(matrix / scale).astype(np.int8)
            graph.initializer.remove(weights[name])
            graph.initializer.append(onnx.numpy_helper.from_array(rounded, f"{name}_int8"))
            graph.initializer.append(onnx.numpy_helper.from_array(scale, f"{name}_scale"))
            parts = [f"{name}_int8", f"{name}_scale"]
            nodes.append(onnx.helper.make_node("DequantizeLinear", parts, [name], axis=1))
        nodes.append(node)
    _set_nodes(graph, nodes)


def _products(graph: Any) -> Iterator[Any]:
    """Yield the nodes that multiply an input with a stored matrix."""
    stored = {weight.name for weight in graph.initializer}
    for node in graph.node:
        if node.op_type in PRODUCTS and node.input[1] in stored:
            yield node


def _replace(graph: Any, weight: Any, matrix: npt.NDArray[np.float32]) -> None:
    name = weight.name
    graph.initializer.remove(weight)
    graph.initializer.append(onnx.numpy_helper.from_array(matrix, name))


def _set_nodes(graph: Any, nodes: Sequence[Any]) -> None:
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
