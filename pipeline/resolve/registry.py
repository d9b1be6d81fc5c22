"""The ids of entities, which are stable for ever.

What the registry holds, :class:`Registry` looks up; a run's :class:`Delta` is worked out by
:mod:`pipeline.resolve.ids`, written down by :func:`apply` and taken back by :func:`revert`. All
state is in SQLite; functions take an open connection and never close it. Rows are never changed
but in ``entities``, whose former state each decision keeps: what no longer holds is marked with the
run that ended it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count, islice
from typing import Any, Final, NamedTuple

import pyarrow as pa

from pipeline import languages
from pipeline.overrides import Overrides, from_rows
from pipeline.resolve.grouping import Bearer, Signature, block
from pipeline.resolve.tables import (
    REGISTRY_DECISIONS,
    REGISTRY_ENTITIES,
    REGISTRY_KEYS,
    REGISTRY_OVERRIDES,
    REGISTRY_REDIRECTS,
    REGISTRY_SIGNATURES,
)
from pipeline.schemas import LANGUAGES
from pipeline.scripts import LATIN, script_of

MINT: Final = "mint"
KNOW: Final = "know"
PROMOTE: Final = "promote"
UPDATE: Final = "update"
MERGE: Final = "merge"
SPLIT: Final = "split"
RENAME: Final = "rename"
ACTIONS: Final = {
    MINT: "an unknown name got an id",
    KNOW: "an entry of the knowledge base was met for the first time",
    PROMOTE: "an unknown entity turned out to be an entry of the knowledge base",
    UPDATE: "names or outside ids changed",
    MERGE: "it and another turned out to be one",
    SPLIT: "it turned out to be two",
    RENAME: "a person gave it another name to be shown under",
}
"""What a row of the decision log can say."""

_WRITING: Final = (MINT, KNOW, PROMOTE, UPDATE)
"""Actions that wrote a row of ``entities``; the others only say what happened."""

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
    script TEXT NOT NULL,
    run_id TEXT NOT NULL,
    ended_run TEXT,
    PRIMARY KEY (key, entity_id, run_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entity_keys_by_block ON entity_keys (block);
CREATE INDEX IF NOT EXISTS entity_keys_by_entity ON entity_keys (entity_id);
CREATE TABLE IF NOT EXISTS signatures (
    signature TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    ended_run TEXT,
    PRIMARY KEY (signature, entity_id, run_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS signatures_by_entity ON signatures (entity_id);
CREATE TABLE IF NOT EXISTS redirects (
    entity_id TEXT NOT NULL,
    replaced_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    decision TEXT,
    run_id TEXT NOT NULL,
    ended_run TEXT,
    PRIMARY KEY (entity_id, run_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS redirects_by_heir ON redirects (replaced_by);
CREATE TABLE IF NOT EXISTS overrides (
    content TEXT NOT NULL,
    run_id TEXT NOT NULL,
    ended_run TEXT,
    PRIMARY KEY (content, run_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS decisions (
    sequence INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL,
    action TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    before TEXT,
    cause TEXT
);
CREATE INDEX IF NOT EXISTS decisions_by_entity ON decisions (entity_id);
CREATE TABLE IF NOT EXISTS applied_runs (
    sequence INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE
);
"""

ENTITY_COLUMNS: Final = (*(n for n in REGISTRY_ENTITIES.names if n != "action"), "created_run")
_AT_ONCE: Final = 500
"""Values in one SQL ``IN``."""

_CACHED: Final = 65_536
_MOST_SPLITS: Final = 100
"""How often one part is looked for among those that left a whole, came back and left again."""


@dataclass(frozen=True, slots=True)
class Delta:
    """What a run adds to the registry, as tables of the schemas in :mod:`pipeline.resolve.tables`.

    Each is sorted. They can be written to disk and applied later.
    """

    entities: pa.Table
    keys: pa.Table
    redirects: pa.Table
    signatures: pa.Table = field(default_factory=REGISTRY_SIGNATURES.empty_table)
    overrides: pa.Table = field(default_factory=REGISTRY_OVERRIDES.empty_table)
    decisions: pa.Table = field(default_factory=REGISTRY_DECISIONS.empty_table)


