"""How often a name is linked to its entity when the knowledge base lacks just this spelling.

Run ``python benchmarks/hidden_alias.py [--names DIR] [--kind KIND ...] [--sample N]``. The index
is the full one, of all files in ``models/knowledge``. The names of the rows of ../shared/names in
Hindi, Turkish, Romanian and Vietnamese are put, one by one, as a document of one mention with the
right label through the linker of the nightly run, while all that the entry of the row is called in
the name's own language is hidden. Right is the row's own entry. Only names that are spelled
otherwise than in English, but for case and marks, are asked: the others stand in the index as
English names. ``linked`` is the share that is linked at all, ``right`` of those that are right,
``recall`` the share of all that is linked rightly, each with a bootstrap interval of 95 %;
``linked where unknown`` the share that is linked, wrongly, when the whole entry is hidden. The
second table says the same of little-known places and persons, which have no name but an English
one: it is asked as it stands, for every second place with a word for a kind in the language; names
that another entry bears are left out, and so are those that the scorer learned from. By
``--sample`` at most so many names of each kind and language, those with the least SHA-256 of id.
Weights were learned on these very names (with other spellings hidden): what a name reaches that no
weight has seen is in retrieval.txt.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np

from pipeline.knowledge.build import INDEX_FOLDER, ensure
from pipeline.knowledge.index import Index
from pipeline.resolve.candidates import Finder
from pipeline.resolve.forms import read
from pipeline.resolve.indocument import Named
from pipeline.resolve.link import link
from pipeline.training.hiding import ALL, Hiding, entries
from pipeline.training.lessons import little_known
from pipeline.training.names import (
    ASKED,
    FILES,
    ORGANISATIONS,
    Question,
    key_of,
    questions,
    read_names,
)

KNOWLEDGE: Final = Path("models/knowledge")
RESAMPLES: Final = 1000
MOST: Final = 300
"""Little-known names of a kind and language that are asked where no sample is."""
SEED: Final = 20260101


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a name was linked, whether to its own entry, and whether with that one hidden too."""

    linked: bool
    right: bool
    blind: bool


def linked(name: str, lang: str, kind: str, index: Index) -> int | None:
    """Return the entry that a name alone in a document is linked to."""
    mention = Named(0, len(name), FILES[kind][1], read(name, lang))
    (decision,) = link("0", [mention], name, Finder(index))
    return decision.chosen.known.number if decision.chosen is not None else None


def outcome(question: Question, right: int, index: Hiding) -> Outcome:
    """Return what the linker makes of a name while its entry's names in its language are hidden."""
    index.hide(right, question.lang, question.name)
    found = linked(question.name, question.lang, question.kind, index)
    index.hide(right, ALL, question.name)
    blind = linked(question.name, question.lang, question.kind, index)
    return Outcome(found is not None, found == right, blind is not None)


def little_known_lines(
    kind: str,
    rows: Sequence[Mapping[str, str]],
    numbers: Mapping[str, int],
    index: Hiding,
    most: int,
) -> Iterable[str]:
    """Yield a line of the second table for every language."""
    asked = little_known(kind, rows, numbers, held_out=True)
    for lang in (*ASKED, "en"):
        found = []
        for one in (one for one in asked if one.lang == lang):
            index.hide(one.entry, ALL, one.name)
            if not Finder(index).exact(read(one.name, lang)):
                found.append(linked(one.name, lang, kind, index) is not None)
            if len(found) == most:
                break
        if found:
            yield f"{kind:14} {lang} {len(found):5}  {interval(found)}"


def sampled(asked: Iterable[Question], most: int | None) -> list[Question]:
    """Return at most ``most`` questions, those whose hash is least."""

    def place(question: Question) -> str:
        return hashlib.sha256(f"{question.id} {question.lang}".encode()).hexdigest()

    return sorted(asked, key=place)[:most]


def interval(hits: Sequence[bool]) -> str:
    """Return the share of hits with its bootstrap interval of 95 %."""
    if not hits:
        return "-"
    draw = np.random.default_rng(SEED)
    means = draw.binomial(len(hits), np.mean(hits), RESAMPLES) / len(hits)
    low, high = np.percentile(means, (2.5, 97.5))
    return f"{np.mean(hits):.3f} [{low:.3f}, {high:.3f}]"


def lines(kind: str, found: Mapping[str, Sequence[Outcome]]) -> Iterable[str]:
    """Yield a line of the table for every language."""
    for lang, here in found.items():
        linked = interval([o.linked for o in here])
        right = interval([o.right for o in here if o.linked])
        recall = interval([o.right for o in here])
        blind = interval([o.blind for o in here])
        yield f"{kind:14} {lang} {len(here):5}  {linked}  {right}  {recall}  {blind}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=Path, default=Path("../shared/names"))
    parser.add_argument("--kind", choices=tuple(FILES), action="append")
    parser.add_argument("--sample", type=int)
    arguments = parser.parse_args()
    ensure(KNOWLEDGE)
    index = Hiding.open(KNOWLEDGE / INDEX_FOLDER)
    numbers = entries(index, KNOWLEDGE)
    options = "".join(f" --kind {kind}" for kind in arguments.kind or ())
    options += f" --sample {arguments.sample}" if arguments.sample else ""
    print(f"$ python benchmarks/hidden_alias.py{options}")
    print(
        f"data: {arguments.names} against {KNOWLEDGE}, {len(index):,} entries; "
        f"exonym {version('exonym')}, {date.today()}"
    )
    kinds = arguments.kind or FILES
    rows_of = {kind: read_names(arguments.names / FILES[kind][0]) for kind in kinds}
    print(
        f"\n{'':15}    names  linked                right of those        recall"
        "                linked where unknown"
    )
    for kind, rows in rows_of.items():
        asked = [q for q in questions(kind, rows) if q.respelled and key_of(q.id) in numbers]
        found = {
            lang: [
                outcome(question, numbers[key_of(question.id)], index)
                for question in sampled((q for q in asked if q.lang == lang), arguments.sample)
            ]
            for lang in ASKED
        }
        print(*lines(kind, {lang: here for lang, here in found.items() if here}), sep="\n")
    print(f"\n{'little-known':15}    names  linked where unknown")
    for kind in (kind for kind in kinds if kind != ORGANISATIONS):
        most = arguments.sample or MOST
        print(*little_known_lines(kind, rows_of[kind], numbers, index, most), sep="\n")


if __name__ == "__main__":
    main()
