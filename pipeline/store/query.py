"""DuckDB over the store's files: views, and results streamed as Arrow tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

_BATCH_ROWS: Final = 8_192
_MEMORY: Final = "512MB"


@contextmanager
def database(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an empty database on one thread that spills to ``scratch``."""
    scratch.mkdir(parents=True, exist_ok=True)
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "memory_limit": _MEMORY,
        "temp_directory": str(scratch),
        "autoinstall_known_extensions": False,
    }
    with duckdb.connect(config=config) as connection:
        yield connection


def view(
    connection: duckdb.DuckDBPyConnection, name: str, paths: Sequence[Path], schema: pa.Schema
) -> None:
    """Let ``name`` stand for the columns of ``schema`` in the rows of all files.

    Where no file is given it has no rows. A view that stood under the name before gives way.
    """
    if paths:
        listed = ", ".join(f"'{_quoted(path)}'" for path in paths)
        rows = f"read_parquet([{listed}])"
    else:
        rows = f"no_{name}"
        connection.register(rows, schema.empty_table())
    columns = ", ".join(f'"{column}"' for column in schema.names)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT {columns} FROM {rows}")


def stream(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[pa.Table]:
    """Yield the rows of a query, a few thousand at a time."""
    for batch in connection.sql(query).to_arrow_reader(_BATCH_ROWS):
        yield pa.Table.from_batches([batch])


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
