"""From sources, as the user gives them, to the files in them."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast
from urllib.parse import quote, urlsplit, urlunsplit

import pyarrow as pa
from pyarrow import fs

from pipeline.ingest.readers import SUFFIXES, reader_of
from pipeline.ingest.readers.base import Bytes
from pipeline.ingest.records import Limits, Rejected

_UNFINISHED_NAMES: Final = ("_temporary", "_SUCCESS")
_UNFINISHED_PREFIXES: Final = (".", "~$")
_UNFINISHED_SUFFIXES: Final = ("~", ".tmp", ".temp", ".part", ".partial", ".crdownload", ".swp")
"""Names that editors, downloads, Spark and Office give to files hidden, or not yet whole."""

_CHUNK: Final = 2**20


class SourceNotFound(Exception):  # noqa: N818 - says all that an Error suffix would
    """A source that is no file, folder or readable URI; the message names it."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file of a source. Can be sent to another process.

    ``source`` is the name that the tables keep: the source as given (less a password in a URI)
    joined with the path inside it. It is itself a source. ``size`` is in bytes.
    """

    source: str
    size: int
    path: str
    filesystem: fs.FileSystem = field(repr=False)

    def open(self) -> Bytes:
        """Open the file for reading bytes in sequence, compressed ones as they are.

        Raises OSError when it cannot be opened.
        """
        return cast(Bytes, self.filesystem.open_input_stream(self.path, compression=None))

    def open_seekable(self) -> pa.NativeFile:
        """Open the file for reading at any place. Raises OSError when it cannot be opened."""
        return self.filesystem.open_input_file(self.path)

    def sha256(self) -> str:
        """Return the SHA-256 of the file's bytes, in hex. Raises OSError when it cannot be read."""
        digest = hashlib.sha256()
        with self.open() as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Root:
    """A source that exists: where it lies, and how the names of its files begin."""

    given: str
    path: str
    filesystem: fs.FileSystem
    is_file: bool

    @property
    def is_local(self) -> bool:
        return isinstance(self.filesystem, fs.LocalFileSystem)

    def name(self, relative: str) -> str:
        """Return the source name of the file at ``relative``, empty for the root itself."""
        if "://" not in self.given:
            return f"{self.given.rstrip('/')}/{relative}" if relative else self.given
        parts = urlsplit(self.given)
        path = f"{parts.path.rstrip('/')}/{quote(relative)}" if relative else parts.path
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], path=path))

    def file(self, relative: str, size: int) -> InputFile:
        path = f"{self.path.rstrip('/')}/{relative}" if relative else self.path
        return InputFile(self.name(relative), size, path, self.filesystem)


def find(sources: Sequence[str], limits: Limits) -> Iterator[InputFile | Rejected]:
    """Yield the files of ``sources``, in the order given, a folder's sorted by path.

    A source is a file or folder, as a local path or a URI of pyarrow's file systems. Hidden and
    unfinished files are passed over, a file met twice is yielded once. A file of unknown format or
    reached by a link out of its folder is a :class:`Rejected`.

    Raises :class:`SourceNotFound` at the call, before anything is yielded.
    """
    return _files([_root(source) for source in sources], limits)


def _files(roots: Sequence[_Root], limits: Limits) -> Iterator[InputFile | Rejected]:
    seen: set[str] = set()
    for root in roots:
        for found in _files_of(root):
            if isinstance(found, InputFile):
                identity = f"{found.filesystem.type_name}:{found.path}"
                if identity in seen:
                    continue
                seen.add(identity)
                if reader_of(found.path) is None:
                    yield _unknown_format(found, limits)
                    continue
            yield found


def _root(source: str) -> _Root:
    """Find ``source``. Raises :class:`SourceNotFound`."""
    if not source.strip():  # an unset variable in a script is not the working folder
        raise SourceNotFound(f"{source!r} names nothing: give a file or folder")
    try:
        if "://" in source:
            filesystem, path = fs.FileSystem.from_uri(source)
        else:
            filesystem, path = fs.LocalFileSystem(), str(Path(source).absolute())
        kind = filesystem.get_file_info(path).type
    except (OSError, ValueError, NotImplementedError, pa.ArrowException) as error:
        raise SourceNotFound(f"{source!r} cannot be read as a path or URI: {error}") from error
    if kind == fs.FileType.NotFound:
        raise SourceNotFound(f"{source!r} does not exist: give a file or folder that does")
    return _Root(source, path, filesystem, is_file=kind == fs.FileType.File)


