"""JSON lines, plain or compressed: one object a line.

``text`` is required; ``title``, ``url``, ``date``, ``lang`` (strings) and ``id`` (a string or a
number) are optional, and may be null. Blank lines and other fields are passed over.
"""

from __future__ import annotations

import codecs
import contextlib
import datetime
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, cast

from backports import zstd

from pipeline.ingest.readers.base import Bytes, Readable, Reader, too_large, wide_encoding
from pipeline.ingest.readers.fields import FieldsError, draft_of
from pipeline.ingest.records import Draft, Error, Limits, Rejected

_CHUNK: Final = 2**16


class _JsonLines:
    suffixes = (".jsonl", ".jsonl.gz", ".jsonl.zst")

    def read(
        self, file: Readable, night: datetime.date, limits: Limits
    ) -> Iterator[Draft | Rejected]:
        """Yield the objects of the file, line by line."""
        is_empty = True
        try:
            with file.open() as stream:
                for line in _lines(_chunks(_unpacked(stream, file.path), limits), limits):
                    if line.number == 1 and (encoding := wide_encoding(line.data)):
                        message = f"the file is in {encoding}: convert it to UTF-8"
                        start = line.data[: limits.payload]
                        yield Rejected(file.source, "not_utf8", message, 1, start)
                        return
                    if line.data.strip():
                        is_empty = False
                        yield _document(file.source, line, limits)
        except _StreamError as end:
            is_empty = False
            payload = end.rest[: limits.payload] or None
            with contextlib.suppress(FieldsError):  # A line cut short is reported below.
                yield _parse(end.rest, end.line)
            yield Rejected(file.source, end.error, end.message, end.line, payload)
        if is_empty:
            yield Rejected(file.source, "empty", "the file has no lines: deliver it again")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line without its end, or, where it is longer than the limit, the beginning of it."""

    number: int
    data: bytes
    is_cut: bool


class _StreamError(Exception):
    """The stream cannot be read on; ``rest`` is what came after the last line end."""

    def __init__(self, error: Error, message: str) -> None:
        super().__init__(message)
        self.error = error
        self.message = message
        self.line = 1
        self.rest = b""


def _unpacked(stream: Bytes, path: str) -> Bytes:
    name = path.lower()
    if name.endswith(".gz"):
        return cast(Bytes, gzip.GzipFile(fileobj=cast(io.BufferedIOBase, stream)))
    if name.endswith(".zst"):
        return cast(Bytes, zstd.ZstdFile(cast(io.BufferedIOBase, stream)))
    return stream


def _chunks(stream: Bytes, limits: Limits) -> Iterator[bytes]:
    """Yield the bytes of ``stream`` in pieces. Raises :class:`_StreamError`."""
    size = 0
    try:
        # Unlike read, read1 gives what there is before it raises.
        while chunk := stream.read1(_CHUNK):
            size += len(chunk)
            if size > limits.unpacked:
                message = f"it unpacks to more than {limits.unpacked} bytes: split the file"
                raise _StreamError("too_large", message)
            yield chunk
    except EOFError as error:
        message = "the compressed file ends too early: deliver it again whole"
        raise _StreamError("truncated", message) from error
    except (OSError, zlib.error, zstd.ZstdError) as error:
        message = f"the file is damaged ({' '.join(str(error).split())}): deliver it again"
        raise _StreamError("unreadable", message) from error


def _lines(chunks: Iterable[bytes], limits: Limits) -> Iterator[_Line]:
    """Yield the lines of a file, holding little more than :attr:`Limits.document` of any.

    Raises :class:`_StreamError` after the last whole line.
    """
    number = 1
    held = bytearray()
    is_cut = False
    try:
        for chunk in chunks:
            *ends, rest = chunk.split(b"\n")
            for end in ends:
                held += end
                if not is_cut:
                    yield _line(number, held, limits)
                number, is_cut = number + 1, False
                held.clear()
            held += rest
            if is_cut:
                held.clear()
            elif len(held) > limits.document:
                yield _line(number, held, limits)
                is_cut = True
                held.clear()
    except _StreamError as end:
        end.line, end.rest = number, bytes(held)
        raise
    if held:
        yield _line(number, held, limits)


def _line(number: int, held: bytearray, limits: Limits) -> _Line:
    is_cut = len(held) > limits.document
    data = bytes(held[: limits.payload] if is_cut else held)
    return _Line(number, data.removeprefix(codecs.BOM_UTF8) if number == 1 else data, is_cut)


def _document(source: str, line: _Line, limits: Limits) -> Draft | Rejected:
    if line.is_cut:
        return too_large(source, line.number, line.data, limits)
    try:
        return _parse(line.data, line.number)
    except FieldsError as bad:
        payload = line.data[: limits.payload]
        return Rejected(source, bad.error, bad.message, line.number, payload)


def _parse(data: bytes, line: int) -> Draft:
    """Return the document in one line. Raises :class:`FieldsError`."""
    try:
        value = json.loads(data.decode())
    except UnicodeDecodeError as error:
        message = f"not UTF-8 at byte {error.start} of the line: convert the file to UTF-8"
        raise FieldsError("not_utf8", message) from error
    except (ValueError, RecursionError) as error:
        message = f"not JSON ({error}): write one object a line"
        raise FieldsError("malformed_json", message) from error
    if not isinstance(value, dict):
        message = f"{type(value).__name__} instead of an object: write one object a line"
        raise FieldsError("malformed_json", message)
    return draft_of(value, line)


READER: Final[Reader] = _JsonLines()
