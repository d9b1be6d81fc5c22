"""Names marked in sentences of a corpus that may not be copied: labels here, text there.

An annotation file is a table, tab-separated with a header: ``row`` (line of the corpus file, from
0), ``sha256`` (first 16 hexadecimal digits of the SHA-256 of the tokens joined by a space) and
``spans`` (``start:end:LABEL`` in tokens, end exclusive, separated by a space; empty where the
sentence holds no name). ``docs/annotation-vi.md`` and ``docs/annotation-parallel.md`` say what is
marked. The catalogue ``corpora.toml`` says which corpora are labelled so.

Run as a command::

    python -m pipeline.training.annotations show vtb test --from 0 --to 60
    python -m pipeline.training.annotations convert vtb test decisions.txt out.tsv
    python -m pipeline.training.annotations check
    python -m pipeline.training.annotations stats
    python -m pipeline.training.annotations agreement one.tsv other.tsv
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from pipeline.recognise.words import split_words
from pipeline.training.common import (
    ANNOTATIONS_DIR,
    CORPORA_DIR,
    Corpus,
    LabelledSentence,
    Part,
    catalogue,
)

LABELS: Final = ("PER", "LOC", "ORG")

_PARTS: Final[tuple[Part, ...]] = get_args(Part)
_HEADER: Final = ("row", "sha256", "spans")
_DECISION: Final = re.compile(r"(\d+)\s*:\s*(.*)")
_DECIDED_SPAN: Final = re.compile(r"(\d+)(?:\s*-\s*(\d+))?\s+([A-Z]+)")


class AnnotationError(ValueError):
    """An annotation that does not fit its corpus or the format."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A name: the tokens from ``start`` up to, not including, ``end``, and its label."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one line of an annotation file says: the sentence's hash and its names in order."""

    sha256: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class CorpusSentence:
    """A sentence of the corpus: its tokens and whether a space follows each.

    ``propn`` are the BIO tags of its gold proper nouns, empty where the corpus marks none.
    """

    tokens: tuple[str, ...]
    space_after: tuple[bool, ...]
    propn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two annotations of the same sentences agree.

    ``f1`` is the F1 of exact spans with their labels, ``kappa`` the agreement beyond chance on the
    label of every token (PER, LOC, ORG or none). Each is 1.0 where there is nothing to disagree on.
    """

    sentences: int
    spans: tuple[int, int]
    shared: int
    f1: float
    kappa: float
    differing_rows: tuple[int, ...]


def sentence_hash(tokens: Sequence[str]) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of the tokens joined by a space."""
    return hashlib.sha256(" ".join(tokens).encode("utf-8")).hexdigest()[:16]


def read_corpus(path: Path, lang: str) -> list[CorpusSentence]:
    """Return every sentence of a corpus file, xz-compressed JSON lines, in its order.

    A row holds ``tokens``, or else its text under ``lang``, which is split into words. Raises
    OSError where the file is missing.
    """
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return [_read_row(json.loads(line), lang) for line in lines]


def _read_row(row: Mapping[str, Any], lang: str) -> CorpusSentence:
    if "tokens" in row:
        tokens = tuple(row["tokens"])
        # Such a corpus does not say where spaces are.
        return CorpusSentence(tokens, (True,) * len(tokens), tuple(row.get("propn", ())))
    text = row[lang]
    words = split_words(text)
    return CorpusSentence(
        tuple(text[start:end] for start, end in words),
        tuple(text[end : end + 1].isspace() for _, end in words),
    )


