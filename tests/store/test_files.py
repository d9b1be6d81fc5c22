from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.store import files

SCHEMA = pa.schema(
    [pa.field("a", pa.int32(), nullable=False), pa.field("b", pa.string())],
    metadata={"description": "for the test"},
)


def rows(*numbers: int) -> pa.Table:
    return pa.table({"b": [str(n) for n in numbers], "a": pa.array(numbers, pa.int64())})


def test_writes_exactly_the_schema(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "t.parquet"
    assert files.write_parquet(path, SCHEMA, [rows(1, 2), rows(3)]) == 3
    table = pq.read_table(path)
    assert table.schema.equals(SCHEMA, check_metadata=True)
    assert table.to_pylist()[2] == {"a": 3, "b": "3"}


def test_a_table_without_rows_has_its_schema(tmp_path: Path) -> None:
    files.write_parquet(tmp_path / "t.parquet", SCHEMA, [])
    assert pq.read_table(tmp_path / "t.parquet").schema.equals(SCHEMA)


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 40_000), max_size=5))
def test_the_bytes_do_not_depend_on_how_rows_arrive(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("cuts")
    whole = rows(*range(40_000))
    edges = [0, *sorted(cuts), 40_000]
    pieces = [whole.slice(a, b - a) for a, b in pairwise(edges)]
    files.write_parquet(folder / "whole.parquet", SCHEMA, [whole])
    files.write_parquet(folder / "pieces.parquet", SCHEMA, pieces)
    assert (folder / "whole.parquet").read_bytes() == (folder / "pieces.parquet").read_bytes()


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"a": pa.array([1, None], pa.int32()), "b": ["x", "y"]}),
        pa.table({"a": [2**40], "b": ["x"]}),
        pa.table({"b": ["x"]}),
    ],
    ids=["null", "overflow", "missing"],
)
def test_rows_that_break_the_schema_leave_the_old_file(tmp_path: Path, table: pa.Table) -> None:
    path = tmp_path / "t.parquet"
    files.write_parquet(path, SCHEMA, [rows(1)])
    before = path.read_bytes()
    with pytest.raises(files.SchemaMismatchError):
        files.write_parquet(path, SCHEMA, [table])
    assert path.read_bytes() == before


def test_json_round_trip(tmp_path: Path) -> None:
    value = {"b": [1, "जापारोव"], "a": None}
    files.write_json(tmp_path / "v.json", value)
    assert files.read_json(tmp_path / "v.json") == value
