"""Measure a model on the dev and test parts of its languages and write the figures to its card.

``python -m pipeline.training.record_f1 spacy:spacy-ro`` is for a model that is final: whatever is
chosen is chosen on dev. The card's ``f1.dev`` and ``f1.test`` hold exact-span micro F1,
0 to 1, by corpus.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.recognise.cards import MODELS_DIR, read_card, write_card
from pipeline.recognise.routing import load_engine
from pipeline.training.common import CORPORA_DIR, Part, catalogue
from pipeline.training.evaluate_corpora import ALL_LABELS, evaluate, format_table


def record_f1(value: str, models_dir: Path, root: Path) -> None:
    """Measure the model of a routing value, one of ``models_dir``; print and record."""
    folder = models_dir / value.partition(":")[2]
    card = read_card(folder)
    engine = load_engine(value, models_dir)
    parts: tuple[Part, ...] = ("dev", "test")
    card["f1"] = {part: {} for part in parts}
    results = []
    for corpus in catalogue().values():
        for part in parts:
            if corpus.lang not in card["languages"]:
                continue
            result = evaluate(engine, corpus, part, root)
            if result is not None:
                card["f1"][part][corpus.name] = round(result.labels[ALL_LABELS].f1, 4)
                results.append(result)
    print(format_table(results))
    write_card(folder, card)


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description="Write a model's F1 to its card.")
    parser.add_argument("model", help="onnx:NAME, spacy:NAME or stanza:NAME, of the models folder")
    parser.add_argument("--models", type=Path, default=MODELS_DIR)
    parser.add_argument("--corpora", type=Path, default=CORPORA_DIR)
    arguments = parser.parse_args()
    record_f1(arguments.model, arguments.models, arguments.corpora)


if __name__ == "__main__":
    main()