def read_annotations(path: Path) -> dict[int, Annotation]:
    """Return the annotations of a file by row.

    Raises AnnotationError where a line is not of the format or a row stands twice.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or tuple(lines[0].split("\t")) != _HEADER:
        raise AnnotationError(f"{path}: the header is not {' '.join(_HEADER)}")
    annotations: dict[int, Annotation] = {}
    for number, line in enumerate(lines[1:], start=2):
        try:
            row, sha256, spans = line.split("\t")
            annotation = Annotation(sha256, tuple(_read_span(span) for span in spans.split()))
            key = int(row)
        except ValueError as error:
            raise AnnotationError(f"{path}:{number}: {error}") from error
        if key in annotations:
            raise AnnotationError(f"{path}:{number}: row {key} stands twice")
        annotations[key] = annotation
    return annotations


def write_annotations(path: Path, annotations: Mapping[int, Annotation]) -> None:
    """Write an annotation file, its lines in order of the rows."""
    lines = ["\t".join(_HEADER)]
    for row, annotation in sorted(annotations.items()):
        spans = " ".join(f"{span.start}:{span.end}:{span.label}" for span in annotation.spans)
        lines.append(f"{row}\t{annotation.sha256}\t{spans}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def problems(
    annotations: Mapping[int, Annotation], sentences: Sequence[CorpusSentence]
) -> list[str]:
    """Return what is wrong with annotations of these sentences, a line each; empty when nothing.

    Checked: the row exists, the hash is its sentence's, labels are known, spans lie inside the
    sentence, are not empty, stand in order and do not overlap.
    """
    found: list[str] = []
    for row, annotation in sorted(annotations.items()):
        if row >= len(sentences):
            found.append(f"row {row}: the corpus has only {len(sentences)} sentences")
            continue
        tokens = sentences[row].tokens
        if annotation.sha256 != sentence_hash(tokens):
            found.append(f"row {row}: the sentence is not the one annotated (hash differs)")
        end = 0
        for span in annotation.spans:
            if span.label not in LABELS:
                found.append(f"row {row}: unknown label {span.label}")
            if not span.start < span.end <= len(tokens):
                found.append(f"row {row}: span {span.start}:{span.end} of {len(tokens)} tokens")
            if span.start < end:
                found.append(f"row {row}: span {span.start}:{span.end} overlaps or is out of order")
            end = span.end
    return found


def load(
    corpus: Corpus, part: Part, root: Path = CORPORA_DIR, annotations: Path = ANNOTATIONS_DIR
) -> list[LabelledSentence]:
    """Return the annotated sentences of a part with BIO tags, in order of their rows.

    Raises AnnotationError where the annotations do not fit the corpus, OSError where a file is
    missing, ValueError where the corpus has no such part or no annotations.
    """
    source, path = corpus.path(part, root), corpus.annotation_path(part, annotations)
    if source is None or path is None:
        raise ValueError(f"{corpus.name} has no annotated part {part}")
    sentences = read_corpus(source, corpus.lang)
    annotated = read_annotations(path)
    if wrong := problems(annotated, sentences):
        raise AnnotationError(f"{path}: {wrong[0]} ({len(wrong)} such problems)")
    return [
        LabelledSentence(
            sentences[row].tokens,
            bio_tags(annotation.spans, len(sentences[row].tokens)),
            sentences[row].space_after,
        )
        for row, annotation in sorted(annotated.items())
    ]


def bio_tags(spans: Iterable[Span], length: int) -> tuple[str, ...]:
    """Return the BIO tags of a sentence of ``length`` tokens with these spans."""
    tags = ["O"] * length
    for span in spans:
        tags[span.start : span.end] = [f"I-{span.label}"] * (span.end - span.start)
        tags[span.start] = f"B-{span.label}"
    return tuple(tags)


def read_decisions(text: str, sentences: Sequence[CorpusSentence]) -> dict[int, Annotation]:
    """Read an annotator's lines, ``row: first-last LABEL, token LABEL``, both ends inclusive.

    A row alone (``12:``) says that the sentence holds no name; empty lines and lines that begin
    with ``#`` are skipped. Raises AnnotationError where a line cannot be read, a row stands twice
    or the result does not fit the sentences.
    """
    annotations: dict[int, Annotation] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("#"):
            continue
        match = _DECISION.fullmatch(line)
        if match is None:
            raise AnnotationError(f"not of the form 'row: first-last LABEL, …': {line}")
        row = int(match[1])
        if row >= len(sentences) or row in annotations:
            raise AnnotationError(f"row {row} stands twice or is not in the corpus")
        decided = [item.strip() for item in match[2].split(",") if item.strip()]
        spans = tuple(sorted(_decided_span(item, row) for item in decided))
        annotations[row] = Annotation(sentence_hash(sentences[row].tokens), spans)
    if wrong := problems(annotations, sentences):
        raise AnnotationError("; ".join(wrong))
    return annotations


def agreement(
    first: Mapping[int, Annotation],
    second: Mapping[int, Annotation],
    lengths: Mapping[str, int],
) -> Agreement:
    """Compare two annotations on the rows that both hold.

    ``lengths`` gives the number of tokens of a sentence by its hash. Kappa is Cohen's (1960, "A
    coefficient of agreement for nominal scales"). Raises AnnotationError where the two annotate
    different sentences, the corpus does not hold one, or they share no row.
    """
    rows = sorted(first.keys() & second.keys())
    if not rows:
        raise AnnotationError("the two files share no row")
    counts = [0, 0]
    shared = 0
    differing: list[int] = []
    pairs: Counter[tuple[str, str]] = Counter()
    for row in rows:
        one, other = first[row], second[row]
        if one.sha256 != other.sha256:
            raise AnnotationError(f"row {row}: the two files annotate different sentences")
        if one.sha256 not in lengths:
            raise AnnotationError(f"row {row}: the corpus holds no sentence {one.sha256}")
        counts[0] += len(one.spans)
        counts[1] += len(other.spans)
        shared += len(set(one.spans) & set(other.spans))
        if one.spans != other.spans:
            differing.append(row)
        length = lengths[one.sha256]
        pairs.update(zip(_labels(one, length), _labels(other, length), strict=True))
    return Agreement(
        sentences=len(rows),
        spans=(counts[0], counts[1]),
        shared=shared,
        f1=2 * shared / sum(counts) if sum(counts) else 1.0,
        kappa=cohen_kappa(pairs),
        differing_rows=tuple(differing),
    )


def cohen_kappa(pairs: Mapping[tuple[str, str], int]) -> float:
    """Return Cohen's kappa of a table of label pairs with their counts; 1.0 of an empty table."""
    total = sum(pairs.values())
    first: Counter[str] = Counter()
    second: Counter[str] = Counter()
    for (one, other), count in pairs.items():
        first[one] += count
        second[other] += count
    by_chance = sum(first[label] * second[label] for label in first)
    if by_chance == total * total:
        return 1.0
    agreed = sum(count for (one, other), count in pairs.items() if one == other)
    return (agreed * total - by_chance) / (total * total - by_chance)


