from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.recognise.base import Span
from pipeline.recognise.cleaning import clean_spans


def cleaned(sentence: str, surface: str) -> list[str]:
    start = sentence.index(surface)
    spans = clean_spans(sentence, [Span(start, start + len(surface), "ORG", 0.5)])
    return [sentence[span.start : span.end] for span in spans]


@pytest.mark.parametrize(
    ("sentence", "surface", "expected"),
    [
        ("“Rompetrol” spune", "“Rompetrol”", ["Rompetrol"]),
        ('Clubul "Rapid" a', '"Rapid"', ["Rapid"]),
        ('Clubul "Rapid" București a', '"Rapid" București', ['"Rapid" București']),
        ("the Fed (FED) said", "Fed (FED)", ["Fed", "FED"]),
        ("the Fed (of old) Bank", "Fed (of old) Bank", ["Fed (of old) Bank"]),
        ("the Fed (FED) said", "Fed (FED", ["Fed", "FED"]),
        ("the Fed (FED) said", "(FED)", ["FED"]),
        ("the Fed (FED) said", "FED)", ["FED"]),
        ("in the U.S. today", "U.S.", ["U.S."]),
        ("by Acme Inc. today", "Acme Inc.", ["Acme Inc."]),
        ("in Paris. Then", "Paris.", ["Paris"]),
        ("दिल्ली। फिर", "दिल्ली।", ["दिल्ली"]),
        ("the players’ union", "players’", ["players"]),
        ("write to press@acme.org now", "acme", []),
        ("see https://acme.org/London now", "London", []),
        ("id 9f86d081884c7d65 end", "9f86d081884c7d65", []),
        ("by @Reuters today", "@Reuters", ["Reuters"]),
        ("at ... once", "...", []),
        ("in 1989 once", "1989", []),
    ],
)
def test_edges(sentence: str, surface: str, expected: list[str]) -> None:
    assert cleaned(sentence, surface) == expected


@pytest.mark.parametrize(
    ("lang", "sentence", "expected"),
    [
        ("ro", "Au ars două hoteluri la Eforie.", []),
        ("ro", "au ars două hoteluri la eforie.", ["hoteluri"]),
        ("en", "Two hoteluri burnt down.", ["hoteluri"]),
    ],
)
def test_romanian_names_have_capitals(lang: str, sentence: str, expected: list[str]) -> None:
    start = sentence.index("hoteluri")
    spans = clean_spans(sentence, [Span(start, start + len("hoteluri"), "LOC")], lang)
    assert [sentence[span.start : span.end] for span in spans] == expected


def test_of_two_that_overlap_the_first_stays() -> None:
    spans = [Span(4, 12, "LOC"), Span(0, 8, "PER")]
    assert clean_spans("Abc Defg Hij", spans) == [Span(0, 8, "PER")]


@given(st.text(max_size=40), st.data())
def test_spans_stay_inside_what_they_were(sentence: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(sentence)))
    end = data.draw(st.integers(start, len(sentence)))
    for span in clean_spans(sentence, [Span(start, end, "PER", 1.0)]):
        assert start <= span.start < span.end <= end
        assert sentence[span.start].strip()
        assert sentence[span.end - 1].strip()
