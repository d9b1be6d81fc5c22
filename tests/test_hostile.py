"""Input made to break things: every stage before the model takes it, or says why not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import languages
from pipeline.detect import detect
from pipeline.ingest import Incoming, InputFile, Limits, Rejected, find, read, to_tables

NIGHT = date(2026, 3, 5)
MARKS = "\u0301\u0489\u093c\u094d\u200d\u200c\u200e\u200f\u202a\u202e\u2066\ufeff\u00ad\0\x1b\ufffd"
SHAPES = {
    "no space": "a" * 10_000_000,
    "combining marks": "e" + "\u0301" * 100_000,
    "right to left marks": "\u202e\u200fabc " * 20_000,
    "NULs": "a\0" * 50_000,
    "blank lines": "\n" * 100_000 + "x",
    "one letter a line": "a\n" * 5_000,
    "brackets": "([{<" * 25_000,
    "apostrophes": "Putin'" * 10_000,
    "capitals": "Ab " * 10_000,
    "dates": "2025-11-26 " * 5_000,
    "addresses": "http://" * 10_000,
}


def read_all(path: Path, limits: Limits | None = None) -> list[Incoming | Rejected]:
    limits = limits or Limits()

    def found() -> Iterator[Incoming | Rejected]:
        for item in find([str(path)], limits):
            if isinstance(item, InputFile):
                yield from read(item, NIGHT, limits)
            else:
                yield item

    return list(found())


def segments_of(text: str) -> pa.Table:
    document = Incoming(text, None, NIGHT, "run", None, "a.txt", None, None, None)
    documents, _ = to_tables([document], "run")
    return detect(documents, "run")[1]


@pytest.mark.parametrize("shape", SHAPES)
def test_texts_of_hostile_shapes_are_cut_into_segments(shape: str) -> None:
    text = SHAPES[shape]
    spans = segments_of(text).select(["start", "end"]).to_pylist()
    ends = [0, *(span["end"] for span in spans)]
    assert all(span["start"] >= end for span, end in zip(spans, ends, strict=False))
    assert ends[-1] <= len(text)


@settings(max_examples=30, deadline=None)
@given(st.text(alphabet=st.sampled_from(MARKS + "aşỆक \n'")))
def test_marks_break_neither_segments_nor_language_rules(text: str) -> None:
    assert all(0 <= row["start"] < row["end"] <= len(text) for row in segments_of(text).to_pylist())
    for code in languages.CODES:
        language = languages.get(code)
        language.readings(text)
        language.suffix_after(text, len(text) // 2)
        assert language.fold(text).isascii()


def test_a_zip_bomb_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "bomb.jsonl.gz"
    line = json.dumps({"text": "Kenya won."}).encode() + b"\n"
    path.write_bytes(gzip.compress(line + b"0" * 50_000_000))
    assert path.stat().st_size < 100_000
    found = read_all(path, Limits(document=1_000, unpacked=1_000_000, payload=10))
    assert [type(item).__name__ for item in found] == ["Incoming", "Rejected", "Rejected"]
    assert [item.error for item in found if isinstance(item, Rejected)] == ["too_large"] * 2
    assert all(len(item.payload or b"") <= 10 for item in found if isinstance(item, Rejected))


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 200_000,
        b'{"text": ' * 50_000,
        b'{"text": "\\ud800"}',
        b'{"text": "\\udfff\\ud800"}',
        b'{"text": "a", "id": ' + b"9" * 5_000 + b"}",
        b'{"text": NaN}',
        b'{"text": "\xff"}',
        b'{"text": {"text": "a"}}',
    ],
)
def test_a_hostile_line_costs_itself_alone(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "lines.jsonl"
    good = json.dumps({"text": "Kenya won."}).encode()
    path.write_bytes(good + b"\n" + line + b"\n" + good)
    before, bad, after = read_all(path)
    assert isinstance(before, Incoming) and isinstance(after, Incoming)
    assert isinstance(bad, Rejected) and bad.line == 2
    assert "\n" not in bad.message


def test_scripts_and_styles_of_a_page_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    prose = "<p>Maia Sandu met Ursula von der Leyen in Brussels to talk about trade.</p>" * 9
    path.write_text(
        f"<html><head><style>p {{color: red}}</style></head><body><script>var stolen = 1;</script>"
        f"<article><h1>Sandu in Brussels</h1>{prose}"
        f"<script>document.write('<p>stolen</p>')</script>"
        f"<p onclick='stolen()'>Nothing else was said.</p></article></body></html>",
        "utf-8",
    )
    [page] = read_all(path)
    assert isinstance(page, Incoming)
    assert "Maia Sandu" in page.text
    assert "stolen" not in page.text and "color" not in page.text


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    data=st.binary(max_size=300), suffix=st.sampled_from([".txt", ".jsonl", ".html", ".parquet"])
)
def test_random_bytes_are_read_or_rejected(tmp_path: Path, data: bytes, suffix: str) -> None:
    path = tmp_path / f"random{suffix}"
    path.write_bytes(data)
    for item in read_all(path):
        if isinstance(item, Incoming):
            item.text.encode()
        else:
            assert "\n" not in item.message


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    secret, landing = tmp_path / "secret", tmp_path / "landing"
    (secret / "deep").mkdir(parents=True)
    landing.mkdir()
    (secret / "a.txt").write_text("secret", "utf-8")
    (landing / "file.txt").symlink_to(secret / "a.txt")
    (landing / "folder").symlink_to(secret)
    (landing / "above").symlink_to("..")
    (landing / "chain.txt").symlink_to(landing / "file.txt")
    (landing / "gone.txt").symlink_to(secret / "nowhere.txt")
    found = read_all(landing)
    assert len(found) == 5
    assert {item.error for item in found if isinstance(item, Rejected)} == {"outside_source"}
    assert not any(isinstance(item, Incoming) for item in found)
