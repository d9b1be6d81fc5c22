"""Names that the scorer of the nightly run learns from: asked of the whole knowledge base.

A name is asked while what its entity is called in the name's own language is hidden, or, where it
is called several things in that language, this name alone; and it counts once more that none is
meant where the entity is not known at all. Most of who is in the news is not
known: so there are also names of little-known persons and places that are taken out of the
knowledge base, the places also with a word for their kind in the language of the text. Only what
the linker would weigh is weighed: names that no entity bears exactly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline import languages
from pipeline.knowledge.build import INDEX_FOLDER, ensure
from pipeline.knowledge.files import knowledge_files, read_rows
from pipeline.languages.shared import load_data
from pipeline.resolve import generic, matching
from pipeline.resolve.candidates import Finder
from pipeline.resolve.forms import Form, read
from pipeline.resolve.link import GOOD_EXACT
from pipeline.schemas import UNDETERMINED
from pipeline.training import hiding
from pipeline.training.hiding import ALL, THIS, Hiding
from pipeline.training.names import (
    ASKED,
    FILES,
    FOLDS,
    Learned,
    Material,
    Question,
    key_of,
)
from pipeline.training.scorer import Lesson

MOST: Final = 500
"""Names of a label and language that are asked of one source, those with the least hash."""
UNKNOWN: Final = {"persons": 1600, "places": 1600}
"""How many little-known entities of a kind are taken out."""
_LAND: Final = frozenset({"island", "islands", "peninsula", "lake", "river", "mount"})
"""Kinds that :func:`pipeline.resolve.generic.classes` has no class for."""
_UNKNOWN_COUNTS: Final = 2.0
"""How many times that a name's bearer is not known counts for what it does that he is known.

Of the places of the dev fold that are hidden, 5.6 % are linked to another with 2.0, as with the
thresholds set by hand that came before, and 7.6 % with 1.0; of the persons 1.9 % and 2.9 %.
"""
_KIND_BEFORE: Final = frozenset({"ro", "vi"})
"""Languages that put the word for a kind before the name; the others put it behind."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A name with the number of its entry, and the fold whose learning did not see it.

    ``hidden`` is the language of which the entry's names are hidden, or what :mod:`.hiding` has in
    place of one.
    """

    name: str
    lang: str
    entry: int
    fold: int
    hidden: str


class _Finder(Finder):
    """A finder that says whether the linker would look for likely names at all."""

    def __init__(self, index: Hiding, learned: Learned) -> None:
        super().__init__(index, learned.meanings)
        # What is hidden changes from name to name: nothing of an entry may be remembered.
        self.target = self._target  # type: ignore[assignment]

    def is_exact(self, form: Form) -> bool:
        """Say whether an entry bears the name so surely that the linker looks for no other."""
        return any(found.similarity >= GOOD_EXACT for found in self._exact(form))


def _hash(*parts: object) -> int:
    return int(hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest(), 16)


def known_names(material: Material, numbers: Mapping[str, int]) -> list[Asked]:
    """Return the names that are asked while their entity is known by others."""
    english = languages.get("en").fold
    folds = {english(question.english): question.fold for question in material.asked}
    groups: dict[tuple[str, str], dict[tuple[int, str], tuple[int, Question]]] = {}
    for question in (*material.asked, *material.known):
        number = numbers.get(key_of(question.id))
        if number is None or not question.respelled:
            continue
        place = _hash(question.id, question.lang)
        group = groups.setdefault((question.kind, question.lang), {})
        group.setdefault((number, question.lang), (place, question))
    found: dict[tuple[int, str], Asked] = {}
    for group in groups.values():
        chosen = sorted(group.items(), key=lambda item: item[1][0])[:MOST]
        for (number, lang), (_, question) in chosen:
            fold = folds.get(english(question.english), question.fold)
            found.setdefault((number, lang), Asked(question.name, lang, number, fold, lang))
    return list(found.values())


def other_names(material: Material, knowledge: Path, numbers: Mapping[str, int]) -> list[Asked]:
    """Return names of entities that have several in one language, the last one of each."""
    english = languages.get("en").fold
    folds = {english(question.english): question.fold for question in material.asked}
    groups: dict[tuple[str, str], list[tuple[int, Asked]]] = {}
    for path in knowledge_files(knowledge):
        for row in read_rows(path, checked=True):
            fold = folds.get(english(row.name), _hash(row.key) % FOLDS)
            for lang, names in row.names.items():
                if lang != UNDETERMINED and len(names) > 1 and row.key in numbers:
                    asked = Asked(names[-1], lang, numbers[row.key], fold, THIS)
                    groups.setdefault((row.label, lang), []).append((_hash(row.key, lang), asked))
    return [
        asked
        for group in groups.values()
        for _, asked in sorted(group, key=lambda item: item[0])[:MOST]
    ]


def little_known(
    kind: str, rows: Iterable[Mapping[str, str]], numbers: Mapping[str, int], *, held_out: bool
) -> list[Asked]:
    """Return names of entities that have none but an English one, as the news may write them.

    Those with the least hash first. The rows of one fold are ``held_out``: nothing is learned of
    them, so that it can be measured on them.
    """
    found = []
    for row in rows:
        fold = _hash(row["id"]) % FOLDS
        if (
            (fold == 0) == held_out
            and row["en"]
            and not any(row[lang] for lang in ASKED)
            and key_of(row["id"]) in numbers
        ):
            number = _hash("spoken", row["id"])
            lang = ("en", "ro", "tr", "vi")[number % 4]
            name = row["en"].partition(" (")[0]
            if FILES[kind][1] == "LOC" and number // 4 % 2:
                name = with_kind(name, lang, number // 8)
            found.append((number, Asked(name, lang, numbers[key_of(row["id"])], fold, ALL)))
    return [asked for _, asked in sorted(found, key=lambda item: item[0])]


def with_kind(name: str, lang: str, number: int) -> str:
    """Return ``name`` with one of the language's words for kinds of place, the ``number``-th."""
    kinds = _kinds(lang)
    kind = kinds[number % len(kinds)]
    return f"{kind.capitalize()} {name}" if lang in _KIND_BEFORE else f"{name} {kind}"


