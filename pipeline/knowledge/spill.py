"""Sorts more records than fit into memory: spread over files by their first bits, then by part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_BITS: Final = 6
PARTS: Final = 1 << _BITS
"""How many parts there are: the numbers are hashes, so that all are about equally large."""


class Spill:
    """Records with a 64-bit field ``number``, spread over files by its highest bits.

    Part after part, sorted each for itself, gives all records in the order of ``number``: a bucket
    sort with external buckets (Knuth, The Art of Computer Programming 3, 5.4).
    """

    def __init__(self, folder: Path, name: str, **fields: npt.DTypeLike) -> None:
        """Spill to files in ``folder`` called after ``name``; ``fields`` come after ``number``."""
        self._path = folder / name
        self._type = np.dtype([("number", np.uint64), *fields.items()])

    def add(self, **columns: npt.NDArray[Any]) -> None:
        """Spill records given as columns of one length, one for every field."""
        records = np.empty(len(columns["number"]), dtype=self._type)
        for name, values in columns.items():
            records[name] = values
        part = (records["number"] >> np.uint64(64 - _BITS)).astype(np.int64)
        records = records[np.argsort(part, kind="stable")]
        ends = np.cumsum(np.bincount(part, minlength=PARTS)).tolist()
        for number, (first, last) in enumerate(zip([0, *ends], ends, strict=False)):
            if first < last:
                with self._file(number).open("ab") as file:
                    file.write(records[first:last].tobytes())

    def parts(self) -> Iterator[npt.NDArray[Any]]:
        """Yield all parts, empty ones too, each in the order its records came; their files go."""
        for number in range(PARTS):
            file = self._file(number)
            if file.exists():
                records = np.fromfile(file, dtype=self._type)
                file.unlink()
            else:
                records = np.empty(0, dtype=self._type)
            yield records

    def _file(self, part: int) -> Path:
        return self._path.with_name(f"{self._path.name}-{part:02}.spill")