DELTA_SCHEMAS: Final[Mapping[str, pa.Schema]] = {
    "entities": REGISTRY_ENTITIES,
    "keys": REGISTRY_KEYS,
    "redirects": REGISTRY_REDIRECTS,
    "signatures": REGISTRY_SIGNATURES,
    "overrides": REGISTRY_OVERRIDES,
    "decisions": REGISTRY_DECISIONS,
}
"""The schema of each table of a :class:`Delta`."""

assert set(DELTA_SCHEMAS) == {field.name for field in dataclasses.fields(Delta)}


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


def split_ids(entity_id: str, keys: Iterable[str]) -> Iterator[str]:
    """Yield the ids that the part of ``entity_id`` with ``keys`` gets when it leaves it.

    One each time: a part that went back into the whole does not get its old id again.
    """
    first = min(keys)
    for time in count(1):
        content = f"split:{entity_id}:{first}" + (f":{time}" if time > 1 else "")
        yield "e" + hashlib.sha256(content.encode()).hexdigest()[:15]


def is_part(part: str, whole: str, keys: Iterable[str]) -> bool:
    """Tell whether the id ``part`` is one that ``keys`` got when they left ``whole``."""
    return part in islice(split_ids(whole, keys), _MOST_SPLITS)


def id_of(connection: sqlite3.Connection, knowledge_key: str) -> str:
    """Return the live id of a knowledge entry: the registered one, else the one it would get."""
    registry = Registry(connection)
    row = registry.by_knowledge_key(knowledge_key)
    return registry.heir(row["entity_id"]) if row else known_id(knowledge_key)


