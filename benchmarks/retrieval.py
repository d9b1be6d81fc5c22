"""How often a name in another language finds its row, where only English names are known.

Run ``python benchmarks/retrieval.py [--names DIR] [--kind KIND ...]`` (needs the extra ``train``).
The index holds the English name of every row of a file of ../shared/names and nothing else. The
names that the file gives in Hindi, Turkish, Romanian and Vietnamese are asked (what stands in
brackets behind one left out); right is the row's own id, though another row may bear the very same
name. Spelling costs, meanings of words and weights are learned without the fifth of the rows to
which a row belongs (folds by SHA-256 of the id), and without all that is called so in English.
Recall at 1 and 10 stand with the number of names and a bootstrap interval of 95 %; ``name@1`` also
takes a row of the same English name for right, which is how the baseline of
../shared/names/README.md is counted, and ``limit`` is the recall at 1 by id of one who knows the
English name and takes the most populous row that bears it. ``plain`` is the named alternative:
anyascii and rapidfuzz's Levenshtein over all English names, ties by population, then by place in
the file. ``respelled`` are the names spelled otherwise than in English, but for case and marks. The
list of words ``glossary.tsv`` was written after reading the misses of the rows whose id has an even
SHA-256, and no others; the tables are of both halves. The last table says how often an answer is
given (probability of at least a half), how often it is right, and how often one is given all the
same when the name's own row is hidden.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from pipeline.languages.shared import fold_ascii
from pipeline.resolve.matching import Weights
from pipeline.training.names import (
    ASKED,
    FILES,
    FOLDS,
    Answer,
    Material,
    Question,
    learn_weights,
    ranked,
)

KNOWLEDGE = Path("models/knowledge")
PARALLEL = Path("../shared/corpora/parallel/flores_5lang.jsonl.xz")
RESAMPLES = 1000
SEED = 20260101
SURE = 0.5
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question, the place of its row among the answers (0 first, None when absent), and more.

    ``named`` says whether the first answer bears the right English name, ``most`` whether the
    right row is the most populous of that name; ``plain`` is the place by plain Levenshtein;
    ``score`` the best answer's probability, ``blind`` that of the best wrong one where the right
    row is hidden.
    """

    question: Question
    place: int | None
    named: bool
    most: bool
    plain: int
    score: float
    blind: float


def place_of(right: int, ranking: Sequence[tuple[float, int]]) -> int | None:
    """Return where ``right`` stands in ``ranking``."""
    return next((i for i, (_, entry) in enumerate(ranking) if entry == right), None)


def hidden_score(found: Answer, weights: Weights) -> float:
    """Return the probability of the best entry where the right one is taken out."""
    rest = [
        (entry, values)
        for entry, values in zip(found.entries, found.features, strict=True)
        if entry != found.right
    ]
    without = replace(
        found, right=-1, entries=tuple(e for e, _ in rest), features=tuple(v for _, v in rest)
    )
    return max((score for score, _ in ranked(without, weights)), default=0.0)


def population(row: Mapping[str, str]) -> float:
    """Return the row's population, 0 where the file gives none."""
    return float(row.get("pop") or 0)


