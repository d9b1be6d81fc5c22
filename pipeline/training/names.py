"""Names in several languages, what is learned from them, and how one finds another.

Of the rows of a file of names the English ones are known; a name in another language is asked, and
right is its own row; once more it is asked without that row, so that the scorer learns to say that
none is known. All that is learned is also learned without each fifth of the rows (folds by SHA-256
of the id).
"""

from __future__ import annotations

import csv
import hashlib
import lzma
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline import languages
from pipeline.knowledge.build import build
from pipeline.knowledge.files import Row, knowledge_files, read_rows, write_rows
from pipeline.knowledge.index import Index
from pipeline.knowledge.prior import GEONAMES, PERSONS_LIST, source_rank
from pipeline.knowledge.vectors import NameVectors
from pipeline.languages.hi import plain as plain_hindi
from pipeline.languages.shared import fold_ascii
from pipeline.resolve import generic, matching
from pipeline.resolve.candidates import Finder
from pipeline.resolve.forms import Form, read
from pipeline.resolve.matching import Weights
from pipeline.resolve.meaning import Meanings, by_language
from pipeline.resolve.spelling import Spelling, Unit
from pipeline.schemas import UNDETERMINED
from pipeline.training import meaning
from pipeline.training import spelling as training
from pipeline.training.meaning import Learner
from pipeline.training.scorer import Lesson, learn

ASKED: Final = ("hi", "tr", "ro", "vi")
FOLDS: Final = 5
FILES: Final = {
    "places": ("places_geonames_5lang.tsv.xz", "LOC"),
    "persons": ("persons_5lang.tsv.xz", "PER"),
    "organisations": ("intl_orgs_supraverden.tsv", "ORG"),
}
ORGANISATIONS: Final = "organisations"
BODIES: Final = "bodies"
"""The kind of :func:`known_bodies`."""
_LONGEST: Final = 30


@dataclass(frozen=True, slots=True)
class Question:
    """A name that is asked: its row's id, the language, the name and the English name."""

    kind: str
    id: str
    lang: str
    name: str
    english: str

    @property
    def fold(self) -> int:
        """The fold that the row belongs to, by the SHA-256 of its id."""
        return _number(self.id) % FOLDS

    @property
    def respelled(self) -> bool:
        """Whether the name is spelled otherwise than in English, but for case and marks."""
        return fold_ascii(self.name) != fold_ascii(self.english)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found for a question: numbers of entries with their features, and the right one.

    ``names`` are the entries' names in plain letters.
    """

    question: Question
    right: int
    entries: tuple[int, ...]
    features: tuple[Mapping[str, float], ...]
    names: Mapping[int, str]


def _number(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


def read_names(path: Path) -> list[dict[str, str]]:
    """Return the rows of a tab-separated file, compressed or not, the first column as ``id``.

    Rows without an id, where it says so in words, are left out.
    """
    content = path.read_bytes()
    text = (lzma.decompress(content) if path.suffix == ".xz" else content).decode("utf-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    first = next(iter(rows[0]))
    return [{**row, "id": row[first]} for row in rows if " " not in row[first]]


def english_index(
    rows: Iterable[Mapping[str, str]], label: str, folder: Path, model: NameVectors | None
) -> Index:
    """Build an index in ``folder`` that holds the English name of every row and nothing else.

    ``model`` says what names mean.

    Of rows with the same id the first counts.
    """
    known: dict[str, Row] = {}
    for row in rows:
        if row["en"]:
            people = int(row["pop"]) if row.get("pop") else None
            source = GEONAMES if "pop" in row else PERSONS_LIST
            name = " ".join(row["en"].split())
            names = {"en": (name,)}
            key = key_of(row["id"])
            known.setdefault(key, Row(key, label, name, names, None, None, None, people, source))
    write_rows(folder / "english.tsv", known.values())
    return build(folder, model=model)


def key_of(identifier: str) -> str:
    """Return the knowledge base's key of a row: its id where that is one, else by how it looks."""
    if ":" in identifier:
        return identifier
    if identifier.isdigit():
        return f"geonames:{identifier}"
    if "." in identifier:
        return f"geonames-admin1:{identifier}"
    if len(identifier) == 2:
        return f"iso:{identifier}"
    if identifier.startswith("Q"):
        return f"wikidata:{identifier}"
    return f"exonym:{identifier.lower().replace('_', '-')}"