def known_keys(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Yield (entity id, knowledge key) of every entity that the knowledge base holds."""
    yield from connection.execute(
        "SELECT entity_id, knowledge_key FROM entities WHERE knowledge_key IS NOT NULL"
    )


def keys_of_strangers(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Yield (entity id, comparison key) of the persons that it does not hold, by their names."""
    yield from connection.execute(
        "SELECT k.entity_id, k.key FROM entity_keys k JOIN entities e USING (entity_id)"
        " WHERE k.likeliest AND k.ended_run IS NULL AND e.status = 'new' AND e.label = 'PER'"
    )


def unknown_near(
    connection: sqlite3.Connection, keys: Iterable[str]
) -> Iterator[tuple[str, str, str, str]]:
    """Yield (key, entity id, name, label) of live entities met as unknown, in the keys' blocks.

    These hold all entities with the same key or an alike one, and others.
    """
    registry = Registry(connection)
    found = {
        (bearer.key, bearer.entity_id)
        for near in registry.by_block(map(block, keys)).values()
        for bearer in near
    }
    for key, entity_id in sorted(found):
        row = registry.by_id(entity_id)
        if row is not None:
            yield key, entity_id, row["name"], row["label"]


def unknown_with_word(
    connection: sqlite3.Connection, words: Iterable[str], limit: int
) -> Iterator[tuple[str, str]]:
    """Yield (id, name) of live persons met as unknown with one of ``words`` in a key, by id.

    At most ``limit``. Reads all keys.
    """
    registry = Registry(connection)
    found: set[str] = set()
    for word in words:
        rows = connection.execute(
            "SELECT DISTINCT entity_id FROM entity_keys WHERE ended_run IS NULL"
            " AND ' ' || key || ' ' LIKE '% ' || ? || ' %' ORDER BY entity_id LIMIT ?",
            (word, limit),
        )
        found |= {registry.heir(entity_id) for (entity_id,) in rows}
    for entity_id in sorted(found)[:limit]:
        row = registry.by_id(entity_id)
        if row is not None and row["label"] == "PER":
            yield entity_id, row["name"]


def facts_of(label: str, names: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """Return the columns of an unknown entity that is called ``names`` (name, language) so often.

    ``names`` must not be empty. Where two are as frequent and as long, English goes first: one of
    them becomes the international name.
    """
    ranked = sorted(
        names, key=lambda name: (-names[name], -len(name[0].split()), name[1] != "en", name)
    )
    by_language: dict[str, str] = {}
    for name, lang in ranked:
        by_language.setdefault(lang, name)
    facts = {
        "label": label,
        "name": _display_name(ranked),
        **{f"name_{lang}": by_language.get(lang) for lang in LANGUAGES},
        "status": "new",
    }
    return {**facts, "name": better_name(facts)}


def better_name(facts: Mapping[str, Any]) -> str:
    """Return what an unknown entity is called, by the columns of :func:`facts_of`.

    As before, unless more languages with Latin letters call it something else alike: a name that
    one language glued a word to on the first night is not kept for ever, nor is a romanised one.
    """
    by_fold: dict[str, list[str]] = {}
    for lang in ("en", *(lang for lang in LANGUAGES if lang != "en")):
        name = facts.get(f"name_{lang}")
        if name and script_of(name) == LATIN:
            by_fold.setdefault(languages.get(lang).fold(name), []).append(name)
    own = [names for names in by_fold.values() if facts["name"] in names]
    best = max(by_fold.values(), key=len, default=[])
    # Written two ways alike (with marks and without), the present one is kept.
    return best[0] if len(best) > max(map(len, own), default=0) else str(facts["name"])


def _display_name(ranked: list[tuple[str, str]]) -> str:
    """Return the first name in Latin letters, or the acronym or romanising of the first one."""
    for name, _ in ranked:
        if script_of(name) == LATIN:
            return name
    name, lang = ranked[0]
    language = languages.get(lang)
    return language.spelled_out(name) or language.fold(name).title()


def overrides_of(connection: sqlite3.Connection, delta: Delta | None = None) -> Overrides:
    """Return the decisions of people that hold, once ``delta`` is applied where it is given."""
    rows = set(Registry(connection).overrides())
    for row in delta.overrides.to_pylist() if delta else ():
        (rows.discard if row["ended"] else rows.add)(row["content"])
    return from_rows(sorted(rows))


def encoded(signature: Signature) -> str:
    """Return a signature as the registry keeps it."""
    parts = [signature.label, signature.script, *signature.keys]
    return json.dumps(parts, ensure_ascii=False)


def decoded(text: str) -> Signature:
    """Return the signature that :func:`encoded` wrote."""
    label, script, *keys = json.loads(text)
    return Signature(label, tuple(keys), script)


class Merged(NamedTuple):
    """A retired id and its heir, with the decision of a person (its row) that made them one."""

    entity_id: str
    replaced_by: str
    decision: str | None
    run_id: str


class Registry:
    """What the registry holds, as the last applied run left it. Reads only.

    But for the ids in ``revived``: it takes them for live, whatever they were merged into.
    """

    def __init__(
        self, connection: sqlite3.Connection, revived: frozenset[str] = frozenset()
    ) -> None:
        """Look up through ``connection``, which must not be written to meanwhile."""
        self._connection = connection
        self.revived = revived
        self.heir = lru_cache(maxsize=_CACHED)(self._heir)

    def by_knowledge_key(self, key: str) -> dict[str, Any] | None:
        """Return the row of a knowledge entry, which may be retired."""
        return self._one("knowledge_key", key)

    def by_id(self, entity_id: str) -> dict[str, Any] | None:
        """Return the row of an entity, which may be retired."""
        return self._one("entity_id", entity_id)

    def _one(self, column: str, value: str) -> dict[str, Any] | None:
        found = self._connection.execute(
            f"SELECT {', '.join(ENTITY_COLUMNS)} FROM entities WHERE {column} = ?", (value,)
        ).fetchone()
        return dict(zip(ENTITY_COLUMNS, found, strict=True)) if found else None

    def _heir(self, entity_id: str) -> str:
        """Return the live id that stands for ``entity_id`` now: itself, or where it went."""
        while entity_id not in self.revived and (merged := self.merge_of(entity_id)):
            entity_id = merged.replaced_by
        return entity_id

    def reviving(self, entity_ids: Iterable[str]) -> Registry:
        """Return the same registry, which takes ``entity_ids`` for live."""
        return Registry(self._connection, frozenset(entity_ids))

    def merge_of(self, entity_id: str) -> Merged | None:
        """Return what retired an id; None of one that is live."""
        return next(self._merges("entity_id = ?", entity_id), None)

    def merged_by_people(self) -> Iterator[Merged]:
        """Yield the retired ids that people merged into others, by id."""
        return self._merges("decision IS NOT NULL")

    def merged_into(self, entity_id: str) -> Iterator[Merged]:
        """Yield the ids that were merged directly into ``entity_id``, by id."""
        return self._merges("replaced_by = ?", entity_id)

    def _merges(self, condition: str, *values: str) -> Iterator[Merged]:
        rows = self._connection.execute(
            f"SELECT {', '.join(Merged._fields)} FROM redirects"
            f" WHERE ended_run IS NULL AND {condition} ORDER BY entity_id",
            values,
        )
        return map(Merged._make, rows.fetchall())

    def predecessors(self, entity_id: str) -> list[str]:
        """Return ``entity_id`` and all retired ids that it stands for."""
        found = [entity_id]
        for one in found:
            found += [
                merged.entity_id
                for merged in self.merged_into(one)
                if merged.entity_id not in self.revived
            ]
        return found

    def gained_since(self, entity_id: str, run_id: str) -> tuple[list[str], list[Signature]]:
        """Return the keys and the signatures that an entity got in a run or after it."""
        found = (
            self._connection.execute(
                f"SELECT {column} FROM {table} JOIN applied_runs r USING (run_id)"
                " WHERE entity_id = ? AND ended_run IS NULL AND r.sequence >="
                f" (SELECT sequence FROM applied_runs WHERE run_id = ?) ORDER BY {column}",
                (entity_id, run_id),
            ).fetchall()
            for column, table in (("key", "entity_keys"), ("signature", "signatures"))
        )
        keys, signatures = ([value for (value,) in rows] for rows in found)
        return keys, [decoded(text) for text in signatures]

    def before(self, entity_id: str, run_id: str) -> dict[str, Any] | None:
        """Return the row of an entity before a run changed it, or a later one; None if none did."""
        found = self._connection.execute(
            "SELECT before FROM decisions JOIN applied_runs r USING (run_id)"
            " WHERE entity_id = ? AND before IS NOT NULL AND r.sequence >="
            " (SELECT sequence FROM applied_runs WHERE run_id = ?)"
            " ORDER BY decisions.sequence LIMIT 1",
            (entity_id, run_id),
        ).fetchone()
        row: dict[str, Any] | None = json.loads(found[0]) if found else None
        return row

    def split_off(self, cause: str) -> Iterator[tuple[str, str]]:
        """Yield (id of the part, id that it left) of the splits that were made for ``cause``."""
        rows = self._connection.execute(
            "SELECT d.entity_id, d.run_id, e.created_run = d.run_id FROM decisions d"
            " JOIN entities e USING (entity_id) WHERE d.action = ? AND d.cause = ?"
            " ORDER BY d.entity_id",
            (SPLIT, cause),
        ).fetchall()
        for part, run_id, is_new in rows:
            keys = self._keys_given(part, run_id) if is_new else frozenset()
            for whole, _, was_new in rows if keys else ():
                if not was_new and is_part(part, whole, keys):
                    yield part, whole

    def _keys_given(self, entity_id: str, run_id: str) -> frozenset[str]:
        """Return the keys of the signatures that a run gave to an entity."""
        rows = self._connection.execute(
            "SELECT signature FROM signatures WHERE entity_id = ? AND run_id = ?",
            (entity_id, run_id),
        )
        return frozenset(key for (text,) in rows for key in decoded(text).registered_keys)

    def by_join_key(self, keys: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
        """Return (live entity id, label) of the entities that join under each key."""
        found: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
        for key, _, entity_id, label in self._bearers("k.key", keys):
            found[key][entity_id, label] = None
        return {key: list(bearers) for key, bearers in found.items()}

    def by_block(self, blocks: Iterable[str]) -> dict[str, list[Bearer]]:
        """Return the live entities with a key in each block."""
        found: dict[str, dict[Bearer, None]] = defaultdict(dict)
        for key, script, entity_id, label in self._bearers("k.block", blocks):
            scripts = self.scripts_of(entity_id) | {script}
            found[block(key)][Bearer(key, entity_id, label, script, scripts)] = None
        return {name: list(bearers) for name, bearers in found.items()}

    def scripts_of(self, entity_id: str) -> frozenset[str]:
        """Return the scripts in which names of the entity were met while it was unknown."""
        rows = self._connection.execute(
            "SELECT DISTINCT script FROM entity_keys WHERE entity_id = ? AND ended_run IS NULL",
            (entity_id,),
        )
        return frozenset(script for (script,) in rows)

    def by_signature(self, signatures: Iterable[Signature]) -> dict[Signature, str]:
        """Return the live entity that was given each of the signatures, where one was."""
        wanted = {encoded(signature): signature for signature in signatures}
        found = self._in(
            "SELECT signature, entity_id FROM signatures WHERE ended_run IS NULL"
            " AND signature IN ({}) ORDER BY signature, entity_id",
            wanted,
        )
        return {wanted[text]: self.heir(entity_id) for text, entity_id in found}

    def keys_of(self, entity_id: str) -> set[str]:
        """Return the keys under which the entity joins."""
        rows = self._connection.execute(
            "SELECT key FROM entity_keys WHERE entity_id = ? AND ended_run IS NULL", (entity_id,)
        )
        return {key for (key,) in rows}

    def signatures_of(self, entity_id: str) -> list[Signature]:
        """Return the signatures that were given to the entity, sorted."""
        return sorted(self.owners_of_signatures(entity_id))

    def owners_of_signatures(self, entity_id: str) -> dict[Signature, str]:
        """Return the signatures of an entity, each with the id that it was given to.

        That is another than ``entity_id`` for one of an entity that was merged into it.
        """
        rows = self._in(
            "SELECT signature, entity_id FROM signatures"
            " WHERE ended_run IS NULL AND entity_id IN ({})",
            self.predecessors(entity_id),
        )
        return {decoded(text): owner for text, owner in rows}

    def overrides(self) -> list[str]:
        """Return the remembered decisions of people, as rows of :mod:`pipeline.overrides`."""
        rows = self._connection.execute(
            "SELECT content FROM overrides WHERE ended_run IS NULL ORDER BY content"
        )
        return [content for (content,) in rows]

    def is_applied(self, run_id: str) -> bool:
        """Tell whether the run's delta was applied."""
        return _is_applied(self._connection, run_id)

    def _bearers(self, column: str, values: Iterable[str]) -> Iterator[tuple[str, str, str, str]]:
        """Yield (key, script, live entity id, label)."""
        query = (
            "SELECT k.key, k.script, e.entity_id, e.label, r.replaced_by FROM entity_keys k"
            " JOIN entities e ON e.entity_id = k.entity_id"
            " LEFT JOIN redirects r ON r.entity_id = e.entity_id AND r.ended_run IS NULL"
            f" WHERE {column} IN ({{}}) AND k.ended_run IS NULL ORDER BY k.key, e.entity_id"
        )
        for key, script, entity_id, label, replaced_by in self._in(query, values):
            if replaced_by is None or entity_id in self.revived:
                yield key, script, entity_id, label
            elif heir := self.by_id(self.heir(replaced_by)):
                yield key, script, heir["entity_id"], heir["label"]

    def _in(self, query: str, values: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        wanted = sorted(set(values))
        for at in range(0, len(wanted), _AT_ONCE):
            some = wanted[at : at + _AT_ONCE]
            yield from self._connection.execute(query.format(", ".join("?" * len(some))), some)


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
            "INSERT INTO decisions (run_id, action, entity_id, cause) VALUES (?, ?, ?, ?)",
            (
                (run_id, row["action"], row["entity_id"], row["cause"])
                for row in delta.decisions.to_pylist()
            ),
        )
        _apply_rows(
            connection,
            "entity_keys",
            ("key", "entity_id"),
            [
                {**row, "likeliest": int(row["likeliest"]), "block": block(row["key"])}
                for row in delta.keys.to_pylist()
            ],
            run_id,
        )
        signatures = delta.signatures.to_pylist()
        _apply_rows(connection, "signatures", ("signature", "entity_id"), signatures, run_id)
        _apply_rows(connection, "overrides", ("content",), delta.overrides.to_pylist(), run_id)
        _apply_rows(connection, "redirects", ("entity_id",), delta.redirects.to_pylist(), run_id)


def _apply_rows(
    connection: sqlite3.Connection,
    table: str,
    identity: tuple[str, ...],
    rows: list[dict[str, Any]],
    run_id: str,
) -> None:
    """Add the rows to ``table``, or end those that are marked so and agree in ``identity``."""
    same = " AND ".join(f"{column} = ?" for column in identity)
    for row in sorted(rows, key=lambda row: not row["ended"]):  # what ends may begin again
        if row.pop("ended"):
            connection.execute(
                f"UPDATE {table} SET ended_run = ? WHERE ended_run IS NULL AND {same}",
                (run_id, *(row[column] for column in identity)),
            )
        else:
            connection.execute(
                f"INSERT INTO {table} ({', '.join(row)}, run_id)"
                f" VALUES ({', '.join('?' * (len(row) + 1))})",
                (*row.values(), run_id),
            )


def _is_applied(connection: sqlite3.Connection, run_id: str) -> bool:
    found = connection.execute("SELECT 1 FROM applied_runs WHERE run_id = ?", (run_id,))
    return found.fetchone() is not None


def _apply_entity(connection: sqlite3.Connection, row: dict[str, Any], run_id: str) -> None:
    before = Registry(connection).by_id(row["entity_id"])
    connection.execute(
        "INSERT INTO decisions (run_id, action, entity_id, before) VALUES (?, ?, ?, ?)",
        (run_id, row["action"], row["entity_id"], json.dumps(before) if before else None),
    )
    created = before["created_run"] if before else run_id
    _put(connection, row | {"created_run": created})


def _put(connection: sqlite3.Connection, row: Mapping[str, Any]) -> None:
    marks = ", ".join("?" * len(ENTITY_COLUMNS))
    connection.execute(
        f"INSERT OR REPLACE INTO entities ({', '.join(ENTITY_COLUMNS)}) VALUES ({marks})",
        [row[column] for column in ENTITY_COLUMNS],
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
            "SELECT action, entity_id, before FROM decisions WHERE run_id = ?"
            " ORDER BY sequence DESC",
            (run_id,),
        ).fetchall()
        for action, entity_id, before in undo:
            if action not in _WRITING:
                continue
            connection.execute("DELETE FROM entities WHERE entity_id = ?", (entity_id,))
            if before is not None:
                _put(connection, json.loads(before))
        for table in ("entity_keys", "signatures", "redirects", "overrides"):
            connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))
            connection.execute(
                f"UPDATE {table} SET ended_run = NULL WHERE ended_run = ?", (run_id,)
            )
        for table in ("decisions", "applied_runs"):
            connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))
