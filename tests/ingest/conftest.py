from __future__ import annotations

import datetime
import io
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.ingest import Incoming, InputFile, Limits, Rejected, find, read

NIGHT = datetime.date(2025, 11, 26)

ReadFile = Callable[..., list[Incoming | Rejected]]


@pytest.fixture
def read_file(tmp_path: Path) -> ReadFile:
    """Write bytes to a file of a given name and read it."""

    def write_and_read(
        name: str, data: bytes, limits: Limits | None = None
    ) -> list[Incoming | Rejected]:
        path = tmp_path / name
        path.write_bytes(data)
        limits = limits or Limits()
        [file] = find([str(path)], limits)
        assert isinstance(file, InputFile)
        return list(read(file, NIGHT, limits))

    return write_and_read


class FakeFile:
    """A file in memory."""

    def __init__(self, name: str, data: bytes) -> None:
        self.source = self.path = name
        self.data = data

    def open(self) -> io.BytesIO:
        return io.BytesIO(self.data)

    def open_seekable(self) -> pa.NativeFile:
        return pa.BufferReader(self.data)
