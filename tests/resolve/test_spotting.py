"""Long names of known organisations, found whole."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from pipeline.knowledge.index import BEGINNING, Index
from pipeline.resolve.spotting import ENGINE, known_names, spot
from pipeline.schemas import SEGMENTS, unfinished

RUN = "2026-01-01-aaaa"


def whole(documents: pa.Table) -> pa.Table:
    """Return one body segment a document."""
    rows = [
        {
            "doc_id": row["doc_id"],
            "segment": 0,
            "start": 0,
            "end": len(row["text"]),
            "lang": row["lang"],
            "kind": "body",
        }
        for row in documents.to_pylist()
    ]
    return pa.Table.from_pylist(rows, schema=unfinished(SEGMENTS))


def spotted(marked: Any, index: Index) -> list[tuple[str, str, str]]:
    rows = spot(marked.documents, whole(marked.documents), marked.mentions, index, RUN)
    texts = dict(zip(*(marked.documents[c].to_pylist() for c in ("doc_id", "text")), strict=True))
    found = []
    for row in rows:
        assert texts[row["doc_id"]][row["start"] : row["end"]] == row["surface"]
        if row["sentence"]:
            at = row["start"] - row["sentence_start"]
            assert row["sentence"][at : at + len(row["surface"])] == row["surface"]
        found.append((row["surface"], row["ner_label"], row["engine"]))
    return found


def test_a_name_that_was_missed_is_found(mark: Any, small_index: Index) -> None:
    marked = mark({"a": ("tr", "Dün Kuzey Ticaret Paktı'nda karar çıktı.")})
    assert spotted(marked, small_index) == [("Kuzey Ticaret Paktı", "ORG", ENGINE)]


def test_a_name_that_was_cut_grows_and_keeps_its_engine(mark: Any, small_index: Index) -> None:
    marked = mark({"a": ("tr", "Dün [[Kuzey|LOC]] [[Ticaret|ORG]] Paktı'nda karar çıktı.")})
    ((surface, label, engine),) = spotted(marked, small_index)
    assert (surface, label) == ("Kuzey Ticaret Paktı", "LOC")
    assert engine != ENGINE


def test_what_was_found_whole_or_longer_stays(mark: Any, small_index: Index) -> None:
    for text in (
        "The [[Northern Trade Pact|ORG]] met.",
        "The [[Secretariat of the Northern Trade Pact|ORG]] met.",
    ):
        marked = mark({"a": ("en", text)})
        assert [engine for _, _, engine in spotted(marked, small_index)] != [ENGINE]
        assert len(spotted(marked, small_index)) == 1


def test_other_languages_names_and_small_letters_are_left(small_index: Index) -> None:
    assert known_names("The Northern Trade Pact met", "en", small_index) == [(4, 23)]
    assert known_names("Der Northern Trade Pact", "ro", small_index) == []
    assert known_names("the northern trade pact", "en", small_index) == []


def test_no_name_goes_beyond_a_sentence(small_index: Index) -> None:
    text = "They flew north. Northern Trade\nPact. It is the Northern Trade Pact. It met."
    assert known_names(text, "en", small_index) == [
        (text.index("Pact. It m") - 15, text.index(". It m"))
    ]


def test_letters_that_case_folding_moves_hide_no_name(small_index: Index) -> None:
    text = "Straße. The Northern Trade Pact met."
    assert known_names(text, "en", small_index) == [(12, 31)]


def test_short_names_and_places_are_left(small_index: Index) -> None:
    assert known_names("NTP met Amina Bolat", "en", small_index) == []


def test_headlines_in_capitals(small_index: Index) -> None:
    assert known_names("KUZEY TİCARET PAKTI TOPLANDI", "tr", small_index) == [(0, 19)]


def test_other_documents_change_nothing(mark: Any, small_index: Index) -> None:
    one = {"a": ("tr", "Kuzey Ticaret Paktı dün toplandı.")}
    other = {"b": ("en", "The Russian Defence Ministry said so.")}
    assert spotted(mark(one), small_index) + spotted(mark(other), small_index) == spotted(
        mark(one | other), small_index
    )


def test_a_place_and_a_person_side_by_side_are_two(mark: Any, small_index: Index) -> None:
    for lang, text, parts in (
        ("tr", "Dün [[Rusya Amina Bolat|ORG]]'ı kutladı.", ["Rusya", "Amina Bolat"]),
        ("tr", "Dün [[Petru Varga Moscow|PER]]'da konuştu.", ["Petru Varga", "Moscow"]),
        ("vi", "Bộ trưởng [[Nga Amina Bolat|ORG]] phát biểu.", ["Nga", "Amina Bolat"]),
        ("hi", "[[रूस पेत्रु वर्गा|LOC]] से नाराज है।", ["रूस", "पेत्रु वर्गा"]),
    ):
        found = spotted(mark({"a": (lang, text)}), small_index)
        assert [surface for surface, _, _ in found] == parts
        assert len({(label, engine) for _, label, engine in found}) == 1


def test_two_countries_are_two(mark: Any, small_index: Index) -> None:
    for lang, text, parts in (
        ("tr", "[[Rusya-Nijerya|LOC]] zirvesi başladı.", ["Rusya", "Nijerya"]),
        ("vi", "Hội nghị [[Nga Nigeria|LOC]] bắt đầu.", ["Nga", "Nigeria"]),
        ("en", "The [[Niger – Nigeria|ORG]] border is closed.", ["Niger", "Nigeria"]),
        ("en", "The [[Niger-Novik|LOC]] border is closed.", ["Niger-Novik"]),
        ("en", "The [[Niger-|LOC]] border is closed.", ["Niger-"]),
    ):
        found = spotted(mark({"a": (lang, text)}), small_index)
        assert [surface for surface, _, _ in found] == parts


def test_what_is_one_name_or_no_known_ones_is_not_parted(mark: Any, small_index: Index) -> None:
    for name in (
        "Northern Trade Pact",  # known as a whole
        "Bolat Moscow",  # a lone surname
        "Savannah Amina Bolat",  # a town's name may be a given name
        "Russia, Amina Bolat",
        "Russia Amina Novik",
    ):
        found = spotted(mark({"a": ("en", f"Then [[{name}|PER]] spoke.")}), small_index)
        assert [surface for surface, _, _ in found] == [name]


def test_an_adjective_of_a_nation_is_no_name(mark: Any, small_index: Index) -> None:
    for lang, name, left in (
        ("en", "Kyrgyz", []),
        ("en", "Thai", []),
        ("en", "Nigerian", []),
        ("en", "Nigeria", ["Nigeria"]),
        ("en", "Nauru", ["Nauru"]),  # a country and a language
        ("en", "Delaware", ["Delaware"]),
        ("tr", "Thai", ["Thai"]),
        ("tr", "Nigerian", ["Nigerian"]),
    ):
        found = spotted(mark({"a": (lang, f"The [[{name}|LOC]] head spoke.")}), small_index)
        assert [surface for surface, _, _ in found] == left
    found = spotted(mark({"a": ("en", "Mr [[Dutch|PER]] spoke.")}), small_index)
    assert [surface for surface, _, _ in found] == ["Dutch"]


def test_a_glance_at_beginnings_rules_no_name_out(
    small_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [
        (f"{before} {alias.text} {behind}", alias.lang)
        for number in range(len(small_index))
        for alias in small_index.entry(number).aliases
        for before, behind in (("", "said"), ("The", ""), ("ß ﬁ", "."), ("a\u0301", "x"))
    ]
    glanced = [known_names(text, lang, small_index) for text, lang in texts]

    def everywhere(self: Index, text: str, starts: list[int], lang: str) -> list[bool]:
        return [True] * len(starts)

    monkeypatch.setattr(Index, "may_begin_organisation", everywhere)
    assert glanced == [known_names(text, lang, small_index) for text, lang in texts]
    assert any(glanced)


def test_beginnings_of_organisations_are_known_without_case(small_index: Index) -> None:
    name = next(
        alias.text
        for number in range(len(small_index))
        if small_index.entry(number).label == "ORG"
        for alias in small_index.entry(number).aliases
        if alias.lang == "en" and len(alias.text) >= BEGINNING
    )
    text = f"Zq {name.upper()}"
    assert small_index.may_begin_organisation(text, [0, 3], "en") == [False, True]
