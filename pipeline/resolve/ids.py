"""Which id each name of a run gets: attached to an entity of the registry, or minted.

:func:`assign` reads the registry as the last published run left it, and what people decided, and
works out what the run's names are called and what the registry has to learn.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import languages
from pipeline.knowledge.index import Index
from pipeline.overrides import Overrides
from pipeline.resolve import registry
from pipeline.resolve.grouping import Bearer, Signature, block, group, shortened, writing
from pipeline.resolve.judgements import Judgements, Redirect, Spelling, judge
from pipeline.resolve.registry import DELTA_SCHEMAS, Delta, Registry
from pipeline.resolve.tables import CLUSTERS, REGISTRY_ENTITIES
from pipeline.schemas import LABELS, LANGUAGES

_ROWS_AT_ONCE: Final = 4096


@dataclass(frozen=True, slots=True)
class Assignment:
    """The ids of a run's names, and what the registry has to learn.

    ``known`` maps a knowledge key to its entity id, ``given`` an id that a person gave a name to
    the live one, ``unknown`` the :class:`Signature` of an unknown name to its. ``labels`` holds the
    label of every id in these; ``minted`` the ids that did not exist before this run; ``ignored``
    those whose mentions are left out; ``apart`` holds pairs of ids that people keep apart.
    """

    known: Mapping[str, str]
    given: Mapping[str, str]
    unknown: Mapping[Signature, str]
    labels: Mapping[str, str]
    minted: frozenset[str]
    ignored: frozenset[str]
    apart: frozenset[frozenset[str]]
    delta: Delta


def distinct(settled: pa.Table) -> pa.Table:
    """Return the distinct names of settled mentions, as CLUSTERS.

    Call it on every shard and hand all results to :func:`assign`: their size grows with the number
    of different names, not of mentions.
    """
    names = CLUSTERS.names[: CLUSTERS.get_field_index("n_mentions")]
    keys_at = names.index("cluster_keys")
    encoded = settled.select([*names, "doc_id", "start"]).set_column(
        keys_at,
        "cluster_keys",
        pc.binary_join(settled["cluster_keys"], "\n"),
    )
    ordered = encoded.sort_by([("doc_id", "ascending"), ("start", "ascending")])
    grouped = ordered.group_by(names, use_threads=False).aggregate(
        [([], "count_all"), ("doc_id", "first"), ("start", "first")]
    )
    columns = [grouped[name] for name in names[:keys_at]]
    keys = pc.split_pattern(grouped["cluster_keys"], "\n")
    columns += [keys, grouped["count_all"], grouped["doc_id_first"], grouped["start_first"]]
    return pa.table(columns, schema=CLUSTERS)


def signature_of(row: Mapping[str, Any]) -> Signature:
    """Return the signature of a row of settled mentions or CLUSTERS."""
    keys = tuple(row["cluster_keys"])
    return Signature(row["label"], keys, writing(row["cluster_name"], row["cluster_lang"]))


def assign(
    clusters: Iterable[pa.Table],
    connection: sqlite3.Connection,
    index: Index,
    run_id: str,
    overrides: Overrides | None = None,
    published: Mapping[str, list[Spelling]] | None = None,
    *,
    strict: bool = False,
) -> Assignment:
    """Return the ids of all names in ``clusters`` (tables of CLUSTERS).

    ``overrides`` are what people decided, the decisions that the registry remembers where null;
    ``published`` the spellings of published entities with their numbers of mentions, which say the
    larger part of a split. Reads the registry, writes nothing. The answer does not depend on the
    order of rows or tables.

    Raises:
        ValueError: ``run_id`` was applied: its ids stand in the tables it published, and asking
            again could answer otherwise.
        UsageError: ``strict`` is set and a decision names an id that is not there, or contradicts
            an earlier one. Otherwise such a decision waits.
    """
    frozen = Registry(connection)
    if frozen.is_applied(run_id):
        raise ValueError(f"run {run_id} has its ids already")
    knowledge_keys: set[str] = set()
    given: set[str] = set()
    tallies: dict[Signature, _Tally] = defaultdict(_Tally)
    for table in clusters:
        for row in table.to_pylist():
            if row["entity_id"] is not None:
                given.add(row["entity_id"])
            elif row["knowledge_key"] is not None:
                knowledge_keys.add(row["knowledge_key"])
            else:
                tallies[signature_of(row)].add(row)
    work = _Work(index, judge(frozen, index, overrides, published or {}, strict=strict))
    for knowledge_key in sorted(knowledge_keys | work.judgements.known):
        work.know(knowledge_key)
    for entity_id in sorted(given):
        work.give(entity_id)
    work.name_unknown(tallies)
    return work.assignment()


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


class _Work:
    """An assignment while it is worked out."""

    def __init__(self, index: Index, judgements: Judgements) -> None:
        self.frozen = judgements.registry
        self.index = index
        self.judgements = judgements
        self.known: dict[str, str] = {}
        self.given: dict[str, str] = {}
        self.unknown: dict[Signature, str] = {}
        self.labels: dict[str, str] = {}
        self.minted: set[str] = set(judgements.minted)
        self.entities: dict[str, dict[str, Any]] = {}
        self.keys = _Rows(DELTA_SCHEMAS["keys"], judgements.keys)
        self.signatures = _Rows(DELTA_SCHEMAS["signatures"], judgements.signatures)
        self.redirects: dict[str, Redirect] = dict(judgements.redirects)
        self.decisions: list[dict[str, str]] = list(judgements.decisions)
        for entity_id, facts in judgements.minted.items():
            self._write(registry.MINT, entity_id, facts)
        for entity_id, row in judgements.restored.items():
            columns = [name for name in REGISTRY_ENTITIES.names if name in row]
            self._write(registry.UPDATE, entity_id, {name: row[name] for name in columns})
        # Of what decisions move, who had it and who has it now.
        ended = [(row["key"], row["entity_id"]) for row in judgements.keys if row["ended"]]
        self.taken = {(key, i) for key, had in ended for i in (had, self.frozen.heir(had))}
        self.untied = {
            registry.decoded(row["signature"]) for row in judgements.signatures if row["ended"]
        }
        self.added: dict[str, list[str]] = defaultdict(list)
        for row in judgements.keys:
            if not row["ended"]:
                self.added[row["key"]].append(row["entity_id"])
        self.moved = {
            registry.decoded(row["signature"]): row["entity_id"]
            for row in judgements.signatures
            if not row["ended"]
        }

    def heir(self, entity_id: str) -> str:
        """Return the id that is live once this run is published."""
        entity_id = self.frozen.heir(entity_id)
        while entity_id in self.redirects:
            entity_id = self.redirects[entity_id].heir
        return entity_id

    def label_of(self, entity_id: str) -> str:
        """Return the label of a live entity, as this run leaves it."""
        row = self.entities.get(entity_id) or self.frozen.by_id(entity_id)
        assert row is not None, f"{entity_id} is neither registered nor minted"
        return str(row["label"])

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
        names = {alias.text: alias.lang for alias in entry.aliases}
        bearers = self._bearers(number, entry.label, names)
        if registered is not None:
            entity_id = registered["entity_id"]
            if any(registered[column] != value for column, value in facts.items()):
                self._write(registry.UPDATE, entity_id, facts)
        elif bearers:
            entity_id = bearers.pop(0)
            self._write(registry.PROMOTE, entity_id, facts)
        else:
            entity_id = registry.known_id(knowledge_key)
            self._write(registry.KNOW, entity_id, facts)
            self.minted.add(entity_id)
        heir = self.heir(entity_id)
        for other in bearers:
            self._merge(other, heir, f"both are {knowledge_key}")
        self.known[knowledge_key] = heir
        self.labels[heir] = self.label_of(heir)

    def _bearers(self, number: int, label: str, names: Mapping[str, str]) -> list[str]:
        """Return the unknown entities that bear a name of the entry, the oldest first.

        One word in common is not enough to say that two are one, nor is a name that others in the
        knowledge base bear too.
        """
        keys = {languages.get(lang).fold(text) for text, lang in names.items()}
        found = self.frozen.by_join_key(key for key in keys if " " in key)
        ids = {
            entity_id
            for key, bearers in found.items()
            for entity_id, its_label in bearers
            if its_label == label
            and (key, entity_id) not in self.taken
            and entity_id not in self.redirects
            and entity_id not in self.labels
            and {hit.entry for hit in self.index.exact(key)} == {number}
        }
        rows = [row for entity_id in ids if (row := self.frozen.by_id(entity_id))]
        return [
            row["entity_id"]
            for row in sorted(rows, key=lambda r: (r["created_run"], r["entity_id"]))
            if row["status"] == "new"
        ]

    def _merge(self, entity_id: str, heir: str, reason: str) -> None:
        if frozenset((entity_id, heir)) not in self.judgements.apart:
            self.redirects[entity_id] = Redirect(heir, reason)
            for one in (entity_id, heir):
                self.decisions.append(_decision(one, registry.MERGE, reason))

    def give(self, entity_id: str) -> None:
        """Settle an id that a person gave a name to."""
        heir = self.heir(entity_id)
        self.given[entity_id] = heir
        self.labels[heir] = self.label_of(heir)

    def name_unknown(self, tallies: Mapping[Signature, _Tally]) -> None:
        """Group the unknown names, and give each group its registered id or mint one."""
        keys = {key for signature in tallies for key in signature.join_keys}
        blocks = {block(key) for key in keys if " " in key}
        kindred = {key for signature in tallies for key in signature.shorter}
        kindred |= {shortened(s.keys[0]) for s in tallies if s.label == "PER"}
        registered = self._registered(keys | kindred)
        groups = group(tallies, self._exact(tallies), registered, self._near(blocks))
        done: set[frozenset[Signature]] = set()
        for signature in sorted(groups):
            members, entity_id = groups[signature]
            if members in done:
                continue
            done.add(members)
            entity_id = self._name_group(members, entity_id, tallies)
            for member in members:
                self.unknown[member] = entity_id

    def _exact(self, signatures: Iterable[Signature]) -> dict[Signature, str]:
        """Return the entities that the registry gave whole names to."""
        wanted = set(signatures)
        found = self.frozen.by_signature(wanted - self.untied)
        found |= {s: entity_id for s, entity_id in self.moved.items() if s in wanted}
        return {signature: self.heir(entity_id) for signature, entity_id in found.items()}

    def _registered(self, keys: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
        found = self.frozen.by_join_key(keys)
        live = {
            key: {self.heir(i) for i, _ in found.get(key, ()) if (key, i) not in self.taken}
            for key in {*found, *self.added}
        }
        return {
            key: sorted((i, self.label_of(i)) for i in ids.union(self.added.get(key, ())))
            for key, ids in live.items()
        }

    def _near(self, blocks: Iterable[str]) -> dict[str, list[Bearer]]:
        """Return those who bear a key in each block, as this run leaves them."""
        near: dict[str, set[Bearer]] = defaultdict(set)
        for name, bearers in self.frozen.by_block(blocks).items():
            for bearer in bearers:
                if (bearer.key, bearer.entity_id) not in self.taken:
                    heir = self.heir(bearer.entity_id)
                    scripts = bearer.scripts | self.frozen.scripts_of(heir)
                    near[name].add(
                        Bearer(bearer.key, heir, self.label_of(heir), bearer.script, scripts)
                    )
        for row in self.judgements.keys:
            if not row["ended"]:
                entity_id, script = row["entity_id"], row["script"]
                label = self.label_of(entity_id)
                near[block(row["key"])].add(
                    Bearer(row["key"], entity_id, label, script, frozenset({script}))
                )
        return {name: sorted(bearers, key=_plain) for name, bearers in near.items()}

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
            entity_id = registry.minted_id(label, keys, doc_id, start)
            self.minted.add(entity_id)
            self._write(registry.MINT, entity_id, registry.facts_of(label, total.names))
        else:
            label = self.label_of(entity_id)
            self._add_names(entity_id, registry.facts_of(label, total.names))
        self._add_keys(entity_id, members)
        self.labels[entity_id] = label
        return entity_id

    def _add_names(self, entity_id: str, more: Mapping[str, Any]) -> None:
        """Fill what the registry does not know of an entity met again."""
        row = self.entities.get(entity_id) or self.frozen.by_id(entity_id)
        assert row is not None, f"{entity_id} is neither registered nor minted"
        facts = {
            column: row[column] if row[column] is not None else more.get(column)
            for column in REGISTRY_ENTITIES.names
            if column not in ("action", "entity_id")
        }
        if facts["knowledge_key"] is None:
            facts["name"] = registry.better_name(facts)
        if any(row[column] != value for column, value in facts.items()):
            self._write(row.get("action", registry.UPDATE), entity_id, facts)

    def _add_keys(self, entity_id: str, members: frozenset[Signature]) -> None:
        """Note the keys and the whole names that the entity did not have yet."""
        keys = {key for member in members for key in member.registered_keys}
        has = self.frozen.keys_of(entity_id) - {k for k, i in self.taken if i == entity_id}
        has |= {key for key, ids in self.added.items() if entity_id in ids}
        likeliest = {member.keys[0] for member in members}
        scripts = {
            key: m.script for m in sorted(members, reverse=True) for key in m.registered_keys
        }
        self.keys.extend(
            {
                "key": key,
                "entity_id": entity_id,
                "likeliest": key in likeliest,
                "script": scripts[key],
                "ended": False,
            }
            for key in sorted(keys - has)
        )
        given = self.frozen.by_signature(members - self.untied)
        for member in sorted(members):
            if member not in self.moved and given.get(member) is None:
                encoded = registry.encoded(member)
                self.signatures.extend(
                    [{"signature": encoded, "entity_id": entity_id, "ended": False}]
                )

    def _write(self, action: str, entity_id: str, facts: Mapping[str, Any]) -> None:
        row = dict.fromkeys(REGISTRY_ENTITIES.names)
        self.entities[entity_id] = {**row, "action": action, "entity_id": entity_id, **facts}

    def assignment(self) -> Assignment:
        redirects = [
            {
                "entity_id": old,
                "replaced_by": self.heir(new),
                "reason": reason,
                "decision": decision,
                "ended": False,
            }
            for old, (new, reason, decision) in self.redirects.items()
        ]
        for old in self.frozen.revived:
            merged = self.frozen.merge_of(old)
            assert merged is not None, f"{old} was not retired"
            redirects.append(
                {
                    "entity_id": old,
                    "replaced_by": merged.replaced_by,
                    "reason": "",
                    "decision": merged.decision,
                    "ended": True,
                }
            )
        tables = {
            "entities": list(self.entities.values()),
            "redirects": redirects,
            "overrides": self.judgements.overrides,
            "decisions": self.decisions,
        }
        return Assignment(
            self.known,
            self.given,
            self.unknown,
            self.labels,
            frozenset(self.minted),
            frozenset(self.heir(entity_id) for entity_id in self.judgements.ignored),
            frozenset(self.judgements.apart),
            Delta(
                keys=self.keys.table(),
                signatures=self.signatures.table(),
                **{
                    name: pa.Table.from_pylist(list(_ordered(rows, schema)), schema=schema)
                    for name, rows in tables.items()
                    for schema in (DELTA_SCHEMAS[name],)
                },
            ),
        )


class _Rows:
    """Rows without nulls, put into Arrow some at a time: as dictionaries they take far more."""

    def __init__(self, schema: pa.Schema, rows: Iterable[Mapping[str, Any]]) -> None:
        self._schema = schema
        self._pending: list[Mapping[str, Any]] = list(rows)
        self._batches: list[pa.Table] = []

    def extend(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._pending += rows
        if len(self._pending) >= _ROWS_AT_ONCE:
            self._flush()

    def table(self) -> pa.Table:
        """Return all rows, sorted by the id first and then by all columns."""
        self._flush()
        names = self._schema.names
        order = ["entity_id", *(name for name in names if name != "entity_id")]
        return pa.concat_tables(self._batches).sort_by([(name, "ascending") for name in order])

    def _flush(self) -> None:
        self._batches.append(pa.Table.from_pylist(self._pending, schema=self._schema))
        self._pending = []


def _ordered(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> Iterator[Mapping[str, Any]]:
    """Yield the rows, sorted by the id first and then by all columns."""
    first = "entity_id" if "entity_id" in schema.names else schema.names[0]
    yield from sorted(rows, key=lambda row: (row[first], [str(row[n]) for n in schema.names]))


def _plain(bearer: Bearer) -> tuple[str, ...]:
    return (*bearer[:4], *sorted(bearer.scripts))


def _decision(entity_id: str, action: str, cause: str) -> dict[str, str]:
    return {"entity_id": entity_id, "action": action, "cause": cause}
