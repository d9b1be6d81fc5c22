"""How many mentions a second one core resolves, with names met for the first time and again.

Run ``python benchmarks/resolving.py [--documents N] [--corpora DIR]``. Ten labelled sentences of
the dev parts of the corpora make a document, their names its mentions, as if a recogniser had found
them; language by language. Every document is resolved (cleaned, clustered, linked against the full
index) twice in one process: ``first`` meets most names for the first time, ``again`` has met all of
them and is the rate of repeats. Seconds are the process's own, so other work on the machine hardly
counts. ``exact`` is the named alternative: only looking the surface up as an alias.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Final

from pipeline.knowledge.build import ensure
from pipeline.knowledge.index import Index
from pipeline.resolve.candidates import Finder
from pipeline.resolve.document import Row, finished_rows, settle_document
from pipeline.resolve.forms import read
from pipeline.schemas import LANGUAGES
from pipeline.training.common import CORPORA_DIR, LabelledSentence, catalogue
from pipeline.training.labelled import labelled_sentences

KNOWLEDGE: Final = Path("models/knowledge")
SENTENCES: Final = 10


@dataclass(frozen=True, slots=True)
class Document:
    """A text and the mentions that a recogniser would find in it."""

    text: str
    rows: Sequence[Row]


def documents(lang: str, corpora: Path, most: int) -> list[Document]:
    """Return documents of one language, at most so many, from all its corpora in turn."""
    sentences = [
        sentence
        for corpus in catalogue().values()
        if corpus.lang == lang
        for sentence in labelled_sentences(corpus, "dev", corpora) or ()
        if any(tag != "O" for tag in sentence.tags)
    ]
    groups = [sentences[i : i + SENTENCES] for i in range(0, len(sentences), SENTENCES)]
    step = max(1, len(groups) // most)
    return [document(group, lang) for group in groups[::step][:most]]


def document(sentences: Sequence[LabelledSentence], lang: str) -> Document:
    """Return the sentences as one text, a line each, with their names as mentions."""
    text = ""
    rows: list[Row] = []
    for sentence in sentences:
        for token, tag, space in zip(
            sentence.tokens, sentence.tags, sentence.space_after, strict=True
        ):
            start, end = len(text), len(text) + len(token)
            text += token + " " * space
            if tag.startswith("I-") and rows:
                rows[-1]["end"] = end
            elif tag != "O":
                row = {"start": start, "end": end, "ner_label": tag[2:], "lang": lang}
                rows.append({**row, "ner_score": 1.0})
        text += "\n"
    return Document(text, rows)


def resolve(made: Sequence[Document], finder: Finder) -> tuple[int, float]:
    """Return how many mentions came out and the processor seconds it took."""
    started = time.process_time()
    count = 0
    for number, one in enumerate(made):
        settled = settle_document(str(number), one.text, one.rows, finder)
        count += sum(1 for _ in finished_rows(settled, finder))
    return count, time.process_time() - started


def look_up(made: Sequence[Document], index: Index) -> float:
    """Return the processor seconds that it takes to look every surface up as it is written."""
    started = time.process_time()
    for one in made:
        for row in one.rows:
            index.exact_text(one.text[row["start"] : row["end"]], row["lang"])
    return time.process_time() - started


def lines(made: dict[str, list[Document]], index: Index) -> Iterator[str]:
    """Yield the table: mentions, different names, and mentions a second by pass."""
    finder = Finder(index)
    total = [0, 0, 0.0, 0.0, 0.0]
    for lang, here in made.items():
        names = {one.text[row["start"] : row["end"]] for one in here for row in one.rows}
        read.cache_clear()
        count, first = resolve(here, finder)
        _, again = resolve(here, finder)
        exact = look_up(here, index)
        figures = (count, len(names), first, again, exact)
        total = [a + b for a, b in zip(total, figures, strict=True)]
        yield line(lang, *figures)
    yield line("all", *total)


def line(lang: str, count: float, names: float, first: float, again: float, exact: float) -> str:
    """Return one line of the table."""
    return (
        f"{lang:4} {count:9,.0f} {names:9,.0f} {count / first:11,.0f} {count / again:11,.0f} "
        f"{count / exact:11,.0f}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100, help="of each language, at most")
    parser.add_argument("--corpora", type=Path, default=CORPORA_DIR)
    arguments = parser.parse_args()
    index = ensure(KNOWLEDGE)
    made = {lang: documents(lang, arguments.corpora, arguments.documents) for lang in LANGUAGES}
    print(f"$ python benchmarks/resolving.py --documents {arguments.documents}")
    print(
        f"data: dev parts of {arguments.corpora}, {len(index):,} entries known; "
        f"exonym {version('exonym')}, {date.today()}; mentions a second of one core"
    )
    print("      mentions     names       first       again       exact")
    print(*lines(made, index), sep="\n")


if __name__ == "__main__":
    main()
