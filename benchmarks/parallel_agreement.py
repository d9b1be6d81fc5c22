"""How far the same sentence names the same entities, language by language against English.

Run ``python benchmarks/parallel_agreement.py [--sentences N] [--marked PART] [--corpus FILE]
[--config FILE] [--show]``. Takes the parallel sentences of FLORES in five languages, recognises and
resolves each language's as documents of their own with the models and the knowledge of the
settings, and gives all names ids with one empty registry. Prints for each language how many
sentences have exactly the entities of the English one, and the agreement over all entities of all
sentences: F1 of the sets, and of those that the knowledge base holds alone. ``--show`` lists the
entities that differ.

Models miss and invent names, so this measures recognising and linking together. With ``--marked``
the names are those that ``models/annotations/parallel`` marks in the sentences of a part (train,
dev or test), and linking alone is measured. Translators name what others leave out, so that even
then nothing reaches 1.
"""

from __future__ import annotations

import argparse
import json
import lzma
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pyarrow as pa

from pipeline.evaluate import Score
from pipeline.knowledge.build import ensure
from pipeline.knowledge.index import Index
from pipeline.recognise import recognise
from pipeline.recognise.routing import load_engines
from pipeline.recognise.words import split_words
from pipeline.resolve import registry
from pipeline.resolve.document import settle
from pipeline.resolve.finish import finish
from pipeline.resolve.ids import assign, distinct
from pipeline.resolve.spotting import spot
from pipeline.schemas import DOCUMENTS, LANGUAGES, MENTIONS, SEGMENTS, unfinished
from pipeline.settings import Settings, load
from pipeline.training.annotations import read_annotations

RUN: Final = "parallel"
ANNOTATIONS: Final = Path("models/annotations/parallel")
NIGHT: Final = date(2026, 1, 5)

Sentences = Sequence[Mapping[str, str]]
Entities = Mapping[str, Sequence[frozenset[str]]]
"""By language, the entities of each sentence."""


def read(corpus: Path, limit: int | None) -> Sentences:
    """Return the sentences: language to text; the first ``limit`` of them."""
    lines = lzma.decompress(corpus.read_bytes()).decode("utf-8").splitlines()
    return [json.loads(line) for line in lines[:limit]]


def tables(sentences: Sentences, lang: str) -> tuple[pa.Table, pa.Table]:
    """Return documents and segments of the sentences in one language, a document each."""
    documents, segments = [], []
    for number, sentence in enumerate(sentences):
        text = sentence[lang]
        doc_id = f"{lang}-{number:05}"
        documents.append({"doc_id": doc_id, "date": NIGHT, "lang": lang, "text": text})
        segments.append(
            {
                "doc_id": doc_id,
                "segment": 0,
                "date": NIGHT,
                "start": 0,
                "end": len(text),
                "lang": lang,
                "kind": "body",
            }
        )
    return (
        pa.Table.from_pylist(documents, schema=unfinished(DOCUMENTS)),
        pa.Table.from_pylist(segments, schema=unfinished(SEGMENTS)),
    )


def marked(sentences: Sentences, rows: Sequence[int], lang: str, part: str) -> pa.Table:
    """Return the names that people marked in the sentences, as mentions of :func:`tables`.

    ``rows`` are the sentences' lines in the corpus.
    """
    annotations = read_annotations(ANNOTATIONS / lang / f"{part}.tsv")
    mentions = []
    for number, (sentence, row) in enumerate(zip(sentences, rows, strict=True)):
        text = sentence[lang]
        words = split_words(text)
        for span in annotations[row].spans:
            start, end = words[span.start][0], words[span.end - 1][1]
            mentions.append(
                {
                    "doc_id": f"{lang}-{number:05}",
                    "segment": 0,
                    "date": NIGHT,
                    "lang": lang,
                    "kind": "body",
                    "ner_label": span.label,
                    "start": start,
                    "end": end,
                    "surface": text[start:end],
                    "sentence": text,
                    "sentence_start": 0,
                    "engine": "marked",
                    "model": part,
                }
            )
    return pa.Table.from_pylist(mentions, schema=unfinished(MENTIONS))


def rows_of(part: str) -> list[int]:
    """Return the lines of the corpus whose sentences are marked in all languages in a part."""
    files = (ANNOTATIONS / lang / f"{part}.tsv" for lang in LANGUAGES)
    return sorted(set.intersection(*(set(read_annotations(file)) for file in files)))


