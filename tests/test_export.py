"""A table for those who cannot read Parquet."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from pipeline.errors import ExonymError, UsageError
from pipeline.export import export
from pipeline.schemas import DATED, TABLES
from pipeline.store import Store, files

DAYS = (date(2025, 11, 25), date(2025, 11, 26), date(2025, 11, 27))
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]
HARMLESS = 'Bişkek, "जापारोव"\nthe second line'


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "tables")
    rows = {
        "quarantine": [
            {
                "source": "a.jsonl",
                "stage": "ingest",
                "error": "not_utf8",
                "message": message,
                "attempts": 1,
                "payload": b"\xff\x00",
                "run_id": "r",
            }
            for message in (*FORMULAS, HARMLESS)
        ],
        "entities": [
            {
                "entity_id": "e1",
                "label": "PER",
                "name": "Sadyr Japarov",
                "status": "known",
                "n_mentions": 3,
                "n_documents": 2,
                "langs": ["en", "hi"],
                "first_seen": DAYS[0],
                "last_seen": DAYS[1],
            }
        ],
        "segments": [
            {
                "doc_id": "d",
                "segment": 0,
                "date": day,
                "start": 0,
                "end": 5,
                "lang": "vi",
                "lang_score": 0.95,
                "lang_votes": [("cld2", "vi")],
                "lang_reason": "agreement",
                "kind": "body",
                "run_id": "r",
            }
            for day in DAYS
        ],
    }
    for table, schema in TABLES.items():
        own = pa.Table.from_pylist(rows.get(table, []), schema)
        if table not in DATED:
            files.write_parquet(store.live(table), schema, [own])
        for day in DAYS if table in DATED else ():
            of_day = [row for row in rows.get(table, []) if row["date"] == day]
            part = pa.Table.from_pylist(of_day, schema)
            files.write_parquet(store.live(table, day), schema, [part])
    return store


def exported(store: Store, table: str, format_: str, *days: date) -> str:
    target = store.out / "export"
    export(store, table, format_, (days[0], days[-1]) if days else (None, None), target)
    return target.read_bytes().decode("utf-8")  # line ends as they are


def test_csv_holds_no_formula_and_all_else_as_it_is(store: Store) -> None:
    text = exported(store, "quarantine", "csv")
    messages = [row["message"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert messages == [*("'" + formula for formula in FORMULAS), HARMLESS]


def test_csv_has_every_column_and_plain_cells(store: Store) -> None:
    frame = pd.read_csv(io.StringIO(exported(store, "segments", "csv")))
    assert list(frame.columns) == TABLES["segments"].names
    assert frame["lang_votes"].map(json.loads).tolist() == [{"cld2": "vi"}] * 3
    assert frame["date"].tolist() == [day.isoformat() for day in DAYS]
    assert frame["lang_score"].tolist() == [0.95] * 3


def test_json_lines_are_exact(store: Store) -> None:
    rows = [json.loads(line) for line in exported(store, "quarantine", "jsonl").splitlines()]
    assert [row["message"] for row in rows] == [*FORMULAS, HARMLESS]
    assert rows[0]["payload"] == "/wA="
    assert rows[0]["line"] is None
    (entity,) = map(json.loads, exported(store, "entities", "jsonl").splitlines())
    assert entity["langs"] == ["en", "hi"]
    assert entity["first_seen"] == "2025-11-25"
    segment = json.loads(exported(store, "segments", "jsonl").splitlines()[0])
    assert segment["lang_score"] == 0.95


def test_clock_times_are_utc(store: Store) -> None:
    row = dict.fromkeys(TABLES["runs"].names)
    for field in TABLES["runs"]:
        if not field.nullable:
            row[field.name] = "" if pa.types.is_string(field.type) else 0
    started = datetime(2025, 11, 26, 2, 15, tzinfo=UTC)
    row |= {"models": [], "seconds": [("ingest", 1.5)], "started": started}
    table = pa.Table.from_pylist([row], TABLES["runs"])
    files.write_parquet(store.live("runs"), TABLES["runs"], [table])
    (told,) = map(json.loads, exported(store, "runs", "jsonl").splitlines())
    assert datetime.fromisoformat(told["started"]) == started
    assert told["seconds"] == {"ingest": 1.5}
    (read,) = csv.DictReader(io.StringIO(exported(store, "runs", "csv")))
    assert datetime.fromisoformat(read["started"]) == started


def test_some_days_only(store: Store) -> None:
    def dates(*days: date) -> list[str]:
        lines = exported(store, "segments", "jsonl", *days).splitlines()
        return [json.loads(line)["date"] for line in lines]

    assert dates(DAYS[1]) == ["2025-11-26"]
    assert dates(DAYS[1], DAYS[2]) == ["2025-11-26", "2025-11-27"]


def test_a_table_without_rows_has_a_header(store: Store) -> None:
    assert exported(store, "redirects", "csv").split() == [
        '"entity_id","replaced_by","reason","run_id"'
    ]
    assert exported(store, "redirects", "jsonl") == ""


@pytest.mark.parametrize(
    ("table", "format_", "days"),
    [
        ("nonsense", "csv", (None, None)),
        ("entities", "xls", (None, None)),
        ("entities", "csv", (DAYS[0], DAYS[0])),
        ("segments", "csv", (date(1999, 1, 1), date(1999, 1, 1))),
    ],
)
def test_wrong_usage_writes_nothing(
    store: Store, table: str, format_: str, days: tuple[date | None, date | None], tmp_path: Path
) -> None:
    target = tmp_path / "export"
    with pytest.raises(UsageError):
        export(store, table, format_, days, target)
    assert not list(tmp_path.glob("export*"))


def test_a_folder_that_is_not_there_is_one_line(store: Store) -> None:
    with pytest.raises(UsageError, match="--to"):
        export(store, "entities", "csv", (None, None), store.out / "nowhere" / "file.csv")


def test_tables_that_change_meanwhile_are_not_written(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline import export as module

    whole = module._write_lines

    def write_and_publish(*arguments: object) -> int:
        n_rows = whole(*arguments)  # type: ignore[arg-type]
        schema = TABLES["redirects"]
        files.write_parquet(store.live("redirects"), schema, [schema.empty_table()])
        return n_rows

    monkeypatch.setattr(module, "_write_lines", write_and_publish)
    with pytest.raises(ExonymError, match="published"):
        export(store, "entities", "jsonl", (None, None), tmp_path / "export")
    assert not list(tmp_path.glob("export*"))


def test_the_command_writes_to_standard_output(store: Store) -> None:
    code = "from pipeline.cli import main; main()"
    command = [sys.executable, "-c", code, "export", "segments", "--format", "jsonl"]
    command += ["--date", "2025-11-25..2025-11-26", "--out", str(store.out)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 2
    wrong = [*command[:3], "export", "segments", "--date", "today", "--out", str(store.out)]
    refused = subprocess.run(wrong, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
