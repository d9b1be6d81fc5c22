"""What is fuzzed: functions of any bytes, which fail where a promise does not hold."""

from __future__ import annotations

import gzip
import io
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from backports import zstd

from pipeline import languages
from pipeline.detect import detect
from pipeline.ingest import ERRORS, Incoming, InputFile, Limits, Rejected, find, read, to_tables
from pipeline.ingest.dates import input_date, publication_date
from pipeline.recognise.base import Span
from pipeline.recognise.cleaning import clean_spans
from pipeline.recognise.sentences import split_sentences
from pipeline.recognise.words import split_words
from pipeline.resolve.forms import read as form_of
from pipeline.resolve.indocument import Named, cluster
from pipeline.resolve.normalise import clean

Target = Callable[[bytes], None]

NIGHT: Final = date(2026, 3, 5)
LIMITS: Final = Limits(document=100_000, unpacked=1_000_000, payload=50)

_LABELS: Final = ("PER", "LOC", "ORG")
_FOLDER: Final = Path(tempfile.mkdtemp(prefix="exonym-fuzz-"))


def read_file(suffix: str, data: bytes) -> None:
    """Every reader gives documents that can be stored, or says in one line why it cannot."""
    path = _FOLDER / f"input{suffix}"
    path.write_bytes(data)
    [file] = find([str(path)], LIMITS)
    assert isinstance(file, InputFile)
    documents = []
    for item in read(file, NIGHT, LIMITS):
        if isinstance(item, Incoming):
            documents.append(item)
            assert item.date <= NIGHT
            assert item.text.strip()
        else:
            assert isinstance(item, Rejected)
            assert item.error in ERRORS
            assert len(item.message.splitlines()) == 1
            assert len(item.payload or b"") <= LIMITS.payload
    to_tables(documents, "run")


def dates(data: bytes) -> None:
    """A date is never after the night."""
    text = _text(data)
    for found in (
        publication_date(text, NIGHT),
        *(input_date(text, lang, NIGHT) for lang in _LANGS),
    ):
        assert found is None or found <= NIGHT


def segments(data: bytes) -> None:
    """Segments lie within the text, in order, without overlaps."""
    text = _text(data)
    if not text.strip():
        return
    document = Incoming(text, None, NIGHT, "run", None, "a.txt", None, None, None)
    end = 0
    for row in detect(to_tables([document], "run")[0], "run")[1].to_pylist():
        assert end <= row["start"] < row["end"] <= len(text)
        assert 0.0 <= row["lang_score"] <= 1.0
        end = row["end"]


def sentences(data: bytes) -> None:
    """Sentences and words lie within the text, in order; spans stay what is inside them."""
    lang, text = _lang_and_text(data)
    end = 0
    for start, stop in split_sentences(text, lang):
        assert end <= start < stop <= len(text)
        assert text[start:stop] == text[start:stop].strip()
        assert not text[end:start].strip()
        end = stop
        sentence = text[start:stop]
        words = split_words(sentence)
        last = 0
        for first, behind in words:
            assert last <= first < behind <= len(sentence)
            last = behind
        spans = [Span(first, behind, "PER", 0.5) for first, behind in words[::3]]
        for span in clean_spans(sentence, spans, lang):
            assert 0 <= span.start < span.end <= len(sentence)
    assert not text[end:].strip()


