"""Whether past news tells who is meant where a surname stands alone.

Run ``python benchmarks/past_news.py [--part dev|test] [--corpora DIR] [--sentences N] [--sweep]``.
Sentences of the corpora's training parts that name a person are the past, each a story; names are
those that people marked, linked as in a nightly run. In the sentences of ``--part`` every person
whose full name is marked, and whose surname no other name there has, is called by the surname
alone, and is linked without the past and with it. Right is the entity that the full name was linked
to; where that is none in the knowledge base, any link is wrong. ``--sweep`` prints other weights
and least numbers of stories beside the ones in use: choose on ``dev`` alone. By ``--sentences`` at
most so many of each corpus and part.

The corpora are newspapers, web pages and Wikipedia of many years, not a month of one paper, and a
sentence is less than a story: past news of the same weeks tells more.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from itertools import combinations, islice
from pathlib import Path
from typing import Final
from unittest.mock import patch

import pyarrow as pa

from pipeline.knowledge.build import ensure
from pipeline.resolve import past as past_module
from pipeline.resolve import score
from pipeline.resolve.candidates import Finder
from pipeline.resolve.forms import read
from pipeline.resolve.indocument import Named
from pipeline.resolve.link import Decision, link
from pipeline.resolve.past import BESIDE, COUNTED, STORIES, Past, surname_of
from pipeline.resolve.past import NONE as NO_PAST
from pipeline.schemas import LANGUAGES
from pipeline.training.common import CORPORA_DIR, Part, catalogue
from pipeline.training.evaluate_corpora import rebuild
from pipeline.training.labelled import labelled_sentences, training_sentences

KNOWLEDGE: Final = Path("models/knowledge")
SURE: Final = 0.8
"""Least score at which a full name's link is taken for right."""

SWEEP: Final = (
    *((weight, weight, 10**9, 1.0) for weight in (0.5, 0.9, 1.5, 3.0)),
    *((0.9, 0.9, least, share) for least in (1, 2, 3, 5, 10) for share in (0.5, 0.8, 0.9)),
)
"""Weights of the two features, least stories and least share that are tried."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as a document of its own: its language, text and marked names."""

    doc_id: str
    lang: str
    text: str
    names: tuple[tuple[int, int, str], ...]

    def mentions(self) -> list[Named]:
        """Return the names as the linker takes them."""
        return [Named(a, b, label, read(self.text[a:b], self.lang)) for a, b, label in self.names]


@dataclass(frozen=True, slots=True)
class Question:
    """A sentence in which a person is called by the surname alone, and whom the full name means.

    ``key`` is None where the knowledge base does not hold the person.
    """

    sentence: Sentence
    start: int
    key: str | None


def sentences(part: Part, root: Path, limit: int | None) -> Iterator[Sentence]:
    """Yield the sentences of a part of all corpora, those that name a person."""
    for corpus in catalogue().values():
        if corpus.written or corpus.path(part, root) is None:
            continue
        rows = training_sentences(corpus, root) if part == "train" else None
        rows = rows if rows is not None else labelled_sentences(corpus, part, root) or []
        texts = map(rebuild, rows)
        named = (
            Sentence(f"{corpus.name}-{part}-{number}", corpus.lang, text, tuple(sorted(names)))
            for number, (text, names) in enumerate(texts)
            if any(label == "PER" for _, _, label in names)
        )
        yield from islice(named, limit)


def linked(sentence: Sentence, finder: Finder, past: Past = NO_PAST) -> list[Decision]:
    """Return the decisions of one sentence."""
    return link(sentence.doc_id, sentence.mentions(), sentence.text, finder, past=past)


def named_in(sentence: Sentence, finder: Finder) -> tuple[frozenset[str], frozenset[str]]:
    """Return the keys of the known entities in a sentence, and the surnames of unknown persons."""
    decisions = linked(sentence, finder)
    return (
        frozenset(d.knowledge_key for d in decisions if d.knowledge_key),
        frozenset(
            filter(
                None,
                (
                    surname_of(d.unknown.keys[0])
                    for d in decisions
                    if d.unknown and d.label == "PER"
                ),
            )
        ),
    )


def counted(stories: Iterable[tuple[frozenset[str], frozenset[str]]]) -> Past:
    """Return the past of which each story names these keys and surnames."""
    total = 0
    alone: Counter[str] = Counter()
    strangers: Counter[str] = Counter()
    together: Counter[tuple[str, str]] = Counter()
    for keys, surnames in stories:
        total += 1
        alone.update(keys)
        strangers.update(surnames)
        together.update(combinations(sorted(keys), 2))
    rows: list[tuple[str | None, str | None, int]] = [(None, None, total)]
    rows += [(key, None, n) for key, n in alone.items()]
    rows += [(None, surname, n) for surname, n in strangers.items()]
    rows += [(key, other, n) for (key, other), n in together.items()]
    columns = [list(column) for column in zip(*rows, strict=True)]
    return Past.of(pa.table(columns, schema=COUNTED))


