"""Spans: the name alone, its case ending beside it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.resolve.normalise import Claim, Span, clean, mention_id, without_overlaps

CASES = [
    # language, label, text, what the recogniser marked, the name, its suffix
    ("tr", "PER", "Dün Putin'ın uçağı indi.", "Putin'ın", "Putin", "'ın"),
    ("tr", "LOC", "Bişkek’te toplandılar.", "Bişkek", "Bişkek", "’te"),
    ("en", "PER", "It was Sandu's idea.", "Sandu's", "Sandu", "'s"),
    (
        "en",
        "PER",
        "We met “President Maia Sandu” there.",
        "“President Maia Sandu”",
        "Maia Sandu",
        None,
    ),
    ("vi", "PER", "Hôm nay ông Putin nói.", "ông Putin", "Putin", None),
    ("hi", "PER", "राष्ट्रपति पुतिन ने कहा", "राष्ट्रपति पुतिन", "पुतिन", None),
    ("tr", "PER", "Cumhurbaşkanı Caparov geldi.", "Cumhurbaşkanı Caparov", "Caparov", None),
    ("en", "ORG", "The bloc (OSCE) met.", "(OSCE)", "OSCE", None),
    ("en", "ORG", "At Acme (UK) they know.", "Acme (UK)", "Acme (UK)", None),
    ("en", "LOC", "He left Belgrade.", "Belgrade.", "Belgrade", None),
    ("en", "LOC", "He left the U.S. today.", "U.S.", "U.S.", None),
    ("en", "PER", "Miles O'Neill won.", "Miles O'Neill", "Miles O'Neill", None),
    *(
        (lang, "ORG", f"{before}{name}{after}", name.removesuffix(cut), name, None)
        for lang, before, name, cut, after in [
            ("ro", "La ", "Liceul „Ion Creangă”", "”", " azi"),
            ("ro", "La ", "Liceul „Ion Creangă“", "“", " azi"),
            ("ro", "La ", "Muzeul «Satul»", "", ", azi"),
            ("en", "At ", 'Club "Spartak"', '"', " today"),
            ("tr", "", "“Umut” Vakfı", "", " kuruldu"),
            ("vi", "", "Công ty “Hoa Sen”", "”", " hôm nay"),
        ]
    ),
    ("en", "ORG", 'They said "we trust Acme" twice.', 'Acme"', "Acme", None),
    ("ro", "ORG", "„Vin la Liceul Nou”, a spus.", "Liceul Nou", "Liceul Nou", None),
]


@pytest.mark.parametrize(("lang", "label", "text", "marked", "name", "suffix"), CASES)
def test_clean(
    lang: str, label: str, text: str, marked: str, name: str, suffix: str | None
) -> None:
    start = text.index(marked)
    span = clean(text, start, start + len(marked), label, lang)
    assert span is not None
    assert (text[span.start : span.end], span.suffix) == (name, suffix)


def test_a_title_stays_where_the_label_is_no_person() -> None:
    text = "President Hotel"
    assert clean(text, 0, len(text), "LOC", "en") == Span(0, len(text))


@pytest.mark.parametrize("text", ["", "  ", "“”", "(-)", "।"])
def test_a_span_without_letters_is_no_name(text: str) -> None:
    assert clean(text, 0, len(text), "PER", "hi") is None


@settings(deadline=None, derandomize=True)
@given(st.text(min_size=1, max_size=30), st.sampled_from(["hi", "ro", "tr", "en", "vi", "und"]))
def test_clean_stays_inside_the_span(text: str, lang: str) -> None:
    span = clean(text, 0, len(text), "PER", lang)
    if span is not None:
        assert 0 <= span.start < span.end <= len(text)
        assert any(c.isalnum() for c in text[span.start : span.end])


def test_of_two_overlapping_spans_the_longer_stays() -> None:
    claims = [
        Claim(0, Span(0, 5), 0.99),
        Claim(1, Span(3, 12), 0.5),
        Claim(2, Span(12, 15), 0.5),
        Claim(3, Span(12, 15), 0.9),
    ]
    assert [claim.row for claim in without_overlaps(claims)] == [1, 3]


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 10)), max_size=20))
def test_no_two_spans_overlap(spans: list[tuple[int, int]]) -> None:
    kept = without_overlaps(
        Claim(i, Span(start, start + length), 0.5) for i, (start, length) in enumerate(spans)
    )
    assert all(a.span.end <= b.span.start for a, b in pairwise(kept))
    assert bool(kept) == bool(spans)


def test_the_id_is_a_hash_of_document_and_offsets() -> None:
    assert mention_id("d", 1, 4) == mention_id("d", 1, 4)
    assert len({mention_id("d", 1, 4), mention_id("d", 1, 5), mention_id("e", 1, 4)}) == 3
    assert len(mention_id("d", 1, 4)) == 32
