"""From documents and rejections to tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from pipeline.ingest.records import Incoming, Rejected
from pipeline.schemas import DOCUMENT_SOURCES, DOCUMENTS, QUARANTINE, unfinished

INCOMING_DOCUMENTS: Final = unfinished(DOCUMENTS).append(
    pa.field(
        "lang_hint",
        pa.string(),
        metadata={"description": "The language the input gave, as an ISO 639 code."},
    )
)
"""The documents table as ingest leaves it: the languages still null, the input's hint beside it."""


def to_tables(incoming: Sequence[Incoming], run_id: str) -> tuple[pa.Table, pa.Table]:
    """Return ``(documents, document_sources)`` of what came in, in its order.

    A text that came more than once is one row of documents, the first one's, and one row of
    document_sources for every arrival.
    """
    doc_ids = [document.doc_id for document in incoming]
    first: dict[str, Incoming] = {}
    for doc_id, document in zip(doc_ids, incoming, strict=True):
        first.setdefault(doc_id, document)
    documents = [
        {
            "doc_id": doc_id,
            "title": document.title,
            "date": document.date,
            "date_origin": document.date_origin,
            "text": document.text,
            "n_chars": document.n_chars,
            "n_words": document.n_words,
            "run_id": run_id,
            "lang_hint": document.lang_hint,
        }
        for doc_id, document in first.items()
    ]
    sources = [
        {
            "doc_id": doc_id,
            "source": document.source,
            "source_id": document.source_id,
            "url": document.url,
            "date": first[doc_id].date,
            "run_id": run_id,
        }
        for doc_id, document in zip(doc_ids, incoming, strict=True)
    ]
    return (
        pa.Table.from_pylist(documents, schema=INCOMING_DOCUMENTS),
        pa.Table.from_pylist(sources, schema=DOCUMENT_SOURCES),
    )


def rejected_table(rejected: Sequence[Rejected], run_id: str) -> pa.Table:
    """Return the rows of the quarantine table for ``rejected``, in its order, tried once."""
    rows = [
        {
            "source": item.source,
            "line": item.line,
            "stage": item.stage,
            "error": item.error,
            "message": item.message,
            "attempts": 1,
            "payload": item.payload,
            "run_id": run_id,
        }
        for item in rejected
    ]
    return pa.Table.from_pylist(rows, schema=QUARANTINE)