def questions(kind: str, rows: Iterable[Mapping[str, str]]) -> Iterator[Question]:
    """Yield the names of ``rows`` in other languages, what stands in brackets behind left out."""
    for row in rows:
        for lang in ASKED:
            if row["en"] and row.get(lang):
                name = row[lang].split(" (")[0].strip()
                yield Question(kind, row["id"], lang, name, row["en"])


def fold_of_letter(lang: str) -> Callable[[str], str]:
    """Return what says which plain letters a letter of ``lang`` is."""
    if lang == "hi":
        return lambda letter: plain_hindi(letter).replace(" ", "")
    return lambda letter: fold_ascii(letter) if letter.isalnum() else ""


def known_names(folder: Path) -> Iterator[Question]:
    """Yield the usual names of the knowledge files in ``folder`` that are spelled, not translated.

    They say how letters are respelled; nobody asks for them.
    """
    for path in knowledge_files(folder):
        for row in read_rows(path):
            for lang in ASKED:
                if row.label != "ORG" and row.names.get(lang) and row.names.get("en"):
                    yield Question("known", row.key, lang, row.names[lang][0], row.names["en"][0])


def known_bodies(folder: Path, without: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return the bodies that people added to the knowledge files, as rows of a file of names.

    Those that are called in English as a row of ``without`` are left out. The scorer learns from
    them what it makes of bodies: the file of international ones has few in other languages.
    """
    fold = languages.get("en").fold
    others = {fold(row["en"]) for row in without}
    rows = []
    for path in knowledge_files(folder):
        for row in read_rows(path):
            english = row.names.get("en", ())
            curated = row.label == "ORG" and source_rank(row.source) == 0
            if curated and english and others.isdisjoint(map(fold, english)):
                names = {lang: row.names.get(lang, ("",))[0] for lang in ASKED}
                rows.append({"id": row.key, "en": english[0], **names})
    return rows


def learn_spelling(asked: Iterable[Question]) -> dict[str, list[Unit]]:
    """Return the units of every language, learned from the names that are respelled."""
    pairs: dict[str, list[tuple[str, str]]] = {lang: [] for lang in ASKED}
    for question in asked:
        if question.kind in (ORGANISATIONS, BODIES) or not question.respelled:
            continue
        language, english = languages.get(question.lang), languages.get("en")
        words, _ = generic.proper(language.translated(question.name).split())
        theirs, _ = generic.proper(english.translated(question.english).split())
        letters, target = language.letters(" ".join(words)), english.letters(" ".join(theirs))
        if letters and target and max(len(letters), len(target)) <= _LONGEST:
            pairs[question.lang].append((letters, target))
    units = {lang: training.fit(found, fold_of_letter(lang)) for lang, found in pairs.items()}
    plain = "".join(sorted({unit.english for unit in units["hi"] if len(unit.english) == 1}))
    return {**units, UNDETERMINED: training.first_guess(plain, str)}


def spellings(units: Mapping[str, Iterable[Unit]]) -> dict[str, Spelling]:
    """Return the units of every language as arrays."""
    return {lang: Spelling(found) for lang, found in units.items()}


def answer(question: Question, finder: Finder, costs: dict[str, Spelling]) -> Answer:
    """Return what ``finder`` finds for ``question``, with the features under ``costs``."""
    form = read(question.name, question.lang)
    entries = tuple(finder.nearest(form, finder.shortlist(form)))
    right = finder.index.by_key(key_of(question.id))
    assert right is not None
    names = {entry: fold_ascii(finder.known(entry).name) for entry in entries}
    return Answer(question, right, entries, tuple(compare(form, entries, finder, costs)), names)


def compare(
    form: Form, entries: Sequence[int], finder: Finder, costs: dict[str, Spelling] | None = None
) -> list[dict[str, float]]:
    """Return the features of ``form`` beside every entry."""
    known = [finder.target(entry) for entry in entries]
    features = matching.features
    if not known:
        return []
    return features(form, known, finder.weights, finder.meanings, finder.likeness, costs)


def learn_weights(answers: Iterable[Answer], label: str) -> Weights:
    """Return the weights under which the right entries of one label, or none, are likeliest."""
    found = list(answers)
    lessons = [
        Lesson(
            [label] * len(each.entries),
            each.features,
            each.entries.index(each.right) if each.right in each.entries else None,
        )
        for each in found
    ]
    return learn(lessons)[label]


def ranked(found: Answer, weights: Weights) -> list[tuple[float, int]]:
    """Return the entries with their probability, the likeliest first, ties by number."""
    scores = matching.probabilities(weights.logits(found.features))
    return sorted(zip(scores, found.entries, strict=True), key=lambda pair: (-pair[0], pair[1]))


@dataclass(frozen=True, slots=True)
class Learned:
    """What letters become and what words mean, learned without one fold of the rows."""

    costs: dict[str, Spelling]
    meanings: dict[str, Meanings]


def learned_by_fold(
    asked: Sequence[Question], known: Iterable[Question], learner: Learner
) -> list[Learned]:
    """Return for each fold what is learned without it.

    ``known`` are further names to learn spelling from; what is called in English as a row of the
    fold is left out of all.
    """
    known = list(known)
    fold_english = languages.get("en").fold
    found = []
    for fold in range(FOLDS):
        named = {fold_english(q.english) for q in asked if q.fold == fold}
        others = [q for q in known if fold_english(q.english) not in named]
        units = learn_spelling([*(q for q in asked if q.fold != fold), *others])
        meanings = by_language(learner.learn(frozenset(named)))
        found.append(Learned(spellings(units), meanings))
    return found


def out_of_fold(
    asked: Sequence[Question], kind: str, index: Index, learned: Sequence[Learned]
) -> list[Answer]:
    """Return the answers to the names of one ``kind``, each by what its own fold did not teach."""
    finder = Finder(index)
    found = []
    for fold, one in enumerate(learned):
        finder.meanings = one.meanings
        finder.readings.cache_clear()
        here = (q for q in asked if q.kind == kind and q.fold == fold)
        found += [answer(question, finder, one.costs) for question in here]
    return found


@dataclass(frozen=True, slots=True)
class Material:
    """All that is learned from: rows by kind, the names asked of them, others, and by fold.

    ``known`` are further names for spelling, ``learner`` learns what words mean, ``learned`` is
    what each fold's names are answered by; ``model`` says what whole names mean.
    """

    rows: dict[str, list[dict[str, str]]]
    asked: list[Question]
    known: list[Question]
    learner: Learner
    learned: list[Learned]
    model: NameVectors | None

    @classmethod
    def read(cls, names: Path, knowledge: Path, parallel: Path) -> Material:
        """Read the files of names, of knowledge and of parallel sentences, and learn by fold."""
        rows = {kind: read_names(names / file) for kind, (file, _) in FILES.items()}
        rows[BODIES] = known_bodies(knowledge, rows[ORGANISATIONS])
        asked = [question for kind in rows for question in questions(kind, rows[kind])]
        known = list(known_names(knowledge))
        learner = Learner(meaning.all_texts(knowledge, parallel))
        model = NameVectors.beside(knowledge)
        return cls(rows, asked, known, learner, learned_by_fold(asked, known, learner), model)

    def answers(self, kind: str) -> list[Answer]:
        """Return the answers to the names of one kind, none taught by its own row."""
        label = "ORG" if kind == BODIES else FILES[kind][1]
        with tempfile.TemporaryDirectory() as folder:
            index = english_index(self.rows[kind], label, Path(folder), self.model)
            return out_of_fold(self.asked, kind, index, self.learned)

    def lessons(self, kind: str) -> list[Answer]:
        """Return further answers that the scorer of a kind learns from and is not measured on."""
        return self.answers(BODIES) if kind == ORGANISATIONS else []


def write_units(units: Mapping[str, Iterable[Unit]], path: Path) -> None:
    """Write ``units`` as a tab-separated file."""
    lines = ["lang\tletters\tenglish\tcost"]
    lines += [
        f"{lang}\t{unit.letters}\t{unit.english}\t{unit.cost}"
        for lang, found in sorted(units.items())
        for unit in found
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
