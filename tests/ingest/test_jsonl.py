from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest import Incoming, Limits, Rejected
from pipeline.ingest.readers.jsonl import READER

from .conftest import NIGHT, FakeFile, ReadFile

MEGABYTE = 2**20


def _line(**fields: object) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def _texts(found: list[Incoming | Rejected]) -> list[str]:
    return [item.text for item in found if isinstance(item, Incoming)]


def _errors(found: list[Incoming | Rejected]) -> list[tuple[str, int | None]]:
    return [(item.error, item.line) for item in found if isinstance(item, Rejected)]


def test_all_fields(read_file: ReadFile) -> None:
    data = _line(
        id=17,
        text="Metin",
        title="Başlık",
        url="https://x.example/1",
        date="2025-11-25",
        lang="tr-TR",
    )
    [document] = read_file("a.jsonl", data)
    assert isinstance(document, Incoming)
    assert document.text == "Başlık\n\nMetin"
    assert document.title == "Başlık"
    assert (document.source_id, document.url, document.line) == ("17", "https://x.example/1", 1)
    assert (document.date.isoformat(), document.date_origin) == ("2025-11-25", "input")
    assert document.lang_hint == "tr"


@pytest.mark.parametrize(
    ("name", "pack"),
    [("a.jsonl", bytes), ("a.jsonl.gz", gzip.compress), ("a.jsonl.zst", zstd.compress)],
)
def test_plain_and_compressed(
    read_file: ReadFile, name: str, pack: Callable[[bytes], bytes]
) -> None:
    data = b"\xef\xbb\xbf" + _line(text="one") + b"\r\n\n" + _line(text="two", title=None)[:-1]
    found = read_file(name, pack(data))
    assert _texts(found) == ["one", "two"]
    assert [item.line for item in found] == [1, 4]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b'{"title": "no text"}', "missing_text"),
        (b'{"text": null}', "missing_text"),
        (b'{"text": ""}', "empty"),
        (b'{"text": " \\n "}', "empty"),
        (b'{"text": 5}', "wrong_type"),
        (b'{"text": "a", "title": ["b"]}', "wrong_type"),
        (b'{"text": "a", "id": {}}', "wrong_type"),
        (b'{"text": "a", "id": true}', "wrong_type"),
        (b'{"text": "a", "lang": 1}', "wrong_type"),
        (b'{"text": "a"', "malformed_json"),
        (b"[]", "malformed_json"),
        (b"text", "malformed_json"),
        (b'{"text": "\\ud800 alone"}', "malformed_json"),
        (b'{"text": "a", "title": "\\udfff"}', "malformed_json"),
        (b'{"text": "a", "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "malformed_json"),
        (b'{"text": "a", "x": ' + b"9" * 10_000 + b"}", "malformed_json"),
        ('{"text": "Türkiye"}'.encode("cp1254"), "not_utf8"),
    ],
)
def test_a_bad_line_is_rejected_and_the_next_one_read(
    read_file: ReadFile, line: bytes, error: str
) -> None:
    found = read_file("a.jsonl", line + b"\n" + _line(text="good"))
    assert _errors(found) == [(error, 1)]
    assert _texts(found) == ["good"]
    [rejected] = [item for item in found if isinstance(item, Rejected)]
    assert "\n" not in rejected.message
    if error != "empty":
        assert rejected.payload == line[: Limits().payload]


def test_a_whole_surrogate_pair_is_a_character(read_file: ReadFile) -> None:
    assert _texts(read_file("a.jsonl", b'{"text": "\\ud83c\\uddf0"}')) == ["🇰"]


@pytest.mark.parametrize("date", ["sometime", 5, None, "2026-01-01", [], ""])
def test_a_bad_date_is_no_date(read_file: ReadFile, date: object) -> None:
    [document] = read_file("a.jsonl", _line(text="Text", date=date))
    assert isinstance(document, Incoming)
    assert (document.date, document.date_origin) == (NIGHT, "run")


def test_a_truncated_gzip_file_keeps_its_good_lines(read_file: ReadFile) -> None:
    data = b"".join(_line(text=f"Text {number}", id=number) for number in range(50))
    for cut in (1, 8, 40):
        found = read_file("a.jsonl.gz", gzip.compress(data)[:-cut])
        texts = _texts(found)
        assert texts == [f"Text {number}" for number in range(len(texts))]
        assert texts
        assert [error for error, _ in _errors(found)] == ["truncated"]
    assert len(_texts(read_file("a.jsonl.gz", gzip.compress(data)[:-1]))) == 50


