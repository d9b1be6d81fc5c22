"""Whole files or none: Parquet and JSON written beside their place, synced, then renamed."""

from __future__ import annotations

import errno
import filecmp
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP_ROWS: Final = 16_384
"""Rows in a row group. Fixed, so that equal rows give equal bytes however they arrived."""

_UNFINISHED: Final = ".partial"
_WRITER: Final = f".{socket.gethostname()}-{os.getpid()}"
"""In the name of an unfinished table: two workers may be at the same shard, one of them given up
for lost by the cluster."""

_NO_HARD_LINKS: Final = {errno.EMLINK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}


def _go_on(step: str, path: Path) -> None:
    """Do nothing."""


reached: Callable[[str, Path], None] = _go_on
"""Called at every step on the disk with its name and the file it is about: ``write`` (part of the
file is written), ``sync``, ``rename``, ``link`` and ``remove`` (before each), ``commit`` (all is in
the transaction) and ``done``. It does nothing; tests of reliability put in its place what kills the
process there, or fails as a full disk does.
"""


class SchemaMismatchError(ValueError):
    """Rows that are about to be written break their table's schema."""


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return ``table`` with exactly the columns, types and metadata of ``schema``.

    Raises:
        SchemaMismatchError: a column is missing, cannot be cast, or holds nulls it may not hold.
    """
    missing = set(schema.names) - set(table.column_names)
    if missing:
        raise SchemaMismatchError(f"columns missing: {', '.join(sorted(missing))}")
    columns = []
    for field in schema:
        column = table.column(field.name)
        if column.null_count and not field.nullable:
            raise SchemaMismatchError(f"column {field.name} holds {column.null_count} nulls")
        try:
            columns.append(column.cast(field.type))
        except pa.ArrowInvalid as error:
            raise SchemaMismatchError(f"column {field.name}: {error}") from error
    return pa.Table.from_arrays(columns, schema=schema)


def write_parquet(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    """Write the rows of ``tables`` to ``path`` and return their number.

    The file appears whole or not at all. It has the full schema also when there is no row, and
    the same rows in the same order give the same bytes however they were cut into tables.

    Raises:
        SchemaMismatchError: rows break ``schema``; ``path`` is left as it was.
    """
    make_folder(path.parent)
    partial = path.with_name(path.name + _WRITER + _UNFINISHED)
    rows = 0
    with pq.ParquetWriter(partial, schema, compression="zstd", write_page_index=True) as writer:
        for group in _regrouped(tables, schema):
            writer.write_table(group, row_group_size=ROW_GROUP_ROWS)
            rows += group.num_rows
        reached("write", partial)
    _finish(partial, path)
    return rows


def _finish(partial: Path, path: Path) -> None:
    reached("sync", partial)
    sync_file(partial)
    move(partial, path)


def _regrouped(tables: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    waiting = schema.empty_table()
    for table in tables:
        waiting = pa.concat_tables([waiting, conform(table, schema)])
        while waiting.num_rows >= ROW_GROUP_ROWS:
            yield waiting.slice(0, ROW_GROUP_ROWS).combine_chunks()
            waiting = waiting.slice(ROW_GROUP_ROWS).combine_chunks()
    if waiting.num_rows:
        yield waiting.combine_chunks()


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` to ``path`` as JSON; the file appears whole or not at all."""
    make_folder(path.parent)
    partial = path.with_name(path.name + _UNFINISHED)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1)
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        reached("write", partial)
    _finish(partial, path)


def read_json(path: Path) -> Any:
    """Read what :func:`write_json` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def move(source: Path, target: Path) -> None:
    """Put ``source`` in the place of ``target``, at once."""
    reached("rename", source)
    source.replace(target)
    sync_folder(target.parent)
    reached("done", target)


def link(source: Path, target: Path) -> None:
    """Give the file ``source`` a second name; it is copied where there are no hard links."""
    reached("link", target)
    make_folder(target.parent)
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        shutil.copyfile(source, target)
        sync_file(target)


def same(one: Path, other: Path) -> bool:
    """Tell whether two files are one, or hold the same bytes."""
    return one.samefile(other) or filecmp.cmp(one, other, shallow=False)


def make_folder(folder: Path) -> None:
    """Make a folder, if it is not there, and every one it lies in; they are on the disk then."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def remove(path: Path) -> None:
    """Remove a file for good, if it is there."""
    if path.exists():
        reached("remove", path)
        path.unlink()
        sync_folder(path.parent)


def remove_folder(folder: Path) -> None:
    """Remove a folder and all in it for good, if it is there."""
    if folder.exists():
        reached("remove", folder)
        shutil.rmtree(folder)
        sync_folder(folder.parent)


def sync_file(path: Path) -> None:
    """Return when the file's bytes are on the disk."""
    _sync(path, os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Return when the folder's entries are on the disk."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
