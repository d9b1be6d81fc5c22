"""Measure an engine on the labelled corpora.

``python -m pipeline.training.evaluate_corpora onnx:joint --part dev`` prints exact-span precision,
recall and F1 by corpus and label, with words per second of one core and peak memory of the same
run. A span is right when both edges and the label are (Tjong Kim Sang and De Meulder 2003). The
corpora mark whole tokens, some of which a full stop or quote is glued to; where edges inside of a
token are taken for the token's, as tagging the corpora's own tokens would, the F1 is that of the
column "by tokens". ECE is the expected calibration error of the scores: how far a span's score is
from the share of spans with such a score that are right (Guo et al. 2017), in ten bins of equal
width.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pipeline.recognise import find_names
from pipeline.recognise.base import Engine, Span
from pipeline.recognise.decode import tag_runs
from pipeline.recognise.routing import load_engine
from pipeline.recognise.words import split_words
from pipeline.schemas import LABELS
from pipeline.training.common import (
    CORPORA_DIR,
    Corpus,
    LabelledSentence,
    Part,
    catalogue,
)
from pipeline.training.labelled import labelled_sentences

SENTENCES_PER_DOCUMENT: Final = 20
"""How many consecutive sentences of a corpus are given to the engine together, as a document."""

ALL_LABELS: Final = "all"
BINS: Final = 10

Name = tuple[int, int, str]


@dataclass(slots=True)
class Counts:
    """Names right, found and expected."""

    right: int = 0
    found: int = 0
    expected: int = 0

    def add(self, other: Counts) -> None:
        """Add another's counts to these."""
        self.right += other.right
        self.found += other.found
        self.expected += other.expected

    @property
    def precision(self) -> float:
        """Return right by found, 0 to 1; 0 where nothing was found."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Return right by expected, 0 to 1; 0 where nothing was expected."""
        return self.right / self.expected if self.expected else 0.0

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall."""
        both = self.found + self.expected
        return 2 * self.right / both if both else 0.0


@dataclass(slots=True)
class Result:
    """What an engine reached on one part of one corpus; ``seconds`` are of one core."""

    corpus: str
    lang: str
    part: str
    sentences: int = 0
    words: int = 0
    seconds: float = 0.0
    labels: dict[str, Counts] = field(
        default_factory=lambda: {label: Counts() for label in (*LABELS, ALL_LABELS)}
    )
    by_tokens: Counts = field(default_factory=Counts)
    """All labels together, edges moved outward to those of the corpus's tokens."""

    scores: list[tuple[float, bool]] = field(default_factory=list)
    """Of every span found that has one: its score, and whether it is right."""

    @property
    def words_per_second(self) -> float:
        """Return words by seconds of one core, recognition alone."""
        return self.words / self.seconds if self.seconds else 0.0

    @property
    def calibration_error(self) -> float | None:
        """Return the expected calibration error, 0 to 1; None where no span has a score."""
        bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
        for score, is_right in self.scores:
            bins[min(int(score * BINS), BINS - 1)].append((score, is_right))
        if not bins:
            return None
        gaps = [
            abs(sum(score for score, _ in found) - sum(is_right for _, is_right in found))
            for found in bins.values()
        ]
        return sum(gaps) / len(self.scores)

    def as_row(self) -> dict[str, Any]:
        """Return the result as plain values for JSON."""
        error = self.calibration_error
        return {
            "corpus": self.corpus,
            "lang": self.lang,
            "part": self.part,
            "sentences": self.sentences,
            "words": self.words,
            "words_per_second": round(self.words_per_second),
            "calibration_error": None if error is None else round(error, 4),
            "f1_by_tokens": round(self.by_tokens.f1, 4),
            "labels": {
                label: {
                    "precision": round(counts.precision, 4),
                    "recall": round(counts.recall, 4),
                    "f1": round(counts.f1, 4),
                    "expected": counts.expected,
                }
                for label, counts in self.labels.items()
            },
        }


def rebuild(sentence: LabelledSentence) -> tuple[str, set[Name]]:
    """Return the sentence as text and its names as (start, end, label) in code points."""
    spans = token_offsets(sentence)
    tokens = zip(sentence.tokens, sentence.space_after, strict=True)
    text = "".join(token + " " * space for token, space in tokens)
    names = {
        (spans[first][0], spans[last - 1][1], label)
        for first, last, label in tag_runs(sentence.tags)
    }
    return text.rstrip(), names


def token_offsets(sentence: LabelledSentence) -> list[tuple[int, int]]:
    """Return start and end of every token in the text that :func:`rebuild` makes."""
    offsets = []
    position = 0
    for token, space in zip(sentence.tokens, sentence.space_after, strict=True):
        offsets.append((position, position + len(token)))
        position += len(token) + space
    return offsets


