"""A table as CSV or JSON lines, for those who cannot read Parquet: ``exonym export``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
from pyarrow import csv

from pipeline.dashboard.reader import Reader, Tables
from pipeline.errors import UsageError
from pipeline.schemas import DATED, TABLES
from pipeline.store import Store

FORMATS: Final = ("csv", "jsonl")

# A spreadsheet takes a cell that begins so for a formula, whoever wrote the article.
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA: Final = r"^[=+\-@\t\r\n]"

_Days = tuple[date | None, date | None]


def export(store: Store, table: str, format_: str, days: _Days, target: Path | None) -> int:
    """Write a published table to ``target``, or to standard output where it is None.

    ``days`` are the first and the last of a dated table's days, None for no bound. ``jsonl`` is
    exact. In ``csv``, UTF-8 with a header, nested values are JSON, bytes are base64, and text that
    a spreadsheet would take for a formula begins with an apostrophe. Returns the number of rows.

    Raises:
        UsageError: there is no such table, format or day, or ``target`` cannot be written.
        PublishingError: a run published meanwhile; ``target`` is then not written.
    """
    _check(table, format_, days)
    reader = Reader(store)
    if target is None:
        return _to_standard_output(lambda file: _write(reader, table, format_, days, file))
    partial = target.with_name(target.name + ".partial")
    try:
        with partial.open("wb") as file:
            n_rows = _write(reader, table, format_, days, file)
        partial.replace(target)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}; choose another --to") from None
    finally:
        partial.unlink(missing_ok=True)
    return n_rows


def _check(table: str, format_: str, days: _Days) -> None:
    if table not in TABLES:
        raise UsageError(f"there is no table '{table}'; there are: {', '.join(TABLES)}")
    if format_ not in FORMATS:
        raise UsageError(f"--format {format_} is not one of: {', '.join(FORMATS)}")
    if any(days) and table not in DATED:
        raise UsageError(f"table {table} is not kept by day; leave out --date")


def _to_standard_output(write: Callable[[BinaryIO], int]) -> int:
    """Write to standard output; a reader that has had enough, such as ``head``, is no error."""
    try:
        n_rows = write(sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return n_rows


def _write(reader: Reader, table: str, format_: str, days: _Days, file: BinaryIO) -> int:
    def question(tables: Tables) -> int:
        files = tables.files(table, *days)
        if not files:
            raise UsageError(f"table {table} has no such day; see exonym status")
        if format_ == "csv":
            return _write_csv(tables.stream(_csv_query(table), files=files), file)
        return _write_lines(tables.stream(_json_query(table), files=files), file)

    return reader.ask_once(question)


def _write_csv(batches: pa.RecordBatchReader, file: BinaryIO) -> int:
    n_rows = 0
    with csv.CSVWriter(file, batches.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            n_rows += batch.num_rows
    return n_rows


def _write_lines(batches: pa.RecordBatchReader, file: BinaryIO) -> int:
    n_rows = 0
    for batch in batches:
        for line in batch.column(0).to_pylist():
            file.write(line.encode() + b"\n")
        n_rows += batch.num_rows
    return n_rows


def _csv_query(table: str) -> str:
    columns = ", ".join(f'{_csv_value(field)} AS "{field.name}"' for field in TABLES[table])
    return f"SELECT {columns} FROM read_parquet($files)"


def _csv_value(field: pa.Field) -> str:
    column = f'"{field.name}"'
    if pa.types.is_binary(field.type):
        return f"base64({column})"
    if pa.types.is_nested(field.type):
        return f"CAST(to_json({column}) AS VARCHAR)"
    if pa.types.is_string(field.type):
        return f"if(regexp_matches({column}, '{_FORMULA}'), '''' || {column}, {column})"
    return column


def _json_query(table: str) -> str:
    columns = ", ".join(f'"{field.name}" := {_json_value(field)}' for field in TABLES[table])
    return f"SELECT CAST(to_json(struct_pack({columns})) AS VARCHAR) FROM read_parquet($files)"


def _json_value(field: pa.Field) -> str:
    column = f'"{field.name}"'
    if pa.types.is_binary(field.type):
        return f"base64({column})"
    if pa.types.is_float32(field.type):
        return f"CAST(CAST({column} AS VARCHAR) AS DOUBLE)"  # 0.95, not 0.949999988079071
    if pa.types.is_timestamp(field.type):
        return f"strftime(timezone('UTC', {column}), '%Y-%m-%dT%H:%M:%S.%fZ')"
    return column
