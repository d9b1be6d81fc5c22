from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import pytest
from pyarrow import fs

from pipeline.ingest import InputFile, Limits, Rejected, SourceNotFound, find, inputs


def _write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text of {name}", encoding="utf-8")


def _sources(*sources: str) -> list[str]:
    return [file.source for file in find(sources, Limits()) if isinstance(file, InputFile)]


def _rejected(*sources: str) -> list[tuple[str, str]]:
    found = find(sources, Limits())
    return [(item.source, item.error) for item in found if isinstance(item, Rejected)]


def test_a_folder_is_searched_in_sorted_order(tmp_path: Path) -> None:
    _write(tmp_path, "b.txt", "a/z.txt", "a/b/c.html", "a.txt", "A.JSONL", "é.txt")
    expected = ["A.JSONL", "a.txt", "a/b/c.html", "a/z.txt", "b.txt", "é.txt"]
    assert _sources(str(tmp_path)) == [f"{tmp_path}/{name}" for name in expected]
    assert _sources(f"{tmp_path}/") == [f"{tmp_path}/{name}" for name in expected]


def test_sources_keep_the_name_they_were_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, "data/raw/a b.txt")
    monkeypatch.chdir(tmp_path)
    assert _sources("data/raw") == ["data/raw/a b.txt"]
    assert _sources("data/raw/a b.txt") == ["data/raw/a b.txt"]
    uri = tmp_path.as_uri()
    assert _sources(uri) == [f"{uri}/data/raw/a%20b.txt"]
    assert _sources(*_sources(uri)) == _sources(uri)


def test_a_file_met_twice_comes_once(tmp_path: Path) -> None:
    _write(tmp_path, "a.txt", "b.txt")
    found = _sources(f"{tmp_path}/b.txt", str(tmp_path), tmp_path.as_uri())
    assert found == [f"{tmp_path}/b.txt", f"{tmp_path}/a.txt"]


def test_hidden_and_unfinished_files_are_passed_over(tmp_path: Path) -> None:
    names = [
        ".gitkeep",
        ".git/a.txt",
        "a.txt~",
        "a.txt.part",
        "~$a.txt",
        "_SUCCESS",
        "_temporary/a.txt",
    ]
    _write(tmp_path, *names)
    assert list(find([str(tmp_path)], Limits())) == []


def test_an_empty_folder_gives_nothing(tmp_path: Path) -> None:
    assert list(find([str(tmp_path)], Limits())) == []


def test_an_unknown_format_is_rejected(tmp_path: Path) -> None:
    _write(tmp_path, "a.pdf", "b")
    assert _rejected(str(tmp_path)) == [
        (f"{tmp_path}/a.pdf", "unknown_format"),
        (f"{tmp_path}/b", "unknown_format"),
    ]
    [rejected] = find([f"{tmp_path}/a.pdf"], Limits(payload=4))
    assert isinstance(rejected, Rejected)
    assert rejected.payload == b"text"
    assert ".jsonl.gz" in rejected.message


@pytest.mark.parametrize(
    "source", ["missing", "missing.txt", "nosuch://bucket/x", "file:///missing"]
)
def test_a_source_that_is_not_there(tmp_path: Path, source: str) -> None:
    _write(tmp_path, "a.txt")
    place = source if "://" in source else f"{tmp_path}/{source}"
    with pytest.raises(SourceNotFound, match=r"missing|nosuch"):
        find([str(tmp_path), place], Limits())


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    _write(tmp_path, "outside/secret.txt", "in/a.txt", "in/sub/b.txt")
    inside = tmp_path / "in"
    (inside / "file.txt").symlink_to(tmp_path / "outside/secret.txt")
    (inside / "folder").symlink_to(tmp_path / "outside")
    (inside / "sub/loop").symlink_to(inside)
    (inside / "again.txt").symlink_to(inside / "a.txt")
    assert _sources(str(inside)) == [f"{inside}/a.txt", f"{inside}/sub/b.txt"]
    assert _rejected(str(inside)) == [
        (f"{inside}/file.txt", "outside_source"),
        (f"{inside}/folder", "outside_source"),
    ]


def test_a_source_may_itself_be_a_link(tmp_path: Path) -> None:
    _write(tmp_path, "real/a.txt")
    (tmp_path / "raw").symlink_to(tmp_path / "real")
    assert _sources(f"{tmp_path}/raw") == [f"{tmp_path}/raw/a.txt"]


def test_what_is_no_readable_file_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "broken.txt").symlink_to(tmp_path / "gone.txt")
    (tmp_path / "self.txt").symlink_to(tmp_path / "self.txt")
    os.mkfifo(tmp_path / "pipe.txt")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/name\xff.txt")).write_bytes(b"x")
    found = _rejected(str(tmp_path))
    assert [error for _, error in found] == ["unreadable"] * 4
    for source, _ in found:
        source.encode()


def test_size_checksum_and_transport(tmp_path: Path) -> None:
    data = os.urandom(3 * 2**20)
    (tmp_path / "a.jsonl.gz").write_bytes(data)
    [file] = find([str(tmp_path)], Limits())
    assert isinstance(file, InputFile)
    assert file.size == len(data)
    assert file.sha256() == hashlib.sha256(data).hexdigest()
    with pickle.loads(pickle.dumps(file)).open() as stream:
        assert stream.read() == data


def test_a_remote_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system other than the local one, and a URI with a password, which no table keeps."""
    _write(tmp_path, "bucket/raw/b c.txt", "bucket/raw/sub/a.txt", "bucket/raw/.hidden/x.txt")
    remote = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())

    class Remote:
        @staticmethod
        def from_uri(uri: str) -> tuple[fs.FileSystem, str]:
            return remote, "bucket/raw"

    monkeypatch.setattr(inputs.fs, "FileSystem", Remote)
    files = list(find(["s3://key:secret@bucket/raw?region=eu-west-1"], Limits()))
    assert [file.source for file in files] == [
        "s3://bucket/raw/b%20c.txt?region=eu-west-1",
        "s3://bucket/raw/sub/a.txt?region=eu-west-1",
    ]
    [first, _] = files
    assert isinstance(first, InputFile)
    assert first.open().read() == b"text of bucket/raw/b c.txt"
