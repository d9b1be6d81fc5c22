"""The import: two readings of the dump, in parts that survive a kill, then one sorted file.

The first reading collects what is a subclass of what, the second the entities. Each writes a part
file every so often, and then where it stands; the next import of the same dump goes on from there.
Memory is bounded by a part, by the classes of the dump and by the knowledge base as it was before.
"""

from __future__ import annotations

import heapq
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from filelock import FileLock, Timeout

from pipeline.errors import LockedError
from pipeline.knowledge.files import (
    COLUMNS,
    OPTIONAL_COLUMN,
    KnowledgeError,
    format_row,
    knowledge_files,
    parse_row,
    read_rows,
)
from pipeline.knowledge.prior import WIKIDATA
from pipeline.knowledge.wikidata import entity as entities
from pipeline.knowledge.wikidata.classes import Kind, kinds, label_of
from pipeline.knowledge.wikidata.dump import Place, lines
from pipeline.knowledge.wikidata.settings import ImportSettings

RESULT: Final = "wikidata.tsv"
"""The knowledge file that an import writes."""

WORK: Final = ".import"
"""The folder in the folder of knowledge files that holds an import under way."""

CLASSES, ENTITIES, MERGE = "classes", "entities", "merge"

_LINES_PER_PART: Final = 500_000
_ROWS_PER_PART: Final = 50_000
_HEADER: Final = (*COLUMNS, OPTIONAL_COLUMN)
_ID: Final = re.compile(rb'"id"\s*:\s*"([PQ][1-9]\d*)"')
_ID_WITHIN: Final = 200
"""In how many of its first bytes an entity says which it is."""

Convert = Callable[[bytes], Iterable[str]]


