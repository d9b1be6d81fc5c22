"""All stored mentions resolved again, without recognising anything anew.

After an edit of ``overrides.toml`` or of aliases this brings the whole history to what the next
night would do. Mentions that come out as they were keep their rows; files of days in which nothing
changes are not touched.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import isolation, past, publish, shard
from pipeline.errors import ExonymError
from pipeline.executors import Executor
from pipeline.executors.choice import chosen
from pipeline.knowledge.build import ensure
from pipeline.progress import Reporter, Silent
from pipeline.resolve import catalogue
from pipeline.resolve.finish import finish
from pipeline.resolve.ids import Assignment, distinct
from pipeline.resolve.methods import MINTED, NEWS, REGISTRY
from pipeline.resolve.registry import DELTA_SCHEMAS, MERGE, Delta, Registry
from pipeline.run import attempted, identity_of, runs_table
from pipeline.schemas import MENTIONS, WORKING_SOURCES, unfinished
from pipeline.settings import Settings
from pipeline.store import Staging, Store
from pipeline.store.state import LedgerDelta
from pipeline.work import Work

_EMPTIED: Final = "all its mentions turned out to name the other"

Row = dict[str, Any]

_Place = tuple[int, int]
"""Start and end of a mention in its document."""


class Move(NamedTuple):
    """So many mentions went from an entity to another; to none where they are left out."""

    entity_id: str
    name: str
    to_id: str | None
    to_name: str | None
    n_mentions: int


@dataclass(frozen=True, slots=True)
class Relinked:
    """What a relink changed, or would change.

    ``run_id`` is None where nothing was published. ``n_changed`` counts mentions of which anything
    changed, ``n_new`` those among them that stand where none stood, ``moves`` those that went to
    another entity; ``redirects`` maps retired ids to their heirs; ``renamed`` maps ids to their old
    and new names.
    """

    run_id: str | None
    n_mentions: int
    n_changed: int
    moves: list[Move]
    redirects: dict[str, str]
    renamed: dict[str, tuple[str, str]]
    n_new: int = 0

    def as_dict(self) -> dict[str, object]:
        """Return everything as plain values, for JSON."""
        return {
            "run_id": self.run_id,
            "n_mentions": self.n_mentions,
            "n_changed": self.n_changed,
            "n_new": self.n_new,
            "moves": [move._asdict() for move in self.moves],
            "redirects": self.redirects,
            "renamed": {key: list(names) for key, names in self.renamed.items()},
        }

    @property
    def n_moved(self) -> int:
        """Mentions that went to another entity."""
        return sum(move.n_mentions for move in self.moves)


def relink(
    out: Path,
    settings: Settings,
    *,
    dry_run: bool = False,
    reporter: Reporter | None = None,
    executor: Executor | None = None,
) -> Relinked:
    """Resolve all published mentions of ``out`` again and publish what changes.

    With ``dry_run`` nothing is published. Merges and splits that come of it leave redirects.

    Raises:
        UsageError: overrides are wrong, or name ids that are not there.
        LockedError: another run holds ``out``.
        ExonymError: a run was begun and not finished, or this one failed; nothing was published.
    """
    reporter = reporter or Silent()
    store = Store(out)
    with store.locked(), store.state() as state, chosen(executor, settings.workers) as executor:
        if store.staging.manifest:
            raise ExonymError("a run was begun and not finished; finish it with 'exonym run' first")
        index = ensure(settings.knowledge)
        work = _Relink(store, state, settings, index, reporter, executor)
        try:
            return work.preview() if dry_run else work.publish()
        finally:
            work.discard()


@dataclass(slots=True)
class _Tally:
    """What the comparison of old and new mentions found."""

    n_mentions: int = 0
    n_changed: int = 0
    n_new: int = 0
    moved: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    """Mentions of each entity afterwards."""


class _Relink(Work):
    @property
    def _staging(self) -> Staging:
        return Staging(self._store.scratch / "relink")

    def discard(self) -> None:
        """Remove what was worked out and not published."""
        self._staging.discard()

    def preview(self) -> Relinked:
        """Return what would change."""
        relinked, _ = self._work_out("preview")
        return relinked

    def publish(self) -> Relinked:
        """Change it, unless nothing would."""
        identity = identity_of(self._settings, self._index, self._state)
        published = self._state.published()
        if not published:
            return Relinked(None, 0, 0, [], {}, {})
        night = date.fromisoformat(published[-1][: len("YYYY-MM-DD")])
        run_id = identity.run_id(night, ["relink"])
        relinked, delta = self._work_out(run_id)
        tables = (getattr(delta, name) for name in DELTA_SCHEMAS)
        if not relinked.n_changed and not any(table.num_rows for table in tables):
            return relinked
        with attempted(self._state, run_id, identity) as attempt:
            changes = publish.Changes(
                added={"mentions": self._staging.parts("changed")},
                replaced={"mentions": self._staging.parts("replaced")},
            )
            counts = self._stage_published(changes, run_id, delta)
            attempt.update(
                n_mentions=counts.n_mentions,
                n_entities=counts.n_entities,
                finished=datetime.now(UTC).isoformat(),
                outcome="published",
            )
            self._store.staging.write_table("runs", [runs_table(self._state, attempt)])
            ledger = LedgerDelta([], [], [])
            self._store.publish(run_id, ledger, delta, attempt, self._settings.keep_runs)
        return dataclasses.replace(relinked, run_id=run_id)

    def _work_out(self, run_id: str) -> tuple[Relinked, Delta]:
        """Resolve everything again and stage the documents of which a mention changes."""
        self._staging.discard()
        numbers = list(self._stage_history())
        self._resolve(run_id, numbers)
        clusters = (distinct(self._staging.read_part("settled", number)) for number in numbers)
        assignment = self._assign(clusters, run_id, strict=True)
        tally = _Tally()
        for number in numbers:
            self._compare(number, assignment, run_id, tally)
        delta = self._with_redirects(assignment, tally)
        return self._summary(delta, tally), delta

    def _stage_history(self) -> Iterator[int]:
        """Stage documents and mentions, some documents at a time, and yield the shards' numbers."""
        number = 0
        size = self._settings.shard_documents
        for day in self._store.tables.days("mentions"):
            tables = {
                name: pq.ParquetFile(self._store.live(name, day)).read()
                for name in ("documents", "document_sources", "segments", "mentions")
            }
            doc_ids = sorted(set(tables["mentions"]["doc_id"].to_pylist()))
            for at in range(0, len(doc_ids), size):
                chosen = pa.array(doc_ids[at : at + size], pa.string())
                part = {
                    name: table.filter(pc.is_in(table["doc_id"], chosen))
                    for name, table in tables.items()
                }
                lines = pa.nulls(part["document_sources"].num_rows, pa.int64())
                origins = part["document_sources"].append_column("line", lines)
                self._staging.write_part("document_sources", number, origins.cast(WORKING_SOURCES))
                self._staging.write_part("documents", number, part["documents"])
                self._staging.write_part("segments", number, part["segments"])
                self._staging.write_part(
                    "recognised", number, part["mentions"].cast(unfinished(MENTIONS))
                )
                decided = past.decided(part["mentions"], Registry(self._state.connection))
                self._staging.write_part(shard.DECIDED_BY_NEWS, number, decided)
                yield number
                number += 1

    def _resolve(self, run_id: str, numbers: Iterable[int]) -> None:
        folder = self._staging.folder
        jobs = [
            self._job(shard.RESOLVE, number, run_id, folder, past=shard.DECIDED_BY_NEWS)
            for number in numbers
        ]
        self._reporter.begin(shard.RESOLVE, None, "documents")
        for outcome in isolation.work(self._executor, jobs):
            self._reporter.advance(outcome.n_documents)
        self._reporter.end()

    def _compare(
        self,
        number: int,
        assignment: Assignment,
        run_id: str,
        tally: _Tally,
    ) -> None:
        """Count what changed in a shard, and stage the mentions of the documents concerned.

        A document on which resolving failed keeps its mentions.
        """
        old = self._staging.read_part("recognised", number).to_pylist()
        new = finish(self._staging.read_part("settled", number), assignment, run_id).to_pylist()
        failed = self._failed(number)
        before = _by_document(row for row in old if row["doc_id"] not in failed)
        after = _by_document(row for row in new if row["doc_id"] not in failed)
        tally.left.update(row["entity_id"] for row in old if row["doc_id"] in failed)
        tally.n_mentions += len(old)
        changed: list[Row] = []
        doc_ids: list[str] = []
        for doc_id, mentions in before.items():
            rows = [_kept(mentions.get(place), row) for place, row in after.get(doc_id, {}).items()]
            tally.left.update(row["entity_id"] for row in rows)
            different = [row for row in rows if row["run_id"] == run_id]
            gone = mentions.keys() - after.get(doc_id, {}).keys()
            if not different and not gone:
                continue
            tally.n_changed += len(different) + len(gone)
            tally.n_new += len(after.get(doc_id, {}).keys() - mentions.keys())
            changed += rows
            doc_ids.append(doc_id)
            for place, row in mentions.items():
                now = after.get(doc_id, {}).get(place)
                to = now["entity_id"] if now else None
                if to != row["entity_id"]:
                    tally.moved[row["entity_id"], to] += 1
        if doc_ids:
            rows_of_them = pa.Table.from_pylist(changed, schema=unfinished(MENTIONS))
            self._staging.write_part("changed", number, rows_of_them)
            self._staging.write_part("replaced", number, pa.table({"doc_id": doc_ids}))

    def _with_redirects(self, assignment: Assignment, tally: _Tally) -> Delta:
        """Return the delta with a redirect from each unknown entity of which no mention is left.

        It leads to the entity that most of its mentions went to; there is none where they were left
        out, or where people said that the two are different.
        """
        frozen = Registry(self._state.connection)
        # Neither what this run retires already nor what it makes live again.
        settled = set(assignment.delta.redirects["entity_id"].to_pylist())
        went: dict[str, Counter[str]] = defaultdict(Counter)
        for (one, to), n in tally.moved.items():
            row = frozen.by_id(one)
            unknown = row is not None and row["status"] == "new" and frozen.heir(one) == one
            if to is not None and unknown and one not in settled and not tally.left[one]:
                went[one][to] += n
        heirs = {one: max(to, key=lambda heir: (to[heir], heir)) for one, to in went.items()}
        redirects = [
            {
                "entity_id": one,
                "replaced_by": heir,
                "reason": _EMPTIED,
                "decision": None,
                "ended": False,
            }
            for one, heir in sorted(heirs.items())
            if frozenset((one, heir)) not in assignment.apart
        ]
        decisions = [
            {"entity_id": one, "action": MERGE, "cause": _EMPTIED}
            for row in redirects
            for one in (row["entity_id"], row["replaced_by"])
        ]
        return dataclasses.replace(
            assignment.delta,
            redirects=_appended(assignment.delta.redirects, redirects),
            decisions=_appended(assignment.delta.decisions, decisions),
        )

    def _failed(self, number: int) -> frozenset[str]:
        path = self._staging.part(f"failed-{shard.RESOLVE}", number)
        if not path.exists():
            return frozenset()
        return frozenset(pq.ParquetFile(path).read(["doc_id"])["doc_id"].to_pylist())

    def _summary(self, delta: Delta, tally: _Tally) -> Relinked:
        old = self._store.read("entities")
        before = dict(zip(old["entity_id"].to_pylist(), old["name"].to_pylist(), strict=True))
        attributes = catalogue.attributes(self._state.connection, delta)
        after = dict(
            zip(attributes["entity_id"].to_pylist(), attributes["name"].to_pylist(), strict=True)
        )
        moves = [
            Move(one, before.get(one) or after.get(one) or "", to, after.get(to) if to else None, n)
            for (one, to), n in sorted(tally.moved.items(), key=lambda m: (-m[1], str(m[0])))
        ]
        return Relinked(
            None,
            tally.n_mentions,
            tally.n_changed,
            moves,
            {
                row["entity_id"]: row["replaced_by"]
                for row in delta.redirects.to_pylist()
                if not row["ended"]
            },
            {
                entity_id: (name, after[entity_id])
                for entity_id, name in sorted(before.items())
                if after.get(entity_id, name) != name
            },
            tally.n_new,
        )


def _by_document(rows: Iterable[Row]) -> dict[str, dict[_Place, Row]]:
    """Return the mentions by place, by document."""
    documents: dict[str, dict[_Place, Row]] = defaultdict(dict)
    for row in rows:
        documents[row["doc_id"]][row["start"], row["end"]] = row
    return documents


def _kept(old: Row | None, new: Row) -> Row:
    """Return the published row where nothing but the run changed, else the new one.

    An entity that was first met with this mention is not one of earlier news because of it, and
    what past news decided is as sure as it was then.
    """
    if old is None:
        return new
    if old["link_method"] == new["link_method"] == NEWS and old["entity_id"] == new["entity_id"]:
        new = {**new, "link_score": old["link_score"]}
    if old["link_method"] == MINTED and new["link_method"] == REGISTRY:
        new = {**new, "link_method": MINTED}
    return old if {**new, "run_id": old["run_id"]} == old else new


def _appended(table: pa.Table, rows: list[Row]) -> pa.Table:
    return pa.concat_tables([table, pa.Table.from_pylist(rows, schema=table.schema)])
