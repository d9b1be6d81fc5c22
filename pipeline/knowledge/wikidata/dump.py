"""The lines of a compressed file, from any place that an earlier reading reached.

Wikidata's dumps come as gzip or bzip2. A file of either may consist of many members, each
compressed for itself (RFC 1952, section 2.2; bzip2's streams, as pbzip2 writes them): a reading
goes on at the start of the member it had reached, and unpacks only that one again.
"""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Protocol

from pipeline.knowledge.files import KnowledgeError

_CHUNK: Final = 1 << 20


class Place(NamedTuple):
    """Where a line starts.

    ``member`` is the offset in the file of the member that the line starts in, ``offset`` how many
    unpacked bytes of that member come before it, ``line`` how many lines of the file do.
    """

    member: int = 0
    offset: int = 0
    line: int = 0


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class _Stored:
    """Takes an uncompressed file for a single member."""

    eof = False
    unused_data = b""

    def decompress(self, data: bytes, /) -> bytes:
        return data


def lines(path: Path, start: Place) -> Iterator[tuple[bytes, Place]]:
    """Yield the lines of ``path`` (.gz, .bz2 or plain) from ``start`` on, without their ends.

    Each with the place behind it. Holds one line and a block in memory. Raises
    :class:`pipeline.knowledge.files.KnowledgeError` when the file is damaged or cut off.
    """
    number = start.line
    begun: list[bytes] = []
    member = offset = 0
    for member, offset, block in _blocks(path, start):
        first = 0
        while (end := block.find(b"\n", first)) >= 0:
            begun.append(block[first:end])
            number += 1
            yield b"".join(begun), Place(member, offset + end + 1, number)
            begun.clear()
            first = end + 1
        begun.append(block[first:])
        offset += len(block)
    if last := b"".join(begun):
        yield last, Place(member, offset, number + 1)


def _blocks(path: Path, start: Place) -> Iterator[tuple[int, int, bytes]]:
    """Yield unpacked blocks, each with its member and its offset there."""
    skip = start.offset
    try:
        with path.open("rb") as file:
            file.seek(start.member)
            for member, offset, block in _members(path, file):
                passed = min(skip, len(block)) if member == start.member else 0
                skip -= passed
                if passed < len(block):
                    yield member, offset + passed, block[passed:]
    except FileNotFoundError:
        raise KnowledgeError(f"there is no file {path}: check the path") from None
    except (zlib.error, OSError, EOFError) as error:
        raise KnowledgeError(f"{path} is damaged ({error}): download it again") from None


def _members(path: Path, file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    member, offset = file.tell(), 0
    decompressor = _decompressor(path)
    fed = False
    while chunk := file.read(_CHUNK):
        while chunk:
            block = decompressor.decompress(chunk)
            fed = True
            if block:
                yield member, offset, block
                offset += len(block)
            chunk = decompressor.unused_data if decompressor.eof else b""
            if decompressor.eof:
                member, offset = file.tell() - len(chunk), 0
                decompressor = _decompressor(path)
                fed = False
    if fed and not isinstance(decompressor, _Stored):
        raise EOFError("it ends in the middle")


def _decompressor(path: Path) -> _Decompressor:
    if path.suffix == ".gz":
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    if path.suffix == ".bz2":
        return bz2.BZ2Decompressor()
    return _Stored()
