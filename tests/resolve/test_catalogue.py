import sqlite3

import pyarrow as pa
import pytest

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


def test_the_registry_comes_in_batches_with_what_the_run_changes_in_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = sqlite3.connect(":memory:")
    registry.create(connection)
    registry.apply(connection, delta(["e1", "e3", "e5", "e7"], [("e5", "e7")]), "r1")
    later = delta(["e2", "e3", "e8"], [])
    whole = catalogue.attributes(connection, later)
    monkeypatch.setattr(catalogue, "_BATCH_ROWS", 2)
    batches = list(catalogue.attribute_batches(connection, later))
    assert [batch.num_rows for batch in batches] == [2, 2, 1]
    assert pa.concat_tables(batches).equals(whole)
    assert whole["entity_id"].to_pylist() == ["e1", "e2", "e3", "e7", "e8"]
    some = catalogue.attributes(connection, later, {"e2", "e7", "none"})
    assert some["entity_id"].to_pylist() == ["e2", "e7"]
