from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest import Incoming, Limits, Rejected
from pipeline.ingest.readers.html import READER

from .conftest import NIGHT, FakeFile, ReadFile

PARAGRAPH = (
    "<p>İki ülkenin bakanları salı günü başkentte bir araya geldi ve ticaret ile enerji "
    "konularındaki görüşmeleri sürdürme kararı aldı. Yetkililer toplantının ardından gazetecilere "
    "ayrıntılı bir açıklama yaptı ve soruları yanıtladı.</p>"
)


def _page(head: str = "", top: str = "", middle: str = "", bottom: str = "") -> str:
    return (
        f"<html><head><title>Bakanlar başkentte buluştu</title>{head}</head><body>"
        "<nav><a href='/'>Ana sayfa</a> <a href='/spor'>Spor</a></nav>"
        f"<article><h1>Bakanlar başkentte buluştu</h1>{top}{PARAGRAPH}{middle}{PARAGRAPH}</article>"
        f"{bottom}</body></html>"
    )


def _date(read_file: ReadFile, page: str) -> tuple[str, str]:
    [document] = read_file("a.html", page.encode())
    assert isinstance(document, Incoming)
    return document.date.isoformat(), document.date_origin


def test_the_article_with_its_title_and_address(read_file: ReadFile) -> None:
    head = "<meta property='og:url' content='https://haber.example/bakanlar'>"
    [document] = read_file("a.htm", _page(head).encode())
    assert isinstance(document, Incoming)
    assert document.title == "Bakanlar başkentte buluştu"
    assert document.text.startswith("Bakanlar başkentte buluştu\n")
    assert "gazetecilere ayrıntılı" in document.text
    assert "Spor" not in document.text
    assert document.url == "https://haber.example/bakanlar"
    assert document.line is None


@pytest.mark.parametrize(
    ("encoding", "head"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("cp1254", "<meta charset=windows-1254>"),
        ("iso-8859-9", "<meta http-equiv='Content-Type' content='text/html; charset=iso-8859-9'>"),
    ],
)
def test_encodings(read_file: ReadFile, encoding: str, head: str) -> None:
    [document] = read_file("a.html", _page(head).encode(encoding))
    assert isinstance(document, Incoming)
    assert "konularındaki görüşmeleri" in document.text


@pytest.mark.parametrize(
    "page",
    [
        _page("<meta property='article:published_time' content='2025-11-25T13:00:00+03:00'>"),
        _page("<meta name='pubdate' content='2025-11-25'>"),
        _page(
            "<script type='application/ld+json'>"
            '{"@type": "NewsArticle", "datePublished": "2025-11-25T10:00:00Z"}</script>'
        ),
        _page(top="<time datetime='2025-11-25T10:00'>dün</time>"),
        _page(bottom="<meta itemprop='datePublished' content='2025-11-25'>"),
        _page("<link rel='canonical' href='https://x.example/2025/11/25/bakanlar.html'>"),
    ],
)
def test_a_date_that_the_page_states(read_file: ReadFile, page: str) -> None:
    assert _date(read_file, page) == ("2025-11-25", "input")


def test_a_publication_line_in_the_article(read_file: ReadFile) -> None:
    page = _page(top="<p>Yayın Tarihi: 25.11.2025 14:41</p>")
    assert _date(read_file, page) == ("2025-11-25", "text")


@pytest.mark.parametrize(
    "page",
    [
        _page(),
        _page(middle="<p>Savaş 24 Şubat 2022 tarihinde, <b>2022-02-24</b> günü başladı.</p>"),
        _page(middle="<p>Son <span>2023-10-07</span> saldırısından beri.</p>"),
        _page(
            middle="<blockquote class='twitter-tweet'><p>x</p>&mdash; Sputnik (@SputnikInt) "
            "<a href='https://x.com/1'>November 20, 2025</a>"
            "<time datetime='2025-11-20'>Nov 20</time></blockquote>"
        ),
        _page(bottom="<aside><h3>İlgili</h3><time datetime='2024-01-02'>2 Ocak</time></aside>"),
        _page(bottom="<footer>© 2019 - 2024 Örnek. Last updated 3 March 2024</footer>"),
        _page("<meta name='description' content='2023-10-07 saldırısının ardından'>"),
        _page("<meta property='article:published_time' content='2025-12-25T13:00:00Z'>"),
    ],
)
def test_other_dates_are_not_taken(read_file: ReadFile, page: str) -> None:
    assert _date(read_file, page) == (NIGHT.isoformat(), "run")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "empty"),
        (b"<html><body></body></html>", "extraction_failed"),
        (b"\x00\x01\x02 no page", "extraction_failed"),
        (b"https://example.com/", "extraction_failed"),
        (b"<div>" * 100_000, "extraction_failed"),
        (b"<p>" + b"x" * 2**20, "too_large"),
    ],
)
def test_pages_without_an_article(read_file: ReadFile, data: bytes, error: str) -> None:
    [rejected] = read_file("a.html", data, Limits(document=2**20, payload=100))
    assert isinstance(rejected, Rejected)
    assert rejected.error == error
    assert rejected.payload == data[:100]


@given(st.binary() | st.text().map(lambda text: f"<html><p>{text}</p>".encode()))
def test_any_bytes_are_read_or_rejected(data: bytes) -> None:
    assert len(list(READER.read(FakeFile("a.html", data), NIGHT, Limits()))) == 1
