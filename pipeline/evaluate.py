"""How right the published tables are, against standoff gold.

Mentions: precision, recall and F1 over exact spans with the right label, and over spans that
overlap whatever the label. Linking: B³ (Bagga and Baldwin 1998, "Entity-Based Cross-Document
Coreferencing Using the Vector Space Model"), over mentions that system and gold both have, and
over all, where a mention the other side lacks counts as an entity of its own.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pyarrow.compute as pc

from pipeline.errors import UsageError
from pipeline.resolve.spotting import ENGINE as SPOTTING
from pipeline.schemas import LABELS
from pipeline.store import Store


class Mention(NamedTuple):
    """A name in a document: code-point offsets, label, and the entity it names."""

    start: int
    end: int
    text: str
    label: str
    entity: str

    def overlaps(self, other: Mention) -> bool:
        """Tell whether the two share a code point."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of a comparison and the measures that follow from them."""

    n_gold: int
    n_system: int
    n_right: int

    @property
    def precision(self) -> float:
        """Share of the system's that is right; 0.0 where it has none."""
        return self.n_right / self.n_system if self.n_system else 0.0

    @property
    def recall(self) -> float:
        """Share of gold that was found; 0.0 where there is none."""
        return self.n_right / self.n_gold if self.n_gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return harmonic_mean(self.precision, self.recall)

    def __add__(self, other: Score) -> Score:
        """Add the counts."""
        return Score(
            self.n_gold + other.n_gold, self.n_system + other.n_system, self.n_right + other.n_right
        )


class Bcubed(NamedTuple):
    """B³ precision, recall and F1 over a number of mentions."""

    precision: float
    recall: float
    f1: float
    n_mentions: int


@dataclass(frozen=True, slots=True)
class Miss:
    """A difference from gold: ``missed`` or ``extra`` span, or another ``label``."""

    document: str
    lang: str
    what: str
    start: int
    end: int
    text: str
    gold: str
    system: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All scores against one gold file. Scores are keyed by (language, label), ``all`` for any."""

    exact: Mapping[tuple[str, str], Score]
    overlapping: Mapping[tuple[str, str], Score]
    linking_aligned: Bcubed
    linking_all: Bcubed
    splits: Sequence[tuple[str, str]]
    """Gold entities that got several ids, with the ids and how often each."""
    merges: Sequence[tuple[str, str]]
    """Ids that stand for several gold entities, with those and how often each."""
    misses: Sequence[Miss]
    runs: Sequence[str]
    """The runs, which begin with their date, that published the mentions measured."""
    models: Sequence[str]
    """The models that found them, as ``engine:model``."""

    def as_dict(self) -> dict[str, object]:
        """Return everything as plain values, for JSON."""
        return {
            "runs": list(self.runs),
            "models": list(self.models),
            "exact": [_score_row(key, score) for key, score in self.exact.items()],
            "overlapping": [_score_row(key, score) for key, score in self.overlapping.items()],
            "b_cubed_aligned": self.linking_aligned._asdict(),
            "b_cubed_all": self.linking_all._asdict(),
            "splits": [list(split) for split in self.splits],
            "merges": [list(merge) for merge in self.merges],
            "misses": [
                {field: getattr(miss, field) for field in Miss.__dataclass_fields__}
                for miss in self.misses
            ],
        }


def _score_row(key: tuple[str, str], score: Score) -> dict[str, object]:
    return {
        "lang": key[0],
        "label": key[1],
        "n_gold": score.n_gold,
        "n_system": score.n_system,
        "n_right": score.n_right,
        "precision": round(score.precision, 4),
        "recall": round(score.recall, 4),
        "f1": round(score.f1, 4),
    }


def harmonic_mean(first: float, second: float) -> float:
    """Return the harmonic mean, 0.0 when both are zero."""
    return 2 * first * second / (first + second) if first + second else 0.0


def evaluate(gold_file: Path, store: Store) -> Evaluation:
    """Compare the published mentions of the documents named in ``gold_file`` with its marks.

    Raises:
        UsageError: the file is not standoff gold, or one of its documents is not published.
    """
    gold = read_gold(gold_file)
    system, languages, origins = _published(store, gold)
    exact: dict[tuple[str, str], Score] = {}
    overlapping: dict[tuple[str, str], Score] = {}
    misses: list[Miss] = []
    for document in gold:
        lang = languages[document]
        for label in LABELS:
            wanted = [mention for mention in gold[document] if mention.label == label]
            got = [mention for mention in system[document] if mention.label == label]
            _add(exact, lang, label, exact_score(wanted, got))
        pairs = align(gold[document], system[document])
        counts = Score(len(gold[document]), len(system[document]), len(pairs))
        for key in ((lang, "all"), ("all", "all")):
            overlapping[key] = overlapping.get(key, Score(0, 0, 0)) + counts
        misses += _misses(document, lang, gold[document], system[document], pairs)
    aligned, everything = link_clusters(gold, system)
    return Evaluation(
        exact=dict(sorted(exact.items())),
        overlapping=dict(sorted(overlapping.items())),
        linking_aligned=b_cubed(*aligned),
        linking_all=b_cubed(*everything),
        splits=confusions(*aligned),
        merges=confusions(*reversed(aligned)),
        misses=misses,
        runs=sorted({run for run, _ in origins}),
        models=sorted({model for _, model in origins}),
    )


def read_gold(path: Path) -> dict[str, list[Mention]]:
    """Read standoff gold: file name to its mentions, sorted by start.

    Raises:
        UsageError: the file cannot be read, or a line does not have the documented shape.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read gold file {path}: {error}") from None
    gold = {}
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            gold[str(row["doc"])] = sorted(
                Mention(m["start"], m["end"], m["text"], m["label"], m["entity"])
                for m in row["mentions"]
            )
        except (ValueError, KeyError, TypeError):
            raise UsageError(
                f"{path} line {number} is not standoff gold "
                '({"doc", "mentions": [{"start", "end", "text", "label", "entity"}]}); correct it'
            ) from None
    if not gold:
        raise UsageError(f"{path} holds no gold documents")
    return gold


