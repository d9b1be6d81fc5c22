"""What is checked before anything is published."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline import publish
from pipeline.schemas import TABLES
from pipeline.store import files
from pipeline.store.tables import TableFiles

DAY = date(2026, 3, 5)
TEXT = "𝄞 जापारोव ने Bakü’de Ștefan से मुलाक़ात की"


def row(table: str, **values: Any) -> pa.Table:
    blanks: dict[Any, Any] = {pa.string(): "x", pa.date32(): DAY}
    filled = {
        field.name: values.get(field.name, None if field.nullable else blanks.get(field.type, 0))
        for field in TABLES[table]
    }
    return pa.Table.from_pylist([filled], TABLES[table])


def stage(folder: Path, start: int, surface: str) -> None:
    documents = row("documents", doc_id="d", text=TEXT)
    place = {"start": start, "end": start + len(surface), "surface": surface}
    tables = {
        "documents": documents,
        "mentions": row("mentions", doc_id="d", entity_id="e", kind="body", **place),
    }
    for name, table in tables.items():
        files.write_parquet(folder / "in" / f"{name}.parquet", TABLES[name], [table])
    changes = publish.Changes(added={name: [folder / "in" / f"{name}.parquet"] for name in tables})
    publish.stage_tables(
        TableFiles(folder / "base"),
        TableFiles(folder / "staged"),
        folder / "scratch",
        changes,
        "r",
        [row("entities", entity_id="e", langs=["hi"])],
        [TABLES["entity_names"].empty_table()],
        TABLES["redirects"].empty_table(),
    )


@pytest.mark.parametrize("surface", ["जापारोव", "Bakü", "Ștefan", "𝄞"])
def test_a_mention_at_its_place_is_published(tmp_path: Path, surface: str) -> None:
    stage(tmp_path, TEXT.index(surface), surface)
    assert TableFiles(tmp_path / "staged").read("mentions")["surface"].to_pylist() == [surface]


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_mention_beside_its_place_stops_the_publication(tmp_path: Path, shift: int) -> None:
    with pytest.raises(publish.OffsetError, match="1 mentions do not stand"):
        stage(tmp_path, TEXT.index("Bakü") + shift, "Bakü")
