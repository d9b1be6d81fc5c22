"""A fused fp32 ONNX encoder to 8-bit weights, with next to no loss.

Two things cost F1 when activations are rounded to 8 bits with one scale a tensor: channels that are
larger than the others, and the outliers that GELU passes on. So the input of most matrix products
is divided by a factor a channel, and the weights multiplied by it (SmoothQuant, Xiao et al. 2023);
and the second feed-forward product of each layer, whose input comes from GELU, sums its few
channels with the largest inputs apart, in fp32 (LLM.int8(), Dettmers et al. 2022).
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
SPLIT: Final = re.compile(r"/layer\.\d+/output/dense/MatMul$")
OUTLIERS: Final = 8
"""How many channels of a split product are summed in fp32."""
_SMALLEST: Final = 1e-5


def quantise(source: Path, path: Path, calibration: Sequence[Inputs]) -> None:
    """Write the fp32 ONNX file ``source`` to ``path`` with 8-bit weights.

    ``calibration`` are batches of the model's inputs, padded ones with an ``attention_mask`` of 0.
    Weights keep to 7 of the 8 bits: processors without VNNI add pairs of products in 16 bits,
    which the eighth bit would overflow.
    """
    model = onnx.load(source)
    maxima = channel_maxima(model, calibration)
    in_float = split_outliers(
        model.graph, maxima, {n.name for n in _products(model.graph) if SPLIT.search(n.name)}
    )
    names = {node.name for node in _products(model.graph)} - in_float
    smooth(model.graph, maxima, names)
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        onnx.save(model, prepared)
        quantize_dynamic(
            prepared,
            path,
            op_types_to_quantize=list(QUANTISED),
            nodes_to_exclude=sorted(in_float),
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


def split_outliers(graph: Any, maxima: Maxima, names: Collection[str]) -> set[str]:
    """Give the named products a second one for the channels with the largest inputs.

    The first has zeros for the weights of these channels, and reads zeros there once it is
    smoothed; their sum is what the product was. Returns the names of the second ones.
    """
    weights = {weight.name: weight for weight in graph.initializer}
    nodes, added = [], set()
    for node in graph.node:
        nodes.append(node)
        if node.name not in names:
            continue
        (tensor, name), output = node.input[:2], node.output[0]
        matrix = onnx.numpy_helper.to_array(weights[name]).copy()
        # What a channel adds to the error of all others is its largest input.
        channels = np.sort(np.argsort(maxima[tensor])[-min(OUTLIERS, len(matrix)) :])
        graph.initializer.append(onnx.numpy_helper.from_array(matrix[channels], f"{name}_outliers"))
        graph.initializer.append(onnx.numpy_helper.from_array(channels, f"{name}_channels"))
        matrix[channels] = 0
        _replace(graph, weights[name], matrix)
        node.output[0] = f"{output}_most"
        second = f"{node.name}_outliers"
        added.add(second)
        nodes += [
            onnx.helper.make_node(
                "Gather", [tensor, f"{name}_channels"], [f"{name}_gathered"], axis=-1
            ),
            onnx.helper.make_node(
                "MatMul",
                [f"{name}_gathered", f"{name}_outliers"],
                [f"{output}_outliers"],
                name=second,
            ),
            onnx.helper.make_node("Add", [node.output[0], f"{output}_outliers"], [output]),
        ]
    _set_nodes(graph, nodes)
    return added


def smooth(graph: Any, maxima: Maxima, names: Collection[str]) -> None:
    """Even out the channels that the named products read; the products stay what they were.

    A channel's factor is the root of its largest input by the root of its largest weight: both
    sides bear half of the difference. A channel without weights is read as zeros.
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
            inverse = np.where(largest_weight > 0, 1 / factor, 0).astype(np.float32)
            graph.initializer.append(onnx.numpy_helper.from_array(inverse, f"{name}_smoothing"))
            node.input[0] = f"{name}_input"
            nodes.append(
                onnx.helper.make_node("Mul", [tensor, f"{name}_smoothing"], [node.input[0]])
            )
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