def _labels(annotation: Annotation, length: int) -> list[str]:
    return [tag[2:] or "O" for tag in bio_tags(annotation.spans, length)]


def _read_span(text: str) -> Span:
    start, end, label = text.split(":")
    return Span(int(start), int(end), label)


def _decided_span(item: str, row: int) -> Span:
    match = _DECIDED_SPAN.fullmatch(item)
    if match is None:
        raise AnnotationError(f"row {row}: not of the form 'first-last LABEL': {item}")
    first = int(match[1])
    return Span(first, int(match[2] or first) + 1, match[3])


def _describe(row: int, sentence: CorpusSentence) -> str:
    """Return a sentence on one line: its row, its tokens with their numbers, its proper nouns."""
    tokens = " ".join(f"{token}/{number}" for number, token in enumerate(sentence.tokens))
    runs: list[list[int]] = []
    for number, tag in enumerate(sentence.propn):
        if tag.startswith("B-"):
            runs.append([number, number])
        elif tag.startswith("I-") and runs:
            runs[-1][1] = number
    spans = ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in runs)
    return f"{row}: {tokens}  [{spans}]"


def _sentences(name: str, part: Part) -> list[CorpusSentence]:
    corpus = catalogue()[name]
    path = corpus.path(part)
    if path is None:
        raise AnnotationError(f"{name} has no part {part}")
    return read_corpus(path, corpus.lang)


