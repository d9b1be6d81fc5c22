from __future__ import annotations

import datetime

from pipeline.ingest import Incoming, Rejected, rejected_table, to_tables
from pipeline.schemas import DOCUMENT_SOURCES, DOCUMENTS, QUARANTINE

DAY = datetime.date(2025, 11, 25)
OTHER_DAY = datetime.date(2025, 11, 26)


def _incoming(text: str, source: str, date: datetime.date = DAY) -> Incoming:
    return Incoming(text, "Title", date, "input", "ro", source, 1, "7", "https://x.example/")


def test_documents_and_their_sources() -> None:
    documents, sources = to_tables(
        [
            _incoming("Titlu unu", "a"),
            _incoming("Doi", "b"),
            _incoming("Titlu unu", "c", OTHER_DAY),
        ],
        "run",
    )
    assert documents.schema.names == [*DOCUMENTS.names, "lang_hint"]
    assert documents.column("text").to_pylist() == ["Titlu unu", "Doi"]
    assert documents.column("n_chars").to_pylist() == [9, 3]
    assert documents.column("n_words").to_pylist() == [2, 1]
    assert documents.column("date").to_pylist() == [DAY, DAY]
    assert documents.column("lang_hint").to_pylist() == ["ro", "ro"]
    for later in ("lang", "lang_score", "near_duplicate_of", "superseded_by"):
        assert documents.column(later).null_count == 2
    first, second = documents.column("doc_id").to_pylist()
    assert sources.schema.equals(DOCUMENT_SOURCES, check_metadata=True)
    assert sources.column("doc_id").to_pylist() == [first, second, first]
    assert sources.column("source").to_pylist() == ["a", "b", "c"]
    assert sources.column("date").to_pylist() == [DAY, DAY, DAY]
    assert set(sources.column("run_id").to_pylist()) == {"run"}


def test_the_id_of_a_document_is_the_hash_of_its_text() -> None:
    documents, _ = to_tables([_incoming("Metin", "a")], "run")
    # printf Metin | sha256sum
    assert documents.column("doc_id").to_pylist() == ["80422e38652c596485382fcbf77342f8"]


def test_rejections() -> None:
    table = rejected_table(
        [Rejected("a", "empty", "the file is empty"), Rejected("b", "binary", "m", 3, b"\0")], "run"
    )
    assert table.schema.equals(QUARANTINE, check_metadata=True)
    assert table.to_pylist()[1] == {
        "source": "b",
        "line": 3,
        "stage": "ingest",
        "error": "binary",
        "message": "m",
        "attempts": 1,
        "payload": b"\0",
        "run_id": "run",
    }


def test_nothing_makes_empty_tables() -> None:
    documents, sources = to_tables([], "run")
    assert (documents.num_rows, sources.num_rows) == (0, 0)
    assert rejected_table([], "run").num_rows == 0
