"""What changed between two published states, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.diff import Change, diff
from pipeline.errors import UsageError
from pipeline.schemas import TABLES
from pipeline.store import Store
from pipeline.store.generations import assemble
from pipeline.store.tables import TableFiles

DAY = date(2026, 3, 1)
SAME = {"code_version": "1", "models": [], "knowledge": "k", "overrides": "o"}


def table(name: str, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Return rows of a table, what they leave out filled with something of its type."""
    filler = {pa.string(): "", pa.date32(): DAY, pa.float32(): 1.0, pa.list_(pa.string()): []}
    full = [
        {
            field.name: row.get(field.name, None if field.nullable else filler.get(field.type, 0))
            for field in TABLES[name]
        }
        for row in rows
    ]
    return pa.Table.from_pylist(full, schema=TABLES[name])


class Archive:
    """A store with two kept generations."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.folder = folder
        with self.store.locked(), self.store.state():
            pass

    def keep(
        self,
        run_id: str,
        mentions: Mapping[tuple[str, int], str],
        labels: Mapping[str, str] | None = None,
        redirects: Mapping[str, str] | None = None,
        wrote: str | None = None,
        superseded: Iterable[str] = (),
        **identity: object,
    ) -> None:
        """Keep a generation in which each (document, start) names an entity.

        Its rows say that ``wrote``, by default the run itself, wrote them.
        """
        tables = TableFiles(self.folder / f"tables-{run_id}")
        doc_ids = sorted({doc_id for doc_id, _ in mentions})
        replaced = dict.fromkeys(superseded, "other")
        rows = [{"doc_id": d, "superseded_by": replaced.get(d), "run_id": run_id} for d in doc_ids]
        tables.write("documents", [table("documents", rows)], DAY)
        rows = [
            {"doc_id": d, "start": start, "end": start + 3, "lang": "en", "entity_id": entity_id}
            | {"run_id": wrote or run_id}
            for (d, start), entity_id in sorted(mentions.items())
        ]
        tables.write("mentions", [table("mentions", rows)], DAY)
        live = set(mentions.values()) - set(redirects or ())
        rows = [
            {"entity_id": e, "name": f"Name {e}", "label": (labels or {}).get(e, "PER")}
            for e in sorted(live)
        ]
        tables.write("entities", [table("entities", rows)])
        rows = [
            {"entity_id": old, "replaced_by": new, "reason": "said so", "run_id": run_id}
            for old, new in (redirects or {}).items()
        ]
        tables.write("redirects", [table("redirects", rows)])
        generations = self.store.generations
        assemble(generations.place(generations.next_number()), run_id, tables)
        with self.store.state() as state:
            state.record_attempt(
                {"run_id": run_id, "attempt": 1, "started": run_id, **SAME, **identity}
            )

    def changes(self) -> list[Change]:
        return diff(self.store, "a", "b").changes


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def kinds(changes: Iterable[Change]) -> list[tuple[str, str, str | None, int, str]]:
    return [(c.kind, c.entity_id, c.other_id, c.n_mentions, c.cause) for c in changes]


def test_the_same_state_has_no_changes(archive: Archive) -> None:
    for run_id in "ab":
        archive.keep(run_id, {("d1", 0): "e1"}, wrote="a")
    assert archive.changes() == []


def test_documents_that_come_and_go_are_data(archive: Archive) -> None:
    archive.keep("a", {("d1", 0): "e1", ("d2", 0): "e2"})
    archive.keep("b", {("d1", 0): "e1", ("d3", 0): "e3", ("d3", 9): "e3"}, wrote="a")
    assert kinds(archive.changes()) == [
        ("new", "e3", None, 2, "data"),
        ("vanished", "e2", None, 1, "data"),
    ]


def test_a_superseded_document_is_gone(archive: Archive) -> None:
    archive.keep("a", {("d1", 0): "e1"})
    archive.keep("b", {("d1", 0): "e1"}, wrote="a", superseded=["d1"])
    assert kinds(archive.changes()) == []  # its entity is live still, its mentions no longer count


@pytest.mark.parametrize(
    ("identity", "cause"),
    [
        ({"models": [{"lang": "en", "name": "new"}], "code_version": "2"}, "model"),
        ({"models": [{"lang": "tr", "name": "new"}], "code_version": "2"}, "rule"),
        ({"knowledge": "more"}, "alias"),
    ],
)
def test_other_names_in_the_same_document(
    archive: Archive, identity: dict[str, object], cause: str
) -> None:
    archive.keep("a", {("d1", 0): "e1", ("d1", 20): "e2"})
    archive.keep("b", {("d1", 0): "e1", ("d1", 40): "e3"}, **identity)
    assert kinds(archive.changes()) == [
        ("new", "e3", None, 1, cause),
        ("vanished", "e2", None, 1, cause),
    ]


@pytest.mark.parametrize(
    ("identity", "cause"),
    [
        ({"overrides": "one more", "code_version": "2"}, "alias"),
        ({"code_version": "2"}, "rule"),
    ],
)
def test_another_entity_behind_the_same_name(
    archive: Archive, identity: dict[str, object], cause: str
) -> None:
    archive.keep("a", {("d1", 0): "e1", ("d1", 20): "e1", ("d2", 0): "e1"})
    archive.keep("b", {("d1", 0): "e1", ("d1", 20): "e2", ("d2", 0): "e1"}, **identity)
    (split,) = archive.changes()
    assert kinds([split]) == [("split", "e1", "e2", 1, cause)]


def test_a_merge_at_night_leaves_old_rows_and_is_an_alias(archive: Archive) -> None:
    mentions = {("d1", 0): "e1", ("d1", 20): "e2"}
    archive.keep("a", mentions)
    archive.keep("b", mentions, redirects={"e2": "e1"}, wrote="a")
    (merged,) = archive.changes()
    assert kinds([merged]) == [("merged", "e2", "e1", 1, "alias")]
    assert merged.why == "said so"


def test_another_label(archive: Archive) -> None:
    archive.keep("a", {("d1", 0): "e1"})
    archive.keep("b", {("d1", 0): "e1"}, labels={"e1": "ORG"}, wrote="a", knowledge="more")
    (change,) = archive.changes()
    assert (change.kind, change.label, change.why) == ("relabelled", "ORG", "PER is ORG now")


def test_a_run_that_is_not_kept(archive: Archive) -> None:
    archive.keep("a", {("d1", 0): "e1"})
    with pytest.raises(UsageError, match="run 'b' is not kept; kept are: a"):
        archive.changes()