def _show(name: str, part: Part, first: int, end: int | None) -> None:
    for row, sentence in list(enumerate(_sentences(name, part)))[first:end]:
        print(_describe(row, sentence))


def _convert(name: str, part: Part, decisions: Path, out: Path) -> None:
    decided = read_decisions(decisions.read_text(encoding="utf-8"), _sentences(name, part))
    before = read_annotations(out) if out.exists() else {}
    write_annotations(out, before | decided)
    print(f"{out}: {len(decided)} sentences written, {len(before | decided)} in all")


def _check() -> bool:
    good = True
    for corpus, part, path in _files():
        wrong = problems(read_annotations(path), _sentences(corpus.name, part))
        print(f"{path}: {len(wrong)} problems", *wrong, sep="\n  ")
        good = good and not wrong
    return good


def _stats() -> None:
    print("corpus     part   sentences  with names", *(f"{label:>6}" for label in LABELS))
    for corpus, part, path in _files():
        annotated = read_annotations(path).values()
        counts = Counter(span.label for annotation in annotated for span in annotation.spans)
        named = sum(bool(annotation.spans) for annotation in annotated)
        numbers = " ".join(f"{counts[label]:6}" for label in LABELS)
        print(f"{corpus.name:10} {part:5}  {len(annotated):9}  {named:10} {numbers}")


def _files() -> list[tuple[Corpus, Part, Path]]:
    return [
        (corpus, part, path)
        for corpus in catalogue().values()
        for part in _PARTS
        if (path := corpus.annotation_path(part)) is not None
    ]


def _print_agreement(name: str, first: Path, second: Path) -> None:
    files = {catalogue()[name].path(part) for part in _PARTS}
    sentences = [
        sentence
        for path in sorted(filter(None, files))
        for sentence in read_corpus(path, catalogue()[name].lang)
    ]
    lengths = {sentence_hash(sentence.tokens): len(sentence.tokens) for sentence in sentences}
    result = agreement(read_annotations(first), read_annotations(second), lengths)
    print(f"sentences   {result.sentences}")
    print(f"names       {result.spans[0]} and {result.spans[1]}, {result.shared} the same")
    print(f"span F1     {result.f1:.4f}")
    print(f"token kappa {result.kappa:.4f}")
    print("rows that differ:", *result.differing_rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line that the module's text describes; return its exit status."""
    names = [corpus.name for corpus in catalogue().values() if corpus.annotations is not None]
    parser = argparse.ArgumentParser(prog="python -m pipeline.training.annotations")
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("show", help="print sentences for an annotator")
    show.add_argument("corpus", choices=names)
    show.add_argument("part", choices=_PARTS)
    show.add_argument("--from", dest="first", type=int, default=0, help="first row")
    show.add_argument("--to", dest="end", type=int, help="row to stop before")
    convert = commands.add_parser("convert", help="add an annotator's lines to a table")
    convert.add_argument("corpus", choices=names)
    convert.add_argument("part", choices=_PARTS)
    convert.add_argument("decisions", type=Path)
    convert.add_argument("out", type=Path)
    commands.add_parser("check", help="check every annotation file against the corpus")
    commands.add_parser("stats", help="count sentences and names")
    compare = commands.add_parser("agreement", help="compare two annotation files")
    compare.add_argument("corpus", choices=names)
    compare.add_argument("first", type=Path)
    compare.add_argument("second", type=Path)
    options = parser.parse_args(arguments)
    try:
        match options.command:
            case "show":
                _show(options.corpus, options.part, options.first, options.end)
            case "convert":
                _convert(options.corpus, options.part, options.decisions, options.out)
            case "stats":
                _stats()
            case "agreement":
                _print_agreement(options.corpus, options.first, options.second)
            case _:
                return 0 if _check() else 1
    except (AnnotationError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
