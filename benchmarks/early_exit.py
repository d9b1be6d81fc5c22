"""What leaving the joint model early gives and costs, on the dev parts.

``python benchmarks/early_exit.py`` measures ``models/joint`` as it is, with all layers always, and
its lower layers alone (``models/joint-fast``), one after the other on every dev part, so that the
speeds of one line may be compared. F1 is of exact spans with their labels, in %; words per second
are of one core, recognition alone; "early" is the share of sentences that the lower layers answer.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pipeline.recognise.cards import read_card, write_card
from pipeline.recognise.onnx import OnnxEngine
from pipeline.recognise.words import split_words
from pipeline.training.common import CORPORA_DIR, Corpus, catalogue
from pipeline.training.evaluate_corpora import ALL_LABELS, Result, evaluate, rebuild
from pipeline.training.labelled import labelled_sentences

MODELS: Final = Path("models")
SENTENCES: Final = 500
"""Of each part, its first."""


def without_exit(folder: Path, scratch: Path) -> OnnxEngine:
    """Return the model in ``folder`` with all its layers for every sentence."""
    shutil.copytree(folder, scratch, dirs_exist_ok=True)
    write_card(scratch, {**read_card(folder), "exit_confidence": 1.0})
    return OnnxEngine(scratch)


def share_left_early(lower: OnnxEngine, confidence: float, corpus: Corpus) -> float:
    """Return the share of the sentences whose every word's best tag is that sure."""
    texts = [rebuild(row)[0] for row in (labelled_sentences(corpus, "dev") or [])[:SENTENCES]]
    scores = [lower.tag_scores(text, words) for text in texts if (words := split_words(text))]
    early = [row.max(axis=1).min() >= math.log(confidence) for row in scores]
    return sum(early) / len(early)


def line(name: str, share: float, results: list[Result]) -> str:
    """Return a row of the table: as it is, all layers, lower layers."""
    cells = [f"{100 * result.labels[ALL_LABELS].f1:.1f}" for result in results]
    cells += [f"{result.words_per_second:.0f}" for result in results]
    ratio = results[0].words_per_second / results[1].words_per_second
    return f"| {name} | {100 * share:.0f} % | {' | '.join(cells)} | {ratio:.2f} |"


def main() -> None:
    """Measure and print."""
    joint, fast = MODELS / "joint", MODELS / "joint-fast"
    confidence = read_card(joint)["exit_confidence"]
    with tempfile.TemporaryDirectory() as scratch:
        engines = [OnnxEngine(joint), without_exit(joint, Path(scratch)), OnnxEngine(fast)]
        load = os.getloadavg()[0]
        print("$ python benchmarks/early_exit.py")
        print(f"{datetime.now(UTC):%Y-%m-%d}; joint, sha256 {engines[0].sha256}; load {load:.1f}")
        print(f"exit at {confidence:g}; the first {SENTENCES} sentences of each dev part")
        print("| corpus | early | F1 | all layers | lower | words/s | all layers | lower | × |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        for corpus in catalogue().values():
            results = [
                evaluate(engine, corpus, "dev", CORPORA_DIR, SENTENCES) for engine in engines
            ]
            found = [result for result in results if result is not None]
            if found:
                share = share_left_early(engines[2], confidence, corpus)
                print(line(f"{corpus.lang} {corpus.name}", share, found), flush=True)


if __name__ == "__main__":
    main()
