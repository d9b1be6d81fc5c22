"""Give a fused ONNX encoder a second classifier half-way up, and cut the model there.

The two parts together compute what the whole did, without computing the lower layers twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx

EXIT_LOGITS: Final = "exit_logits"
LOGITS: Final = "logits"
_MASK_PRODUCERS: Final = ("EmbedLayerNormalization", "QEmbedLayerNormalization")

Matrix = npt.NDArray[np.float32]


def add_exit(path: Path, layer: int, weight: Matrix, bias: Matrix) -> None:
    """Add the output ``exit_logits`` to the ONNX file at ``path``.

    It is the states after ``layer``, counted from 1, times ``weight`` (hidden, tags) plus ``bias``
    (tags,). It is added after the fusion, which a second reader of the states would hinder.
    """
    model = onnx.load(path)
    graph = model.graph
    norm = f"/layer.{layer - 1}/output/LayerNorm/"
    (states,) = (
        node.output[0]
        for node in graph.node
        if node.op_type == "LayerNormalization" and norm in node.name
    )
    for name, value in (("exit.weight", weight), ("exit.bias", bias)):
        graph.initializer.append(onnx.numpy_helper.from_array(np.ascontiguousarray(value), name))
    make_node = onnx.helper.make_node
    graph.node.append(
        make_node("MatMul", [states, "exit.weight"], ["exit_sums"], name="/exit/MatMul")
    )
    graph.node.append(make_node("Add", ["exit.bias", "exit_sums"], [EXIT_LOGITS]))
    output = onnx.ValueInfoProto()
    output.CopyFrom(graph.output[0])
    output.name = EXIT_LOGITS
    graph.output.append(output)
    onnx.save(model, path)


def cut_at_exit(whole: Path, lower: Path, upper: Path) -> None:
    """Write the two parts of the ONNX file ``whole``, which :func:`add_exit` made.

    ``lower`` has the inputs of the whole, and as outputs the exit's logits under the name
    ``logits``, and the tensors that ``upper`` reads; ``upper`` has the output ``logits``.
    """
    model = onnx.load(whole)
    nodes = list(model.graph.node)
    below = _ancestors(nodes, [EXIT_LOGITS])
    lower_nodes = [nodes[number] for number in below]
    upper_nodes = [nodes[number] for number in _ancestors(nodes, [LOGITS]) if number not in below]
    producers = {tensor: node.op_type for node in lower_nodes for tensor in node.output}
    crossing = sorted({name for node in upper_nodes for name in node.input if name in producers})
    states = [_tensor(name, producers[name]) for name in crossing]
    outputs = {value.name: value for value in model.graph.output}
    logits, exit_logits = outputs[LOGITS], outputs[EXIT_LOGITS]
    exit_logits.name = LOGITS
    for node in lower_nodes:
        node.output[:] = [LOGITS if name == EXIT_LOGITS else name for name in node.output]
    _save(model, lower_nodes, model.graph.input, [exit_logits, *states], lower)
    _save(model, upper_nodes, states, [logits], upper)


def _ancestors(nodes: Sequence[Any], tensors: Iterable[str]) -> list[int]:
    """Return, in order, the numbers of the nodes that ``tensors`` are computed by."""
    producer = {name: number for number, node in enumerate(nodes) for name in node.output if name}
    waiting = [producer[name] for name in tensors]
    found: set[int] = set()
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting += [producer[name] for name in nodes[number].input if name in producer]
    return sorted(found)


def _tensor(name: str, producer: str) -> Any:
    """Describe a tensor between the parts: states are fp32, the mask's lengths are integers."""
    kind = onnx.TensorProto.INT32 if producer in _MASK_PRODUCERS else onnx.TensorProto.FLOAT
    return onnx.helper.make_tensor_value_info(name, kind, None)


def _save(
    whole: Any, nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], path: Path
) -> None:
    """Write a model of some of the nodes of ``whole``, with the weights that they read."""
    read = {name for node in nodes for name in node.input}
    weights = [weight for weight in whole.graph.initializer if weight.name in read]
    graph = onnx.helper.make_graph(nodes, path.stem, inputs, outputs, weights)
    part = onnx.helper.make_model(
        graph, opset_imports=whole.opset_import, ir_version=whole.ir_version
    )
    onnx.save(part, path)
