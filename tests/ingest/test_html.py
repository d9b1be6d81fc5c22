from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest import Incoming, Limits, Rejected
from pipeline.ingest.readers.charset import decoded
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


VIETNAMESE = (
    "Thủ tướng Chính phủ đã chủ trì cuộc họp về phát triển kinh tế tại Hà Nội, với sự tham dự của "
    "nhiều bộ trưởng và đại diện các tỉnh. Ông nói rằng tăng trưởng quý này vượt kế hoạch đề ra."
)
UNNAMED = [
    (
        "cp1254",
        "Şırnak'ta konuşan bakan, İstanbul'daki görüşmelerin ardından işçilerin ücretlerinin "
        "artırılacağını açıkladı. Değişiklik yılbaşında yürürlüğe girecek, dedi.",
    ),
    (
        "cp1250",
        "Preşedintele a declarat la Chişinău că ţările vecine îşi reiau discuţiile despre energie, "
        "iar întâlnirea miniştrilor va avea loc săptămâna viitoare la Bucureşti – „fără condiţii”.",
    ),
    ("cp1258", VIETNAMESE),
    (
        "cp1252",
        "The minister’s visit to a café in Zürich, said the fiancée of Señor Núñez, was “déjà vu” "
        "for the façade of the Académie; nobody naïve enough to pay €5 for a crème brûlée stayed.",
    ),
    (
        "cp1252",
        "Die Brücke über den Fluss wird größer, erklärte der Präsident am Dienstag in Köln; für "
        "die Städte ändere sich dadurch nichts, weil die Straße schon früher gesperrt worden sei.",
    ),
    (
        "cp1252",
        "Le président a déclaré à Genève que les négociations avaient été repoussées à l'année "
        "prochaine, malgré l'accord signé par les députés français et leurs collègues étrangers.",
    ),
]


def _in_bytes(text: str, encoding: str) -> bytes:
    """Encode a text; windows-1258 has a letter with two marks only as a letter and a mark."""
    pieces = (
        one
        if _can_encode(one, encoding)
        else unicodedata.normalize("NFC", "".join(m for m in marks if m not in TONES))
        + "".join(m for m in marks if m in TONES)
        for one in text
        for marks in [unicodedata.normalize("NFD", one)]
    )
    return "".join(pieces).encode(encoding)


TONES = "\u0300\u0301\u0303\u0309\u0323"


def _can_encode(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _unnamed(text: str, encoding: str) -> bytes:
    paragraphs = f"<p>{text}</p>" * 3
    page = (
        "<html><head><title>1</title><script>var a = 'plain ascii words, many of them';</script>"
        f"</head><body><article>{paragraphs}</article></body></html>"
    )
    return _in_bytes(page, encoding)


@pytest.mark.parametrize(("encoding", "text"), UNNAMED)
def test_the_letters_tell_an_encoding_that_is_not_named(
    read_file: ReadFile, encoding: str, text: str
) -> None:
    [document] = read_file("a.html", _unnamed(text, encoding))
    assert isinstance(document, Incoming)
    assert text in document.text


@pytest.mark.parametrize(
    "text",
    [
        "Þórður Guðmundsson sagði að þjóðin hefði ekki gleymt því sem gerðist á Íslandi í fyrra.",
        "O presidente não falou às nações; então os cidadãos de São Paulo dirão que não irão lá.",
        "The singer Guðni of Reykjavík met Mr Þór and Mr Sýs, and nobody else in town saw them.",
    ],
)
def test_what_is_no_turkish_romanian_or_vietnamese_is_not_read_as_such(text: str) -> None:
    assert decoded(_unnamed(text, "cp1252")) in (
        _unnamed(text, "cp1252"),
        _unnamed(text, "cp1252").decode("cp1252"),
    )


def test_an_encoding_that_is_named_is_believed_and_unicode_is_known(read_file: ReadFile) -> None:
    text = UNNAMED[0][1]
    for page in (
        _page("<meta charset=windows-1254>").encode("cp1254"),
        _unnamed(text, "utf-8"),
        _unnamed(text, "utf-16"),
    ):
        assert decoded(page) is page


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_left(data: bytes) -> None:
    assert decoded(data) == data or isinstance(decoded(data), str)


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
