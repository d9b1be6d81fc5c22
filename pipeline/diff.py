"""What changed between two published runs, entity by entity, and why.

The causes: ``data`` (documents came or went), ``model`` (the recogniser found other names),
``rule`` (the code changed) and ``alias`` (the knowledge base or what people decided changed). Where
several changed between the runs that wrote a mention, other names are put down to the model first,
another entity behind the same name to aliases first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pipeline.errors import UsageError
from pipeline.schemas import TABLES
from pipeline.store import Store
from pipeline.store.query import database, view
from pipeline.store.tables import TableFiles

NEW: Final = "new"
VANISHED: Final = "vanished"
MERGED: Final = "merged"
SPLIT: Final = "split"
RELABELLED: Final = "relabelled"
KINDS: Final = (NEW, VANISHED, MERGED, SPLIT, RELABELLED)

DATA: Final = "data"
MODEL: Final = "model"
RULE: Final = "rule"
ALIAS: Final = "alias"

CAUSES: Final = {
    DATA: "documents came or went",
    MODEL: "the recogniser found other names",
    RULE: "the code changed",
    ALIAS: "the knowledge base or what people decided changed",
}
"""Every cause and what it means, for people."""

_OTHER_NAMES: Final = (MODEL, RULE, ALIAS)
_OTHER_ENTITY: Final = (ALIAS, RULE, MODEL)
"""What another span, and another entity of the same span, is put down to, the likeliest first."""

_TABLES: Final = ("documents", "mentions", "entities", "redirects")

# Days that were published before a merge keep the old id.
_LIVE: Final = """
CREATE TEMP VIEW live_{side} AS
SELECT m.doc_id, m."start", m."end", m.lang, m.run_id,
       coalesce(r.replaced_by, m.entity_id) AS entity_id
FROM mentions_{side} m LEFT JOIN redirects_{side} r USING (entity_id)
     JOIN documents_{side} d USING (doc_id) WHERE d.superseded_by IS NULL
"""

_PAIRS: Final = """
SELECT a.entity_id, b.entity_id, coalesce(a.lang, b.lang),
       coalesce(a.run_id, CASE WHEN da.doc_id IS NOT NULL THEN $run_a END),
       coalesce(b.run_id, CASE WHEN db.doc_id IS NOT NULL THEN $run_b END),
       count(*)
FROM live_a a FULL JOIN live_b b
     ON a.doc_id = b.doc_id AND a."start" = b."start" AND a."end" = b."end"
     LEFT JOIN documents_a da ON da.doc_id = b.doc_id AND da.superseded_by IS NULL
     LEFT JOIN documents_b db ON db.doc_id = a.doc_id AND db.superseded_by IS NULL