def _model(mention: Mapping[str, Any]) -> str:
    # Names that the knowledge base found carry a checksum in place of a model's name.
    is_named = mention["engine"] != SPOTTING
    return f"{mention['engine']}:{mention['model']}" if is_named else SPOTTING


def _published(
    store: Store, gold: Mapping[str, Sequence[Mention]]
) -> tuple[dict[str, list[Mention]], dict[str, str], set[tuple[str, str]]]:
    """Return mentions and language by document, and by which run and model they were found."""
    sources = store.read("document_sources")
    names = [PurePosixPath(source).name for source in sources["source"].to_pylist()]
    by_name = dict(zip(names, sources["doc_id"].to_pylist(), strict=True))
    missing = [document for document in gold if document not in by_name]
    if missing:
        raise UsageError(
            f"{len(missing)} of {len(gold)} gold documents are not published in {store.out} "
            f"(first: {missing[0]}); run them first, or name another --out"
        )
    documents = store.read("documents").select(["doc_id", "lang", "text"])
    rows = {row["doc_id"]: row for row in documents.to_pylist()}
    mentions = store.read("mentions")
    system, languages = {}, {}
    origins = set()
    for document, marks in gold.items():
        row = rows[by_name[document]]
        for mark in marks:
            if row["text"][mark.start : mark.end] != mark.text:
                raise UsageError(
                    f"gold for {document} does not fit the published text at {mark.start} "
                    f"({mark.text!r}); publish the same edition of the file"
                )
        mine = mentions.filter(pc.equal(mentions["doc_id"], row["doc_id"])).to_pylist()
        system[document] = [
            Mention(m["start"], m["end"], m["surface"], m["label"], m["entity_id"]) for m in mine
        ]
        origins |= {(m["run_id"], _model(m)) for m in mine}
        languages[document] = row["lang"]
    return system, languages, origins


def exact_score(gold: Iterable[Mention], system: Iterable[Mention]) -> Score:
    """Count spans that have the same start, end and label."""
    wanted = {(mention.start, mention.end, mention.label) for mention in gold}
    got = {(mention.start, mention.end, mention.label) for mention in system}
    return Score(len(wanted), len(got), len(wanted & got))


