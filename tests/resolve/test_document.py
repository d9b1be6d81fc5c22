"""Settling documents: what comes out, and what it must not depend on."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.knowledge.index import Index
from pipeline.resolve.document import settle
from pipeline.resolve.methods import METHODS
from pipeline.resolve.tables import SETTLED

ARTICLES = {
    "a": ("en", "[[Petru Varga|PER]] went to [[Russia|LOC]]. [[Varga's|PER]] [[NTP|ORG]] waits."),
    "b": ("ro", "Ministrul [[Petru Varga|PER]] a cerut [[Rusiei|LOC]] și [[PNC|ORG]] ajutor."),
    "c": ("hi", "[[पेत्रु वर्गा|PER]] [[रूस|LOC]] गए। [[वर्गा|PER]] लौटे। [[Ilo Makara|PER]] नहीं।"),
    "d": (
        "tr",
        "[[Rusya|LOC]]'nın [[Kuzey Ticaret Paktı|ORG]]’na itirazı. [[İlo Makara|PER]]'nın.",
    ),
}


def rows(marked: Any, index: Index) -> list[dict[str, Any]]:
    """Return the settled mentions of marked documents."""
    table = settle(marked.documents, marked.segments, marked.mentions.to_pylist(), index)
    assert table.schema.equals(SETTLED)
    return list(table.to_pylist())


def test_offsets_and_fixed_values(mark: Any, small_index: Index) -> None:
    marked = mark(ARTICLES)
    texts = dict(zip(*(marked.documents[c].to_pylist() for c in ("doc_id", "text")), strict=True))
    settled = rows(marked, small_index)
    assert settled
    for row in settled:
        text = texts[row["doc_id"]]
        assert text[row["start"] : row["end"]] == row["surface"]
        assert text.startswith(row["suffix"] or "", row["end"])
        assert row["link_method"] in METHODS
        assert 0.0 <= row["link_score"] <= 1.0
        assert (row["knowledge_key"] is None) == bool(row["cluster_keys"])
    assert [(r["doc_id"], r["start"]) for r in settled] == sorted(
        (r["doc_id"], r["start"]) for r in settled
    )


def test_what_is_known_is_linked_in_every_language(mark: Any, small_index: Index) -> None:
    keys = {
        (r["doc_id"], r["surface"]): r["knowledge_key"] for r in rows(mark(ARTICLES), small_index)
    }
    varga, russia, pact = "exonym:petru-varga", "iso:RU", "exonym:northern-trade-union"
    assert keys == {
        ("a", "Petru Varga"): varga,
        ("a", "Russia"): russia,
        ("a", "Varga"): varga,
        ("a", "NTP"): pact,
        ("b", "Petru Varga"): varga,
        ("b", "Rusiei"): russia,
        ("b", "PNC"): pact,
        ("c", "पेत्रु वर्गा"): varga,
        ("c", "रूस"): russia,
        ("c", "वर्गा"): varga,
        ("c", "Ilo Makara"): None,
        ("d", "Rusya"): russia,
        ("d", "Kuzey Ticaret Paktı"): pact,
        ("d", "İlo Makara"): None,
    }


def test_the_name_is_the_reading_that_was_linked(mark: Any, small_index: Index) -> None:
    named = {r["surface"]: r["name"] for r in rows(mark(ARTICLES), small_index)}
    assert named["Rusiei"] == "Rusia"


def test_a_document_depends_on_nothing_but_itself(mark: Any, small_index: Index) -> None:
    together = rows(mark(ARTICLES), small_index)
    reverse = rows(mark(dict(reversed(ARTICLES.items()))), small_index)
    alone = [row for a in ARTICLES.items() for row in rows(mark(dict([a])), small_index)]
    assert together == reverse == alone


def test_no_mentions_give_an_empty_table(mark: Any, small_index: Index) -> None:
    assert rows(mark({"a": ("en", "Nothing.")}), small_index) == []


def test_a_mention_without_its_document_is_an_error(mark: Any, small_index: Index) -> None:
    marked = mark(ARTICLES)
    with pytest.raises(KeyError):
        settle(marked.documents.slice(1), marked.segments, marked.mentions.to_pylist(), small_index)


def test_broken_and_double_spans_go(mark: Any, small_index: Index) -> None:
    marked = mark({"a": ("en", "[[-|PER]] and [[Russia|LOC]]")})
    mentions = marked.mentions.to_pylist() + marked.mentions.slice(1).to_pylist()
    settled = settle(marked.documents, marked.segments, mentions, small_index)
    assert settled["surface"].to_pylist() == ["Russia"]


CONTEXT = [
    ("[[Georgia|LOC]] held elections.", "iso:GE"),
    (
        "[[Georgia|LOC]], [[Atlanta|LOC]] and [[Savannah|LOC]], [[U.S.|LOC]]",
        "geonames-admin1:US.GA",
    ),
    ("[[Moscow|LOC]] spoke to the [[United States|LOC]] and [[Atlanta|LOC]].", "geonames:524901"),
    ("[[Niger|LOC]] and [[Nigeria|LOC]], [[Nigeria|LOC]]", "iso:NE"),
]


@pytest.mark.parametrize(("markup", "key"), CONTEXT)
def test_places_of_one_name(mark: Any, small_index: Index, markup: str, key: str) -> None:
    assert rows(mark({"a": ("en", markup)}), small_index)[0]["knowledge_key"] == key


BODIES = [
    ("[[Russia|LOC]]’s [[Ministry of Defence|ORG]] spoke.", "exonym:russian-defence-ministry"),
    ("The [[Ministry of Defence|ORG]] spoke.", None),
    ("[[Nigeria|LOC]]'s [[Ministry of Defence|ORG]] spoke.", None),
    ("The [[Defence Ministry|ORG]] of [[Nigeria|LOC]] spoke.", None),
]


@pytest.mark.parametrize(("markup", "key"), BODIES)
def test_a_ministry_is_never_that_of_another_country(
    mark: Any, small_index: Index, markup: str, key: str | None
) -> None:
    settled = rows(mark({"a": ("en", markup)}), small_index)
    assert [r["knowledge_key"] for r in settled if "Defence" in r["surface"]] == [key]


OF_THE_TEXT = [
    ("en", "[[Moscow|LOC]], [[Russia|LOC]]. The [[Defence Ministry|ORG]] spoke.", True),
    ("vi", "[[Moscow|LOC]], [[Nga|LOC]]. [[Bộ Quốc phòng|ORG]] nói.", True),
    ("vi", "[[Moscow|LOC]], [[Nga|LOC]]. [[Bộ Ngoại giao|ORG]] nói.", False),
    ("en", "[[Moscow|LOC]] and [[Atlanta|LOC]]. The [[Defence Ministry|ORG]] spoke.", False),
]


@pytest.mark.parametrize(("lang", "markup", "known"), OF_THE_TEXT)
def test_a_ministry_is_that_of_the_country_the_text_is_about(
    mark: Any, small_index: Index, lang: str, markup: str, known: bool
) -> None:
    key = rows(mark({"a": (lang, markup)}), small_index)[-1]["knowledge_key"]
    assert key == ("exonym:russian-defence-ministry" if known else None)


def test_what_is_called_after_a_person_is_not_him(mark: Any, small_index: Index) -> None:
    settled = rows(
        mark({"a": ("en", "[[Petro Varga|PER]] in the [[Petro Varga hall|LOC]].")}), small_index
    )
    assert [r["knowledge_key"] for r in settled] == ["exonym:petru-varga", None]


def test_a_label_is_evidence_and_no_filter(mark: Any, small_index: Index) -> None:
    settled = rows(mark({"a": ("en", "[[Russia|ORG]] and [[Russia|PER]]")}), small_index)
    assert {(r["knowledge_key"], r["label"]) for r in settled} == {("iso:RU", "LOC")}


def test_a_surname_of_two_known_persons_links_to_neither(mark: Any, small_index: Index) -> None:
    settled = rows(
        mark({"a": ("en", "[[Bolat|PER]] left"), "b": ("en", "[[Varga|PER]] left")}), small_index
    )
    assert [r["knowledge_key"] for r in settled] == [None, "exonym:petru-varga"]


def test_an_acronym_with_another_long_form_is_another_body(mark: Any, small_index: Index) -> None:
    markup = "The [[National Teachers Platform|ORG]] ([[NTP|ORG]]) met. [[NTP|ORG]] is new."
    settled = rows(mark({"a": ("en", markup)}), small_index)
    assert {r["knowledge_key"] for r in settled} == {None}


def rows_with_credits(markup: str, credited: list[str], index: Index, mark: Any) -> dict[str, Any]:
    """Return the keys by surface of an English document; ``credited`` names are of its credits."""
    marked = mark({"a": ("en", markup)})
    mentions = [
        row | {"kind": "credit" if row["surface"] in credited else "body"}
        for row in marked.mentions.to_pylist()
    ]
    settled = settle(marked.documents, marked.segments, mentions, index).to_pylist()
    return {row["surface"]: row["knowledge_key"] for row in settled}


def test_credits_do_not_say_what_a_text_is_about(mark: Any, shipped_index: Index) -> None:
    agencies = ["AFP", "AP", "Xinhua", "TASS", "Yonhap"]
    markup = "[[London|LOC]] and [[Leeds|LOC]] wait. [[Parliament|ORG]] voted. " + " ".join(
        f"Photo: [[{agency}|ORG]]." for agency in agencies
    )
    as_body = rows_with_credits(markup, [], shipped_index, mark)
    found = rows_with_credits(markup, agencies, shipped_index, mark)
    assert found["Xinhua"] == as_body["Xinhua"] is not None
    assert as_body["Parliament"] is None
    assert found["Parliament"] == "exonym:uk-parliament"


def test_the_label_of_a_credit_is_no_name(mark: Any, small_index: Index) -> None:
    markup = "[[Haber|PER]]: [[Ilo Makara|PER]]"
    assert rows_with_credits(markup, ["Haber", "Ilo Makara"], small_index, mark).keys() == {
        "Ilo Makara"
    }
    assert rows_with_credits(markup, [], small_index, mark).keys() == {"Haber", "Ilo Makara"}
