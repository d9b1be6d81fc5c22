"""What a reader is, and what readers share."""

from __future__ import annotations

import codecs
import datetime
from collections.abc import Iterator
from typing import Final, Protocol

import pyarrow as pa

from pipeline.ingest.records import Draft, Limits, Rejected

_UTF_32_MARKS: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF_16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MANY_NULS: Final = 0.4
"""In UTF-16 every ASCII character has a NUL byte: one half of all places is full of them."""


class Bytes(Protocol):
    """A stream of bytes that is read forward."""

    def read(self, size: int = -1, /) -> bytes:
        """Return ``size`` bytes, fewer at the end."""

    def read1(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, as many as are at hand, none at the end."""

    def close(self) -> None:
        """Let the file go."""

    def __enter__(self) -> Bytes:
        """Return the stream."""

    def __exit__(self, *error: object) -> None:
        """Close the stream."""


class Readable(Protocol):
    """A file as a reader sees it."""

    @property
    def source(self) -> str:
        """The name that the tables keep."""

    @property
    def path(self) -> str:
        """The path, whose ending says what the file is."""

    def open(self) -> Bytes:
        """Open the file for reading bytes in sequence. Raises OSError."""

    def open_seekable(self) -> pa.NativeFile:
        """Open the file for reading at any place. Raises OSError."""


class Reader(Protocol):
    """Reads one format."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The endings of the file names it reads, lower case, with the dot."""

    def read(
        self, file: Readable, night: datetime.date, limits: Limits
    ) -> Iterator[Draft | Rejected]:
        """Yield the documents of ``file`` in its order, lazily; at most one is held at a time.

        ``night`` is the run's date; a date looked for in the document cannot be later. Raises
        OSError where the file cannot be opened or read on, and nothing else.
        """


def read_whole(file: Readable, limits: Limits) -> bytes | Rejected:
    """Return the bytes of a file that is one document, or why not. Raises OSError."""
    with file.open() as stream:
        data = stream.read(limits.document + 1)
    if len(data) > limits.document:
        return too_large(file.source, None, data, limits)
    if not data.strip():
        return Rejected(file.source, "empty", "the file is empty: deliver it again", payload=data)
    return data


def too_large(source: str, line: int | None, data: bytes, limits: Limits) -> Rejected:
    """Return the rejection of a document above :attr:`Limits.document`, beginning with ``data``."""
    message = f"larger than {limits.document} bytes: split it, or raise the limit for a document"
    return Rejected(source, "too_large", message, line=line, payload=data[: limits.payload])


def wide_encoding(data: bytes) -> str | None:
    """Return ``UTF-16`` or ``UTF-32`` where ``data`` has its mark or its NUL bytes, else None."""
    if data.startswith(_UTF_32_MARKS):
        return "UTF-32"
    if data.startswith(_UTF_16_MARKS):
        return "UTF-16"
    nuls = [data[offset::2].count(0) * 2 / max(len(data), 1) for offset in (0, 1)]
    return "UTF-16" if min(nuls) == 0 and max(nuls) > _MANY_NULS else None
