"""What docs/dashboards.md says of other programs, by those programs where they are at hand."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.export import export
from pipeline.schemas import TABLES
from pipeline.store import Store

SIMPLE = {"VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "DATE", "TIMESTAMP"}
"""DuckDB's types that every program has one for."""

TYPES_ONLY = [
    "--noEmit",
    "--strict",
    "--skipLibCheck",
    "--target",
    "es2022",
    "--moduleResolution",
    "node",
]

PARSE_M = """
const parser = require("@microsoft/powerquery-parser");
const script = require("fs").readFileSync(0, "utf8");
parser.TaskUtils.tryLexParse(parser.DefaultSettings, script).then((task) => {
  process.exitCode = parser.TaskUtils.isParseStageOk(task) ? 0 : 1;
});
"""


def blocks(root: Path, language: str) -> list[str]:
    text = (root / "docs" / "dashboards.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def run(command: list[str], folder: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        encoding="utf-8",
    )


@pytest.fixture
def sqlite(checkout: Path, root: Path) -> Path:
    """The SQLite file, as the page makes it."""
    (snippet,) = (block for block in blocks(root, "python") if "sqlite3" in block)
    told = run([sys.executable, "-c", snippet], checkout)
    assert told.returncode == 0, told.stderr
    return checkout / "exonym.sqlite"


def mentions_by_name(folder: Path) -> dict[str, int]:
    daily = pd.read_parquet(folder / "daily_entities")
    return dict(daily.groupby("name")["n_mentions"].sum())


