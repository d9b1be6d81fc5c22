"""Parquet: one document a row, in the columns that JSON lines have as fields.

``date`` may be a string, a date or a timestamp, ``id`` a string or a number.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from pipeline.ingest.readers.base import Readable, Reader, too_large
from pipeline.ingest.readers.fields import FIELDS, FieldsError, draft_of
from pipeline.ingest.records import Draft, Limits, Rejected

_ROWS_AT_A_TIME: Final = 16
_DAMAGE: Final = (OSError, pa.ArrowException, ValueError, LookupError, OverflowError)
"""What pyarrow raises on damaged files, a UnicodeDecodeError among the ValueErrors."""


class _Parquet:
    suffixes = (".parquet",)

    def read(
        self, file: Readable, night: datetime.date, limits: Limits
    ) -> Iterator[Draft | Rejected]:
        """Yield the rows of the file, a few at a time."""
        with file.open_seekable() as stream:
            if not stream.size():
                yield Rejected(file.source, "empty", "the file is empty: deliver it again")
                return
            try:
                with pq.ParquetFile(stream, pre_buffer=False) as table:
                    yield from _rows(file.source, table, limits)
            except _DAMAGE as error:
                message = f"the file is damaged ({' '.join(str(error).split())}): deliver it again"
                yield Rejected(file.source, "unreadable", message)


def _rows(source: str, table: pq.ParquetFile, limits: Limits) -> Iterator[Draft | Rejected]:
    names = [name for name in FIELDS if name in table.schema_arrow.names]
    for name in names:
        if table.schema_arrow.names.count(name) > 1:
            message = f"there are several columns `{name}`: leave one"
            yield Rejected(source, "wrong_type", message)
            return
    if "text" not in names:
        yield Rejected(source, "missing_text", "there is no column `text`: rename the one it is in")
        return
    text_type = table.schema_arrow.field("text").type
    if not _is_string(text_type):
        message = f"the column `text` is {text_type}, not string: write it as string"
        yield Rejected(source, "wrong_type", message)
        return
    if not table.metadata.num_rows:
        yield Rejected(source, "empty", "the file has no rows: deliver it again")
    row = 0
    for batch in table.iter_batches(_ROWS_AT_A_TIME, columns=names, use_threads=False):
        columns = [(name, batch.column(name)) for name in batch.schema.names if name in names]
        for place in range(batch.num_rows):
            row += 1
            yield _document(source, {name: cells[place] for name, cells in columns}, row, limits)
    if row != table.metadata.num_rows:
        message = f"{row} of its {table.metadata.num_rows} rows are there: deliver it again"
        yield Rejected(source, "truncated", message)


def _document(
    source: str, cells: dict[str, pa.Scalar], row: int, limits: Limits
) -> Draft | Rejected:
    text = cells["text"]
    if types.is_dictionary(text.type):
        text = text.value
    if text.is_valid and (data := text.as_buffer()).size > limits.document:
        return too_large(source, row, data[: limits.payload].to_pybytes(), limits)
    try:
        fields = {name: cell.as_py() for name, cell in cells.items()}
    except UnicodeDecodeError as error:
        message = f"a string is not UTF-8 at byte {error.start}: write the column as UTF-8"
        return Rejected(source, "not_utf8", message, row)
    except (ValueError, OverflowError) as error:
        message = f"a value cannot be read ({error}): write plain strings"
        return Rejected(source, "wrong_type", message, row)
    try:
        return draft_of(fields, row)
    except FieldsError as bad:
        payload = json.dumps(fields, ensure_ascii=False, default=str).encode()[: limits.payload]
        return Rejected(source, bad.error, bad.message, row, payload)


def _is_string(type_: pa.DataType) -> bool:
    value = type_.value_type if types.is_dictionary(type_) else type_
    return bool(
        types.is_string(value) or types.is_large_string(value) or types.is_string_view(value)
    )


READER: Final[Reader] = _Parquet()
