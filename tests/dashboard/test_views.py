"""What docs/dashboards.md offers to other programs: the views, the queries, the snippets."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipeline.schemas import TABLES


@pytest.fixture
def database(folder: Path, root: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    script = (root / "docs" / "views.sql").read_text(encoding="utf-8")
    with duckdb.connect() as connection:
        connection.execute(script.replace("data/processed", str(folder)))
        yield connection


def blocks(root: Path, language: str, page: str = "docs/dashboards.md") -> list[str]:
    text = (root / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def test_there_is_a_view_for_every_table(database: duckdb.DuckDBPyConnection) -> None:
    for table, schema in TABLES.items():
        assert database.table(table).columns == schema.names


def test_every_view_can_be_read(database: duckdb.DuckDBPyConnection) -> None:
    views = database.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    assert len(views) > len(TABLES)
    for (view,) in views:
        database.execute(f"SELECT * FROM {view}").fetchall()


def test_live_views_follow_merges(database: duckdb.DuckDBPyConnection) -> None:
    for view in ("live_mentions", "live_daily_entities"):
        query = f"SELECT date FROM {view} WHERE entity_id = 'eputin' ORDER BY date"
        days = {day for (day,) in database.execute(query).fetchall()}
        assert days == {date(2025, 11, 25), date(2025, 11, 26)}
    pairs = database.execute(
        "SELECT entity_a FROM live_daily_pairs WHERE date = '2025-11-25' AND entity_b = 'eputin'"
    )
    assert pairs.fetchall() == [("ebishkek",)]


def test_daily_top_has_a_column_a_language(database: duckdb.DuckDBPyConnection) -> None:
    query = (
        "SELECT n_mentions, n_languages, hi, tr, en, vi FROM daily_top WHERE date = ? AND name = ?"
    )
    row = database.execute(query, [date(2025, 11, 26), "Sadyr Japarov"]).fetchone()
    assert row == (6, 3, 1, 1, 4, None)


def test_risers_are_measured_against_the_days_there_are(
    database: duckdb.DuckDBPyConnection,
) -> None:
    query = "SELECT date, n_documents, documents_a_day_before FROM risers WHERE name = 'Bishkek'"
    assert database.execute(query).fetchall() == [(date(2025, 11, 26), 3, 1.0)]


def test_sentences_hold_the_name_where_they_say(database: duckdb.DuckDBPyConnection) -> None:
    rows = database.execute("SELECT sentence, start_in_sentence, surface FROM sentences").fetchall()
    assert rows
    assert all(text[start : start + len(name)] == name for text, start, name in rows)


def test_every_query_of_the_page_finds_something(
    database: duckdb.DuckDBPyConnection, root: Path
) -> None:
    queries = blocks(root, "sql")
    assert len(queries) >= 7
    for query in queries:
        assert database.execute(query).fetchall(), query


def test_the_query_of_the_readme_finds_something(folder: Path, root: Path) -> None:
    (query,) = blocks(root, "sql", "README.md")
    query = query.replace("data/processed", str(folder))
    assert ("Sadyr Japarov", "tr", "Caparov", 1) in duckdb.sql(query).fetchall()


def test_every_snippet_of_the_page_runs(checkout: Path, root: Path) -> None:
    pytest.importorskip("polars", reason="polars is not installed")
    for snippet in blocks(root, "python"):
        command = [sys.executable, "-c", snippet]
        told = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stderr
        assert "Sadyr Japarov" in told.stdout
