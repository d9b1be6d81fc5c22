"""Export a trained checkpoint as an int8 ONNX model folder with its card.

``python -m pipeline.training.export --checkpoint work/joint/checkpoint.safetensors --output
models/joint`` writes ``model.onnx``, ``tokenizer.json``, ``labels.json`` and ``model.toml``, and
prints the exact-span F1 on the dev parts in fp32 and in int8. Attention, layer norms and GELU are
fused first; then weights, embeddings included, are stored as signed 8-bit integers, one scale a
channel, and activations are quantised as they come (Jacob et al. 2018).
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from safetensors import safe_open
from transformers import AutoTokenizer

from pipeline.recognise.checksum import sha256_of
from pipeline.recognise.onnx import CARD_FILE, LABELS_FILE, MODEL_FILE, TOKENIZER_FILE, OnnxEngine
from pipeline.training.common import CORPORA_DIR, catalogue
from pipeline.training.evaluate_corpora import Result, evaluate, format_table
from pipeline.training.joint import TAGS, load_checkpoint, new_model

LICENCE: Final = "CC BY-SA 4.0"
LANGUAGES: Final = ("hi", "ro", "tr", "en", "vi")
QUANTISED: Final = ("MatMul", "Attention", "Gather", "EmbedLayerNormalization")


class Logits(torch.nn.Module):
    """A token classifier that takes two tensors and returns one, as ONNX wants it."""

    def __init__(self, model: Any) -> None:
        """Wrap a Hugging Face token classifier."""
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return the logits, (sentences, pieces, tags)."""
        logits: torch.Tensor = self.model(input_ids, attention_mask=attention_mask).logits
        return logits


def export_float(model: Any, path: Path) -> None:
    """Write ``model`` to an ONNX file in fp32, its attention fused."""
    model.eval()
    ids = torch.tensor([[0, 5, 6, 2], [0, 7, 2, 1]])
    with tempfile.TemporaryDirectory() as folder:
        plain = str(Path(folder) / "plain.onnx")
        torch.onnx.export(
            Logits(model),
            (ids, (ids != 1).long()),
            plain,
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={
                name: {0: "sentence", 1: "piece"}
                for name in ("input_ids", "attention_mask", "logits")
            },
            opset_version=17,
            dynamo=False,
        )
        config = model.config
        fused = optimizer.optimize_model(
            plain,
            model_type="bert",
            num_heads=config.num_attention_heads,
            hidden_size=config.hidden_size,
            opt_level=0,
        )
        fused.save_model_to_file(str(path))


def export_int8(source: Path, path: Path) -> None:
    """Write the fp32 ONNX file ``source`` to ``path`` with 8-bit weights."""
    quantize_dynamic(
        source,
        path,
        op_types_to_quantize=list(QUANTISED),
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )


def write_folder(model_file: Path, tokenizer: str, folder: Path, card: Mapping[str, Any]) -> None:
    """Put a model file, its tokenizer, its labels and its card into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    model_file.replace(folder / MODEL_FILE)
    (folder / TOKENIZER_FILE).write_text(tokenizer, encoding="utf-8")
    (folder / LABELS_FILE).write_text(json.dumps(TAGS) + "\n", encoding="utf-8")
    files = {name: sha256_of(folder / name) for name in (LABELS_FILE, MODEL_FILE, TOKENIZER_FILE)}
    (folder / CARD_FILE).write_text(card_text({**card, "files": files}), encoding="utf-8")


def card_text(card: Mapping[str, Any]) -> str:
    """Return a card as TOML: plain values first, then a table for every mapping."""
    values = {key: value for key, value in card.items() if not isinstance(value, Mapping)}
    tables = {key: value for key, value in card.items() if isinstance(value, Mapping)}
    lines = [f"{key} = {_toml(value)}" for key, value in values.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{_toml(key)} = {_toml(table[key])}" for key in table)]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """Return a string, number or list of strings as TOML; JSON writes these the same."""
    return json.dumps(value, ensure_ascii=False)


def make_card(name: str, recipe: Mapping[str, Any], step: int) -> dict[str, Any]:
    """Return what ``model.toml`` says of a model, but for its files."""
    corpora = [corpus for corpus in catalogue().values() if corpus.train is not None]
    return {
        "name": name,
        "engine": "onnx",
        "languages": list(LANGUAGES),
        "licence": LICENCE,
        "encoder": "multilingual-e5-small (MIT), vocabulary cut to 55,293 pieces",
        "command": "python -m pipeline.training.joint && python -m pipeline.training.export",
        "recipe": {**{key: recipe[key] for key in recipe if key != "encoder"}, "steps": step},
        "corpora": {corpus.name: f"{corpus.source}; {corpus.licence}" for corpus in corpora},
    }


def export(checkpoint: Path, output: Path, corpora: Path, limit: int | None) -> None:
    """Export ``checkpoint`` to the model folder ``output`` and print what int8 costs on dev."""
    with safe_open(checkpoint, framework="pt") as file:
        metadata = file.metadata()
    recipe = json.loads(metadata["recipe"])
    model = new_model(recipe["encoder"], recipe["frozen_layers"])
    step = load_checkpoint(checkpoint, model, None, None)
    tokenizer = AutoTokenizer.from_pretrained(recipe["encoder"]).backend_tokenizer.to_str()
    card = make_card(output.name, recipe, step)
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        fp32, int8 = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        export_float(model, fp32)
        export_int8(fp32, int8)
        write_folder(int8, tokenizer, output, card)
        write_folder(fp32, tokenizer, Path(folder) / "fp32", card)
        for name, engine in (
            ("fp32", OnnxEngine(Path(folder) / "fp32")),
            ("int8", OnnxEngine(output)),
        ):
            results = [
                result
                for corpus in catalogue().values()
                if (result := evaluate(engine, corpus, "dev", corpora, limit)) is not None
            ]
            print(name)
            print(format_table([*results, overall(results)]))


def overall(results: Sequence[Result]) -> Result:
    """Return the sum of several results."""
    total = Result("all", "–", results[0].part)
    for result in results:
        total.sentences += result.sentences
        total.words += result.words
        total.seconds += result.seconds
        for label, counts in result.labels.items():
            total.labels[label].right += counts.right
            total.labels[label].found += counts.found
            total.labels[label].expected += counts.expected
    return total


def main() -> None:
    """Parse the command line and export."""
    parser = argparse.ArgumentParser(description="Export a checkpoint as an int8 ONNX model.")
    parser.add_argument(
        "--checkpoint", type=Path, default=Path("work/joint/checkpoint.safetensors")
    )
    parser.add_argument("--output", type=Path, default=Path("models/joint"))
    parser.add_argument("--corpora", type=Path, default=CORPORA_DIR)
    parser.add_argument("--dev-limit", type=int, help="only so many sentences of each dev part")
    arguments = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    logging.getLogger("onnxruntime").setLevel(logging.ERROR)
    export(arguments.checkpoint, arguments.output, arguments.corpora, arguments.dev_limit)


if __name__ == "__main__":
    main()
