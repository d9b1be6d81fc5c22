"""The files of a set of tables: the published ones, a kept generation's, or the staged ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.schemas import DATED, TABLES
from pipeline.store import files


class TableFiles:
    """A folder with a folder a table: one file, or one file a day."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``, made when something is written to it."""
        self.folder = folder

    def path(self, table: str, day: date | None = None) -> Path:
        """Return the path of a table, or of one day of a dated one. It may not be there."""
        if (table in DATED) != (day is not None):
            raise ValueError(f"table {table} is {'dated' if table in DATED else 'not dated'}")
        return self.folder / table / f"{day.isoformat() if day else table}.parquet"

    def paths(self, table: str) -> list[Path]:
        """Return the files of a table that are there, in order of date."""
        name = "????-??-??" if table in DATED else table
        return sorted((self.folder / table).glob(f"{name}.parquet"))

    def days(self, table: str) -> list[date]:
        """Return the days of a dated table that have a file, in order."""
        return [date.fromisoformat(path.stem) for path in self.paths(table)]

    def names(self) -> Iterator[str]:
        """Yield the files of all tables, as paths relative to the folder."""
        for table in TABLES:
            for path in self.paths(table):
                yield f"{table}/{path.name}"

    def read(self, table: str) -> pa.Table:
        """Read a whole table; without rows where it has no file."""
        parts = [pq.ParquetFile(path).read() for path in self.paths(table)]
        return pa.concat_tables(parts) if parts else TABLES[table].empty_table()

    def write(self, table: str, rows: Iterable[pa.Table], day: date | None = None) -> int:
        """Write the whole file of a table, or of one day of it; return its number of rows.

        Raises:
            SchemaMismatchError: rows break the table's schema.
        """
        return files.write_parquet(self.path(table, day), TABLES[table], rows)
