"""A night that was taken in but not published, and how the next run takes it over.

A publish gate holds a night back, or a run was stopped and code, settings or models changed before
it could be resumed. Its staging then lies in ``DIR/.exonym/held``, and the next run begins with it:
the documents keep the dates they came in with, and what was recognised by the same code and models
is not recognised again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import shard
from pipeline.intake import Intake
from pipeline.store import Staging

_INPUT: Final = ("incoming", "document_sources", "rejected", "superseded", "latest")
_REFERRING: Final = {
    "document_sources": ("doc_id",),
    "superseded": ("doc_id", "superseded_by"),
    "latest": ("doc_id",),
}
"""The working tables that may name documents of earlier runs, and where."""
_RESULTS: Final = {stage: (f"failed-{stage}", *does.writes) for stage, does in shard.STAGES.items()}


def rejected_sources(held: Staging) -> frozenset[str]:
    """Return the sources of which something could not be read."""
    return frozenset(source for part in held.parts("rejected") for source in _sources(part))


def _sources(part: Any) -> list[str]:
    sources: list[str] = pq.read_table(part, columns=["source"])["source"].to_pylist()
    return sources


def adopt(
    held: Staging,
    staging: Staging,
    run_id: str,
    read_again: Collection[str],
    *,
    results: bool,
    links: bool,
) -> Intake:
    """Copy a held night into the empty ``staging`` of the run ``run_id``, and count it.

    What could not be read of the sources in ``read_again`` is left out: they are read tonight.
    ``results`` tells whether what the stages made of the documents is copied as well, ``links``
    whether that goes for the links of names, which depend on what was published meanwhile.
    """
    manifest = held.manifest
    sources = pa.array(sorted(read_again), pa.string())
    n_rejected = 0
    made = [
        name
        for stage, names in _RESULTS.items()
        if results and (links or stage != shard.RESOLVE)
        for name in names
    ]
    for name in (*_INPUT, *made):
        for number, table in _shards(held, name):
            if name == "rejected":
                table = table.filter(pc.invert(pc.is_in(table["source"], sources)))
                n_rejected += table.num_rows
            staging.write_part(name, number, _of_run(table, run_id))
    return Intake(**{**manifest["intake"], "n_quarantined": n_rejected})


def forget_documents(held: Staging, is_gone: Callable[[str], bool]) -> None:
    """Leave out of a held night what refers to published documents that are gone.

    The sources of such arrivals count as new input then. Repeatable, also when cut short.
    """
    again: set[str] = set()
    for _, _, table, gone in _referring(held, is_gone):
        if "source" in table.column_names:
            again.update(table.filter(gone)["source"].to_pylist())
    if again:
        files = [file for file in held.manifest["files"] if file[0] not in again]
        held.write_manifest({**held.manifest, "files": files})
    for name, number, table, gone in _referring(held, is_gone):
        if pc.any(gone).as_py():
            held.write_part(name, number, table.filter(pc.invert(gone)))


def _referring(
    held: Staging, is_gone: Callable[[str], bool]
) -> Iterator[tuple[str, int, pa.Table, pa.Array]]:
    """Yield shards by name and number, with which of their rows refer to what is gone."""
    for name, columns in _REFERRING.items():
        for number, table in _shards(held, name):
            values = zip(*(table[column].to_pylist() for column in columns), strict=True)
            yield (
                name,
                number,
                table,
                pa.array([any(map(is_gone, row)) for row in values], pa.bool_()),
            )


def _shards(held: Staging, name: str) -> Iterator[tuple[int, pa.Table]]:
    for part in held.parts(name):
        number = int(part.stem)
        yield number, held.read_part(name, number)


def _of_run(table: pa.Table, run_id: str) -> pa.Table:
    position = table.schema.get_field_index("run_id")
    if position < 0:
        return table
    run_ids = pa.array([run_id] * table.num_rows, pa.string())
    return table.set_column(position, table.schema.field(position), run_ids)


def same_but_for_parent(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two identities (as in a manifest) give the same results before linking."""
    return {**one, "parent": None} == {**other, "parent": None}