def test_the_sqlite_file_holds_what_the_tables_do(sqlite: Path, folder: Path) -> None:
    with closing(sqlite3.connect(sqlite)) as database:
        for table in ("entities", "entity_names", "daily_entities", "daily_pairs"):
            (n_rows,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert n_rows == len(pd.read_parquet(folder / table))
        query = "SELECT name, sum(n_mentions) FROM daily_entities GROUP BY name"
        assert dict(database.execute(query)) == mentions_by_name(folder)
        days = database.execute("SELECT DISTINCT date FROM daily_entities ORDER BY date").fetchall()
        assert days == [("2025-11-25",), ("2025-11-26",)]


def test_grafana_reads_days_of_the_sqlite_file(sqlite: Path, root: Path) -> None:
    (query,) = blocks(root, "sqlite")
    with closing(sqlite3.connect(f"file:{sqlite}?mode=ro", uri=True)) as database:
        rows = database.execute(query).fetchall()
    assert {time for time, _, _ in rows} == {1764028800, 1764115200}
    assert {lang for _, lang, _ in rows} == {"en", "hi", "tr"}


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
@pytest.mark.parametrize("uses", ["read.csv", "RSQLite"])
def test_r_counts_as_pandas_does(uses: str, sqlite: Path, folder: Path, root: Path) -> None:
    (script,) = (block for block in blocks(root, "r") if uses in block)
    here = sqlite.parent
    if uses == "RSQLite" and run(["Rscript", "-e", "library(RSQLite)"], here).returncode:
        pytest.skip("R has no RSQLite")
    export(Store(folder), "daily_entities", "csv", (None, None), here / "daily_entities.csv")
    script += '\nwrite.csv(top, "top.csv", row.names = FALSE, fileEncoding = "UTF-8")\n'
    told = run(["Rscript", "--encoding=UTF-8", "-e", script], here)
    assert told.returncode == 0, told.stderr
    top = pd.read_csv(here / "top.csv", encoding="utf-8")
    assert list(top["n_mentions"]) == sorted(top["n_mentions"], reverse=True)
    assert dict(zip(top["name"], top["n_mentions"], strict=True)) == mentions_by_name(folder)


@pytest.fixture(scope="session")
def dashboard(root: Path) -> dict[str, Any]:
    """The dashboard for Grafana."""
    made: dict[str, Any] = json.loads((root / "deploy" / "grafana" / "dashboard.json").read_text())
    return made


def test_every_panel_for_grafana_finds_something(
    dashboard: dict[str, Any], folder: Path, root: Path
) -> None:
    views = (root / "docs" / "views.sql").read_text(encoding="utf-8")
    with duckdb.connect() as database:
        database.execute(views.replace("data/processed", str(folder)))
        for panel in dashboard["panels"]:
            ((target,)) = panel["targets"]
            found = database.sql(expanded(target["rawSql"]))
            assert {str(kind) for kind in found.types} <= SIMPLE, panel["title"]
            assert found.fetchall(), panel["title"]
            if target["format"] == "time_series":
                assert found.columns[0] == "time"
                assert str(found.types[0]) == "TIMESTAMP"


def expanded(query: str) -> str:
    """Return a query as the data source sends it: Grafana's macro replaced by a range of time."""
    first, last = "'2025-11-20T00:00:00Z'", "'2025-11-30T00:00:00Z'"
    return re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 >= {first} AND \1 <= {last}", query)


def test_the_dashboard_for_grafana_asks_the_source_that_is_provisioned(
    dashboard: dict[str, Any], root: Path
) -> None:
    source = (root / "deploy" / "grafana" / "datasource.yaml").read_text()
    for panel in dashboard["panels"]:
        for asked in (panel, *panel["targets"]):
            assert f"type: {asked['datasource']['type']}\n" in source
            assert f"uid: {asked['datasource']['uid']}\n" in source


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_the_dashboard_for_grafana_is_one_to_its_schema(
    dashboard: dict[str, Any], tmp_path: Path
) -> None:
    needed = ("typescript", "@grafana/schema")
    found = run(
        ["node", "-p", f"{list(needed)}.map(p => require.resolve(p)).join('\\n')"], tmp_path
    )
    if found.returncode:
        pytest.skip(f"needs npm install --global {' '.join(needed)}, and NODE_PATH")
    compiler, schema = (Path(path) for path in found.stdout.splitlines())
    packages = next(folder for folder in schema.parents if folder.name == "node_modules")
    (tmp_path / "node_modules").symlink_to(packages)
    panels = dashboard["panels"]
    wrong = dashboard | {"panels": [{**panels[0], "gridPos": "left"}]}
    for model, errors in ((dashboard, False), (wrong, True)):
        (tmp_path / "model.ts").write_text(
            'import type { Dashboard } from "@grafana/schema";\n'
            f"export const model: Dashboard = {json.dumps(model)};\n"
        )
        told = run(["node", str(compiler.with_name("tsc.js")), *TYPES_ONLY, "model.ts"], tmp_path)
        assert bool(told.returncode) == errors, told.stdout


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_power_query_can_be_parsed(root: Path, tmp_path: Path) -> None:
    if run(["node", "-e", 'require("@microsoft/powerquery-parser")'], tmp_path).returncode:
        pytest.skip("needs npm install --global @microsoft/powerquery-parser, and NODE_PATH")
    scripts = blocks(root, "powerquery")
    assert len(scripts) == 2
    for script in scripts:
        assert run(["node", "-e", PARSE_M], tmp_path, script).returncode == 0, script
        assert run(["node", "-e", PARSE_M], tmp_path, script.replace("in\n", "")).returncode == 1


@pytest.mark.parametrize("table", ["daily_entities", "daily_pairs", "entity_names", "entities"])
def test_tables_for_power_bi_are_plain_parquet(table: str, folder: Path) -> None:
    for path in sorted((folder / table).glob("*.parquet")):
        with pq.ParquetFile(path) as file:
            for column in range(file.metadata.num_columns):
                chunk = file.metadata.row_group(0).column(column)
                assert chunk.compression == "ZSTD"
                assert set(chunk.encodings) <= {"PLAIN", "RLE", "RLE_DICTIONARY"}
    nested = [field.name for field in TABLES[table] if pa.types.is_nested(field.type)]
    assert nested == (["langs"] if table == "entities" else [])