def rules(data: bytes) -> None:
    """What every language promises of any name."""
    lang, text = _lang_and_text(data)
    language = languages.get(lang)
    once = language.orthography(text)
    assert language.orthography(once) == once
    fold = language.fold(text)
    assert fold.isascii() and language.fold(fold) == fold
    assert fold == " ".join(fold.lower().split())
    assert fold or not any(map(str.isalnum, once))
    readings = language.readings(text)
    assert once in {reading.name for reading in readings}
    assert all(0.0 <= reading.cost <= 1.0 for reading in readings)
    assert 0 <= language.inside_suffix(text) <= len(text)
    for end in {0, len(text) // 2, len(text)}:
        suffix = language.suffix_after(text, end)
        assert text.startswith(suffix, end)
    assert language.strip_titles(text) or not text
    keys = language.keys(text)
    assert keys[:1] == ((fold,) if fold else ()) and len(set(keys)) == len(keys)
    language.translated(text)
    language.letters(text)
    language.transcriptions(text)


def names(data: bytes) -> None:
    """Mentions anywhere in a text stay inside it, and each comes into one cluster."""
    lang, text = _lang_and_text(data)
    mentions = []
    for number, (start, end) in enumerate(_chunks(split_words(text))):
        label = _LABELS[number % len(_LABELS)]
        span = clean(text, start, end, label, lang)
        if span is not None:
            assert start <= span.start < span.end <= min(end + 1, len(text))
            assert span.end <= end or not text[end].isalnum()  # a quotation mark that closes
            assert text.startswith(span.suffix or "", span.end)
            form = form_of(text[span.start : span.end], lang)
            mentions.append(Named(span.start, span.end, label, form))
    members = [i for one in cluster(mentions, text, lambda form: frozenset()) for i in one.members]
    assert sorted(members) == list(range(len(mentions)))


def _chunks(words: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans of one, two and three words in turn."""
    spans, at, size = [], 0, 1
    while at < len(words):
        group = words[at : at + size]
        spans.append((group[0][0], group[-1][1]))
        at, size = at + size, size % 3 + 1
    return spans


_LANGS: Final = languages.CODES


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _lang_and_text(data: bytes) -> tuple[str, str]:
    """Return a language by the first byte, and the text of the others."""
    return _LANGS[data[0] % len(_LANGS)] if data else "und", _text(data[1:])


_SUFFIXES: Final = (".txt", ".jsonl", ".jsonl.gz", ".jsonl.zst", ".html", ".parquet")

TARGETS: Final[dict[str, Target]] = {
    **{f"read{suffix}": partial(read_file, suffix) for suffix in _SUFFIXES},
    "dates": dates,
    "segments": segments,
    "sentences": sentences,
    "rules": rules,
    "names": names,
}


def _parquet(**columns: list[object]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


_LINE: Final = (
    '{"text": "Maia Sandu a vorbit la Chișinău.", "id": 7, "title": "Știri", "date": "2026-03-04",'
    ' "lang": "ro", "url": "https://example.org/a"}\n'
).encode()
_PAGE: Final = (
    "<html><head><title>Sandu in Brussels</title><meta charset=utf-8></head><body><article>"
    "<p>5 March 2026</p>"
    + "<p>Maia Sandu met Ursula von der Leyen in Brussels to talk about trade.</p>" * 4
    + "</article></body></html>"
).encode()
_TEXTS: Final = [
    "Ankara'da Sadyr Caparov’un sözcüsü (KGAÖ) açıklama yaptı.\nYayın tarihi: 5 Mart 2026".encode(),
    "राष्ट्रपति सदीर जापारोव ने बिश्केक में कहा। प्रकाशित: 5 मार्च 2026".encode(),
    "Tổng thống Sadyr Japarov thăm Hà Nội, Ngân hàng Nhà nước Việt Nam cho biết.".encode(),
    "Președintele Maia Sandu, „Partidul Acțiune și Solidaritate” (PAS), Bun-ga-ri.".encode(),
    b"U.S. President J. Smith Jr. met O'Neill's team at www.example.org on 2026-03-05.",
]

SEEDS: Final[dict[str, list[bytes]]] = {
    "read.txt": _TEXTS,
    "read.jsonl": [_LINE, _LINE * 3],
    "read.jsonl.gz": [gzip.compress(_LINE, mtime=0)],
    "read.jsonl.zst": [zstd.compress(_LINE)],
    "read.html": [_PAGE],
    "read.parquet": [_parquet(text=["Kenya won."], id=["a"]), _parquet(text=[None], id=[1])],
    "dates": _TEXTS,
    "segments": _TEXTS,
    **{
        name: [bytes([number]) + text for number, text in enumerate(_TEXTS)]
        for name in ("sentences", "rules", "names")
    },
}
"""An ordinary input or two for every target, from which the search begins."""