def _files_of(root: _Root) -> Iterator[InputFile | Rejected]:
    if not root.is_local:
        yield from _remote_files(root)
        return
    place = Path(os.path.realpath(root.path))
    for relative in _local_entries(place) if place.is_dir() else [""]:
        yield _local_file(root, place, relative)


def _local_entries(folder: Path) -> list[str]:
    """List the files, links and unlistable folders under ``folder``, by relative path, sorted."""
    found: list[Path] = []
    unlistable: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=unlistable.append):
        folders[:] = [name for name in folders if not _is_passed_over(name)]
        found += [Path(parent, name) for name in files if not _is_passed_over(name)]
        # A link to a folder inside adds nothing: its files are found at their own place.
        links = [path for path in (Path(parent, name) for name in folders) if path.is_symlink()]
        found += [path for path in links if not _leads_into(path, folder)]
    found += [Path(error.filename) for error in unlistable]
    relative = [path.relative_to(folder).as_posix() for path in found]
    return sorted("" if path == "." else path for path in relative)


def _local_file(root: _Root, folder: Path, relative: str) -> InputFile | Rejected:
    name = root.name(os.fsencode(relative).decode(errors="replace"))
    path = folder / relative if relative else folder
    if relative and not _leads_into(path, folder):
        return Rejected(
            name, "outside_source", "a link that leads out of the source: name its target instead"
        )
    target = os.path.realpath(path)
    try:
        target.encode()
        status = Path(target).stat()
    except UnicodeEncodeError:
        return Rejected(name, "unreadable", "the file's name is not UTF-8: rename it")
    except OSError as error:
        return _unreadable(name, error.strerror or str(error))
    if stat.S_ISDIR(status.st_mode):
        return _unreadable(name, "the folder cannot be listed")
    if not stat.S_ISREG(status.st_mode):
        return _unreadable(name, "not a regular file")
    return InputFile(name, status.st_size, target, root.filesystem)


def _leads_into(path: Path, folder: Path) -> bool:
    """Tell whether ``path``, all links followed, lies in ``folder``, itself free of links."""
    return Path(os.path.realpath(path)).is_relative_to(folder)


def _remote_files(root: _Root) -> Iterator[InputFile | Rejected]:
    if root.is_file:
        yield root.file("", root.filesystem.get_file_info(root.path).size)
        return
    folder = root.path.rstrip("/") + "/"
    try:
        listing = root.filesystem.get_file_info(fs.FileSelector(root.path, recursive=True))
    except (OSError, pa.ArrowException) as error:
        yield _unreadable(root.name(""), str(error))
        return
    sizes = {
        info.path.removeprefix(folder): info.size
        for info in listing
        if info.type == fs.FileType.File
    }
    for relative, size in sorted(sizes.items()):
        if not any(map(_is_passed_over, relative.split("/"))):
            yield root.file(relative, size)


def _is_passed_over(name: str) -> bool:
    return (
        name in _UNFINISHED_NAMES
        or name.startswith(_UNFINISHED_PREFIXES)
        or name.endswith(_UNFINISHED_SUFFIXES)
    )


def _unknown_format(file: InputFile, limits: Limits) -> Rejected:
    try:
        with file.open() as stream:
            payload = stream.read(limits.payload)
    except OSError as error:
        return _unreadable(file.source, str(error))
    message = f"no reader for this file name: give one of {', '.join(SUFFIXES)}"
    return Rejected(file.source, "unknown_format", message, payload=payload)


def _unreadable(name: str, reason: str) -> Rejected:
    return Rejected(
        name, "unreadable", f"{' '.join(reason.split())}: check the file and its permissions"
    )
