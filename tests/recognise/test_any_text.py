"""Hostile text through sentences, words and recognition: offsets hold, nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from unicodedata import category, normalize

import pyarrow as pa
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest.tables import INCOMING_DOCUMENTS
from pipeline.recognise import Span, recognise
from pipeline.recognise.cleaning import clean_spans
from pipeline.recognise.sentences import split_sentences
from pipeline.recognise.words import split_words
from pipeline.schemas import LANGUAGES, SEGMENTS, UNDETERMINED, unfinished

WORDS = [
    *(  # noqa: SIM905
        "Maia Șoșoacă Şırnak’ta İstanbul IŞIK Erdoğan'ın Dr U.S 7 3.14 XIV saidReuters ǅ ﬁn ß"
    ).split(),
    *("नरेंद्र क़ज़ाख़स्तान डॉ Nguyễn Hà Путин محمد ירושלים 東京 @maia a@b.example").split(),  # noqa: SIM905
    "क्\u200dष",
    "र\u200cी",
    "\U0001f469\u200d\U0001f467",
    "\U0001f1f7\U0001f1f4",
    "e\u0301\u0323\u0302",
    "https://a.example/B?c=D",
    "0123456789abcdef",
    "a" * 4_100,
    "ñ" * 300,
    "क्" * 2_100,
]
MARKS = [
    *".,;:!?।…()[]«»„”“’'\"-–—/·•",
    *("...", "?!", "\u0301", "\u0323", "\u093c", "\u094d", "\ufe0f"),
]
INVISIBLE = [
    *"\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060",
    *"\u2066\u2067\u2068\u2069\ufeff\u00ad\u061c\x00\x1b",
]
SPACES = [*" \t\u00a0\u2009\u202f\u3000\u1680\x1f", "  "]
BREAKS = ["\n", "\r", "\r\n", "\n\n", *"\v\f\x1c\x1d\x1e\x85\u2028\u2029"]

PIECES = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(WORDS).map(lambda word: normalize("NFD", word)),
    st.sampled_from(MARKS),
    st.sampled_from(INVISIBLE),
    st.sampled_from(SPACES),
    st.just(" "),
    st.just(". "),
    st.sampled_from(BREAKS),
    st.characters(codec="utf-8"),
)
TEXT = st.lists(PIECES, max_size=40).map("".join)
LANG = st.sampled_from([*LANGUAGES, UNDETERMINED])
LINE_BREAK = regex.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
LONGEST = 4_000


def words(text: str, start: int = 0) -> list[tuple[int, int]]:
    return [(start + first, start + last) for first, last in split_words(text)]


@given(TEXT, LANG)
def test_sentences_hold_all_but_white_space_and_no_line_break(text: str, lang: str) -> None:
    last = 0
    for start, end in split_sentences(text, lang):
        assert last <= start < end <= len(text)
        assert not text[last:start].strip()
        assert text[start:end] == text[start:end].strip()
        assert not LINE_BREAK.search(text, start, end)
        assert end - start <= LONGEST
        last = end
    assert not text[last:].strip()


@given(TEXT, LANG)
def test_no_word_lies_across_the_end_of_a_sentence(text: str, lang: str) -> None:
    spans = split_sentences(text, lang)
    found = {word for start, end in spans for word in words(text[start:end], start)}
    cut = [word for word in words(text) if word not in found]
    assert all(last - first > LONGEST // 2 for first, last in cut)


@given(TEXT, LANG)
def test_no_mark_is_parted_from_its_letter(text: str, lang: str) -> None:
    for start, end in split_sentences(text, lang):
        if start and category(text[start]).startswith("M"):
            assert text[start - 1].isspace() or end - start == LONGEST or len(text) > LONGEST


@given(TEXT)
def test_words_hold_every_letter_and_no_white_space(text: str) -> None:
    last = 0
    for start, end in words(text):
        assert last <= start < end
        assert not any(one.isspace() for one in text[start:end])
        assert not any(category(one)[0] in "LN" for one in text[last:start])
        last = end
    assert not any(category(one)[0] in "LN" for one in text[last:])


@given(TEXT, st.data())
def test_what_is_tidy_stays_as_it_is(text: str, data: st.DataObject) -> None:
    found = words(text)
    spans = []
    for _ in range(data.draw(st.integers(0, 4)) if found else 0):
        first = data.draw(st.integers(0, len(found) - 1))
        last = data.draw(st.integers(first, min(first + 5, len(found) - 1)))
        spans.append(Span(found[first][0], found[last][1], "PER"))
    tidy = clean_spans(text, spans)
    assert clean_spans(text, tidy) == tidy
    assert all(one.end <= other.start for one, other in pairwise(tidy))


class EveryOtherWord:
    """An engine that takes the first of every two words, and the last with all behind it."""

    name, model, sha256 = "onnx", "every-other", "0" * 64

    def recognise(self, sentences: Sequence[str], lang: str) -> list[list[Span]]:
        return [
            [Span(start, end, "PER", 0.5) for start, end in split_words(sentence)[::2]]
            for sentence in sentences
        ]


@settings(max_examples=60)
@given(st.lists(st.tuples(TEXT, LANG), min_size=1, max_size=4))
def test_every_mention_stands_at_its_offsets_in_its_sentence_and_segment(
    parts: list[tuple[str, str]],
) -> None:
    text, segments = "", []
    day = {"doc_id": "d", "date": date(2026, 3, 5), "kind": "body"}
    for number, (part, lang) in enumerate(parts):
        place = {"segment": number, "start": len(text), "end": len(text) + len(part)}
        segments.append({**day, **place, "lang": lang})
        text += part
    documents = pa.Table.from_pylist([{"doc_id": "d", "text": text}], schema=INCOMING_DOCUMENTS)
    engines = dict.fromkeys([*LANGUAGES, UNDETERMINED], EveryOtherWord())
    table = pa.Table.from_pylist(segments, schema=unfinished(SEGMENTS))
    last = 0
    for row in recognise(documents, table, engines, "run").to_pylist():
        assert text[row["start"] : row["end"]] == row["surface"]
        assert any(category(one).startswith("L") for one in row["surface"])
        assert last <= row["start"]
        last = row["end"]
        sentence = row["sentence"]
        assert text[row["sentence_start"] :].startswith(sentence)
        assert row["sentence_start"] <= row["start"]
        assert row["end"] <= row["sentence_start"] + len(sentence)
        segment = segments[row["segment"]]
        assert segment["start"] <= row["sentence_start"]
        assert row["sentence_start"] + len(sentence) <= segment["end"]
        assert row["lang"] == segment["lang"]
