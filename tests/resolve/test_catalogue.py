import sqlite3

import pyarrow as pa

from pipeline.resolve import catalogue, registry
from pipeline.resolve.tables import REGISTRY_ENTITIES, REGISTRY_KEYS, REGISTRY_REDIRECTS


def delta(entities: list[str], redirects: list[tuple[str, str]]) -> registry.Delta:
    facts = {"action": "mint", "label": "PER", "name": "A Name", "status": "new"}
    return registry.Delta(
        pa.Table.from_pylist([{**facts, "entity_id": e} for e in entities], REGISTRY_ENTITIES),
        REGISTRY_KEYS.empty_table(),
        pa.Table.from_pylist(
            [{"entity_id": a, "replaced_by": b, "reason": "same"} for a, b in redirects],
            REGISTRY_REDIRECTS,
        ),
    )


def test_a_merge_retires_one_id_and_leads_to_the_last_heir() -> None:
    connection = sqlite3.connect(":memory:")
    registry.create(connection)
    registry.apply(connection, delta(["e1", "e2", "e3"], [("e1", "e2")]), "r1")
    later = delta([], [("e2", "e3")])
    attributes = catalogue.attributes(connection, later)
    assert attributes["entity_id"].to_pylist() == ["e3"]
    redirects = catalogue.redirects(connection, later, "r2").to_pylist()
    heirs = [(row["entity_id"], row["replaced_by"], row["run_id"]) for row in redirects]
    assert heirs == [("e1", "e3", "r1"), ("e2", "e3", "r2")]
