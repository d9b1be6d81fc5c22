"""Export a trained checkpoint as an int8 ONNX model folder with its card.

``python -m pipeline.training.export --checkpoint work/joint/checkpoint.safetensors --output
models/joint`` writes ``model.onnx``, ``upper.onnx``, ``tokenizer.json``, ``labels.json``,
``calibration.json`` and ``model.toml``, and prints the exact-span F1 on the dev parts in fp32 and
in int8. Attention, layer norms and GELU are fused first; :mod:`pipeline.training.quantise` says
how 8 bits suffice, :mod:`pipeline.recognise.onnx` how the two parts work together. ``--exit``
leaves ``upper.onnx`` out, so that the exit always answers. The dev parts choose how sure the exit
must be, how much rarer names are than in training, and the calibration of scores.
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
from pipeline.recognise.cleaning import clean_spans
from pipeline.recognise.onnx import (
    CALIBRATION_FILE,
    LABELS_FILE,
    MAX_PIECES,
    MODEL_FILE,
    SHAPES_FILE,
    TOKENIZER_FILE,
    UPPER_FILE,
    OnnxEngine,
)
from pipeline.recognise.pieces import WordPieces
from pipeline.recognise.words import split_words
from pipeline.training.common import CORPORA_DIR, catalogue, split_tokens
from pipeline.training.evaluate_corpora import (
    ALL_LABELS,
    Result,
    count,
    evaluate,
    format_table,
    rebuild,
)
from pipeline.training.joint import (
    TAGS,
    TwoExits,
    collate,
    encode,
    load_checkpoint,
    new_model,
)
from pipeline.training.labelled import labelled_sentences
from pipeline.training.parts import LOGITS, add_exit, cut_at_exit
from pipeline.training.quantise import Inputs, quantise

LICENCE: Final = "CC BY-SA 4.0"
LANGUAGES: Final = ("hi", "ro", "tr", "en", "vi")
CALIBRATION_SENTENCES: Final = 60
OUTSIDE_BIASES: Final = (0.0, 0.3, 0.6, 0.9, 1.2)
EXIT_CONFIDENCES: Final = (0.9, 0.8, 0.7)
EXIT_LOSS: Final = 0.0005
"""F1 on dev that leaving early may cost."""
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
    "The figures above are of the last of seven trainings, each on the weights of the one before. "
    "The first (1,482 steps, 1.7 million pieces) ran an earlier version of the code: without "
    "Vietnamese, parallel and written sentences, without the exit, with the three lowest layers "
    "frozen. The second (931 steps, 1.6 million pieces) trained all layers and added the "
    "Vietnamese sentences; the third (629 steps, 1.1 million pieces) added the parallel and "
    "the first written ones. The fourth (1,209 steps, 2.1 million pieces) began from the third's "
    "weights as they were shipped, in 8 bits, with the news part of HiNER twice and 85 more Hindi "
    "passages; the fifth (1,356 steps, 2.4 million pieces) had about 1,850 more passages, of which "
    "eight were taken out before the sixth (1,017 steps, 1.8 million pieces), and the sixth 640 "
    "more again. The seventh (3.1 million pieces) began from the sixth's weights as they were "
    "shipped, and had the Turkish Wikipedia and IL-NER twice an epoch, the passages twice instead "
    "of three times. make train-joint runs the seven with the code and passages of now."
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


def fuse(source: str, path: Path, config: Any) -> None:
    """Write the ONNX file ``source`` of a BERT of that ``config`` to ``path``, attention fused."""
    options = FusionOptions("bert")
    # On a CPU, ONNX Runtime's fused sum and norm is several times slower than the two apart.
    options.enable_skip_layer_norm = False
    options.enable_bias_skip_layer_norm = False
    optimizer.optimize_model(
        source,
        model_type="bert",
        num_heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
        opt_level=0,
        optimization_options=options,
    ).save_model_to_file(str(path))


def export_float(model: TwoExits, path: Path) -> None:
    """Write ``model`` to an ONNX file in fp32, its attention fused.

    Its outputs are those that :func:`pipeline.training.parts.cut_at_exit` needs.
    """
    model.eval()
    ids = torch.tensor([[0, 5, 6, 2], [0, 7, 2, 1]])
    with tempfile.TemporaryDirectory() as folder:
        plain = str(Path(folder) / "plain.onnx")
        torch.onnx.export(
            Logits(model.model).eval(),
            (ids, (ids != 1).long()),
            plain,
            input_names=["input_ids", "attention_mask"],
            output_names=[LOGITS],
            dynamic_axes={
                name: {0: "sentence", 1: "piece"}
                for name in ("input_ids", "attention_mask", LOGITS)
            },
            opset_version=17,
            dynamo=False,
        )
        fuse(plain, path, model.model.config)
    weight, bias = (value.detach().numpy() for value in (model.exit.weight, model.exit.bias))
    add_exit(path, model.exit_layer, weight.T, bias)


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


def write_folder(
    whole: Path, tokenizer: str, folder: Path, card: Mapping[str, Any], *, lower_only: bool
) -> None:
    """Put the parts of an ONNX file with an exit, its tokenizer and its card into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    cut_at_exit(whole, folder / MODEL_FILE, folder / UPPER_FILE)
    if lower_only:
        (folder / UPPER_FILE).unlink()
    (folder / TOKENIZER_FILE).write_text(tokenizer, encoding="utf-8")
    (folder / LABELS_FILE).write_text(json.dumps(TAGS) + "\n", encoding="utf-8")
    for fitted in (CALIBRATION_FILE, SHAPES_FILE):
        (folder / fitted).unlink(missing_ok=True)
    rewrite_card(folder, card)


