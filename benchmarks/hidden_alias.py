"""How often a name is linked to its entity when the knowledge base lacks just this spelling.

Run ``python benchmarks/hidden_alias.py [--names DIR] [--kind KIND ...] [--sample N]``. The index
is the full one, of all files in ``models/knowledge``. The names of the rows of ../shared/names in
Hindi, Turkish, Romanian and Vietnamese are put, one by one, as a document of one mention with the
right label through the linker of the nightly run, while all that the entry of the row is called in
the name's own language is hidden. Right is the row's own entry. Only names that are spelled
otherwise than in English, but for case and marks, are asked: the others stand in the index as
English names. ``linked`` is the share that is linked at all, ``right`` of those that are right,
``recall`` the share of all that is linked rightly, each with a bootstrap interval of 95 %. By
``--sample`` at most so many names of each kind and language, those with the least SHA-256 of id and
language. Weights were learned on these very names (with other spellings hidden): what a name
reaches that no weight has seen is in retrieval.txt.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np

from pipeline.knowledge.build import INDEX_FOLDER, ensure
from pipeline.knowledge.entry import Alias, Entry
from pipeline.knowledge.files import knowledge_files, read_rows
from pipeline.knowledge.index import Hit, Index
from pipeline.resolve.candidates import Finder
from pipeline.resolve.forms import read
from pipeline.resolve.indocument import Named
from pipeline.resolve.link import link
from pipeline.schemas import UNDETERMINED
from pipeline.training.names import ASKED, FILES, Question, key_of, questions, read_names

KNOWLEDGE: Final = Path("models/knowledge")
RESAMPLES: Final = 1000
SEED: Final = 20260101


class Hiding(Index):
    """An index that hides what one entry is called in one language."""

    entry_hidden = -1
    lang_hidden = ""
    text_hidden = ""

    def hide(self, entry: int, lang: str, text: str) -> None:
        """Hide the names of ``entry`` in ``lang``, and ``text`` where it has no language."""
        self.entry_hidden, self.lang_hidden, self.text_hidden = entry, lang, text
        self.similar.cache_clear()

    def hides(self, entry: int, lang: str, text: str) -> bool:
        """Tell whether an alias is hidden."""
        return entry == self.entry_hidden and (
            lang == self.lang_hidden or (lang == UNDETERMINED and text == self.text_hidden)
        )

    def _shown(self, hits: Iterable[Hit]) -> list[Hit]:
        return [hit for hit in hits if not self.hides(hit.entry, hit.alias_lang, hit.alias_text)]

    def exact(self, key: str) -> list[Hit]:
        """Return the aliases with that key that are not hidden."""
        return self._shown(super().exact(key))

    def likeliest(self, key: str, limit: int) -> list[Hit]:
        """Return the likeliest aliases with that key that are not hidden."""
        return self._shown(super().likeliest(key, limit))

    def exact_text(self, text: str, lang: str) -> list[Hit]:
        """Return the aliases with that text that are not hidden."""
        return self._shown(super().exact_text(text, lang))

    def entry(self, number: int) -> Entry:
        """Return an entry without what is hidden."""
        entry = super().entry(number)
        if number != self.entry_hidden:
            return entry
        shown = (a for a in entry.aliases if not self.hides(number, a.lang, a.text))
        return replace(entry, aliases=tuple(shown))

    def _entries_of_key(self, key: int) -> set[int]:
        first, last = self._key_aliases[key : key + 2].tolist()
        numbers = self._key_alias[first:last].tolist()
        return {int(self._alias_entry[n]) for n in numbers if not self._hidden_alias(n)}

    def _hidden_alias(self, number: int) -> bool:
        if self._alias_entry[number] != self.entry_hidden:
            return False
        alias: Alias = self._alias(number)
        return self.hides(self.entry_hidden, alias.lang, alias.text)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question, whether it was linked, and whether to its own entry."""

    question: Question
    linked: bool
    right: bool


def entries(index: Index, knowledge: Path) -> dict[str, int]:
    """Return the numbers of entries by their keys, and by their Wikidata and GeoNames ids."""
    found: dict[str, int] = {}
    for path in knowledge_files(knowledge):
        for row in read_rows(path, checked=True):
            number = index.by_key(row.key)
            if number is None:
                continue
            found[row.key] = number
            if row.wikidata:
                found.setdefault(f"wikidata:{row.wikidata}", number)
            if row.geonames:
                found.setdefault(f"geonames:{row.geonames}", number)
    return found


def outcome(question: Question, right: int, index: Hiding) -> Outcome:
    """Return what the linker makes of a name while its entry's names in its language are hidden."""
    index.hide(right, question.lang, question.name)
    form = read(question.name, question.lang)
    mention = Named(0, len(question.name), FILES[question.kind][1], form)
    (decision,) = link("0", [mention], question.name, Finder(index))
    chosen = decision.chosen
    linked = chosen is not None
    return Outcome(question, linked, linked and chosen.known.number == right)


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
        yield f"{kind:14} {lang} {len(here):5}  {linked}  {right}  {recall}"


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
    print(f"\n{'':15}    names  linked                right of those        recall")
    for kind in arguments.kind or FILES:
        rows = read_names(arguments.names / FILES[kind][0])
        asked = [q for q in questions(kind, rows) if q.respelled and key_of(q.id) in numbers]
        found = {
            lang: [
                outcome(question, numbers[key_of(question.id)], index)
                for question in sampled((q for q in asked if q.lang == lang), arguments.sample)
            ]
            for lang in ASKED
        }
        print(*lines(kind, {lang: here for lang, here in found.items() if here}), sep="\n")


if __name__ == "__main__":
    main()