def align(gold: Sequence[Mention], system: Sequence[Mention]) -> list[tuple[Mention, Mention]]:
    """Pair mentions that overlap, each at most once: equal spans first, then from left to right."""
    free = {(mention.start, mention.end): mention for mention in system}
    pairs, rest = [], []
    for mention in gold:
        same = free.pop((mention.start, mention.end), None)
        if same is None:
            rest.append(mention)
        else:
            pairs.append((mention, same))
    for mention in rest:
        for span, candidate in sorted(free.items()):
            if mention.overlaps(candidate):
                pairs.append((mention, free.pop(span)))
                break
    return pairs


def link_clusters(
    gold: Mapping[str, Sequence[Mention]], system: Mapping[str, Sequence[Mention]]
) -> tuple[
    tuple[dict[Hashable, str], dict[Hashable, str]],
    tuple[dict[Hashable, str], dict[Hashable, str]],
]:
    """Return gold and system entities by mention: over aligned mentions, and over all of either.

    In the second, a mention that the other side lacks is there an entity of its own.
    """
    gold_aligned: dict[Hashable, str] = {}
    system_aligned: dict[Hashable, str] = {}
    gold_all: dict[Hashable, str] = {}
    system_all: dict[Hashable, str] = {}
    for document, marks in gold.items():
        partner = {pair[0]: pair[1] for pair in align(marks, system[document])}
        for mark in marks:
            item = (document, mark.start, mark.end)
            gold_all[item] = mark.entity
            found = partner.get(mark)
            system_all[item] = found.entity if found else f"missed {item}"
            if found:
                gold_aligned[item] = mark.entity
                system_aligned[item] = found.entity
        taken = set(partner.values())
        for mention in system[document]:
            if mention not in taken:
                extra = (document, mention.start, mention.end, "system")
                gold_all[extra] = f"extra {extra}"
                system_all[extra] = mention.entity
    return (gold_aligned, system_aligned), (gold_all, system_all)


def b_cubed(gold: Mapping[Hashable, str], system: Mapping[Hashable, str]) -> Bcubed:
    """Return B³ of one clustering of the same items against another (Bagga and Baldwin 1998)."""
    if not gold:
        return Bcubed(0.0, 0.0, 0.0, 0)
    gold_sizes, system_sizes = Counter(gold.values()), Counter(system.values())
    shared = Counter((gold[item], system[item]) for item in gold)
    precision = sum(n * n / system_sizes[entity] for (_, entity), n in shared.items()) / len(gold)
    recall = sum(n * n / gold_sizes[entity] for (entity, _), n in shared.items()) / len(gold)
    return Bcubed(precision, recall, harmonic_mean(precision, recall), len(gold))


def _add(scores: dict[tuple[str, str], Score], lang: str, label: str, score: Score) -> None:
    for key in ((lang, label), (lang, "all"), ("all", label), ("all", "all")):
        scores[key] = scores.get(key, Score(0, 0, 0)) + score


def _misses(
    document: str,
    lang: str,
    gold: Sequence[Mention],
    system: Sequence[Mention],
    pairs: Sequence[tuple[Mention, Mention]],
) -> list[Miss]:
    by_gold = dict(pairs)
    taken = {got for _, got in pairs}
    misses = []
    for mark in gold:
        got = by_gold.get(mark)
        if got is None:
            what, answer = "missed", ""
        elif (got.start, got.end) != (mark.start, mark.end):
            what, answer = "span", f"{got.text} {got.label}"
        elif got.label != mark.label:
            what, answer = "label", got.label
        else:
            continue
        misses.append(
            Miss(document, lang, what, mark.start, mark.end, mark.text, mark.label, answer)
        )
    misses += [
        Miss(document, lang, "extra", mention.start, mention.end, mention.text, "", mention.label)
        for mention in system
        if mention not in taken
    ]
    return sorted(misses, key=lambda miss: (miss.document, miss.start))


def confusions(one: Mapping[Hashable, str], other: Mapping[Hashable, str]) -> list[tuple[str, str]]:
    """Return the clusters of ``one`` whose items fall into several of ``other``, with counts."""
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for item, cluster in one.items():
        answers[cluster][other[item]] += 1
    return [
        (cluster, ", ".join(f"{name} {count}" for name, count in counts.most_common()))
        for cluster, counts in sorted(answers.items())
        if len(counts) > 1
    ]