def _kinds(lang: str) -> list[str]:
    """Return the words of a language that say what kind of place a name names."""
    if lang == "en":
        return sorted(_LAND)
    return [
        word
        for word, english in load_data(lang)["translations"].items()
        if english in _LAND or generic.classes([english])
    ]


def unknown_in_hindi(asked: Iterable[Asked]) -> Iterator[Asked]:
    """Yield Hindi names of places once more, with a word for a kind and the place taken out."""
    for one in asked:
        number = _hash("kind", one.name)
        if one.lang == "hi" and number % 4 == 0:
            name = with_kind(one.name, "hi", number // 4)
            yield Asked(name, "hi", one.entry, one.fold, ALL)


def lesson(asked: Asked, finder: _Finder, index: Hiding, learned: Learned) -> Lesson | None:
    """Return what is to be learned of one name; None where the linker would not ask the scorer."""
    index.hide(asked.entry, asked.hidden, asked.name)
    form = read(asked.name, asked.lang)
    entries = [] if finder.is_exact(form) else finder.near(form)
    if not entries:
        return None
    targets = [finder.target(entry) for entry in entries]
    features = matching.features(
        form, targets, finder.weights, finder.meanings, finder.likeness, learned.costs
    )
    labels = [target.label for target in targets]
    if asked.entry not in entries:
        return Lesson(labels, features, None, unknown=_UNKNOWN_COUNTS)
    right = entries.index(asked.entry)
    own = set(targets[right].keys)
    namesakes = (i for i, target in enumerate(targets) if own & set(target.keys))
    return Lesson(labels, features, right, 1.0, _UNKNOWN_COUNTS, frozenset(namesakes))


def lessons(material: Material, knowledge: Path) -> list[tuple[Asked, Lesson]]:
    """Return all lessons of the whole knowledge base, each with the name that was asked."""
    ensure(knowledge)
    index = Hiding.open(knowledge / INDEX_FOLDER)
    assert isinstance(index, Hiding)
    numbers = hiding.entries(index, knowledge)
    known = known_names(material, numbers)
    places = (one for one in known if index.entry(one.entry).label == "LOC")
    asked = [*known, *other_names(material, knowledge, numbers), *unknown_in_hindi(places)]
    for kind, rows in material.rows.items():
        most = UNKNOWN.get(kind, 0)
        asked += little_known(kind, rows, numbers, held_out=False)[:most] if most else ()
    return list(_asked_by_fold(asked, index, material.learned))


def _asked_by_fold(
    asked: Sequence[Asked], index: Hiding, learned: Sequence[Learned]
) -> Iterator[tuple[Asked, Lesson]]:
    for fold, one in enumerate(learned):
        finder = _Finder(index, one)
        for name in (name for name in asked if name.fold == fold):
            found = lesson(name, finder, index, one)
            if found is not None:
                yield name, found
