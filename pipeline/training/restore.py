"""Make a checkpoint from shipped models, to go on training where only they are at hand.

``python -m pipeline.training.restore --output work/joint-restored/checkpoint.safetensors`` reads
both parts of ``models/joint``. The weights come back as :mod:`pipeline.training.quantise` rounded
them, which a few training steps mend; embeddings were never trained and come from the encoder.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import torch
from safetensors.torch import save_file

from pipeline.recognise.onnx import MODEL_FILE, UPPER_FILE
from pipeline.training.joint import Recipe, new_model

PREFIX: Final = "model."
_LAYER: Final = "model.bert.encoder.layer"


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    """Return the weights of the 8-bit model in ``folder`` as :class:`TwoExits` names them.

    Embeddings are left out. Raises OSError where one of the two parts is missing, KeyError where
    they were not made by ``export``.
    """
    lower = _weights_of(folder / MODEL_FILE, first_layer=0)
    layers = sum(name.endswith("attention.self.query.weight") for name in lower)
    return lower | _weights_of(folder / UPPER_FILE, first_layer=layers)


def _weights_of(path: Path, first_layer: int) -> dict[str, torch.Tensor]:
    graph = onnx.load(path).graph
    stored = {item.name: onnx.numpy_helper.to_array(item) for item in graph.initializer}
    weights = {
        name: value
        for name, value in stored.items()
        if name.startswith(("model.", "exit.b")) and ".embeddings." not in name
    }
    for name, matrix in _matrices(graph, stored, first_layer).items():
        weights[name] = matrix.T
    return {name: torch.from_numpy(np.array(value, np.float32)) for name, value in _split(weights)}


def _matrices(
    graph: Any, stored: Mapping[str, npt.NDArray[Any]], layer: int
) -> dict[str, npt.NDArray[np.float32]]:
    """Return the matrices, (inputs, outputs), and biases of attention, by weight name.

    ``layer`` is the number of the file's first.
    """
    matrices = {}
    for node in graph.node:
        if node.op_type == "QAttention":
            name = f"{_LAYER}.{layer}.attention.self.qkv"
            matrices[f"{name}.weight"] = _matrix(stored, node.input[1])
            matrices[f"{name}.bias"] = stored[node.input[2]]
            layer += 1
        elif node.op_type == "MatMulInteger":
            matrices[_weight_name(node.name)] = _matrix(stored, node.input[1])
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in stored:
            channels = stored[node.input[1].replace("_outliers", "_channels")]
            matrices[_weight_name(node.name)][channels] = stored[node.input[1]]
    return matrices


def _matrix(stored: Mapping[str, npt.NDArray[Any]], name: str) -> npt.NDArray[np.float32]:
    """Return a matrix in fp32, the smoothing of its inputs taken back."""
    base = name.removesuffix("_quantized")
    centred = stored[name].astype(np.float32) - stored[f"{base}_zero_point"]
    smoothing = stored[f"{base}_smoothing"][:, None]
    matrix: npt.NDArray[np.float32] = centred * stored[f"{base}_scale"] * smoothing
    return matrix


def _weight_name(node: str) -> str:
    """Turn ``/model/classifier/MatMul_quant`` into ``model.classifier.weight``."""
    return ".".join([*node.removeprefix("/").split("/")[:-1], "weight"])


def _split(weights: Mapping[str, npt.NDArray[Any]]) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Yield the weights, those of fused attention as query, key and value."""
    for name, value in weights.items():
        if ".qkv." not in name:
            yield name, value
            continue
        for part, piece in zip(("query", "key", "value"), np.split(value, 3), strict=True):
            yield name.replace(".qkv.", f".{part}."), piece


def restore(models: Path, encoder: str, output: Path) -> None:
    """Write a checkpoint of ``models/joint``.

    Raises OSError where a file is missing, KeyError where the model is of another make.
    """
    model = new_model(encoder, 0, Recipe(encoder).exit_layer)
    missing, unexpected = model.load_state_dict(weights_of(models / "joint"), strict=False)
    strange = [name for name in missing if ".embeddings." not in name] + list(unexpected)
    if strange:
        raise KeyError(f"weights that do not fit: {', '.join(strange)}")
    output.parent.mkdir(parents=True, exist_ok=True)
    tensors = {f"{PREFIX}{name}": value.contiguous() for name, value in model.state_dict().items()}
    save_file(tensors, output, {"step": "0", "recipe": json.dumps(asdict(Recipe(encoder)))})


def main() -> None:
    """Parse the command line and restore."""
    parser = argparse.ArgumentParser(description="Make a checkpoint from the shipped models.")
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--encoder", default="../shared/encoder")
    parser.add_argument(
        "--output", type=Path, default=Path("work/joint-restored/checkpoint.safetensors")
    )
    arguments = parser.parse_args()
    restore(arguments.models, arguments.encoder, arguments.output)


if __name__ == "__main__":
    main()
