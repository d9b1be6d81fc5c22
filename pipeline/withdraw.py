"""Takedown: what ``exonym withdraw`` does."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import UsageError
from pipeline.publish import Changes, stage_tables
from pipeline.schemas import TABLES
from pipeline.store import Store
from pipeline.store.query import database, view
from pipeline.store.state import State
from pipeline.store.tables import TableFiles

_BY_DOCUMENT: Final = ("documents", "document_sources", "segments", "mentions")
"""The tables whose rows are of one document each; the others are counted from them."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What was taken out: the documents, and from how many kept generations."""

    doc_ids: tuple[str, ...]
    n_generations: int


def withdraw(out: Path, item: str) -> Withdrawn:
    """Take a document, or all of a source, out of every table and every kept generation; journaled.

    ``item`` is a doc_id or a source as it stands in ``document_sources``. The documents that a
    withdrawn one superseded go with it, and so do quarantine rows with their text. The text is not
    taken in again from anywhere, nor another text from the same source and id. A run that was
    stopped or held back is thrown away; its input counts as new. Names stay in the registry of ids.

    Raises:
        UsageError: nothing published is or comes from ``item``.
        LockedError: another process is at work.
    """
    store = Store(out)
    if not store.exists():
        raise UsageError(f"nothing was published in {out}; check --out")
    with store.locked(), store.state() as state:
        doc_ids = _documents(store, state, item)
        quarantined = pc.sum(pc.equal(store.read("quarantine")["source"], item)).as_py()
        if not doc_ids and not quarantined:
            raise UsageError(
                f"no document in {out} is or comes from '{item}'; "
                "take a doc_id or a source from the table document_sources"
            )
        places = {place for doc_id in doc_ids for place in state.places_of(doc_id)}
        if item not in doc_ids:
            places.add((item, ""))
        kept = store.generations.kept()
        store.staging.discard()
        listed = pa.table({"doc_id": pa.array(doc_ids, pa.string())})
        store.staging.write_part("withdrawn", 0, listed)
        for generation in kept:
            staged = store.staging.generation(generation.number)
            _stage_without(store, generation.tables, staged)
            sources = {source for source, _ in places}
            rows = _quarantine_without(generation.tables.read("quarantine"), item, doc_ids, sources)
            staged.write("quarantine", [rows])
        store.withdraw(doc_ids, sorted(places))
    return Withdrawn(tuple(doc_ids), len(kept))


def _documents(store: Store, state: State, item: str) -> list[str]:
    """Return the documents that ``item`` stands for, and those that they superseded, sorted."""
    found = [item] if state.document_date(item) else state.documents_of(item)
    with database(store.scratch) as connection:
        view(connection, "documents", store.tables.paths("documents"), TABLES["documents"])
        rows = connection.execute(
            "WITH RECURSIVE gone AS (SELECT unnest($found) AS doc_id UNION"
            " SELECT d.doc_id FROM documents d JOIN gone g ON d.superseded_by = g.doc_id)"
            " SELECT doc_id FROM gone ORDER BY doc_id",
            {"found": found},
        ).fetchall()
    return [doc_id for (doc_id,) in rows]


def _stage_without(store: Store, base: TableFiles, staged: TableFiles) -> None:
    """Stage the tables of a generation without the withdrawn documents, counted anew."""
    names = base.read("entity_names")
    known = names.filter(pc.equal(names["origin"], "knowledge"))
    parts = store.staging.parts("withdrawn")
    stage_tables(
        base,
        staged,
        store.scratch,
        Changes(added={}, replaced=dict.fromkeys(_BY_DOCUMENT, parts)),
        run_id="",
        entity_attributes=[base.read("entities")],
        known_names=[known.select(["entity_id", "lang", "script", "name"])],
        redirects=base.read("redirects"),
    )


def _quarantine_without(
    rows: pa.Table, item: str, doc_ids: Collection[str], sources: Collection[str]
) -> pa.Table:
    """Return the rows that hold nothing of what was withdrawn."""
    kept = [
        row["source"] != item
        and not (row["line"] is None and row["source"] in sources)
        and hashlib.sha256(row["payload"] or b"").hexdigest()[:32] not in doc_ids
        for row in rows.select(["source", "line", "payload"]).to_pylist()
    ]
    return rows.filter(pa.array(kept, pa.bool_()))
