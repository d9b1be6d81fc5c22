"""Export a trained checkpoint as an int8 ONNX model folder with its card.

``python -m pipeline.training.export --checkpoint work/joint/checkpoint.safetensors --output
models/joint`` writes ``model.onnx``, ``tokenizer.json``, ``labels.json``, ``calibration.json`` and
``model.toml``, and prints the exact-span F1 on the dev parts in fp32 and in int8. Attention, layer
norms and GELU are fused first; :mod:`pipeline.training.quantise` says how 8 bits suffice.
``--exit`` exports the layers up to the exit with its classifier instead of the whole model. The
scores are calibrated on the dev parts.
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

import numpy as np
import torch
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions
from safetensors import safe_open
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from pipeline.recognise.calibration import Calibration, log_odds
from pipeline.recognise.cards import hash_files, model_files, write_card
from pipeline.recognise.onnx import (
    CALIBRATION_FILE,
    LABELS_FILE,
    MAX_PIECES,
    MODEL_FILE,
    TOKENIZER_FILE,
    OnnxEngine,
)
from pipeline.recognise.pieces import WordPieces
from pipeline.training.common import CORPORA_DIR, catalogue, split_tokens
from pipeline.training.evaluate_corpora import ALL_LABELS, Result, evaluate, format_table
from pipeline.training.joint import (
    TAGS,
    TwoExits,
    collate,
    encode,
    load_checkpoint,
    new_model,
)
from pipeline.training.labelled import labelled_sentences
from pipeline.training.quantise import Inputs, quantise

LICENCE: Final = "CC BY-SA 4.0"
LANGUAGES: Final = ("hi", "ro", "tr", "en", "vi")
CALIBRATION_SENTENCES: Final = 60
ENCODER_LAYERS: Final = 12
WEAKNESSES: Final = (
    "Romanian and Hindi labels are noisy; what is right by their annotators is not always right.",
    "Turkish and part of the English were learned from encyclopaedias, not from news.",
    "The Vietnamese labels, those of the parallel sentences and the written passages were made by "
    "automatic annotators (large language models) that read every sentence; no native speaker has "
    "checked them.",
    "Long names of organisations are sometimes cut short, and countries that act are tagged LOC in "
    "some sentences and ORG in others.",
)
HISTORY: Final = (
    "The figures above are of the last of six trainings, each on the weights of the one before. "
    "The first (1,482 steps, 1.7 million pieces) ran an earlier version of the code: without "
    "Vietnamese, parallel and written sentences, without the exit, with the three lowest layers "
    "frozen. The second (931 steps, 1.6 million pieces) trained all layers and added the "
    "Vietnamese sentences; the third (629 steps, 1.1 million pieces) added the parallel and "
    "the first written ones. The fourth (1,209 steps, 2.1 million pieces) began from the third's "
    "weights as they were shipped, in 8 bits, with the news part of HiNER twice and 85 more Hindi "
    "passages; the fifth (1,356 steps, 2.4 million pieces) had about 1,850 more passages, of which "
    "eight were taken out before the sixth, and the sixth 640 more again. make train-joint runs "
    "the six with the code and passages of now."
)


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
        options = FusionOptions("bert")
        # On a CPU, ONNX Runtime's fused sum and norm is several times slower than the two apart.
        options.enable_skip_layer_norm = False
        options.enable_bias_skip_layer_norm = False
        fused = optimizer.optimize_model(
            plain,
            model_type="bert",
            num_heads=config.num_attention_heads,
            hidden_size=config.hidden_size,
            opt_level=0,
            optimization_options=options,
        )
        fused.save_model_to_file(str(path))


def calibration_batches(tokenizer: Tokenizer, corpora: Path) -> list[Inputs]:
    """Return inputs of the first sentences of every train part, a batch a corpus."""
    pieces = WordPieces(tokenizer)
    batches: list[Inputs] = []
    for corpus in catalogue().values():
        rows = (labelled_sentences(corpus, "train", corpora) or [])[:CALIBRATION_SENTENCES]
        if rows:
            examples = [
                encode(*split_tokens(row.tokens, row.tags), pieces, MAX_PIECES) for row in rows
            ]
            ids = collate(examples, pieces.padding)[0].numpy()
            mask = (ids != pieces.padding).astype(np.int64)
            batches.append({"input_ids": ids, "attention_mask": mask})
    return batches


def write_folder(model_file: Path, tokenizer: str, folder: Path, card: Mapping[str, Any]) -> None:
    """Put a model file, its tokenizer, its labels and its card into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    model_file.replace(folder / MODEL_FILE)
    (folder / TOKENIZER_FILE).write_text(tokenizer, encoding="utf-8")
    (folder / LABELS_FILE).write_text(json.dumps(TAGS) + "\n", encoding="utf-8")
    write_card(folder, {**card, "files": hash_files(folder, model_files(folder))})


