"""The ids of entities, which are stable for ever.

:func:`assign` reads the registry as the last published run left it and works out what the run's
names are called and what is new; :func:`apply` writes that down, :func:`revert` takes it back. All
state is in SQLite; functions take an open connection and never close it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import languages
from pipeline.knowledge.index import Index
from pipeline.resolve.grouping import Signature, block, group
from pipeline.resolve.tables import (
    CLUSTERS,
    REGISTRY_ENTITIES,
    REGISTRY_KEYS,
    REGISTRY_REDIRECTS,
)
from pipeline.schemas import LABELS, LANGUAGES
from pipeline.scripts import script_of

MINT: Final = "mint"
KNOW: Final = "know"
PROMOTE: Final = "promote"
UPDATE: Final = "update"
ACTIONS: Final = {
    MINT: "an unknown name got an id",
    KNOW: "an entry of the knowledge base was met for the first time",
    PROMOTE: "an unknown entity turned out to be an entry of the knowledge base",
    UPDATE: "names or outside ids changed",
}
"""What a row of the decision log can say."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entities (
    entity_id TEXT PRIMARY KEY,
    label TEXT NOT NULL,
    name TEXT NOT NULL,
    name_hi TEXT, name_ro TEXT, name_tr TEXT, name_en TEXT, name_vi TEXT,
    status TEXT NOT NULL CHECK (status IN ('known', 'new')),
    knowledge_key TEXT UNIQUE,
    wikidata TEXT,
    geonames TEXT,
    iso_country TEXT,
    created_run TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entity_keys (
    key TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    block TEXT NOT NULL,
    likeliest INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    PRIMARY KEY (key, entity_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entity_keys_by_block ON entity_keys (block);
CREATE INDEX IF NOT EXISTS entity_keys_by_entity ON entity_keys (entity_id);
CREATE TABLE IF NOT EXISTS redirects (
    entity_id TEXT PRIMARY KEY,
    replaced_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    run_id TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS decisions (
    sequence INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL,
    action TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    before TEXT
);
CREATE INDEX IF NOT EXISTS decisions_by_entity ON decisions (entity_id);
CREATE TABLE IF NOT EXISTS applied_runs (
    sequence INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE
);
"""

_ENTITY_COLUMNS: Final = (*(n for n in REGISTRY_ENTITIES.names if n != "action"), "created_run")
_AT_ONCE: Final = 500
"""Values in one SQL ``IN``."""


@dataclass(frozen=True, slots=True)
class Delta:
    """What a run adds to the registry, as tables of the schemas in :mod:`pipeline.resolve.tables`.

    ``entities`` (REGISTRY_ENTITIES), ``keys`` (REGISTRY_KEYS) and ``redirects``
    (REGISTRY_REDIRECTS), each sorted. They can be written to disk and applied later.
    """

    entities: pa.Table
    keys: pa.Table
    redirects: pa.Table


@dataclass(frozen=True, slots=True)
class Assignment:
    """The ids of a run's names, and what the registry has to learn.

    ``known`` maps a knowledge key to its entity id, ``unknown`` the :class:`Signature` of an
    unknown name to its. ``labels`` holds the label of every entity id in either; ``minted`` the ids
    that did not exist before this run.
    """

    known: Mapping[str, str]
    unknown: Mapping[Signature, str]
    labels: Mapping[str, str]
    minted: frozenset[str]
    delta: Delta


def create(connection: sqlite3.Connection) -> None:
    """Create the registry's tables where they do not exist yet."""
    connection.executescript(_SCHEMA)


def known_id(knowledge_key: str) -> str:
    """Return the id a knowledge entry gets when the registry has none for it."""
    return "e" + hashlib.sha256(f"knowledge:{knowledge_key}".encode()).hexdigest()[:15]


def minted_id(label: str, keys: Iterable[str], doc_id: str, start: int) -> str:
    """Return the id of an unknown entity, made of its label, first key and first place."""
    content = f"{label}:{min(keys)}:{doc_id}:{start}"
    return "e" + hashlib.sha256(content.encode()).hexdigest()[:15]


def id_of(connection: sqlite3.Connection, knowledge_key: str) -> str:
    """Return the id of a knowledge entry: the registered one, else the one it would get."""
    row = _Frozen(connection).by_knowledge_key(knowledge_key)
    return str(row["entity_id"]) if row else known_id(knowledge_key)


def unknown_near(
    connection: sqlite3.Connection, keys: Iterable[str]
) -> Iterator[tuple[str, str, str, str]]:
    """Yield (key, entity id, name, label) of live unknown entities in the blocks of ``keys``.

    These hold all entities with the same key or an alike one, and others.
    """
    frozen = _Frozen(connection)
    found = {
        (key, entity_id)
        for near in frozen.by_block(map(block, keys)).values()
        for key, entity_id, _ in near
    }
    for key, entity_id in sorted(found):
        row = frozen.by_id(entity_id)
        if row is not None:
            yield key, entity_id, row["name"], row["label"]


def distinct(settled: pa.Table) -> pa.Table:
    """Return the distinct names of settled mentions, as CLUSTERS.

    Call it on every shard and hand all results to :func:`assign`: their size grows with the number
    of different names, not of mentions.
    """
    names = CLUSTERS.names[:5]
    encoded = settled.select([*names, "doc_id", "start"]).set_column(
        4,
        "cluster_keys",
        pc.binary_join(settled["cluster_keys"], "\n"),
    )
    ordered = encoded.sort_by([("doc_id", "ascending"), ("start", "ascending")])
    grouped = ordered.group_by(names, use_threads=False).aggregate(
        [([], "count_all"), ("doc_id", "first"), ("start", "first")]
    )
    columns = [grouped[name] for name in names[:4]]
    keys = pc.split_pattern(grouped["cluster_keys"], "\n")
    columns += [keys, grouped["count_all"], grouped["doc_id_first"], grouped["start_first"]]
    return pa.table(columns, schema=CLUSTERS)


def signature_of(label: str, keys: Iterable[str]) -> Signature:
    """Return the signature of a row of settled mentions or CLUSTERS."""
    return Signature(label, tuple(keys))


# What a run's names add up to.


@dataclass(slots=True)
class _Tally:
    """An unknown name over all documents of a run."""

    n_mentions: int = 0
    first: tuple[str, int] | None = None
    names: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, row: Mapping[str, Any]) -> None:
        self.n_mentions += row["n_mentions"]
        place = (row["doc_id"], row["start"])
        self.first = place if self.first is None else min(self.first, place)
        self.names[row["cluster_name"], row["cluster_lang"]] += row["n_mentions"]

    def merge(self, other: _Tally) -> None:
        self.n_mentions += other.n_mentions
        places = [place for place in (self.first, other.first) if place is not None]
        self.first = min(places, default=None)
        self.names.update(other.names)


def assign(
    clusters: Iterable[pa.Table], connection: sqlite3.Connection, index: Index, run_id: str
) -> Assignment:
    """Return the ids of all names in ``clusters`` (tables of CLUSTERS).

    Reads the registry, writes nothing. The answer does not depend on the order of rows or tables.
    Raises ``ValueError`` when ``run_id`` was applied: its ids stand in the tables it published, and
    asking again could answer otherwise.
    """
    if _is_applied(connection, run_id):
        raise ValueError(f"run {run_id} has its ids already")
    knowledge_keys: set[str] = set()
    tallies: dict[Signature, _Tally] = defaultdict(_Tally)
    for table in clusters:
        for row in table.to_pylist():
            if row["knowledge_key"] is not None:
                knowledge_keys.add(row["knowledge_key"])
            else:
                tallies[signature_of(row["label"], row["cluster_keys"])].add(row)
    work = _Work(_Frozen(connection), index)
    for knowledge_key in sorted(knowledge_keys):
        work.know(knowledge_key)
    work.name_unknown(tallies)
    return work.assignment()


class _Frozen:
    """The registry as it was before a run."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def by_knowledge_key(self, key: str) -> dict[str, Any] | None:
        return self._one("knowledge_key", key)

    def by_id(self, entity_id: str) -> dict[str, Any] | None:
        return self._one("entity_id", entity_id)

    def _one(self, column: str, value: str) -> dict[str, Any] | None:
        found = self.connection.execute(
            f"SELECT {', '.join(_ENTITY_COLUMNS)} FROM entities WHERE {column} = ?", (value,)
        ).fetchone()
        return dict(zip(_ENTITY_COLUMNS, found, strict=True)) if found else None

    def by_join_key(self, keys: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
        """Return (entity id, label) of the unknown entities that join under each key."""
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for key, entity_id, label in self._new_entities("k.key", keys):
            found[key].append((entity_id, label))
        return found

    def by_block(self, blocks: Iterable[str]) -> dict[str, list[tuple[str, str, str]]]:
        """Return (key, entity id, label) of the unknown entities in each block."""
        found: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for key, entity_id, label in self._new_entities("k.block", blocks):
            found[block(key)].append((key, entity_id, label))
        return found

    def keys_of(self, entity_id: str) -> set[str]:
        rows = self.connection.execute(
            "SELECT key FROM entity_keys WHERE entity_id = ?", (entity_id,)
        )
        return {key for (key,) in rows}

    def _new_entities(self, column: str, values: Iterable[str]) -> Iterator[tuple[str, str, str]]:
        wanted = sorted(set(values))
        for at in range(0, len(wanted), _AT_ONCE):
            some = wanted[at : at + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            yield from self.connection.execute(
                "SELECT k.key, e.entity_id, e.label FROM entity_keys k JOIN entities e "
                "ON e.entity_id = k.entity_id LEFT JOIN redirects r ON r.entity_id = e.entity_id "
                f"WHERE {column} IN ({marks}) AND e.status = 'new' AND r.entity_id IS NULL "
                "ORDER BY k.key, e.entity_id",
                some,
            )


class _Work:
    """An assignment while it is worked out."""

    def __init__(self, frozen: _Frozen, index: Index) -> None:
        self.frozen = frozen
        self.index = index
        self.known: dict[str, str] = {}
        self.unknown: dict[Signature, str] = {}
        self.labels: dict[str, str] = {}
        self.minted: set[str] = set()
        self.entities: dict[str, dict[str, Any]] = {}
        self.keys: dict[tuple[str, str], bool] = {}
        self.redirects: dict[str, tuple[str, str]] = {}

    def know(self, knowledge_key: str) -> None:
        """Give a knowledge entry its id: its own, a promoted one, or the one of its key."""
        number = self.index.by_key(knowledge_key)
        if number is None:
            raise KeyError(f"{knowledge_key} is not in the knowledge index")
        entry = self.index.entry(number)
        facts = {
            "label": entry.label,
            "name": entry.name,
            **{f"name_{lang}": entry.names.get(lang) for lang in LANGUAGES},
            "status": "known",
            "knowledge_key": knowledge_key,
            "wikidata": entry.wikidata,
            "geonames": entry.geonames,
            "iso_country": entry.iso_country,
        }
        registered = self.frozen.by_knowledge_key(knowledge_key)
        if registered is not None:
            entity_id = registered["entity_id"]
            if any(registered[column] != value for column, value in facts.items()):
                self._write(UPDATE, entity_id, facts)
        else:
            promoted = self._promotable(entry.label, {a.text: a.lang for a in entry.aliases})
            entity_id = promoted[0] if promoted else known_id(knowledge_key)
            self._write(PROMOTE if promoted else KNOW, entity_id, facts)
            for other in promoted[1:]:
                self.redirects[other] = (entity_id, f"both are {knowledge_key}")
            if not promoted:
                self.minted.add(entity_id)
        self.known[knowledge_key] = entity_id
        self.labels[entity_id] = entry.label

    def _promotable(self, label: str, aliases: Mapping[str, str]) -> list[str]:
        """Return the unknown entities that bear a name of the entry, the oldest first.

        One word in common is not enough to say that two are one.
        """
        keys = {languages.get(lang).fold(text) for text, lang in aliases.items()}
        found = self.frozen.by_join_key(key for key in keys if " " in key)
        ids = {
            entity_id
            for candidates in found.values()
            for entity_id, its_label in candidates
            if its_label == label and entity_id not in self.labels
        }
        rows = [row for entity_id in ids if (row := self.frozen.by_id(entity_id))]
        return [
            row["entity_id"]
            for row in sorted(rows, key=lambda r: (r["created_run"], r["entity_id"]))
        ]

    def name_unknown(self, tallies: Mapping[Signature, _Tally]) -> None:
        """Group the unknown names, and give each group its registered id or mint one."""
        registered = self.frozen.by_join_key(k for s in tallies for k in s.join_keys)
        near = self.frozen.by_block(block(k) for s in tallies for k in s.join_keys if " " in k)
        # What has just become known or was merged stands under its key no longer.
        gone = set(self.labels) | set(self.redirects)
        registered = {
            key: [(i, label) for i, label in found if i not in gone]
            for key, found in registered.items()
        }
        near = {
            name: [(key, i, label) for key, i, label in found if i not in gone]
            for name, found in near.items()
        }
        groups = group(tallies, registered, near)
        done: set[frozenset[Signature]] = set()
        for signature in sorted(groups):
            members, entity_id = groups[signature]
            if members in done:
                continue
            done.add(members)
            entity_id = self._name_group(members, entity_id, tallies)
            for member in members:
                self.unknown[member] = entity_id

    def _name_group(
        self,
        members: frozenset[Signature],
        entity_id: str | None,
        tallies: Mapping[Signature, _Tally],
    ) -> str:
        total = _Tally()
        votes: Counter[str] = Counter()
        for member in sorted(members):
            total.merge(tallies[member])
            votes[member.label] += tallies[member].n_mentions
        keys = {key for member in members for key in member.join_keys}
        if entity_id is None:
            label = max(LABELS, key=lambda name: (votes[name], -LABELS.index(name)))
            doc_id, start = total.first or ("", 0)
            entity_id = minted_id(label, keys, doc_id, start)
            self.minted.add(entity_id)
            self._write(MINT, entity_id, _facts(label, total.names))
            known_keys: set[str] = set()
        else:
            row = self.frozen.by_id(entity_id)
            assert row is not None, "grouping only returns ids that the registry holds"
            label = row["label"]
            more = _facts(label, total.names)
            facts = {
                column: row[column] if row[column] is not None else more.get(column)
                for column in REGISTRY_ENTITIES.names
                if column not in ("action", "entity_id")
            }
            if any(row[column] != value for column, value in facts.items()):
                self._write(UPDATE, entity_id, facts)
            known_keys = self.frozen.keys_of(entity_id)
        likeliest = {member.keys[0] for member in members}
        for key in keys - known_keys:
            self.keys[key, entity_id] = key in likeliest
        self.labels[entity_id] = label
        return entity_id

    def _write(self, action: str, entity_id: str, facts: Mapping[str, Any]) -> None:
        self.entities[entity_id] = {"action": action, "entity_id": entity_id, **facts}

    def assignment(self) -> Assignment:
        entities = [self.entities[entity_id] for entity_id in sorted(self.entities)]
        keys = [
            {"key": key, "entity_id": entity_id, "likeliest": likeliest}
            for (key, entity_id), likeliest in sorted(self.keys.items())
        ]
        redirects = [
            {"entity_id": old, "replaced_by": new, "reason": reason}
            for old, (new, reason) in sorted(self.redirects.items())
        ]
        delta = Delta(
            pa.Table.from_pylist(entities, schema=REGISTRY_ENTITIES),
            pa.Table.from_pylist(keys, schema=REGISTRY_KEYS),
            pa.Table.from_pylist(redirects, schema=REGISTRY_REDIRECTS),
        )
        return Assignment(self.known, self.unknown, self.labels, frozenset(self.minted), delta)


def _facts(label: str, names: Counter[tuple[str, str]]) -> dict[str, Any]:
    """Return the columns of an unknown entity that is called ``names`` (name, language)."""
    ranked = sorted(names, key=lambda name: (-names[name], -len(name[0].split()), name))
    by_language: dict[str, str] = {}
    for name, lang in ranked:
        by_language.setdefault(lang, name)
    return {
        "label": label,
        "name": _display_name(ranked),
        **{f"name_{lang}": by_language.get(lang) for lang in LANGUAGES},
        "status": "new",
    }


def _display_name(ranked: list[tuple[str, str]]) -> str:
    """Return the first name in Latin letters, or the first one romanised."""
    for name, _ in ranked:
        if script_of(name) == "Latn":
            return name
    name, lang = ranked[0]
    return languages.get(lang).fold(name).title()


# Writing it down, and taking it back.


def apply(connection: sqlite3.Connection, delta: Delta, run_id: str) -> None:
    """Write a run's delta into the registry, in one transaction.

    Does nothing when the run was applied before.
    """
    with connection:
        if _is_applied(connection, run_id):
            return
        connection.execute("INSERT INTO applied_runs (run_id) VALUES (?)", (run_id,))
        for row in delta.entities.to_pylist():
            _apply_entity(connection, row, run_id)
        connection.executemany(
            "INSERT OR IGNORE INTO entity_keys VALUES (?, ?, ?, ?, ?)",
            (
                (row["key"], row["entity_id"], block(row["key"]), int(row["likeliest"]), run_id)
                for row in delta.keys.to_pylist()
            ),
        )
        connection.executemany(
            "INSERT OR IGNORE INTO redirects VALUES (?, ?, ?, ?)",
            (
                (row["entity_id"], row["replaced_by"], row["reason"], run_id)
                for row in delta.redirects.to_pylist()
            ),
        )


def _is_applied(connection: sqlite3.Connection, run_id: str) -> bool:
    found = connection.execute("SELECT 1 FROM applied_runs WHERE run_id = ?", (run_id,))
    return found.fetchone() is not None


def _apply_entity(connection: sqlite3.Connection, row: dict[str, Any], run_id: str) -> None:
    before = _Frozen(connection).by_id(row["entity_id"])
    connection.execute(
        "INSERT INTO decisions (run_id, action, entity_id, before) VALUES (?, ?, ?, ?)",
        (run_id, row["action"], row["entity_id"], json.dumps(before) if before else None),
    )
    created = before["created_run"] if before else run_id
    _put(connection, row | {"created_run": created})


def _put(connection: sqlite3.Connection, row: Mapping[str, Any]) -> None:
    marks = ", ".join("?" * len(_ENTITY_COLUMNS))
    connection.execute(
        f"INSERT OR REPLACE INTO entities ({', '.join(_ENTITY_COLUMNS)}) VALUES ({marks})",
        [row[column] for column in _ENTITY_COLUMNS],
    )


def revert(connection: sqlite3.Connection, run_id: str) -> None:
    """Take back all that :func:`apply` wrote for a run, in one transaction.

    Does nothing when the run is not applied. Raises ``ValueError`` when a later run is applied:
    runs are taken back newest first.
    """
    with connection:
        if not _is_applied(connection, run_id):
            return
        newest = connection.execute(
            "SELECT run_id FROM applied_runs ORDER BY sequence DESC LIMIT 1"
        ).fetchone()[0]
        if newest != run_id:
            raise ValueError(f"run {newest} came after {run_id}: take that back first")
        undo = connection.execute(
            "SELECT entity_id, before FROM decisions WHERE run_id = ? ORDER BY sequence DESC",
            (run_id,),
        ).fetchall()
        for entity_id, before in undo:
            connection.execute("DELETE FROM entities WHERE entity_id = ?", (entity_id,))
            if before is not None:
                _put(connection, json.loads(before))
        for table in ("entity_keys", "redirects", "decisions", "applied_runs"):
            connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))
