"""Recognise: segments to mentions. The engines stand in a file each, behind one protocol."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pyarrow as pa
import regex

from pipeline import schemas
from pipeline.recognise.base import Engine, EngineUnavailable, Span
from pipeline.recognise.cleaning import clean_spans
from pipeline.recognise.sentences import split_sentences

__all__ = ["Engine", "EngineUnavailable", "Span", "find_names", "recognise"]

_READABLE_LETTER = regex.compile(r"[\p{Latin}\p{Devanagari}]")
_LETTER = regex.compile(r"\p{L}")


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence of a document: its segment's row and its place in the document's text."""

    segment: Mapping[str, Any]
    start: int
    text: str


def recognise(
    documents: pa.Table, segments: pa.Table, engines: Mapping[str, Engine], run_id: str
) -> pa.Table:
    """Find the names in every segment, whatever its kind.

    ``documents`` and ``segments`` are tables of those schemas; ``engines`` maps each language of
    the segments to the engine that reads it. A segment in no known language (``und``) is read by
    the engine under ``und``, where there is one and its letters are mostly Latin or Devanagari.

    Returns a table with the columns of ``mentions``, sorted by document and start; what later
    stages decide (mention_id, suffix, name, entity_id, link_method, link_score) is null, and
    ``label`` is the engine's. A document's rows depend on that document alone.

    Raises ValueError where a language has no engine, and RuntimeError where a span does not fit its
    text, which is an error in an engine.
    """
    texts = dict(zip(documents["doc_id"].to_pylist(), documents["text"].to_pylist(), strict=True))
    columns = ["doc_id", "segment", "date", "start", "end", "lang", "kind"]
    rows = sorted(
        segments.select(columns).to_pylist(), key=lambda row: (row["doc_id"], row["start"])
    )
    mentions: list[dict[str, Any]] = []
    for doc_id, document_rows in groupby(rows, key=lambda row: row["doc_id"]):
        text = texts[doc_id]
        found = list(_read_document(text, list(document_rows), engines))
        for mention in found:
            if text[mention["start"] : mention["end"]] != mention["surface"]:
                raise RuntimeError(f"a mention's offsets do not fit the text of {doc_id}")
        mentions += sorted(found, key=lambda mention: (mention["start"], mention["end"]))
    for mention in mentions:
        mention["run_id"] = run_id
    return pa.Table.from_pylist(mentions, schema=schemas.unfinished(schemas.MENTIONS))


def find_names(engine: Engine, sentences: Sequence[str], lang: str) -> list[list[Span]]:
    """Return the names in the sentences of one document as ``engine`` finds them, edges tidied.

    Raises RuntimeError where the engine gives a span that is empty or goes beyond its sentence.
    """
    found = engine.recognise(sentences, lang)
    for text, spans in zip(sentences, found, strict=True):
        if not all(0 <= span.start < span.end <= len(text) for span in spans):
            raise RuntimeError(f"{engine.name} {engine.model} gave a span outside its sentence")
    return [clean_spans(text, spans, lang) for text, spans in zip(sentences, found, strict=True)]


def _read_document(
    text: str, segments: Sequence[Mapping[str, Any]], engines: Mapping[str, Engine]
) -> Iterator[dict[str, Any]]:
    by_lang: dict[str, list[_Sentence]] = defaultdict(list)
    for segment in segments:
        segment_text = text[segment["start"] : segment["end"]]
        lang = segment["lang"]
        if lang == schemas.UNDETERMINED and not (lang in engines and _is_readable(segment_text)):
            continue
        for start, end in split_sentences(segment_text, lang):
            by_lang[lang].append(
                _Sentence(segment, segment["start"] + start, segment_text[start:end])
            )
    for lang, sentences in sorted(by_lang.items()):
        if lang not in engines:
            raise ValueError(f"no engine for language {lang}: add it to the routing")
        engine = engines[lang]
        names = find_names(engine, [sentence.text for sentence in sentences], lang)
        for sentence, spans in zip(sentences, names, strict=True):
            for span in spans:
                yield _mention(sentence, span, engine)


def _is_readable(text: str) -> bool:
    """Tell whether at least half of the letters are Latin or Devanagari."""
    letters = len(_LETTER.findall(text))
    return letters > 0 and 2 * len(_READABLE_LETTER.findall(text)) >= letters


def _mention(sentence: _Sentence, span: Span, engine: Engine) -> dict[str, Any]:
    return {
        "doc_id": sentence.segment["doc_id"],
        "segment": sentence.segment["segment"],
        "date": sentence.segment["date"],
        "lang": sentence.segment["lang"],
        "kind": sentence.segment["kind"],
        "label": span.label,
        "ner_label": span.label,
        "start": sentence.start + span.start,
        "end": sentence.start + span.end,
        "surface": sentence.text[span.start : span.end],
        "sentence": sentence.text,
        "sentence_start": sentence.start,
        "ner_score": span.score,
        "engine": engine.name,
        "model": engine.model,
    }