WHERE a.entity_id IS DISTINCT FROM b.entity_id
GROUP BY ALL ORDER BY ALL
"""


_REASONS: Final = """
SELECT entity_id, cause FROM decisions WHERE cause IS NOT NULL ORDER BY sequence
"""


class Change(NamedTuple):
    """One entity that changed.

    ``other_id`` is the heir of a merged one, the part that left a split one; ``name`` and ``label``
    are those of the later run where it has the entity. ``n_mentions`` counts the mentions that
    changed with it.
    """

    kind: str
    entity_id: str
    name: str
    label: str
    other_id: str | None
    n_mentions: int
    cause: str
    why: str


@dataclass(frozen=True, slots=True)
class Diff:
    """All changes from one published run to another, by kind, then by name."""

    run_a: str
    run_b: str
    changes: list[Change]


class _Pair(NamedTuple):
    """Mentions of ``before`` that are of ``after`` now; None where they were or are not there."""

    before: str | None
    after: str | None
    n_mentions: int
    cause: str


def diff(store: Store, run_a: str, run_b: str) -> Diff:
    """Return what changed from ``run_a`` to ``run_b``.

    Raises:
        UsageError: a run is not among the kept ones.
    """
    with store.readable() as state, ExitStack() as stack:
        sides = {}
        for side, run_id in (("a", run_a), ("b", run_b)):
            generation = stack.enter_context(store.generations.pinned(run_id))
            if generation is None:
                kept = ", ".join(one.run_id for one in store.generations.kept()) or "none"
                raise UsageError(f"run '{run_id}' is not kept; kept are: {kept}")
            sides[side] = generation.tables
        runs = {attempt["run_id"]: attempt for attempt in state.attempts()}
        reasons = dict(state.connection.execute(_REASONS).fetchall())
        pairs = list(_pairs(store, sides, runs, run_a, run_b))
        changes = _Changes(sides, pairs, reasons)
        found = sorted(changes.all(), key=lambda c: (KINDS.index(c.kind), c.name, c.entity_id))
    return Diff(run_a, run_b, found)


def _pairs(
    store: Store,
    sides: Mapping[str, TableFiles],
    runs: Mapping[str, Mapping[str, Any]],
    run_a: str,
    run_b: str,
) -> Iterator[_Pair]:
    with database(store.scratch) as connection:
        for side, tables in sides.items():
            for table in _TABLES:
                view(connection, f"{table}_{side}", tables.paths(table), TABLES[table])
            connection.execute(_LIVE.format(side=side))
        rows = connection.execute(_PAIRS, {"run_a": run_a, "run_b": run_b}).fetchall()
        for before, after, lang, wrote_a, wrote_b, n in rows:
            spans = before is None or after is None
            yield _Pair(before, after, n, _cause(runs, wrote_a, wrote_b, lang, spans=spans))


def _cause(
    runs: Mapping[str, Mapping[str, Any]],
    run_a: str | None,
    run_b: str | None,
    lang: str,
    *,
    spans: bool,
) -> str:
    """Return why mentions written by two runs differ; a missing run stands for no document."""
    if run_a is None or run_b is None:
        return DATA
    one, other = runs.get(run_a, {}), runs.get(run_b, {})
    differs = {
        MODEL: _model(one, lang) != _model(other, lang),
        RULE: one.get("code_version") != other.get("code_version"),
        ALIAS: any(one.get(key) != other.get(key) for key in ("knowledge", "overrides")),
    }
    order = _OTHER_NAMES if spans else _OTHER_ENTITY
    # A merge changes mentions that no later run wrote again: an alias made it.
    return next((cause for cause in order if differs[cause]), DATA if spans else ALIAS)


def _model(run: Mapping[str, Any], lang: str) -> list[Any]:
    return [model for model in run.get("models", ()) if model["lang"] == lang]


class _Changes:
    """The entities of both runs, and what became of their mentions."""

    def __init__(
        self, sides: Mapping[str, TableFiles], pairs: list[_Pair], reasons: Mapping[str, str]
    ) -> None:
        self.before, self.after = (
            {row["entity_id"]: row for row in _rows(sides[side], "entities")} for side in "ab"
        )
        self.heirs = {
            row["entity_id"]: (row["replaced_by"], row["reason"])
            for row in _rows(sides["b"], "redirects")
        }
        self.reasons = reasons
        self.left: dict[str, list[_Pair]] = defaultdict(list)
        self.came: dict[str, list[_Pair]] = defaultdict(list)
        for pair in pairs:
            if pair.before is not None:
                self.left[pair.before].append(pair)
            if pair.after is not None:
                self.came[pair.after].append(pair)

    def all(self) -> Iterator[Change]:
        for entity_id in self.after.keys() - self.before.keys():
            yield self._appeared(entity_id)
        for entity_id in self.before.keys() - self.after.keys():
            yield self._disappeared(entity_id)
        for entity_id in self.before.keys() & self.after.keys():
            old, new = self.before[entity_id]["label"], self.after[entity_id]["label"]
            if old != new:
                why = f"{old} is {new} now"
                yield self._change(RELABELLED, entity_id, [], None, why, ALIAS)

    def _appeared(self, entity_id: str) -> Change:
        pairs = self.came[entity_id]
        parents = Counter[str]()
        for pair in pairs:
            if pair.before in self.after:  # what it left is still there
                parents[str(pair.before)] += pair.n_mentions
        if not parents:
            return self._change(NEW, entity_id, pairs, None, "")
        parent = max(parents, key=lambda one: (parents[one], one))
        moved = [pair for pair in pairs if pair.before == parent]
        return self._change(SPLIT, parent, moved, entity_id, self.reasons.get(entity_id, ""))

    def _disappeared(self, entity_id: str) -> Change:
        pairs = self.left[entity_id]
        if entity_id in self.heirs:
            heir, reason = self.heirs[entity_id]
            return self._change(MERGED, entity_id, pairs, heir, reason)
        return self._change(VANISHED, entity_id, pairs, None, "")

    def _change(
        self,
        kind: str,
        entity_id: str,
        pairs: list[_Pair],
        other_id: str | None,
        why: str,
        otherwise: str = DATA,
    ) -> Change:
        counts = Counter[str]()
        for pair in pairs:
            counts[pair.cause] += pair.n_mentions
        row = self.after.get(entity_id) or self.before[entity_id]
        cause = max(counts, key=lambda one: (counts[one], one)) if counts else otherwise
        return Change(
            kind, entity_id, row["name"], row["label"], other_id, counts.total(), cause, why
        )


def _rows(tables: TableFiles, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tables.read(table).to_pylist()
    return rows
