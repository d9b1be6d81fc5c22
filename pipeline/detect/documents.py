"""The detect stage: documents to documents with a language, and their segments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from pipeline.detect.kinds import BODY
from pipeline.detect.segments import Segment, segments_of
from pipeline.schemas import DOCUMENTS, SEGMENTS, UNDETERMINED, unfinished

HINT: Final = "lang_hint"
"""Column of the input: the language the source claimed, as a BCP 47 tag; null without one."""


def detect(documents: pa.Table, run_id: str) -> tuple[pa.Table, pa.Table]:
    """Return ``documents`` with ``lang`` and ``lang_score`` filled in, and their segments.

    ``documents`` has the columns of ``unfinished(DOCUMENTS)`` and :data:`HINT`, which is dropped.
    The segments have the schema ``SEGMENTS``, in the order of the documents and within them of the
    text. Each document is looked at alone: the result does not depend on what else is in the table.
    """
    languages: list[tuple[str, float]] = []
    rows: list[dict[str, Any]] = []
    for document in documents.select(["doc_id", "date", "text", HINT]).to_pylist():
        segments = segments_of(document["text"], _primary_subtag(document[HINT]))
        languages.append(main_language(document["text"], segments))
        rows += _rows(document, segments, run_id)
    return _with_languages(documents, languages), pa.Table.from_pylist(rows, schema=SEGMENTS)


def main_language(text: str, segments: Sequence[Segment]) -> tuple[str, float]:
    """Return the language of most characters of the body of ``text``, and its share of them.

    White space does not count. ``und`` and 0.0 for a text without body.
    """
    characters: Counter[str] = Counter()
    for segment in segments:
        if segment.kind == BODY:
            size = len("".join(text[segment.start : segment.end].split()))
            characters[segment.verdict.lang] += size
    if not characters:
        return UNDETERMINED, 0.0
    lang, most = max(characters.items(), key=lambda item: (item[1], item[0]))
    return lang, most / characters.total()


def _rows(
    document: dict[str, Any], segments: Sequence[Segment], run_id: str
) -> list[dict[str, Any]]:
    return [
        {
            "doc_id": document["doc_id"],
            "segment": number,
            "date": document["date"],
            "start": segment.start,
            "end": segment.end,
            "lang": segment.verdict.lang,
            "lang_score": segment.verdict.score,
            "lang_votes": list(segment.verdict.votes.items()),
            "lang_reason": segment.verdict.reason,
            "kind": segment.kind,
            "run_id": run_id,
        }
        for number, segment in enumerate(segments)
    ]


def _with_languages(documents: pa.Table, languages: Sequence[tuple[str, float]]) -> pa.Table:
    """Return ``documents`` with the two columns set, in the order of the schema."""
    schema = unfinished(DOCUMENTS)
    filled = {
        "lang": pa.array([lang for lang, _ in languages], pa.string()),
        "lang_score": pa.array([score for _, score in languages], pa.float32()),
    }
    columns = [filled[name] if name in filled else documents[name] for name in schema.names]
    return pa.table(columns, schema=schema)


def _primary_subtag(tag: str | None) -> str | None:
    """Return the language of a BCP 47 tag in lower case: `en` of `en-GB`."""
    return tag.replace("_", "-").split("-")[0].strip().lower() or None if tag else None