def questions(sentence: Sentence, finder: Finder) -> Iterator[Question]:
    """Yield the sentence with each of its persons called by the surname alone."""
    mentions = sentence.mentions()
    by_mention = {i: d for d in linked(sentence, finder) for i in d.cluster.members}
    last_words = Counter(m.form.words[-1] for m in mentions if m.form.words)
    for i, (start, end, label) in enumerate(sentence.names):
        words = sentence.text[start:end].split()
        form, decision = mentions[i].form, by_mention[i]
        if label != "PER" or len(words) < 2 or not form.words or last_words[form.words[-1]] > 1:
            continue
        chosen = decision.chosen
        if chosen is not None and (chosen.score < SURE or chosen.known.label != "PER"):
            continue
        cut = sentence.text.rindex(words[-1], start, end) - start
        yield Question(_shortened(sentence, i, cut), start, chosen.known.key if chosen else None)


def _shortened(sentence: Sentence, number: int, cut: int) -> Sentence:
    """Return the sentence without the first ``cut`` code points of one of its names."""
    at = sentence.names[number][0]
    names = ((a - cut * (a > at), b - cut * (b > at), label) for a, b, label in sentence.names)
    text = sentence.text[:at] + sentence.text[at + cut :]
    return Sentence(sentence.doc_id, sentence.lang, text, tuple(names))


@dataclass(slots=True)
class Tally:
    """How often a surname was linked, and how often rightly; ``asked`` of known persons alone."""

    asked: int = 0
    unknown: int = 0
    linked: int = 0
    right: int = 0
    by_news: int = 0
    right_by_news: int = 0

    def add(self, question: Question, decision: Decision) -> None:
        """Count an answer."""
        is_right = question.key is not None and decision.knowledge_key == question.key
        self.asked += question.key is not None
        self.unknown += question.key is None
        self.linked += decision.knowledge_key is not None
        self.right += is_right
        self.by_news += decision.by_news
        self.right_by_news += decision.by_news and is_right

    def line(self, name: str) -> str:
        """Return the tally as a line of the table."""
        precision = self.right / self.linked if self.linked else 0.0
        recall = self.right / self.asked if self.asked else 0.0
        return (
            f"{name:18} {self.asked:6,} {self.unknown:8,} {self.linked:7,} {self.right:6,} "
            f"{precision:9.3f} {recall:7.3f} {self.by_news:8,} {self.right_by_news:7,}"
        )


HEADER: Final = (
    f"{'':18} {'known':>6} {'unknown':>8} {'linked':>7} {'right':>6} {'precision':>9} "
    f"{'recall':>7} {'by news':>8} {'right':>7}"
)


def answers(asked: Sequence[Question], finder: Finder, past: Past) -> dict[str, Tally]:
    """Return the tally of every language, and of all under ``all``."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for question in asked:
        for decision in linked(question.sentence, finder, past):
            starts = (question.sentence.names[i][0] for i in decision.cluster.members)
            if question.start in starts:
                tallies["all"].add(question, decision)
                tallies[question.sentence.lang].add(question, decision)
    return tallies


def report(asked: Sequence[Question], finder: Finder, past: Past) -> Iterator[str]:
    """Yield the table: without the past and with it."""
    yield HEADER
    for title, of in (("without", NO_PAST), ("with past news", past)):
        tallies = answers(asked, finder, of)
        yield tallies["all"].line(title)
        yield from (tallies[lang].line(f"  {lang}") for lang in LANGUAGES)


def sweep(asked: Sequence[Question], finder: Finder, past: Past) -> Iterator[str]:
    """Yield a line for every choice of weights, least stories and least share."""
    for news, beside, least, share in SWEEP:
        weights = {**score.WEIGHTS, STORIES: news, BESIDE: beside}
        with (
            patch.object(score, "WEIGHTS", weights),
            patch.object(score, "MOST_NEWS", news + beside),
            patch.object(past_module, "LEAST_STORIES", least),
            patch.object(past_module, "LEAST_SHARE", share),
        ):
            again = replace(past)
            tally = answers(asked, finder, again)["all"]
        yield tally.line(f"{news} {beside} {least} {share}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("dev", "test"), default="dev")
    parser.add_argument("--corpora", type=Path, default=CORPORA_DIR)
    parser.add_argument("--sentences", type=int)
    parser.add_argument("--sweep", action="store_true")
    arguments = parser.parse_args()
    print("$ python benchmarks/past_news.py", *sys.argv[1:])
    print(f"data: {arguments.corpora}; exonym {version('exonym')}, {date.today()}", flush=True)
    finder = Finder(ensure(KNOWLEDGE))
    limit = arguments.sentences
    past = counted(named_in(s, finder) for s in sentences("train", arguments.corpora, limit))
    asked = [
        question
        for sentence in sentences(arguments.part, arguments.corpora, limit)
        for question in questions(sentence, finder)
    ]
    print(
        f"{past.n_stories:,} sentences of the past name {len(past.stories):,} known entities; "
        f"{len(asked):,} surnames asked",
        flush=True,
    )
    print("\n".join(report(asked, finder, past)), flush=True)
    if arguments.sweep:
        for line in sweep(asked, finder, past):
            print(line, flush=True)


if __name__ == "__main__":
    main()
