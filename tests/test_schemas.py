import re
from pathlib import Path

import pytest

from pipeline.schemas import DATED, TABLES, unfinished
from pipeline.tables_page import page


def test_docs_tables_is_generated_from_the_schemas(root: Path) -> None:
    written = (root / "docs" / "tables.md").read_text(encoding="utf-8")
    assert written == page(), "run `make docs`"


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_described(table: str) -> None:
    for field in TABLES[table]:
        assert len(field.metadata[b"description"].decode()) > 5, field.name


def test_dated_tables_have_the_day_as_a_column() -> None:
    for table in DATED:
        assert "date" in TABLES[table].names


def test_the_columns_are_those_of_the_contract(shared: Path) -> None:
    contract = (shared / "CONTRACT.md").read_text(encoding="utf-8")
    for table, schema in TABLES.items():
        described = re.search(rf"\*\*{table}\*\*:\s(.*?)(?:\n\n|\*\*\w+\*\*:)", contract, re.DOTALL)
        assert described, table
        promised = set(re.findall(r"`([a-z_]+)`", described[1])) & {
            name for other in TABLES.values() for name in other.names
        }
        named_as_values = {"text", "title", "url", "name", "label", "start"} - set(schema.names)
        assert promised - named_as_values - _mentioned_in_passing(table) <= set(schema.names)


def _mentioned_in_passing(table: str) -> set[str]:
    return {"mentions": {"text"}, "daily_pairs": {"kind"}}.get(table, set())


def test_unfinished_makes_every_column_nullable() -> None:
    assert all(field.nullable for field in unfinished(TABLES["mentions"]))
