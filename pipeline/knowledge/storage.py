"""Arrays and strings on disk: written piece by piece, read through memory maps."""

from __future__ import annotations

import mmap
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

_BUFFERED: Final = 1 << 16
"""Strings kept in memory before they are written."""


class ArrayWriter:
    """Writes one flat array to ``NAME.npy`` piece by piece; a context manager."""

    def __init__(self, folder: Path, name: str, dtype: npt.DTypeLike) -> None:
        """Write to ``folder``."""
        self._dtype: np.dtype[Any] = np.dtype(dtype)
        self._length = 0
        self._file = (folder / f"{name}.npy").open("wb")
        self._write_header()

    def __len__(self) -> int:
        """Return the number of elements written."""
        return self._length

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the file."""
        self._file.seek(0)
        self._write_header()
        self._file.close()

    def extend(self, values: npt.NDArray[Any]) -> None:
        """Append ``values``."""
        self._length += len(values)
        self._file.write(np.ascontiguousarray(values, dtype=self._dtype).tobytes())

    def _write_header(self) -> None:
        # NumPy leaves room in the header for the length to grow, so that it can be written again.
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self._length,),
        }
        np.lib.format.write_array_header_1_0(self._file, header)


class TextWriter:
    """Writes strings to ``NAME.utf8``, end to end, and their ends to ``NAME_end.npy``."""

    def __init__(self, folder: Path, name: str) -> None:
        """Write to ``folder``."""
        self._text = (folder / f"{name}.utf8").open("wb")
        self._ends = ArrayWriter(folder, f"{name}_end", np.uint64)
        self._ends.extend(np.zeros(1))
        self._end = 0
        self._pending: list[bytes] = []

    def __len__(self) -> int:
        """Return the number of strings written."""
        return len(self._ends) - 1 + len(self._pending)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish both files."""
        self._flush()
        self._text.close()
        self._ends.__exit__(kind, error, trace)

    def append(self, text: str) -> None:
        """Write one string."""
        self._pending.append(text.encode())
        if len(self._pending) == _BUFFERED:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            lengths = np.fromiter(map(len, self._pending), np.int64, len(self._pending))
            self._ends.extend(self._end + np.cumsum(lengths))
            self._end += int(lengths.sum())
            self._text.write(b"".join(self._pending))
            self._pending.clear()


class Texts:
    """Strings by their number, from 0; only what is asked for is read and decoded."""

    def __init__(self, folder: Path, name: str) -> None:
        """Map what a :class:`TextWriter` of the same name wrote to ``folder``."""
        path = folder / f"{name}.utf8"
        if path.stat().st_size:
            with path.open("rb") as file:
                self._bytes: mmap.mmap | bytes = mmap.mmap(
                    file.fileno(), 0, access=mmap.ACCESS_READ
                )
        else:
            self._bytes = b""  # an empty file cannot be mapped
        self._ends = read_array(folder, f"{name}_end")

    def __len__(self) -> int:
        """Return the number of strings."""
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        """Return the string numbered ``number``. Raises IndexError where there is none."""
        if not 0 <= number < len(self):
            raise IndexError(f"no text {number} of {len(self)}")
        first, last = self._ends[number : number + 2].tolist()
        return self._bytes[first:last].decode()

    def some(self, numbers: npt.NDArray[Any]) -> list[str]:
        """Return the strings with these numbers, which must exist."""
        block, starts, ends = self._bytes, self._ends[numbers], self._ends[numbers + 1]
        return [block[a:b].decode() for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]

    def span(self, first: int, last: int) -> list[str]:
        """Return the strings from number ``first`` up to ``last``, which is left out."""
        ends = self._ends[first : last + 1].tolist()
        if len(ends) < 2:
            return []
        block, start = self._bytes[ends[0] : ends[-1]], ends[0]
        return [block[a - start : b - start].decode() for a, b in pairwise(ends)]


def read_array(folder: Path, name: str) -> npt.NDArray[Any]:
    """Return the array ``NAME.npy`` of ``folder``, memory-mapped."""
    # A view as a plain array: indexing a np.memmap costs several times as much.
    return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))


def write_array(folder: Path, name: str, values: npt.NDArray[Any]) -> None:
    """Write ``values`` to ``NAME.npy`` in ``folder``."""
    np.save(folder / f"{name}.npy", values, allow_pickle=False)