def test_a_truncated_zstandard_file(read_file: ReadFile) -> None:
    found = read_file("a.jsonl.zst", zstd.compress(_line(text="Text"))[:-3])
    assert [error for error, _ in _errors(found)] == ["truncated"]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
def test_a_file_that_is_not_compressed_as_named(read_file: ReadFile, name: str) -> None:
    assert _errors(read_file(name, _line(text="plain"))) == [("unreadable", 1)]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"])
@pytest.mark.parametrize("data", [b"", b"\n \n"])
def test_a_file_without_lines(read_file: ReadFile, name: str, data: bytes) -> None:
    pack = {"jsonl": bytes, "gz": gzip.compress, "zst": zstd.compress}[name.rpartition(".")[2]]
    assert _errors(read_file(name, pack(data))) == [("empty", None)]


def test_utf_16_is_rejected_as_a_whole(read_file: ReadFile) -> None:
    data = b"".join([_line(text="one"), _line(text="two")]).decode().encode("utf-16")
    [rejected] = read_file("a.jsonl", data, Limits(payload=20))
    assert isinstance(rejected, Rejected)
    assert rejected.error == "not_utf8"
    assert "UTF-16" in rejected.message
    assert rejected.payload == data[:20]


def test_what_is_no_number_is_no_id(read_file: ReadFile) -> None:
    lines = b'{"text": "a", "id": NaN}\n{"text": "b", "id": -Infinity}\n{"text": "c", "id": 7.0}'
    found = read_file("a.jsonl", lines)
    assert [item.source_id for item in found if isinstance(item, Incoming)] == [None, None, "7"]


class _Zeros(io.RawIOBase):
    """A stream of one endless line, then a good one; counts the most bytes asked for at once."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.tail = b"\n" + _line(text="after")

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1, /) -> bytes:
        if self.left:
            size = min(size, self.left)
            self.left -= size
            return b"0" * size
        tail, self.tail = self.tail, b""
        return tail


class _LongLine(FakeFile):
    def open(self) -> _Zeros:  # type: ignore[override]
        return _Zeros(50 * MEGABYTE)


def test_a_line_of_50_megabytes_is_cut_and_the_next_one_read() -> None:
    tracemalloc.start()
    try:
        limits = Limits(document=MEGABYTE, payload=1000)
        found = list(READER.read(_LongLine("a.jsonl", b""), NIGHT, limits))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    [rejected, document] = found
    assert isinstance(rejected, Rejected)
    assert (rejected.error, rejected.line, rejected.payload) == ("too_large", 1, b"0" * 1000)
    assert not isinstance(document, Rejected)
    assert (document.text, document.line) == ("after", 2)
    assert peak < 4 * MEGABYTE


def test_a_compressed_file_stops_at_its_limit(read_file: ReadFile) -> None:
    bomb = _line(text="first") + b"0" * (3 * MEGABYTE)
    found = read_file("a.jsonl.gz", gzip.compress(bomb), Limits(unpacked=2 * MEGABYTE))
    assert _texts(found) == ["first"]
    assert [error for error, _ in _errors(found)] == ["too_large"]


def test_lines_are_read_one_by_one() -> None:
    """A reader that took in the whole file first would fail here."""

    class Endless(FakeFile):
        def open(self) -> io.RawIOBase:  # type: ignore[override]
            return _Endless()

    class _Endless(_Zeros):
        def __init__(self) -> None:
            super().__init__(0)

        def read1(self, size: int = -1, /) -> bytes:
            return _line(text="again")

    documents: Iterator[object] = READER.read(Endless("a.jsonl", b""), NIGHT, Limits())
    assert [next(documents) is not None for _ in range(3)] == [True] * 3


@given(st.binary(), st.sampled_from(["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"]), st.booleans())
def test_any_bytes_are_read_or_rejected(data: bytes, name: str, pack: bool) -> None:
    if pack and name.endswith("gz"):
        data = gzip.compress(data)[: len(data) + 10]
    if pack and name.endswith("zst"):
        data = zstd.compress(data)[: len(data) + 10]
    assert list(READER.read(FakeFile(name, data), NIGHT, Limits(document=64, payload=8)))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["text", "id", "date"]), inner),
    max_leaves=4,
)


@settings(max_examples=50)
@given(st.lists(_JSON, min_size=1, max_size=4))
def test_any_json_is_read_or_rejected_line_by_line(values: list[object]) -> None:
    data = "\n".join(map(json.dumps, values)).encode()
    found = list(READER.read(FakeFile("a.jsonl", data), NIGHT, Limits()))
    assert [item.line for item in found] == list(range(1, len(values) + 1))
