"""Makes news articles in the five languages, as many as one likes, to measure nights of any size.

The sentences are those of the training and dev parts of the corpora in ``../shared/corpora`` and of
``models/annotations``; what a page puts around an article is in ``articles.toml``. Half of the full
names of persons give way to names put together from the knowledge base's: which ones is drawn from
a heavy-tailed distribution, so that some come again and again and new ones never cease, as in the
news. Most later names give way to earlier ones of the article, since an article tells of few: in
the five of ``../shared/gold`` a third of the names are different ones. Lengths are log-normal, from
a few dozen words to well over a thousand. No two articles of a language begin with the same two
sentences, so none has the sentences of another in their order.

The same seed gives the same articles; a longer run begins with those of a shorter one. Articles are
made one at a time. Run from the repository root:
``python benchmarks/articles.py FOLDER --documents 1000 [--words 300] [--seed 1]``.
"""

from __future__ import annotations

import argparse
import json
import lzma
import math
import random
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

from babel.dates import format_date

from pipeline.recognise.words import split_words
from pipeline.schemas import LANGUAGES
from pipeline.training.common import CORPORA_DIR, LabelledSentence, catalogue
from pipeline.training.evaluate_corpora import rebuild
from pipeline.training.labelled import labelled_sentences
from pipeline.training.swap import names_of

MEDIAN_WORDS: Final = 300
SPREAD: Final = 0.7
"""Standard deviation of the logarithm of an article's words: one in six is twice as long."""

LAST_DAY: Final = date(2026, 3, 31)
DAYS: Final = 3
"""The articles of a night are of so many days."""

SITES: Final = 40
ARTICLES_A_FILE: Final = 1000

_FEWEST_WORDS: Final = 5
_MOST_WORDS: Final = 60
_HEADLINE_WORDS: Final = 14
_SHORTEST_ARTICLE: Final = 40
_LONGEST_ARTICLE: Final = 2500
_INVENTED: Final = 0.5
"""Share of full names of persons that give way to others."""

_SAID_AGAIN: Final = 0.8
"""Share of names that give way to earlier ones of the article."""

_SURNAME: Final = 0.6
"""Share of those persons that are called by their last word."""

_TAIL: Final = 0.8
"""Exponent of the Pareto distribution of who is named: below 1, new persons never cease."""

_ENGLISH_QUOTE: Final = 0.05
"""Share of articles in another language that quote an English paragraph."""

_OTHER_LANGUAGE: Final = 0.02
"""Share of articles that are in none of the five languages."""

_LOOSE: Final = re.compile(r"\s+(?=[,.;:!?।)\]%”]|['’][a-zçğıöşü])|(?<=[(\[“])\s+")
"""Spaces between words and punctuation, which most of the corpora put there."""

_STEP: Final = 7_368_787
"""A prime, by which one goes through the pairs of first sentences."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with the names in it: start, end and label, in order."""

    text: str
    n_words: int
    names: tuple[tuple[int, int, str], ...]


def articles(seed: int, median_words: int = MEDIAN_WORDS) -> Iterator[dict[str, Any]]:
    """Yield articles without end, as the objects that ``exonym run`` reads from ``.jsonl``.

    The languages take turns. Raises ValueError when a language has no pair of first sentences left.
    """
    number = 0
    while True:
        for lang in LANGUAGES:
            yield article(lang, number, seed, median_words)
        number += 1


def article(lang: str, number: int, seed: int, median_words: int = MEDIAN_WORDS) -> dict[str, Any]:
    """Return the article with that number in one language; it depends on the arguments alone."""
    draw = random.Random(f"{seed}:{lang}:{number}")
    day = LAST_DAY - timedelta(days=draw.randrange(DAYS))
    sentences = _sentences(lang, number, seed, _length(draw, median_words), draw)
    title = draw.choice(_headlines(lang)).text.rstrip(" .!?।…")
    site = f"site-{draw.randrange(SITES):02d}"
    made = {
        "id": f"{lang}-{number}",
        "title": title,
        "url": f"https://{site}.example/{lang}/{number}",
        "text": _page(lang, _with_other_names(sentences, lang, draw), day, draw),
    }
    if draw.random() < 0.5:  # the others say it in the text, or not at all
        made["date"] = day.isoformat()
    if draw.random() < 0.3:
        made["lang"] = lang
    return made


def write(folder: Path, number: int, seed: int, median_words: int = MEDIAN_WORDS) -> int:
    """Write ``number`` articles to ``.jsonl`` files in ``folder``; return their words in all."""
    folder.mkdir(parents=True, exist_ok=True)
    made = islice(articles(seed, median_words), number)
    words = 0
    for part in range(math.ceil(number / ARTICLES_A_FILE)):
        with (folder / f"articles-{part:05d}.jsonl").open("w", encoding="utf-8") as file:
            for one in islice(made, ARTICLES_A_FILE):
                words += len(one["title"].split()) + len(one["text"].split())
                print(json.dumps(one, ensure_ascii=False), file=file)
    return words


def _length(draw: random.Random, median_words: int) -> int:
    """Return how many words an article has."""
    words = round(draw.lognormvariate(math.log(median_words), SPREAD))
    return min(max(words, min(_SHORTEST_ARTICLE, median_words)), _LONGEST_ARTICLE)