def make_card(
    name: str, recipe: Mapping[str, Any], step: int, *, at_exit: bool = False
) -> dict[str, Any]:
    """Return what ``model.toml`` says of a model, but for its files."""
    corpora = [corpus for corpus in catalogue().values() if corpus.train is not None]
    shown = {key: value for key, value in recipe.items() if key not in ("encoder", "start")}
    return {
        "name": name,
        "engine": "onnx",
        "languages": list(LANGUAGES),
        "licence": LICENCE,
        "encoder": "multilingual-e5-small (MIT), vocabulary cut to 55,293 pieces",
        "layers": recipe["exit_layer"] if at_exit else ENCODER_LAYERS,
        "command": "make train-joint",
        "recipe": {**shown, "steps": step},
        "history": HISTORY,
        "weaknesses": list(WEAKNESSES),
        "corpora": {corpus.name: f"{corpus.source}; {corpus.licence}" for corpus in corpora},
    }


def up_to_exit(model: TwoExits) -> Any:
    """Return the token classifier that consists of the layers up to the exit, and the exit."""
    classifier = model.model
    layers = classifier.base_model.encoder.layer
    classifier.base_model.encoder.layer = layers[: model.exit_layer]
    classifier.config.num_hidden_layers = model.exit_layer
    classifier.classifier = model.exit
    return classifier


def export(
    checkpoint: Path, output: Path, corpora: Path, limit: int | None, *, at_exit: bool
) -> None:
    """Export ``checkpoint`` to the model folder ``output`` and print what int8 costs on dev."""
    with safe_open(checkpoint, framework="pt") as file:
        metadata = file.metadata()
    recipe = json.loads(metadata["recipe"])
    model = new_model(recipe["encoder"], recipe["frozen_layers"], recipe["exit_layer"])
    step = load_checkpoint(checkpoint, model, None, None)
    classifier = up_to_exit(model) if at_exit else model.model
    tokenizer = AutoTokenizer.from_pretrained(recipe["encoder"]).backend_tokenizer
    card = make_card(output.name, recipe, step, at_exit=at_exit)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".export-") as folder:
        fp32, int8 = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        export_float(classifier, fp32)
        quantise(fp32, int8, calibration_batches(tokenizer, corpora))
        (output / CALIBRATION_FILE).unlink(missing_ok=True)
        write_folder(int8, tokenizer.to_str(), output, card)
        write_folder(fp32, tokenizer.to_str(), Path(folder) / "fp32", card)
        before = measure("fp32", Path(folder) / "fp32", corpora, limit)
    after = measure("int8", output, corpora, limit)
    calibrate(after.scores).save(output / CALIBRATION_FILE)
    card["f1_lost_to_int8"] = round(_f1(before) - _f1(after), 4)
    write_card(output, {**card, "files": hash_files(output, model_files(output))})


def measure(name: str, folder: Path, corpora: Path, limit: int | None) -> Result:
    """Print how the model in ``folder`` does on the dev parts; returns the sum over all."""
    engine = OnnxEngine(folder)
    results = [
        result
        for corpus in catalogue().values()
        if (result := evaluate(engine, corpus, "dev", corpora, limit)) is not None
    ]
    total = overall(results)
    print(name)
    print(format_table([*results, total]), flush=True)
    return total


def calibrate(scores: Sequence[tuple[float, bool]]) -> Calibration:
    """Fit the probability that a span is right to scores and whether each was right.

    Raises ValueError where all of them are right, or none.
    """
    regression = LogisticRegression(C=np.inf)
    regression.fit([[log_odds(score)] for score, _ in scores], [right for _, right in scores])
    return Calibration(float(regression.coef_[0, 0]), float(regression.intercept_[0]))


def _f1(result: Result) -> float:
    return result.labels[ALL_LABELS].f1


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
        total.scores += result.scores
    return total


def main() -> None:
    """Parse the command line and export."""
    parser = argparse.ArgumentParser(description="Export a checkpoint as an int8 ONNX model.")
    parser.add_argument(
        "--checkpoint", type=Path, default=Path("work/joint/checkpoint.safetensors")
    )
    parser.add_argument("--output", type=Path, default=Path("models/joint"))
    parser.add_argument("--corpora", type=Path, default=CORPORA_DIR)
    parser.add_argument("--exit", action="store_true", help="export the layers up to the exit")
    parser.add_argument("--dev-limit", type=int, help="only so many sentences of each dev part")
    arguments = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    logging.getLogger("onnxruntime").setLevel(logging.ERROR)
    export(
        arguments.checkpoint,
        arguments.output,
        arguments.corpora,
        arguments.dev_limit,
        at_exit=arguments.exit,
    )


if __name__ == "__main__":
    main()
