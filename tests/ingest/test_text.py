from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest import Incoming, Limits, Rejected
from pipeline.ingest.readers.text import READER
from pipeline.ingest.records import Draft

from .conftest import NIGHT, FakeFile, ReadFile


def test_the_text_is_kept_as_it_is(read_file: ReadFile) -> None:
    text = "  Bişkek’te\r\n\r\nSadır Caparov\tgörüştü. \n\n"
    [document] = read_file("a.txt", text.encode())
    assert isinstance(document, Incoming)
    assert document.text == text
    assert (document.title, document.line, document.source_id) == (None, None, None)


def test_a_byte_order_mark_is_dropped(read_file: ReadFile) -> None:
    [document] = read_file("a.TXT", b"\xef\xbb\xbfSalut")
    assert isinstance(document, Incoming)
    assert document.text == "Salut"


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (b"", "empty", "empty"),
        (b" \n\t ", "empty", "empty"),
        ("﻿".encode(), "empty", "empty"),
        ("Türkiye".encode("utf-16"), "not_utf8", "UTF-16"),
        ("Turkey today".encode("utf-16-le"), "not_utf8", "UTF-16"),
        ("Turkey today".encode("utf-16-be"), "not_utf8", "UTF-16"),
        ("Türkiye".encode("utf-32"), "not_utf8", "UTF-32"),
        ("Türkiye".encode("cp1254"), "not_utf8", "byte 1"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00 some words", "binary", "binary"),
        (b"\x01\x02\x03\x04abc", "binary", "binary"),
        (b"x" * 101, "too_large", "100 bytes"),
    ],
)
def test_what_is_no_text_is_rejected(
    read_file: ReadFile, data: bytes, error: str, said: str
) -> None:
    [rejected] = read_file("a.txt", data, Limits(document=100, payload=8))
    assert isinstance(rejected, Rejected)
    assert rejected.error == error
    assert said in rejected.message
    assert "\n" not in rejected.message
    assert rejected.payload is None or rejected.payload == data[:8]


def test_random_binary_files_are_rejected(read_file: ReadFile, tmp_path: Path) -> None:
    [rejected] = read_file("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + os.urandom(64))
    assert isinstance(rejected, Rejected)
    assert rejected.error == "binary"


@given(st.binary())
def test_any_bytes_are_read_or_rejected(data: bytes) -> None:
    [found] = READER.read(FakeFile("a.txt", data), NIGHT, Limits())
    if isinstance(found, Draft):
        assert found.text.encode() == data.removeprefix(b"\xef\xbb\xbf")
