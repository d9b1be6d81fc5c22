"""How right links are in news that the project was not made from.

Run ``python benchmarks/links.py [--half dev|check|both] [--show]``. The articles of
``models/annotations/links`` are published, all in one night and then over two, with the settings of
the folder, and the entity of every marked name is compared with the one that it was linked to.
``precision`` is the share of right ones among the links to the knowledge base that marked names
got, ``recall`` the share of names of known entities that were linked rightly; a name counts that
overlaps the marked one. Of the names of unknown entities, those linked to known ones are counted as
wrong, and B³ says how well the others' ids tell them apart and together, across languages. ``dev``
is the half by which rules were repaired; ``check`` is the one to judge by. ``--show`` lists the
wrong links, those of ``dev`` alone.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pyarrow.dataset as ds

from pipeline.evaluate import b_cubed
from pipeline.resolve.registry import known_id
from pipeline.schemas import LANGUAGES

STORIES: Final = Path("models/annotations/links")
HALVES: Final = ("dev", "check")
NIGHTS: Final = ("2026-11-20", "2026-11-21")
RUN: Final = "from pipeline.cli import main; main()"
_MARK: Final = re.compile(r"\[([^\[\]|]+)\|([^\[\]|]+)\]")


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity of a story; ``keys`` are the knowledge keys that are right, none where unknown."""

    label: str
    name: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """A marked name: its place in the text, and whom it names."""

    start: int
    end: int
    entity: Entity


@dataclass(frozen=True, slots=True)
class Article:
    """A story in one language."""

    story: str
    lang: str
    text: str
    names: tuple[Marked, ...]