def _sentences(
    lang: str, number: int, seed: int, n_words: int, draw: random.Random
) -> list[Sentence]:
    """Return an article's sentences; the first two are no other article's of the language."""
    pool = _others() if draw.random() < _OTHER_LANGUAGE else _pool(lang)
    first, second = _pair(number, seed, len(pool))
    chosen = [pool[first], pool[second]]
    left = n_words - sum(sentence.n_words for sentence in chosen)
    while left > 0:
        chosen.append(draw.choice(pool))
        left -= chosen[-1].n_words
    if pool is _pool(lang) and lang != "en" and draw.random() < _ENGLISH_QUOTE:
        quoted = draw.randrange(1, len(chosen))
        chosen[quoted:quoted] = draw.choices(_pool("en"), k=3)
    return chosen


def _pair(number: int, seed: int, size: int) -> tuple[int, int]:
    """Return two different numbers below ``size``, others for every ``number``."""
    pairs = size * (size - 1)
    if number >= pairs:
        raise ValueError(f"there are no more than {pairs} articles of {size} sentences")
    assert pairs % _STEP, "the step would not go through all pairs"
    first, second = divmod((seed + number * _STEP) % pairs, size - 1)
    return first, second + (second >= first)


def _with_other_names(sentences: Sequence[Sentence], lang: str, draw: random.Random) -> list[str]:
    """Return the sentences' texts with the names of one article: few, and some invented."""
    said: dict[str, list[str]] = {"PER": [], "LOC": [], "ORG": []}
    texts = []
    for sentence in sentences:
        parts, end = [], 0
        for start, stop, label in sentence.names:
            name = _name(sentence.text[start:stop], label, said[label], lang, draw)
            parts += [sentence.text[end:start], name]
            end = stop
        texts.append(_LOOSE.sub("", "".join([*parts, sentence.text[end:]])))
    return texts


def _name(name: str, label: str, said: list[str], lang: str, draw: random.Random) -> str:
    """Return what stands in the place of ``name``; a new name is noted in ``said``."""
    if said and draw.random() < _SAID_AGAIN:
        again = draw.choice(said)
        return again.split()[-1] if label == "PER" and draw.random() < _SURNAME else again
    if label == "PER" and " " in name and draw.random() < _INVENTED:
        name = _person(lang, int(draw.paretovariate(_TAIL)))
    said.append(name)
    return name


@cache
def _persons(lang: str) -> tuple[tuple[str, ...], ...]:
    return tuple(name for name in names_of(lang)["PER"] if len(name) == 2)


def _person(lang: str, rank: int) -> str:
    """Return the person who is named so often: one's given name and another's surname."""
    draw = random.Random(f"{lang}:{rank}")
    return f"{draw.choice(_persons(lang))[0]} {draw.choice(_persons(lang))[1]}"


def _page(lang: str, sentences: Sequence[str], day: date, draw: random.Random) -> str:
    """Return the text of a page: paragraphs, with what sites put before and behind them."""
    phrases = _phrases()[lang]
    person = _person(lang, int(draw.paretovariate(_TAIL)))
    lines = []
    if draw.random() < 0.4:
        lines.append(phrases["byline"].format(person=person))
    if draw.random() < 0.4:
        spelled = format_date(day, "long", locale=lang)
        lines.append(phrases["published"].format(day=spelled))
    if draw.random() < 0.3:
        lines.append(phrases["photo"].format(agency=draw.choice(_phrases()["agencies"])))
    left = list(sentences)
    while left:
        size = draw.randint(1, 4)
        lines.append(" ".join(left[:size]))
        left = left[size:]
    if draw.random() < 0.2:
        related = draw.choice(_headlines(lang)).text
        lines.insert(draw.randint(1, len(lines)), phrases["related"].format(headline=related))
    if draw.random() < 0.3:
        lines.append(phrases["notice"])
    return "\n\n".join(lines)


@cache
def _phrases() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


@cache
def _pool(lang: str) -> tuple[Sentence, ...]:
    """Return the sentences of one language that articles are made of, each once."""
    found: dict[str, Sentence] = {}
    for corpus in catalogue().values():
        if corpus.lang == lang:
            for part in ("train", "dev"):
                for labelled in labelled_sentences(corpus, part) or ():
                    sentence = _plain(labelled)
                    if _FEWEST_WORDS <= sentence.n_words <= _MOST_WORDS:
                        found.setdefault(sentence.text, sentence)
    return tuple(found.values())


def _plain(labelled: LabelledSentence) -> Sentence:
    text, names = rebuild(labelled)
    return Sentence(text, len(split_words(text)), tuple(sorted(names)))


@cache
def _headlines(lang: str) -> tuple[Sentence, ...]:
    return tuple(s for s in _pool(lang) if s.n_words <= _HEADLINE_WORDS)


@cache
def _others() -> tuple[Sentence, ...]:
    """Return sentences in languages that are none of the five."""
    with lzma.open(
        CORPORA_DIR / "langid" / "flores_others.jsonl.xz", "rt", encoding="utf-8"
    ) as file:
        texts = [json.loads(row)["text"] for row in file]
    return tuple(Sentence(text, len(text.split()), ()) for text in texts)


def main() -> None:
    """Parse the command line and write the articles."""
    parser = argparse.ArgumentParser(description="Make news articles in the five languages.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--words", type=int, default=MEDIAN_WORDS, help="median of an article")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    words = write(arguments.folder, arguments.documents, arguments.seed, arguments.words)
    print(f"{arguments.documents} articles of {words} words in {arguments.folder}")


if __name__ == "__main__":
    main()
