"""Write what was measured into a model's card, and the card's README.

``python -m pipeline.training.card models/joint dev.json test.json`` takes the reports that
``pipeline.training.evaluate_corpora --json`` wrote for this very model.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from pipeline.recognise.cards import README_FILE, digest_of, read_card, write_card
from pipeline.schemas import LABELS
from pipeline.training.evaluate_corpora import ALL_LABELS

_COLUMNS: Final = (ALL_LABELS, *LABELS)

Report = Mapping[str, Any]


def add_figures(card: Mapping[str, Any], reports: Sequence[Report]) -> dict[str, Any]:
    """Return ``card`` with the micro F1 of the reports under ``f1``, by part and corpus.

    Raises ValueError where a report is of other files than the card's.
    """
    digest = digest_of(card["files"])
    figures: dict[str, dict[str, float]] = {}
    for report in reports:
        if report["sha256"] != digest:
            raise ValueError(f"a report is of {report['model']} with other files: measure again")
        for result in report["results"]:
            f1 = result["labels"][ALL_LABELS]["f1"]
            figures.setdefault(result["part"], {})[result["corpus"]] = f1
    return {**card, "f1": figures}


def readme(card: Mapping[str, Any], reports: Sequence[Report], size: int, day: date) -> str:
    """Return the model card as Markdown; ``size`` is of all files, in bytes."""
    engine = f"{card['engine']}:{card['name']}"
    lines = [
        f"# {card['name']}",
        "",
        f"Finds persons, places and organisations. Engine: {card['engine']}. "
        f"Languages: {', '.join(card['languages'])}. Licence: {card['licence']}. "
        f"Size: {size / 1e6:.1f} MB.",
        "",
        "## Data",
        "",
        *(f"- {name}: {source}" for name, source in card["corpora"].items()),
    ]
    if "encoder" in card:
        lines.append(f"- encoder: {card['encoder']}")
    lines += ["", "## Recipe", "", f"    {card['command']}", ""]
    recipe = card.get("recipe", {"seed": card.get("seed")})
    lines += [f"- {key}: {value}" for key, value in recipe.items()]
    for remark in _remarks(card):
        lines += ["", remark]
    lines += ["", "## Figures", "", f"Exact-span F1, %, measured on {day.isoformat()}."]
    for report in reports:
        lines += ["", *_figures(report, engine)]
    if "weaknesses" in card:
        lines += ["", "## Known weaknesses", "", *(f"- {text}" for text in card["weaknesses"])]
    lines += ["", "## SHA-256", "", *(f"- `{f}` {sha256}" for f, sha256 in card["files"].items())]
    return "\n".join(lines) + "\n"


def _remarks(card: Mapping[str, Any]) -> Iterator[str]:
    """Yield a paragraph for each thing about the recipe that numbers alone do not say."""
    if "history" in card:
        yield card["history"]
    if "f1_lost_to_int8" in card:
        yield f"Storing it in 8 bits cost {card['f1_lost_to_int8']:.4f} of micro F1 on dev."
    if "exit_confidence" in card:
        yield (
            f"Where layer {card['recipe']['exit_layer']} gives the best tag of every word of a "
            f"sentence a probability of at least {card['exit_confidence']:g}, its answer stands "
            "and the layers above do not run."
        )
    if card.get("outside_bias"):
        yield (
            f"{card['outside_bias']:g} is added to the score of the tag O: the training data hold "
            "more names than text does."
        )
    for lang, f1 in card.get("shapes", {}).items():
        yield (
            f"In {lang}, what the shapes of words say about where names are (shapes.json, fitted "
            "on the dev parts) is added to the score of O. Over the dev parts of that language it "
            f"brings the micro F1 from {100 * f1['f1_without']:.1f} to "
            f"{100 * f1['f1_corrected']:.1f} by cross-validation; the dev figures below are of "
            "sentences that it was fitted on."
        )


def _figures(report: Report, engine: str) -> list[str]:
    """Return the command that measured a report, and its table."""
    part = report["results"][0]["part"]
    return [
        f"    python -m pipeline.training.evaluate_corpora {engine} --part {part}",
        "",
        f"| corpus | sentences | {' | '.join(_COLUMNS)} | words/s of one core |",
        f"| --- | ---: | {'---: | ' * len(_COLUMNS)}---: |",
        *(_row(result) for result in report["results"]),
        "",
        f"Peak memory {report['peak_rss_mb']} MB.",
    ]


def _row(result: Report) -> str:
    figures = [f"{100 * result['labels'][label]['f1']:.1f}" for label in _COLUMNS]
    name = f"{result['lang']} {result['corpus']}"
    cells = [name, str(result["sentences"]), *figures, str(result["words_per_second"])]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Parse the command line and write card and README."""
    parser = argparse.ArgumentParser(description="Write figures into a model's card.")
    parser.add_argument("folder", type=Path, help="the model's folder")
    parser.add_argument("reports", type=Path, nargs="+", help="JSON of evaluate_corpora")
    parser.add_argument("--date", type=date.fromisoformat, default=date.today())
    arguments = parser.parse_args()
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in arguments.reports]
    card = add_figures(read_card(arguments.folder), reports)
    size = sum((arguments.folder / file).stat().st_size for file in card["files"])
    write_card(arguments.folder, card)
    text = readme(card, reports, size, arguments.date)
    (arguments.folder / README_FILE).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
