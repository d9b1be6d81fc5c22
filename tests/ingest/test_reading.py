from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest import ERRORS, Incoming, InputFile, Limits, Rejected, find, read
from pipeline.ingest.reading import with_title

from .conftest import NIGHT, ReadFile


@pytest.mark.parametrize(
    ("text", "title", "expected"),
    [
        ("Text.", None, "Text."),
        ("Text.", "Title", "Title\n\nText."),
        ("Title\n\nText.", "Title", "Title\n\nText."),
        ("  A  long\ntitle and text", "A long title", "  A  long\ntitle and text"),
        ("A long title", "A  long\u00a0title ", "A long title"),
        ("title\nText", "Title", "Title\n\ntitle\nText"),
        (" Text ", " Title ", " Title \n\n Text "),
    ],
)
def test_titles(text: str, title: str | None, expected: str) -> None:
    assert with_title(text, title) == expected


@given(st.text(min_size=1), st.none() | st.text(min_size=1))
def test_a_title_is_put_before_a_text_once(text: str, title: str | None) -> None:
    once = with_title(text, title)
    assert once.endswith(text)
    assert with_title(once, title) == once


@given(st.text(min_size=1).filter(lambda text: not text.isspace()))
def test_counts_and_ids_are_those_of_the_stored_text(text: str) -> None:
    document = Incoming(text, None, NIGHT, "run", None, "a.txt", None, None, None)
    assert document.n_chars == len(text)
    assert 0 <= document.n_words <= len(text.split())
    assert len(document.doc_id) == 32


def test_words() -> None:
    text = "Putin'ın – 26 kişi ... किर्गिस्तान का दौरा | (EAEU)"
    document = Incoming(text, None, NIGHT, "run", None, "a.txt", None, None, None)
    assert document.n_words == 7


def test_a_blank_title_is_none(read_file: ReadFile) -> None:
    [document] = read_file("a.jsonl", b'{"text": "Text", "title": "  "}')
    assert isinstance(document, Incoming)
    assert (document.title, document.text) == (None, "Text")


def test_a_publication_line_dates_a_text(read_file: ReadFile) -> None:
    [document] = read_file("a.txt", "Başlık\nYayın Tarihi: 25.11.2025 14:41\nMetin".encode())
    assert isinstance(document, Incoming)
    assert (document.date.isoformat(), document.date_origin) == ("2025-11-25", "text")


def test_a_file_that_went_away_is_rejected(tmp_path: Path) -> None:
    for name in ("a.txt", "a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.parquet", "a.html"):
        (tmp_path / name).write_bytes(b"x")
    files = list(find([str(tmp_path)], Limits()))
    for file in files:
        assert isinstance(file, InputFile)
        Path(file.path).unlink()
        [rejected] = read(file, NIGHT, Limits())
        assert isinstance(rejected, Rejected)
        assert rejected.error == "unreadable"
        assert "\n" not in rejected.message


def test_a_broken_folder_gives_its_good_documents_and_reasons(tmp_path: Path) -> None:
    """An empty file, UTF-16, a truncated archive, no text, 50 MB in a line, a binary as .txt."""
    (tmp_path / "good.txt").write_text("Good text.", encoding="utf-8")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "utf16.txt").write_bytes("Metin burada.".encode("utf-16"))
    (tmp_path / "binary.txt").write_bytes(b"\x89PNG\r\n\x1a\n\0\0" + os.urandom(5000))
    lines = [json.dumps({"text": f"Line {number}."}).encode() for number in range(3)]
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b"\n".join(lines) + b"\n")[:-6])
    (tmp_path / "no_text.jsonl").write_bytes(b'{"title": "Title"}\n{"text": "After."}\n')
    with (tmp_path / "long.jsonl").open("wb") as file:
        file.write(b'{"text": "Before."}\n{"text": "')
        for _ in range(50):
            file.write(b"x" * 2**20)
        file.write(b'"}\n{"text": "Behind."}\n')
    (tmp_path / "notes.docx").write_bytes(b"PK\3\4")

    texts, errors = [], []
    for file_or_rejected in find([str(tmp_path)], Limits()):
        if isinstance(file_or_rejected, InputFile):
            found = list(read(file_or_rejected, NIGHT, Limits()))
        else:
            found = [file_or_rejected]
        texts += [item.text for item in found if isinstance(item, Incoming)]
        errors += [item for item in found if isinstance(item, Rejected)]

    assert sorted(texts) == [
        "After.", "Before.", "Behind.", "Good text.", "Line 0.", "Line 1.", "Line 2."
    ]  # fmt: skip
    assert [(Path(item.source).name, item.line, item.error) for item in errors] == [
        ("binary.txt", None, "binary"),
        ("cut.jsonl.gz", 4, "truncated"),
        ("empty.txt", None, "empty"),
        ("long.jsonl", 2, "too_large"),
        ("no_text.jsonl", 1, "missing_text"),
        ("notes.docx", None, "unknown_format"),
        ("utf16.txt", None, "not_utf8"),
    ]
    for item in errors:
        assert item.error in ERRORS
        assert item.stage == "ingest"
        assert item.payload is None or len(item.payload) <= Limits().payload