@dataclass
class _State:
    """How far an import has come; ``counts`` of what it met on the way."""

    dump: str
    size: int
    settings: str
    phase: str = CLASSES
    place: Place = field(default_factory=Place)
    parts: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def save(self, path: Path) -> None:
        draft = path.with_suffix(".draft")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(vars(self), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


@dataclass(frozen=True)
class Summary:
    """What an import took over: entities by label, lines it could not read, and the file."""

    file: Path
    entities: dict[str, int]
    unreadable: int
    named: dict[str, str]
    """The dump's English labels of the classes and properties that the settings name."""


def import_dump(
    dump: Path, knowledge_dir: Path, settings: ImportSettings, report: Callable[[str], None]
) -> Summary:
    """Take people, places and organisations over from ``dump`` into ``wikidata.tsv``.

    Goes on where an earlier import of the same file with the same settings was stopped. ``report``
    is told, in a line of text, after every part. A line that cannot be read is counted and passed
    over. The index is left as it is.

    Raises:
        KnowledgeError: the dump is missing, damaged or cut off (what was read so far is kept), or
            there is nothing to take over in it (what was imported before stays).
        LockedError: another import is under way.
    """
    work = knowledge_dir / WORK
    work.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(work / "lock", timeout=0):
            summary = _Import(dump, knowledge_dir, settings, report).run()
    except Timeout:
        raise LockedError(f"another import holds {work}: wait until it has ended") from None
    shutil.rmtree(work)
    return summary


class _Import:
    def __init__(
        self,
        dump: Path,
        knowledge_dir: Path,
        settings: ImportSettings,
        report: Callable[[str], None],
    ) -> None:
        self._dump = dump
        self._folder = knowledge_dir
        self._work = knowledge_dir / WORK
        self._settings = settings
        self._report = report
        self._source = f"{WIKIDATA} {dump.name}"
        self._state = self._stored_state()

    def run(self) -> Summary:
        state = self._state
        if state.phase == CLASSES:
            self._read(self._statements, then=ENTITIES)
        children, parents, countries, named = self._load_classes()
        roots = {
            label: [int(name[1:]) for name in names]
            for label, names in self._settings.classes.labels.items()
        }
        known = kinds(roots, children, parents)
        if state.phase == ENTITIES:
            wanted = frozenset(str(number).encode() for number in known)
            self._read(lambda line: self._rows(line, known, wanted, countries), then=MERGE)
        if not any(state.counts[label] for label in roots):
            raise KnowledgeError(
                f"{self._dump} holds no person, place or organisation; give Wikidata's JSON dump, "
                "or correct --classes: what was imported before stays"
            )
        own_codes = {f"wikidata:{item}": code for item, code in countries.items()}
        self._merge(own_codes)
        labels = {label: state.counts[label] for label in roots}
        return Summary(self._folder / RESULT, labels, state.counts["unreadable"], named)

    def _stored_state(self) -> _State:
        """Return the state of an earlier import of the same dump, or a new one."""
        try:
            size = self._dump.stat().st_size
        except OSError as error:
            raise KnowledgeError(f"cannot read {self._dump}: {error.strerror}") from None
        fresh = _State(self._dump.name, size, self._settings.fingerprint())
        path = self._work / "state.json"
        if path.exists():
            stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            same = all(
                stored[name] == getattr(fresh, name) for name in ("dump", "size", "settings")
            )
            if same:
                stored["place"] = Place(*stored["place"])
                stored["counts"] = Counter(stored["counts"])
                self._report(f"going on from line {stored['place'].line:,} of {stored['phase']}")
                return _State(**stored)
        for file in self._work.glob("*.part"):
            file.unlink()
        return fresh

    def _read(self, convert: Convert, then: str) -> None:
        """Read the dump from where the state says, in parts, and put the state to ``then``."""
        state, pending = self._state, list[str]()
        place = state.place
        for line, place in lines(self._dump, state.place):
            try:
                pending.extend(convert(line))
            except (ValueError, KeyError, TypeError, AttributeError, KnowledgeError):
                state.counts["unreadable"] += 1
            if place.line - state.place.line >= _LINES_PER_PART or len(pending) >= _ROWS_PER_PART:
                self._save(pending, place)
        self._save(pending, place)
        state.phase, state.place, state.parts = then, Place(), 0
        state.save(self._work / "state.json")

    def _save(self, pending: list[str], place: Place) -> None:
        state = self._state
        part = self._work / f"{state.phase}-{state.parts:06}.part"
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in sorted(pending))
            file.flush()
            os.fsync(file.fileno())
        pending.clear()
        state.place, state.parts = place, state.parts + 1
        state.save(self._work / "state.json")
        self._report(f"{state.phase}: {place.line:,} lines read")

    def _statements(self, line: bytes) -> Iterator[str]:
        """Yield what a line says of classes and countries, tab-separated."""
        properties, classes = self._settings.properties, self._settings.classes.labels
        shown = {name for names in classes.values() for name in names}
        shown |= {properties.instance_of, properties.subclass_of, properties.country_code}
        found = _ID.search(line[:_ID_WITHIN])
        named = found is not None and found.group(1).decode() in shown
        stated = (properties.subclass_of, properties.country_code)
        if not named and not any(f'"{name}"'.encode() in line for name in stated):
            return
        entity = entities.decode(line)
        if entity is None:
            return
        identifier = str(entity["id"])
        if named:
            label = (entity.get("labels") or {}).get("en", {}).get("value", "")
            yield f"named\t{identifier}\t{' '.join(str(label).split())}"
        if identifier.startswith("Q"):
            for above in entities.items(entity, properties.subclass_of):
                yield f"subclass\t{identifier[1:]}\t{above[1:]}"
            for code in entities.strings(entity, properties.country_code):
                yield f"country\t{identifier}\t{code}"

    def _load_classes(self) -> tuple[Any, Any, dict[str, str], dict[str, str]]:
        """Return children and parents of subclass statements, countries' codes, labels."""
        pairs: list[np.ndarray[Any, np.dtype[np.uint32]]] = [np.empty((0, 2), np.uint32)]
        countries: dict[str, str] = {}
        named: dict[str, str] = {}
        for part in sorted(self._work.glob(f"{CLASSES}-*.part")):
            rows = [line.split("\t") for line in part.read_text(encoding="utf-8").splitlines()]
            numbers = [(int(a), int(b)) for kind, a, b in rows if kind == "subclass"]
            pairs.append(np.array(numbers, dtype=np.uint32).reshape(-1, 2))
            countries.update({item: code for kind, item, code in rows if kind == "country"})
            named.update({item: label for kind, item, label in rows if kind == "named"})
        table = np.concatenate(pairs)
        return table[:, 0], table[:, 1], countries, named

    def _rows(
        self,
        line: bytes,
        known: dict[int, Kind],
        wanted: frozenset[bytes],
        countries: dict[str, str],
    ) -> Iterator[str]:
        """Yield the entity of a line as a line of the result, if it is one to take over."""
        instance_of = self._settings.properties.instance_of
        if not entities.may_be_instance(line, instance_of, wanted):
            return
        entity = entities.decode(line)
        if entity is None or not str(entity["id"]).startswith("Q"):
            return
        label = label_of((int(item[1:]) for item in entities.items(entity, instance_of)), known)
        if label is None:
            return
        row = entities.row(entity, label, countries, self._settings, self._source)
        if row is None or (row.sitelinks or 0) < self._settings.least_sitelinks:
            return
        text = f"{format_row(row)}\t{row.sitelinks}"
        parse_row(text, _HEADER, str(entity["id"]))  # what the index would refuse ends here
        self._state.counts[label] += 1
        yield text

    def _merge(self, own_codes: dict[str, str]) -> None:
        """Write the result, sorted, with the keys and labels that the knowledge base has."""
        base = _Base.read([p for p in knowledge_files(self._folder) if p.name != RESULT])
        rekeyed: dict[str, tuple[int, int, list[str]]] = {}
        for cells in self._sorted_rows():
            if (key := base.key_for(cells, own_codes.get(cells[0]))) is not None:
                # Of several that claim one key, the one with most pages has it.
                rank = (-int(cells[-1]), int(cells[0].removeprefix("wikidata:Q")), cells)
                rekeyed[key] = min(rekeyed.get(key, rank), rank)
        moved = {cells[0] for _, _, cells in rekeyed.values()}
        joined = sorted([key, *cells[1:]] for key, (_, _, cells) in rekeyed.items())
        others = (cells for cells in self._sorted_rows() if cells[0] not in moved)
        draft = self._work / RESULT
        previous = ""
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            file.write("\t".join(_HEADER) + "\n")
            for cells in heapq.merge(others, joined):
                if cells[0] != previous:  # a dump may hold an entity twice
                    cells[1] = base.labels.get(cells[0], cells[1])
                    file.write("\t".join(cells) + "\n")
                previous = cells[0]
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._folder / RESULT)

    def _sorted_rows(self) -> Iterator[list[str]]:
        parts = sorted(self._work.glob(f"{ENTITIES}-*.part"))
        for line in heapq.merge(*map(_lines_of, parts)):
            yield line.split("\t")


@dataclass(frozen=True)
class _Base:
    """The keys of the knowledge base beside the import: their labels, and which item is which."""

    labels: dict[str, str]
    by_item: dict[str, str]

    @classmethod
    def read(cls, paths: Iterable[Path]) -> _Base:
        labels: dict[str, str] = {}
        by_item: dict[str, str] = {}
        for path in paths:
            for row in read_rows(path):
                labels[row.key] = row.label
                if row.wikidata and row.key != f"wikidata:{row.wikidata}":
                    by_item[f"wikidata:{row.wikidata}"] = row.key
        return cls(labels, by_item)

    def key_for(self, cells: list[str], own_code: str | None) -> str | None:
        """Return the key that the knowledge base has for a row, if another than the row's own.

        By its Wikidata id, or for a place by its ISO or GeoNames id.
        """
        if cells[0] in self.by_item:
            return self.by_item[cells[0]]
        values = dict(zip(_HEADER, cells, strict=True))
        for key in (f"iso:{own_code}", f"geonames:{values['geonames']}"):
            if values["label"] == self.labels.get(key) == "LOC":
                return key
        return None


def _lines_of(part: Path) -> Iterator[str]:
    with part.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield line.removesuffix("\n")