@dataclass(slots=True)
class Tally:
    """Counts of what became of marked names, and the ids of unknown ones: (entity, id)."""

    counts: Counter[str] = field(default_factory=Counter)
    ids: list[tuple[str, str]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.counts.update(other.counts)
        self.ids += other.ids


def articles(path: Path) -> list[Article]:
    """Return the articles of a file of stories. Raises KeyError for a mark without its entity."""
    found: list[Article] = []
    story, lang, entities, lines = "", "", dict[str, Entity](), list[str]()

    def close() -> None:
        if lang:
            found.append(_article(story, lang, "\n".join(lines).strip(), entities))
        lines.clear()

    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            close()
            story, lang, entities = line[3:], "", {}
        elif line.startswith("-- "):
            close()
            lang = line[3:]
        elif lang:
            lines.append(line)
        elif "\t" in line:
            slug, label, name, keys = line.split("\t")
            entities[slug] = Entity(label, name, () if keys == "-" else tuple(keys.split("|")))
    close()
    return found


def _article(story: str, lang: str, marked: str, entities: dict[str, Entity]) -> Article:
    text, at, names = "", 0, []
    for mark in _MARK.finditer(marked):
        text += marked[at : mark.start()]
        names.append(Marked(len(text), len(text) + len(mark[1]), entities[mark[2]]))
        text += mark[1]
        at = mark.end()
    return Article(story, lang, text + marked[at:], tuple(names))


def publish(nights: Sequence[Sequence[Article]], out: Path) -> None:
    """Publish the articles to ``out``, a night after the other."""
    for day, night in zip(NIGHTS, nights, strict=False):
        source = out.parent / f"{day}.jsonl"
        lines = ({"id": f"{a.story}-{a.lang}", "text": a.text} for a in night)
        written = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        source.write_text(written, encoding="utf-8")
        # Half the articles a night is what a gate holds back; here it is meant.
        options = ["--out", str(out), "--date", day, "--quiet", "--accept"]
        subprocess.run([sys.executable, "-c", RUN, "run", str(source), *options], check=True)


def compare(found: Sequence[Article], out: Path, *, show: bool) -> dict[str, Tally]:
    """Return the tallies by language of what ``out`` says of the articles' names."""
    documents = ds.dataset(out / "documents").to_table(["doc_id", "text"]).to_pylist()
    doc_ids = {row["text"]: row["doc_id"] for row in documents}
    status = {
        row["entity_id"]: (row["status"], row["name"])
        for row in ds.dataset(out / "entities").to_table().to_pylist()
    }
    mentions: dict[str, list[tuple[int, int, str]]] = {}
    columns = ["doc_id", "start", "end", "entity_id"]
    for row in ds.dataset(out / "mentions").to_table(columns).to_pylist():
        here = mentions.setdefault(row["doc_id"], [])
        here.append((row["start"], row["end"], row["entity_id"]))
    tallies = {lang: Tally() for lang in LANGUAGES}
    for article in found:
        tally = tallies[article.lang]
        for name in article.names:
            entity_id = _linked(name, mentions.get(doc_ids[article.text], []))
            known = entity_id is not None and status[entity_id][0] == "known"
            what = _outcome(name.entity, entity_id, known)
            tally.counts[what] += 1
            if entity_id is not None and not name.entity.keys:
                tally.ids.append((name.entity.name, entity_id))
            if show and entity_id is not None and "right" not in what:
                surface = article.text[name.start : name.end]
                called = status[entity_id][1]
                print(f"  {article.story} {article.lang} {surface} ({name.entity.name}): {called}")
    return tallies


def _linked(name: Marked, mentions: Sequence[tuple[int, int, str]]) -> str | None:
    """Return the id of the mention that overlaps the name most, the first of equals."""
    shared = [(min(end, name.end) - max(start, name.start), i) for start, end, i in mentions]
    best = max(shared, key=lambda pair: pair[0], default=(0, ""))
    return best[1] if best[0] > 0 else None


def _outcome(entity: Entity, entity_id: str | None, known: bool) -> str:
    kind = "known" if entity.keys else "unknown"
    if entity_id is None:
        return f"{kind} not found"
    if entity.keys and entity_id in map(known_id, entity.keys):
        return "known right"
    if known:
        return f"{kind} wrong"
    return f"{kind} missed" if entity.keys else "unknown right"


def lines(tallies: dict[str, Tally]) -> Iterator[str]:
    """Yield a line for every language and one for all."""
    total = Tally()
    for tally in tallies.values():
        total.add(tally)
    for lang, tally in (*tallies.items(), ("all", total)):
        c = tally.counts
        right, wrong = c["known right"], c["known wrong"] + c["unknown wrong"]
        known = sum(n for what, n in c.items() if what.startswith("known"))
        b = b_cubed(
            {number: entity for number, (entity, _) in enumerate(tally.ids)},
            {number: entity_id for number, (_, entity_id) in enumerate(tally.ids)},
        )
        yield (
            f"{lang:4} {known:5} {right:6} {c['known wrong']:6} {c['known missed']:7}"
            f" {c['known not found']:10}   {right / max(1, right + wrong):.3f}"
            f"      {right / max(1, known):.3f}   {len(tally.ids):8} {c['unknown wrong']:6}"
            f" {c['unknown not found']:10}   {b.precision:.3f} {b.recall:.3f} {b.f1:.3f}"
        )


def main() -> None:
    """Publish, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=(*HALVES, "both"), default="both")
    parser.add_argument("--show", action="store_true", help="list what is not right in dev")
    arguments = parser.parse_args()
    halves = HALVES if arguments.half == "both" else (arguments.half,)
    option = "" if arguments.half == "both" else f" --half {arguments.half}"
    print(f"$ python benchmarks/links.py{option}")
    print(f"data: {STORIES}; exonym {version('exonym')}, {date.today()}")
    for half in halves:
        found = articles(STORIES / f"{half}.txt")
        for nights in ([found], [found[0::2], found[1::2]]):
            print(f"\n{half}, {len(found)} articles, nights: {len(nights)}")
            print(
                "     known  right  wrong  missed  not found  precision  recall"
                "    unknown  wrong  not found   B³ P  R     F1"
            )
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder, "out")
                publish(nights, out)
                shown = arguments.show and half == "dev" and len(nights) == 1
                print(*lines(compare(found, out, show=shown)), sep="\n", flush=True)


if __name__ == "__main__":
    main()
