"""The stage as a whole: from table to tables."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa

from pipeline.detect import detect
from pipeline.detect.documents import HINT
from pipeline.schemas import DOCUMENTS, SEGMENTS, unfinished
from tests.detect.conftest import Page

ENGLISH = "The council decided on Friday to plant two thousand trees along the river."
ROMANIAN_TOO = "Lucrările vor începe luna viitoare și se vor încheia înainte de venirea iernii."
ROMANIAN = "Consiliul a hotărât vineri să planteze două mii de copaci de-a lungul râului."


def table(texts: list[str], hints: list[str | None] | None = None) -> pa.Table:
    schema = unfinished(DOCUMENTS).append(pa.field(HINT, pa.string()))
    blank: dict[str, Any] = dict.fromkeys(schema.names)
    rows = [
        blank | {"doc_id": str(number), "date": date(2024, 5, 1), "text": text, HINT: hint}
        for number, (text, hint) in enumerate(zip(texts, hints or [None] * len(texts), strict=True))
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def test_tables_have_their_schemas() -> None:
    documents, segments = detect(table([ENGLISH, "", ROMANIAN]), "run")
    assert documents.schema.equals(unfinished(DOCUMENTS), check_metadata=True)
    assert segments.schema.equals(SEGMENTS, check_metadata=True)
    assert documents["lang"].to_pylist() == ["en", "und", "ro"]
    assert documents["lang_score"].to_pylist() == [1.0, 0.0, 1.0]
    assert segments["doc_id"].to_pylist() == ["0", "2"]
    assert segments["run_id"].unique().to_pylist() == ["run"]


def test_no_documents_give_no_segments() -> None:
    documents, segments = detect(table([]), "run")
    assert (documents.num_rows, segments.num_rows) == (0, 0)


def test_a_document_has_the_language_of_most_of_its_body() -> None:
    text = f"{ROMANIAN}\n{ROMANIAN_TOO}\n{ENGLISH}"
    documents, _ = detect(table([text]), "run")
    assert documents["lang"].to_pylist() == ["ro"]
    body = len((ROMANIAN + ROMANIAN_TOO).replace(" ", "")), len(ENGLISH.replace(" ", ""))
    assert abs(documents["lang_score"][0].as_py() - body[0] / sum(body)) < 1e-6


def test_notices_do_not_count_for_the_document(page: Page) -> None:
    documents, _ = detect(table([page.text]), "run")
    sizes: dict[str, int] = {}
    for row in page.rows:
        if row.kind == "body":
            sizes[row.lang] = sizes.get(row.lang, 0) + row.end - row.start
    assert documents["lang"].to_pylist() == [max(sizes, key=sizes.__getitem__)]


def test_what_shares_a_table_changes_nothing(pages: list[Page]) -> None:
    texts = [page.text for page in pages]
    documents, segments = detect(table(texts), "run")
    backwards, others = detect(table(texts[::-1]), "run")
    assert documents["lang"].to_pylist() == backwards["lang"].to_pylist()[::-1]
    columns = ["start", "end", "lang", "lang_score", "lang_votes", "lang_reason", "kind"]
    for number in range(len(texts)):
        one = segments.filter(pa.compute.equal(segments["doc_id"], str(number)))
        other = others.filter(pa.compute.equal(others["doc_id"], str(len(texts) - 1 - number)))
        assert one.select(columns).to_pylist() == other.select(columns).to_pylist()


def test_hints_are_language_tags() -> None:
    documents, segments = detect(table(["Rabat"] * 3, ["en-GB", "RO", ""]), "run")
    assert documents["lang"].to_pylist() == ["en", "ro", "und"]
    assert segments["lang_reason"].to_pylist() == ["hint", "hint", "too short"]
