from __future__ import annotations

import datetime
import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest import Incoming, Limits, Rejected
from pipeline.ingest.readers.parquet import READER

from .conftest import NIGHT, FakeFile, ReadFile


def _file(table: pa.Table, **options: object) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream.getvalue()


def test_all_columns(read_file: ReadFile) -> None:
    table = pa.table(
        {
            "other": [1, 2],
            "lang": ["ro", None],
            "date": [datetime.date(2025, 11, 25), None],
            "url": ["https://x.example/1", None],
            "title": ["Titlu", None],
            "id": [7, 8],
            "text": ["Text unu", "Text doi"],
        }
    )
    first, second = read_file("a.parquet", _file(table))
    assert isinstance(first, Incoming)
    assert isinstance(second, Incoming)
    assert (first.text, second.text) == ("Titlu\n\nText unu", "Text doi")
    assert (first.source_id, second.source_id) == ("7", "8")
    assert (first.date.isoformat(), first.date_origin) == ("2025-11-25", "input")
    assert (second.date, second.date_origin) == (NIGHT, "run")
    assert (first.lang_hint, first.url, first.line, second.line) == (
        "ro",
        "https://x.example/1",
        1,
        2,
    )


@pytest.mark.parametrize(
    "type_",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
)
def test_every_type_of_string(read_file: ReadFile, type_: pa.DataType) -> None:
    table = pa.table({"text": pa.array(["एक", "दो"], pa.string()).cast(type_)})
    found = read_file("a.parquet", _file(table))
    assert [item.text for item in found if isinstance(item, Incoming)] == ["एक", "दो"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps(read_file: ReadFile, unit: str) -> None:
    moment = pa.array([datetime.datetime(2025, 11, 25, 23, 59)], pa.timestamp(unit))
    [document] = read_file("a.parquet", _file(pa.table({"text": ["x"], "date": moment})))
    assert isinstance(document, Incoming)
    assert document.date.isoformat() == "2025-11-25"


def test_bad_rows_are_rejected_and_the_others_read(read_file: ReadFile) -> None:
    table = pa.table(
        {"text": ["good", None, "", "x" * 200, "fine"], "id": ["a", "b", "c", "d", "e"]}
    )
    found = read_file("a.parquet", _file(table), Limits(document=100, payload=10))
    assert [item.text for item in found if isinstance(item, Incoming)] == ["good", "fine"]
    rejected = [(item.error, item.line) for item in found if isinstance(item, Rejected)]
    assert rejected == [("missing_text", 2), ("empty", 3), ("too_large", 4)]
    assert [item.payload for item in found if isinstance(item, Rejected)][2] == b"x" * 10


def test_a_string_that_is_not_utf8(read_file: ReadFile) -> None:
    column = pa.array([b"T\xfcrkiye", "Türkiye".encode()], pa.binary()).view(pa.string())
    rejected, document = read_file("a.parquet", _file(pa.table({"text": column})))
    assert isinstance(rejected, Rejected)
    assert rejected.error == "not_utf8"
    assert isinstance(document, Incoming)


@pytest.mark.parametrize(
    ("table", "error"),
    [
        (pa.table({"text": [1, 2]}), "wrong_type"),
        (pa.table({"text": [b"bytes"]}), "wrong_type"),
        (pa.table({"body": ["x"]}), "missing_text"),
        (pa.table({"text": pa.array([], pa.string())}), "empty"),
        (pa.table({"text": ["x"], "title": [3]}), "wrong_type"),
        (pa.table({"text": ["x"], "id": [[1]]}), "wrong_type"),
        (pa.table([["x"], ["y"]], names=["text", "text"]), "wrong_type"),
    ],
)
def test_wrong_tables(read_file: ReadFile, table: pa.Table, error: str) -> None:
    [rejected] = read_file("a.parquet", _file(table))
    assert isinstance(rejected, Rejected)
    assert rejected.error == error


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([1.0, float("nan"), None, 2.5]), ["1", None, None, "2.5"]),
        (pa.array(["a", "", " ", None]), ["a", None, None, None]),
        (pa.array([Decimal("7"), None, None, Decimal("10")]), ["7", None, None, "10"]),
        (pa.array([2**63, 1, 2, 3], pa.uint64()), [str(2**63), "1", "2", "3"]),
    ],
)
def test_ids_are_strings_or_none(
    read_file: ReadFile, column: pa.Array, expected: list[str | None]
) -> None:
    found = read_file("a.parquet", _file(pa.table({"text": list("abcd"), "id": column})))
    assert [item.source_id for item in found if isinstance(item, Incoming)] == expected


def test_broken_files(read_file: ReadFile) -> None:
    whole = _file(pa.table({"text": ["x" * 1000, "y" * 1000]}))
    for data, error in [
        (b"", "empty"),
        (b"PAR1", "unreadable"),
        (b"not parquet at all", "unreadable"),
        (whole[:-20], "unreadable"),
        (whole[: len(whole) // 2], "unreadable"),
    ]:
        [rejected] = read_file("a.parquet", data)
        assert isinstance(rejected, Rejected)
        assert rejected.error == error
        assert "\n" not in rejected.message


def test_rows_come_in_order_over_row_groups(read_file: ReadFile) -> None:
    texts = [f"Text {number}" for number in range(100)]
    found = read_file("a.parquet", _file(pa.table({"text": texts}), row_group_size=7))
    assert [item.text for item in found if isinstance(item, Incoming)] == texts
    assert [item.line for item in found] == list(range(1, 101))


@given(st.binary())
def test_any_bytes_are_rejected(data: bytes) -> None:
    [rejected] = READER.read(FakeFile("a.parquet", data), NIGHT, Limits())
    assert isinstance(rejected, Rejected)


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=255))
def test_a_damaged_byte_never_escapes(place: int, value: int) -> None:
    data = bytearray(_file(pa.table({"text": ["some text", "more text"], "id": [1, 2]})))
    data[place % len(data)] = value
    assert list(READER.read(FakeFile("a.parquet", bytes(data)), NIGHT, Limits()))
