"""The second half of the stage: settled mentions get their entities' ids."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.resolve.ids import Assignment, signature_of
from pipeline.resolve.methods import MINTED, REGISTRY
from pipeline.schemas import MENTIONS


def finish(settled: pa.Table, assignment: Assignment, run_id: str) -> pa.Table:
    """Return settled mentions as a table of MENTIONS, sorted by document and start.

    Mentions of ignored entities are left out. ``assignment`` must cover the others: raises
    ``KeyError`` for a name it does not hold.
    """
    labels, ids, methods = [], [], []
    for row in settled.select(
        [
            "entity_id",
            "knowledge_key",
            "label",
            "cluster_name",
            "cluster_lang",
            "cluster_keys",
            "link_method",
        ]
    ).to_pylist():
        if row["entity_id"] is not None:
            entity_id = assignment.given[row["entity_id"]]
        elif row["knowledge_key"] is not None:
            entity_id = assignment.known[row["knowledge_key"]]
        else:
            entity_id = assignment.unknown[signature_of(row)]
        ids.append(entity_id)
        labels.append(assignment.labels[entity_id])
        seen_before = row["link_method"] == MINTED and entity_id not in assignment.minted
        methods.append(REGISTRY if seen_before else row["link_method"])
    filled = {
        "entity_id": pa.array(ids, pa.string()),
        "label": pa.array(labels, pa.string()),
        "link_method": pa.array(methods, pa.string()),
        "run_id": pa.array([run_id] * len(ids), pa.string()),
    }
    columns = [filled.get(field.name, settled[field.name]) for field in MENTIONS]
    table = pa.table(columns, schema=MENTIONS)
    if assignment.ignored:
        ignored = pa.array(sorted(assignment.ignored), pa.string())
        table = table.filter(pc.invert(pc.is_in(table["entity_id"], ignored)))
    return table.sort_by([("doc_id", "ascending"), ("start", "ascending")])