def rewrite_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write ``card`` with the checksums of what lies in ``folder`` now."""
    write_card(folder, {**card, "files": hash_files(folder, model_files(folder))})


def make_card(
    name: str, recipe: Mapping[str, Any], step: int, *, lower_only: bool
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
        "layers": recipe["exit_layer"] if lower_only else ENCODER_LAYERS,
        "command": "make train-joint",
        "recipe": {**shown, "steps": step},
        "history": HISTORY,
        "weaknesses": list(WEAKNESSES),
        "corpora": {corpus.name: f"{corpus.source}; {corpus.licence}" for corpus in corpora},
    }


def export(
    checkpoint: Path, output: Path, corpora: Path, limit: int | None, *, lower_only: bool
) -> None:
    """Export ``checkpoint`` to the model folder ``output`` and print what int8 costs on dev."""
    with safe_open(checkpoint, framework="pt") as file:
        metadata = file.metadata()
    recipe = json.loads(metadata["recipe"])
    model = new_model(recipe["encoder"], recipe["frozen_layers"], recipe["exit_layer"])
    step = load_checkpoint(checkpoint, model, None, None)
    tokenizer = AutoTokenizer.from_pretrained(recipe["encoder"]).backend_tokenizer
    card = make_card(output.name, recipe, step, lower_only=lower_only)

    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".export-") as scratch:
        fp32, int8, folder = (Path(scratch) / name for name in ("fp32.onnx", "int8.onnx", "fp32"))
        export_float(model, fp32)
        never = {**card, "exit_confidence": 1.0}
        # Chosen by the whole model for both, so that the lower layers of the two are one file.
        write_folder(fp32, tokenizer.to_str(), folder, never, lower_only=False)
        card["outside_bias"] = choose_outside_bias(OnnxEngine(folder), corpora, limit)
        with torch.no_grad():
            model.model.classifier.bias[TAGS.index("O")] += card["outside_bias"]
            model.exit.bias[TAGS.index("O")] += card["outside_bias"]
        export_float(model, fp32)
        write_folder(fp32, tokenizer.to_str(), folder, never, lower_only=lower_only)
        quantise(fp32, int8, calibration_batches(tokenizer, corpora))
        write_folder(int8, tokenizer.to_str(), output, never, lower_only=lower_only)
        before = measure("fp32", folder, corpora, limit)
    after = measure("int8", output, corpora, limit)
    card["f1_lost_to_int8"] = round(_f1(before) - _f1(after), 4)
    if not lower_only:
        card["exit_confidence"], after = choose_exit_confidence(output, card, after, corpora, limit)
    calibrate(after.scores).save(output / CALIBRATION_FILE)
    rewrite_card(output, card)


def choose_outside_bias(engine: OnnxEngine, corpora: Path, limit: int | None) -> float:
    """Return what to add to the score of the tag ``O`` for the best mean F1 over the dev parts.

    The train parts hold more names than text does: sentences without one are left out, and the
    written passages are full of them. So a model finds too many (Saerens et al. 2002).
    """
    outside = TAGS.index("O")
    totals = dict.fromkeys(OUTSIDE_BIASES, 0.0)
    for corpus in catalogue().values():
        sentences = (labelled_sentences(corpus, "dev", corpora) or [])[:limit]
        if not sentences:
            continue
        rebuilt = [rebuild(sentence) for sentence in sentences]
        gold = [names for _, names in rebuilt]
        words = [split_words(text) for text, _ in rebuilt]
        scores = [
            engine.tag_scores(text, offsets)
            for (text, _), offsets in zip(rebuilt, words, strict=True)
        ]
        for bias in OUTSIDE_BIASES:
            found = []
            for (text, _), offsets, row in zip(rebuilt, words, scores, strict=True):
                moved = row.copy()
                moved[:, outside] += bias
                spans = clean_spans(text, engine.spans(offsets, moved), corpus.lang)
                found.append([(span.start, span.end, span.label) for span in spans])
            totals[bias] += count(gold, found)[ALL_LABELS].f1
    print("outside bias, sum of F1:", {bias: round(f1, 4) for bias, f1 in totals.items()})
    return max(totals, key=lambda bias: totals[bias])


def choose_exit_confidence(
    folder: Path, card: Mapping[str, Any], never: Result, corpora: Path, limit: int | None
) -> tuple[float, Result]:
    """Return the lowest exit confidence that costs no F1 to speak of, and the figures with it.

    ``never`` is the result of the model in ``folder`` without leaving early.
    """
    chosen = 1.0, never
    for confidence in EXIT_CONFIDENCES:
        rewrite_card(folder, {**card, "exit_confidence": confidence})
        result = measure(f"int8, exit at {confidence}", folder, corpora, limit)
        if _f1(result) < _f1(never) - EXIT_LOSS:
            break
        chosen = confidence, result
    return chosen


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
            total.labels[label].add(counts)
        total.by_tokens.add(result.by_tokens)
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
        lower_only=arguments.exit,
    )


if __name__ == "__main__":
    main()