def by_tokens(sentence: LabelledSentence, names: Iterable[Name]) -> set[Name]:
    """Return ``names`` with both edges moved outward to those of the sentence's tokens."""
    inside = {position: span for span in token_offsets(sentence) for position in range(*span)}
    return {
        (inside.get(start, (start, end))[0], inside.get(end - 1, (start, end))[1], label)
        for start, end, label in names
    }


def count(gold: Sequence[set[Name]], found: Sequence[Iterable[Name]]) -> dict[str, Counts]:
    """Compare the names of sentences; returns counts by label and under ``all``."""
    right: Counter[str] = Counter()
    guessed: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    for gold_names, found_names in zip(gold, map(set, found), strict=True):
        right.update(label for _, _, label in gold_names & found_names)
        guessed.update(label for _, _, label in found_names)
        expected.update(label for _, _, label in gold_names)
    counts = {label: Counts(right[label], guessed[label], expected[label]) for label in LABELS}
    counts[ALL_LABELS] = Counts(right.total(), guessed.total(), expected.total())
    return counts


def evaluate(
    engine: Engine, corpus: Corpus, part: Part, root: Path, limit: int | None = None
) -> Result | None:
    """Run ``engine`` over the first ``limit`` sentences of a part; None where there is no part."""
    sentences = labelled_sentences(corpus, part, root)
    if sentences is None:
        return None
    sentences = sentences[:limit]
    rebuilt = [rebuild(sentence) for sentence in sentences]
    texts = [text for text, _ in rebuilt]
    found: list[list[Span]] = []
    began = time.process_time()
    for first in range(0, len(texts), SENTENCES_PER_DOCUMENT):
        document = texts[first : first + SENTENCES_PER_DOCUMENT]
        found += find_names(engine, document, corpus.lang)
    seconds = time.process_time() - began
    gold = [names for _, names in rebuilt]
    guesses = [[(span.start, span.end, span.label) for span in spans] for spans in found]
    return Result(
        corpus=corpus.name,
        lang=corpus.lang,
        part=part,
        sentences=len(texts),
        words=sum(len(split_words(text)) for text in texts),
        seconds=seconds,
        labels=count(gold, guesses),
        by_tokens=count(gold, [by_tokens(*pair) for pair in zip(sentences, guesses, strict=True)])[
            ALL_LABELS
        ],
        scores=[
            (span.score, name in names)
            for names, spans, named in zip(gold, found, guesses, strict=True)
            for span, name in zip(spans, named, strict=True)
            if span.score is not None
        ],
    )


def format_table(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table, percentages with one decimal."""
    lines = [
        "| corpus | part | sentences | P | R | F1 | by tokens | PER F1 | LOC F1 | ORG F1 | ECE "
        "| words/s |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for result in results:
        total = result.labels[ALL_LABELS]
        figures = [total.precision, total.recall, total.f1, result.by_tokens.f1]
        figures += [result.labels[label].f1 for label in LABELS]
        cells = [f"{result.lang} {result.corpus}", result.part, str(result.sentences)]
        cells += [f"{100 * figure:.1f}" for figure in figures]
        error = result.calibration_error
        cells += ["–" if error is None else f"{100 * error:.1f}"]
        cells.append(f"{result.words_per_second:.0f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def peak_rss_mb() -> float:
    """Return the highest resident memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description="Measure an engine on the labelled corpora.")
    parser.add_argument("engine", help="onnx:NAME, spacy:NAME_OR_PATH or stanza:NAME_OR_PATH")
    parser.add_argument("--part", choices=("train", "dev", "test"), default="dev")
    parser.add_argument("--corpus", action="append", help="a name of corpora.toml; default all")
    parser.add_argument("--lang", action="append", help="only corpora in this language")
    parser.add_argument("--limit", type=int, help="only the first sentences of each")
    parser.add_argument("--corpora", type=Path, default=CORPORA_DIR)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    arguments = parser.parse_args()
    engine = load_engine(arguments.engine, arguments.models)
    results = []
    for corpus in catalogue().values():
        if arguments.corpus and corpus.name not in arguments.corpus:
            continue
        if arguments.lang and corpus.lang not in arguments.lang:
            continue
        result = evaluate(engine, corpus, arguments.part, arguments.corpora, arguments.limit)
        if result is not None:
            results.append(result)
    print(f"{engine.name} {engine.model}, sha256 {engine.sha256}")
    print(format_table(results))
    print(f"peak memory {peak_rss_mb():.0f} MB")
    if arguments.json:
        report = {
            "engine": engine.name,
            "model": engine.model,
            "sha256": engine.sha256,
            "peak_rss_mb": round(peak_rss_mb()),
            "results": [result.as_row() for result in results],
        }
        arguments.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