def most_populous(rows: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the id of the most populous row, the first of equals, by folded English name."""
    found: dict[str, Mapping[str, str]] = {}
    for row in filter(lambda row: row["en"], rows):
        other = found.setdefault(fold_ascii(row["en"]), row)
        if population(row) > population(other):
            found[fold_ascii(row["en"])] = row
    return {name: row["id"] for name, row in found.items()}


def plain_places(asked: Sequence[Question], rows: Sequence[dict[str, str]]) -> list[int]:
    """Return how many rows stand before the right one by plain Levenshtein similarity."""
    known = [row for row in rows if row["en"]]
    names = [fold_ascii(row["en"]) for row in known]
    place = -np.arange(len(known)) * 1e-9
    size = np.array([population(row) for row in known]) * 1e-14 + place
    number = {row["id"]: i for i, row in enumerate(known)}
    places: list[int] = []
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        likeness = process.cdist(
            [fold_ascii(q.name) for q in part],
            names,
            scorer=Levenshtein.normalized_similarity,
            dtype=np.float32,
        )
        for question, row in zip(part, likeness.astype(np.float64) + size, strict=True):
            places.append(int((row > row[number[question.id]]).sum()))
    return places


def outcomes(kind: str, material: Material) -> list[Outcome]:
    """Return what comes of all names of one kind, each under weights learned from other folds."""
    answers, lessons, rows = material.answers(kind), material.lessons(kind), material.rows[kind]
    result = []
    most = most_populous(rows)
    for fold in range(FOLDS):
        weights = learn_weights(
            [*(a for a in answers if a.question.fold != fold), *lessons], FILES[kind][1]
        )
        here = [a for a in answers if a.question.fold == fold]
        plain = plain_places([a.question for a in here], rows)
        for found, before in zip(here, plain, strict=True):
            ranking = ranked(found, weights)
            score = ranking[0][0] if ranking else 0.0
            place, blind = place_of(found.right, ranking), hidden_score(found, weights)
            english = fold_ascii(found.question.english)
            named = bool(ranking) and found.names[ranking[0][1]] == english
            own = most[english] == found.question.id
            result.append(Outcome(found.question, place, named, own, before, score, blind))
    return result


def interval(hits: Sequence[bool]) -> str:
    """Return the share of hits with its bootstrap interval of 95 %."""
    # To draw hits and misses with replacement is to draw a binomial number of hits.
    draw = np.random.default_rng(SEED)
    means = draw.binomial(len(hits), np.mean(hits), RESAMPLES) / len(hits)
    low, high = np.percentile(means, (2.5, 97.5))
    return f"{np.mean(hits):.3f} [{low:.3f}, {high:.3f}]"


def recall_lines(title: str, found: Iterable[Outcome]) -> Iterable[str]:
    """Yield a line a language: count, recalls with and without namesakes, plain Levenshtein's."""
    found = list(found)
    for lang in ASKED:
        here = [o for o in found if o.question.lang == lang]
        if here:
            cells = [
                interval([o.place is not None and o.place < 1 for o in here]),
                interval([o.place is not None and o.place < 10 for o in here]),
                f"{np.mean([o.named for o in here]):.3f}  {np.mean([o.most for o in here]):.3f}",
                interval([o.plain < 1 for o in here]),
                interval([o.plain < 10 for o in here]),
            ]
            yield f"{title:24} {lang} {len(here):5}  " + "  ".join(cells)


def abstention_lines(title: str, found: Iterable[Outcome]) -> Iterable[str]:
    """Yield a line a language: answers given and right, and false ones where the row is hidden."""
    found = list(found)
    for lang in ASKED:
        here = [o for o in found if o.question.lang == lang]
        given = [o for o in here if o.score >= SURE]
        if given:
            right = interval([o.place == 0 for o in given])
            false = interval([o.blind >= SURE for o in here])
            answered = interval([o.score >= SURE for o in here])
            yield f"{title:24} {lang} {len(here):5}  {answered}  {right}  {false}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=Path, default=Path("../shared/names"))
    parser.add_argument("--parallel", type=Path, default=PARALLEL)
    parser.add_argument("--kind", choices=tuple(FILES), action="append")
    arguments = parser.parse_args()
    if find_spec("scipy") is None:
        parser.error("weights are learned with SciPy: pip install -e '.[train]'")
    kinds = arguments.kind or list(FILES)
    material = Material.read(arguments.names, KNOWLEDGE, arguments.parallel)
    found = [outcome for kind in kinds for outcome in outcomes(kind, material)]
    chosen_kinds = "".join(f" --kind {kind}" for kind in arguments.kind or ())
    print(f"$ python benchmarks/retrieval.py{chosen_kinds}")
    print(f"data: {arguments.names}; exonym {version('exonym')}, {date.today()}")
    for kind in kinds:
        print(f"English {kind} known: {sum(bool(row['en']) for row in material.rows[kind])}")
    sets = [
        (f"{kind}{', respelled' if respelled else ''}",
         [o for o in found if o.question.kind == kind and (o.question.respelled or not respelled)])
        for kind in kinds
        for respelled in (False, True)
    ]  # fmt: skip
    print(
        f"\n{'':33}  recall@1              recall@10             name@1 limit  "
        "plain @1              plain @10"
    )
    for title, chosen in sets:
        print(*recall_lines(title, chosen), sep="\n")
    print(f"\n{'':33}  answered              right of those        wrong where hidden")
    for title, chosen in sets:
        print(*abstention_lines(title, chosen), sep="\n")


if __name__ == "__main__":
    main()
