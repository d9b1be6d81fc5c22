from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
import regex

from pipeline import schemas
from pipeline.recognise import recognise
from pipeline.recognise.base import Span

DAY = date(2026, 3, 1)


class Capitals:
    """Finds every run of words with a capital letter, and remembers what it was asked."""

    name = "onnx"
    model = "capitals"
    sha256 = "0" * 64

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    def recognise(self, sentences: Sequence[str], lang: str) -> list[list[Span]]:
        self.asked.append((lang, list(sentences)))
        return [
            [Span(*match.span(), "LOC", 0.5) for match in regex.finditer(r"\p{Lu}\w*", sentence)]
            for sentence in sentences
        ]


class Beyond(Capitals):
    """Gives a span longer than the sentence."""

    def recognise(self, sentences: Sequence[str], lang: str) -> list[list[Span]]:
        return [[Span(0, len(sentence) + 1, "PER", 0.5)] for sentence in sentences]


def documents(*texts: str) -> pa.Table:
    rows = [{"doc_id": f"d{number}", "text": text} for number, text in enumerate(texts)]
    return pa.Table.from_pylist(rows, schema=schemas.unfinished(schemas.DOCUMENTS))


def segments(*rows: tuple[str, int, int, int, str, str]) -> pa.Table:
    names = ("doc_id", "segment", "start", "end", "lang", "kind")
    return pa.Table.from_pylist(
        [{**dict(zip(names, row, strict=True)), "date": DAY} for row in rows],
        schema=schemas.unfinished(schemas.SEGMENTS),
    )


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


TEXT = "  we saw Oslo. then Rome!\nall of Peru"


def test_columns_offsets_and_order() -> None:
    table = recognise(
        documents(TEXT),
        segments(("d0", 1, 26, 37, "en", "boilerplate"), ("d0", 0, 0, 25, "en", "body")),
        {"en": Capitals()},
        "2026-03-01-abc",
    )
    assert table.schema.equals(schemas.unfinished(schemas.MENTIONS))
    rows = rows_of(table)
    assert [row["surface"] for row in rows] == ["Oslo", "Rome", "Peru"]
    for row in rows:
        assert TEXT[row["start"] : row["end"]] == row["surface"]
        first = row["sentence_start"]
        assert TEXT[first : first + len(row["sentence"])] == row["sentence"]
    assert [(row["segment"], row["kind"]) for row in rows] == [
        (0, "body"),
        (0, "body"),
        (1, "boilerplate"),
    ]
    assert rows[0]["label"] == rows[0]["ner_label"] == "LOC"
    assert (rows[0]["engine"], rows[0]["model"], rows[0]["run_id"], rows[0]["date"]) == (
        "onnx",
        "capitals",
        "2026-03-01-abc",
        DAY,
    )
    for column in ("mention_id", "suffix", "name", "entity_id", "link_method", "link_score"):
        assert rows[0][column] is None


def test_a_document_is_asked_for_alone_and_once_a_language() -> None:
    engine = Capitals()
    recognise(
        documents("Oslo. Rome.", "Peru."),
        segments(
            ("d0", 0, 0, 5, "en", "body"),
            ("d0", 1, 6, 11, "ro", "body"),
            ("d1", 0, 0, 5, "en", "body"),
        ),
        {"en": engine, "ro": engine},
        "r",
    )
    assert engine.asked == [("en", ["Oslo."]), ("ro", ["Rome."]), ("en", ["Peru."])]


@pytest.mark.parametrize(("text", "found"), [("Küche in Köln", 2), ("Москва и Oslo там", 0)])
def test_undetermined_text_is_read_in_our_scripts_only(text: str, found: int) -> None:
    table = recognise(
        documents(text),
        segments(("d0", 0, 0, len(text), "und", "body")),
        {"und": Capitals()},
        "r",
    )
    assert table.num_rows == found


def test_undetermined_text_needs_no_engine() -> None:
    given = segments(("d0", 0, 0, 4, "und", "body"))
    assert recognise(documents("Oslo"), given, {}, "r").num_rows == 0


def test_a_language_without_engine_is_an_error() -> None:
    with pytest.raises(ValueError, match="no engine for language tr"):
        recognise(documents("Oslo"), segments(("d0", 0, 0, 4, "tr", "body")), {}, "r")


def test_a_span_outside_its_sentence_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="outside its sentence"):
        recognise(
            documents("see Oslo"), segments(("d0", 0, 0, 8, "en", "body")), {"en": Beyond()}, "r"
        )


def test_no_documents() -> None:
    table = recognise(documents(), segments(), {}, "r")
    assert table.num_rows == 0
    assert table.schema.equals(schemas.unfinished(schemas.MENTIONS))
