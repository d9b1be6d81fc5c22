"""How well names that the knowledge base lacks are known again, across languages and nights.

Run ``python benchmarks/unknown_names.py [--half dev|test|both] [--names DIR] [--work DIR]``. Takes
persons with forms in several languages, and beside each the person whose name is most like his, out
of the knowledge base, builds the index of what is left, writes short articles that name them in
five languages, and resolves these over three nights with an empty registry. Prints B³ precision,
recall and F1 of the ids, and of the mentions of each language alone. Halves are by the SHA-256 of
the surname, so that namesakes stay together; rules are chosen on ``dev`` alone. ``--show`` lists
the confusions of ``dev``. Everything is made the same way every time.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import lzma
import random
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pyarrow as pa
from rapidfuzz import fuzz, process

from pipeline import languages
from pipeline.evaluate import Bcubed, b_cubed
from pipeline.knowledge.build import ensure
from pipeline.knowledge.files import Row, knowledge_files, read_rows, write_rows
from pipeline.knowledge.index import Index
from pipeline.resolve import registry
from pipeline.resolve.document import settle
from pipeline.resolve.finish import finish
from pipeline.resolve.ids import assign, distinct
from pipeline.schemas import DOCUMENTS, LANGUAGES, MENTIONS, SEGMENTS, unfinished

HALVES: Final = ("dev", "test")
NIGHTS: Final = (date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7))
KNOWLEDGE: Final = Path("models/knowledge")

TEMPLATES: Final[Mapping[str, Sequence[str]]] = {
    "en": ("{} spoke to the press on Monday.", "The letter was signed by {} and others."),
    "hi": ("{} ने सोमवार को यह बात कही।", "इस बैठक में {} भी मौजूद थे।"),
    "ro": ("{} a vorbit luni cu presa.", "La întâlnire a participat și {} din partea delegației."),
    "tr": ("{} pazartesi günü açıklama yaptı.", "Toplantıya {} de katıldı."),
    "vi": ("{} phát biểu hôm thứ Hai.", "Cuộc họp có sự tham gia của {} và những người khác."),
}
"""Sentences into which a name is put."""

SURNAME_FIRST: Final = frozenset({"CN", "HK", "KP", "KR", "MO", "TW", "VN"})
"""Countries whose persons are not called by the last word of their name."""

LIKENESS: Final = 75.0
"""Least likeness (percent of rapidfuzz's ratio) of a person who is put beside another."""


@dataclass(slots=True)
class Person:
    """A person with the names that he has in each language, the usual one first.

    ``name`` is the key of the English one, ``folds`` are the keys of all.
    """

    key: str
    forms: dict[str, list[str]]
    by_surname: bool = True
    name: str = field(init=False)
    folds: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Fill in the keys."""
        self.name = languages.get("en").fold(self.forms["en"][0])
        self.folds = frozenset(
            languages.get(lang).fold(n) for lang, names in self.forms.items() for n in names
        )


@dataclass(frozen=True, slots=True)
class Articles:
    """The articles of one night as tables, and whom each mention, by (doc_id, start), names."""

    documents: pa.Table
    mentions: pa.Table
    gold: dict[tuple[str, int], str]


def number(text: str) -> int:
    """Return a number that is the same for the same text on every machine."""
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


def persons(names: Path, knowledge: Path) -> list[Person]:
    """Return the persons to take out: those with a Hindi form, each with his likest namesake."""
    listed = curated(knowledge)
    collected = list(_collected(names / "persons_5lang.tsv.xz"))
    known = {fold for person in listed for fold in person.folds}
    chosen: list[Person] = []
    taken: set[str] = set()
    in_hindi = [p for p in collected if "hi" in p.forms and not p.folds & known]
    for person in [*listed, *in_hindi]:
        if not person.folds & taken:
            chosen.append(person)
            taken |= person.folds
    named = known | taken
    others = [person for person in collected if person.folds.isdisjoint(named)]
    folds = [person.name for person in others]
    for person in list(chosen):
        near = process.extractOne(
            person.name, folds, scorer=fuzz.ratio, score_cutoff=LIKENESS, processor=None
        )
        if near is not None and not others[near[2]].folds & taken:
            chosen.append(others[near[2]])
            taken |= others[near[2]].folds
    return chosen


def curated(knowledge: Path) -> list[Person]:
    """Return the persons that the project's own list of public figures holds."""
    return [_curated(row) for row in read_rows(knowledge / "persons.tsv") if row.label == "PER"]


def _curated(row: Row) -> Person:
    forms = {lang: list(row.names[lang]) for lang in LANGUAGES if row.names.get(lang)}
    forms.setdefault("en", [row.name])
    return Person(row.key, forms, row.iso_country not in SURNAME_FIRST)


def _collected(path: Path) -> Iterator[Person]:
    text = lzma.decompress(path.read_bytes()).decode("utf-8")
    for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        forms = {lang: [row[lang]] for lang in LANGUAGES if row[lang]}
        if " " in row["en"]:
            yield Person(row["id"], forms)


def half_of(person: Person) -> str:
    """Return the half a person belongs to, by surname."""
    return HALVES[number(person.name.split()[-1]) % 2]


def reduced_index(taken_out: Iterable[Person], knowledge: Path, work: Path) -> Index:
    """Return the index of the knowledge base without ``taken_out``; kept in ``work``."""
    keys = {person.key for person in taken_out}
    folds = {fold for person in taken_out for fold in person.folds}
    english = languages.get("en")
    folder = work / "knowledge"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in knowledge_files(knowledge):
        kept = (
            row
            for row in read_rows(path)
            if row.label != "PER"
            or not (
                {row.key, row.wikidata} & keys
                or english.fold(row.name) in folds
                or any(english.fold(n) in folds for n in row.names.get("en", ()))
            )
        )
        write_rows(folder / path.name, kept)
    return ensure(folder, work / "index")


def write_articles(people: Sequence[Person], seed: str) -> dict[date, Articles]:
    """Return the articles of each night: two to a person and language, of one to three persons."""
    chance = random.Random(number(seed))
    rows: dict[date, list[tuple[str, str, list[Person]]]] = defaultdict(list)
    for lang in LANGUAGES:
        speaking = [p for p in people if lang in p.forms for _ in range(2)]
        chance.shuffle(speaking)
        while speaking:
            group = [speaking.pop() for _ in range(min(len(speaking), chance.randint(1, 3)))]
            unlike = list({person.key: person for person in group}.values())
            doc_id = f"{lang}-{len(speaking):05}"
            rows[chance.choice(NIGHTS)].append((doc_id, lang, unlike))
    return {night: _articles(rows[night], night, chance) for night in NIGHTS}


def _articles(
    rows: Sequence[tuple[str, str, list[Person]]], night: date, chance: random.Random
) -> Articles:
    documents, mentions, gold = [], [], {}
    for doc_id, lang, group in rows:
        text = ""
        surnames = Counter(_last_word(person, lang) for person in group)
        for person in group:
            name = chance.choice(person.forms[lang])
            said = [name]
            last = name.split()[-1]
            if person.by_surname and surnames[_last_word(person, lang)] == 1 and last != name:
                said += [last] * chance.randint(0, 1)
            for surface in said:
                before, _, after = chance.choice(TEMPLATES[lang]).partition("{}")
                start = len(text) + len(before)
                gold[doc_id, start] = person.key
                mentions.append(_mention(doc_id, lang, night, start, surface))
                text += f"{before}{surface}{after} "
        documents.append({"doc_id": doc_id, "text": text, "lang": lang})
    return Articles(
        pa.Table.from_pylist(documents, schema=unfinished(DOCUMENTS)),
        pa.Table.from_pylist(mentions, schema=unfinished(MENTIONS)),
        gold,
    )


def _last_word(person: Person, lang: str) -> str:
    return person.forms[lang][0].split()[-1]


def _mention(doc_id: str, lang: str, night: date, start: int, surface: str) -> dict[str, object]:
    return {
        "doc_id": doc_id,
        "segment": 0,
        "date": night,
        "lang": lang,
        "kind": "body",
        "ner_label": "PER",
        "start": start,
        "end": start + len(surface),
        "surface": surface,
        "sentence": surface,
        "sentence_start": start,
        "ner_score": 0.9,
        "engine": "gold",
        "model": "gold",
    }


@dataclass(frozen=True, slots=True)
class Outcome:
    """Ids and gold by mention, the surface of each, and how many were linked to known entries."""

    gold: dict[tuple[str, int], str]
    ids: dict[tuple[str, int], str]
    names: dict[tuple[str, int], tuple[str, str]]
    n_known: int


def resolve(nights: Mapping[date, Articles], index: Index) -> Outcome:
    """Resolve the articles night by night, the registry growing from nothing.

    Raises ``AssertionError`` when ids depend on the order of documents or the cut into shards.
    """
    connection = sqlite3.connect(":memory:")
    registry.create(connection)
    no_segments = unfinished(SEGMENTS).empty_table()
    outcome = Outcome({}, {}, {}, 0)
    n_known = 0
    for night, articles in nights.items():
        run_id = night.isoformat()
        settled = settle(articles.documents, no_segments, articles.mentions.to_pylist(), index)
        assignment = assign([distinct(settled)], connection, index, run_id)
        middle = settled.num_rows // 2
        parts = [distinct(settled.slice(middle)), distinct(settled[:middle])]
        again = assign(parts, connection, index, run_id)
        assert again.unknown == assignment.unknown, "the order of documents changed an id"
        registry.apply(connection, assignment.delta, run_id)
        for row in finish(settled, assignment, run_id).to_pylist():
            place = (row["doc_id"], row["start"])
            outcome.ids[place] = row["entity_id"]
            outcome.names[place] = (row["lang"], row["surface"])
        n_known += sum(key is not None for key in settled["knowledge_key"].to_pylist())
        outcome.gold.update(articles.gold)
    for place in outcome.gold.keys() ^ outcome.ids.keys():  # cut, or left out: nobody's
        outcome.ids.pop(place, None)
        if place in outcome.gold:
            outcome.ids[place] = f"missed {place}"
    return Outcome(outcome.gold, outcome.ids, outcome.names, n_known)


def report(title: str, people: Sequence[Person], outcome: Outcome) -> Iterator[str]:
    """Yield the lines of one half's table."""
    yield (
        f"{title}: {len(people):,} persons, {len(outcome.gold):,} mentions, "
        f"{outcome.n_known:,} of them linked to an entry of the knowledge base"
    )
    yield f"{'language':10} {'mentions':>8} {'precision':>9} {'recall':>7} {'F1':>7}"
    yield _line("all", b_cubed(outcome.gold, outcome.ids))
    for lang in LANGUAGES:
        places = [place for place in outcome.gold if place[0].startswith(lang)]
        gold = {place: outcome.gold[place] for place in places}
        yield _line(lang, b_cubed(gold, {place: outcome.ids[place] for place in places}))


def _line(name: str, score: Bcubed) -> str:
    return (
        f"{name:10} {score.n_mentions:8,} {score.precision:9.4f} {score.recall:7.4f} "
        f"{score.f1:7.4f}"
    )


def confusions(outcome: Outcome) -> Iterator[str]:
    """Yield a line for each person under several ids and each id of several persons."""
    for what, one, other in (
        ("split ", outcome.gold, outcome.ids),
        ("merged", outcome.ids, outcome.gold),
    ):
        groups: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for place in outcome.gold.keys() & outcome.names.keys():
            groups[one[place]][other[place]].add(":".join(outcome.names[place]))
        for key, parts in sorted(groups.items()):
            if len(parts) > 1:
                yield f"{what} {key}: " + " | ".join(", ".join(sorted(n)) for n in parts.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=(*HALVES, "both"), default="dev")
    parser.add_argument("--names", type=Path, default=Path("../shared/names"))
    parser.add_argument("--work", type=Path, help="folder to keep the reduced index in")
    parser.add_argument("--show", action="store_true", help="list the confusions of the dev half")
    arguments = parser.parse_args()
    print("$ python benchmarks/unknown_names.py", *sys.argv[1:])
    print(
        f"data: persons of {arguments.names} and {KNOWLEDGE} taken out of the index; "
        f"exonym {version('exonym')}, {date.today()}. Thresholds were chosen on the dev half.",
        flush=True,
    )
    chosen = persons(arguments.names, KNOWLEDGE)
    with tempfile.TemporaryDirectory() as temporary:
        index = reduced_index(chosen, KNOWLEDGE, arguments.work or Path(temporary))
        for half in HALVES if arguments.half == "both" else (arguments.half,):
            people = [person for person in chosen if half_of(person) == half]
            outcome = resolve(write_articles(people, half), index)
            print("\n".join(report(half, people, outcome)))
            if arguments.show and half == "dev":
                print("\n".join(confusions(outcome)))


if __name__ == "__main__":
    main()