def resolve(
    sentences: Sentences, settings: Settings, index: Index, part: str | None, rows: Sequence[int]
) -> pa.Table:
    """Return the resolved mentions of all sentences in all languages."""
    engines = {} if part else load_engines(settings.routing, settings.models)
    settled = []
    for lang in LANGUAGES:
        documents, segments = tables(sentences, lang)
        if part:
            mentions = marked(sentences, rows, lang, part)
        else:
            mentions = recognise(documents, segments, engines, RUN)
        spotted = spot(documents, segments, mentions, index, RUN)
        settled.append(settle(documents, segments, spotted, index))
    connection = sqlite3.connect(":memory:")
    registry.create(connection)
    assignment = assign(map(distinct, settled), connection, index, RUN)
    return pa.concat_tables(finish(table, assignment, RUN) for table in settled)


def entities_of(mentions: pa.Table, n_sentences: int, chosen: frozenset[str] | None) -> Entities:
    """Return the entities of each sentence by language; those of ``chosen`` alone where given."""
    found: dict[str, list[set[str]]] = {
        lang: [set() for _ in range(n_sentences)] for lang in LANGUAGES
    }
    for row in mentions.select(["doc_id", "entity_id"]).to_pylist():
        lang, _, number = row["doc_id"].partition("-")
        if chosen is None or row["entity_id"] in chosen:
            found[lang][int(number)].add(row["entity_id"])
    return {lang: [frozenset(one) for one in of_lang] for lang, of_lang in found.items()}


def agreement(entities: Entities, lang: str) -> tuple[Score, int]:
    """Return the score of a language's entities against English, and the sentences all alike."""
    total = Score(0, 0, 0)
    alike = 0
    for english, other in zip(entities["en"], entities[lang], strict=True):
        total += Score(len(english), len(other), len(english & other))
        alike += english == other
    return total, alike


def report(everything: Entities, known: Entities) -> Iterator[str]:
    """Yield the lines of the table."""
    n = len(everything["en"])
    yield f"{n:,} sentences in {len(LANGUAGES)} languages"
    yield f"{'':8} {'entities':>8} {'in both':>8} {'alike':>7} {'F1':>6} {'F1 of known':>12}"
    for lang in LANGUAGES:
        score, alike = agreement(everything, lang)
        of_known, _ = agreement(known, lang)
        yield (
            f"{lang:8} {score.n_system:8,} {score.n_right:8,} {alike / n:7.3f} {score.f1:6.3f} "
            f"{of_known.f1:12.3f}"
        )


def differences(everything: Entities, names: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each entity that a language has and English not, or the reverse."""
    for lang in LANGUAGES:
        counts: Counter[tuple[str, str]] = Counter()
        for english, other in zip(everything["en"], everything[lang], strict=True):
            counts.update(("missing", names[one]) for one in english - other)
            counts.update(("extra", names[one]) for one in other - english)
        for (what, name), n in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            yield f"{lang} {what:8} {n:4} {name}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, help="how many of them [default: all]")
    parser.add_argument(
        "--marked", choices=("train", "dev", "test"), help="link the marked names of this part"
    )
    parser.add_argument(
        "--corpus", type=Path, default=Path("../shared/corpora/parallel/flores_5lang.jsonl.xz")
    )
    parser.add_argument("--config", type=Path)
    parser.add_argument("--show", action="store_true", help="list the entities that differ")
    arguments = parser.parse_args()
    print("$ python benchmarks/parallel_agreement.py", *sys.argv[1:])
    settings = load(arguments.config)
    print(
        f"data: {arguments.corpus} (FLORES-200; the joint models were trained on 604 of its "
        f"sentences); exonym {version('exonym')}, {date.today()}",
        flush=True,
    )
    sentences = read(arguments.corpus, arguments.sentences)
    rows = rows_of(arguments.marked) if arguments.marked else list(range(len(sentences)))
    sentences = [sentences[row] for row in rows]
    index = ensure(settings.knowledge)
    mentions = resolve(sentences, settings, index, arguments.marked, rows)
    unknown = {
        row["entity_id"]
        for row in mentions.select(["entity_id", "link_method"]).to_pylist()
        if row["link_method"] == "minted"
    }
    known = frozenset(mentions["entity_id"].to_pylist()) - unknown
    everything = entities_of(mentions, len(sentences), None)
    print("\n".join(report(everything, entities_of(mentions, len(sentences), known))))
    if arguments.show:
        rows = mentions.select(["entity_id", "name"]).to_pylist()
        names = {row["entity_id"]: row["name"] for row in reversed(rows)}
        print("\n".join(differences(everything, names)))


if __name__ == "__main__":
    main()
