"""What is not loaded before somebody needs it. A process of its own each: loaded is loaded."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa

from pipeline.executors.local import LocalExecutor

SPARED = "import sys, pyarrow as pa; from pipeline.imports import spare_pandas; spare_pandas();"


def says(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_arrays_are_made_of_lists_without_pandas() -> None:
    program = "pa.Table.from_pylist([{'a': 1}]).to_pylist(); print('pandas' in sys.modules)"
    assert says(SPARED + program) == "False"


def test_pyarrow_alone_would_load_pandas() -> None:
    program = "import sys, pyarrow as pa; pa.array([1]); print('pandas' in sys.modules)"
    assert says(program) == "True", "pyarrow learned not to: pipeline.imports can go"


def test_a_data_frame_is_made_where_one_is_asked_for() -> None:
    program = "print(pa.table({'a': [1, 2]}).to_pandas()['a'].sum())"
    assert says(SPARED + program) == "3"


def test_a_series_becomes_an_array_once_pandas_is_loaded() -> None:
    program = (
        "import pandas as pd; frame = pd.DataFrame({'a': [1.0, None]});"
        "print(pa.Table.from_pandas(frame)['a'].null_count)"
    )
    assert says(SPARED + program) == "1"


def test_pandas_loaded_before_is_left_as_it_is() -> None:
    program = "print(pa.array(pandas.Series([1.0, None])).null_count)"
    assert says(f"import pandas; {SPARED}{program}") == "1"


def has_pandas_after_an_array(job: int) -> bool:
    pa.array([job])
    return "pandas" in sys.modules


def test_a_worker_loads_no_pandas() -> None:
    with LocalExecutor(1) as executor:
        assert list(executor.map(has_pandas_after_an_array, [1], lambda job: 60.0)) == [False]
