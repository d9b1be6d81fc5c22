"""Every table Exonym writes: its columns, their types and what they mean.

Arrow types; each column carries its description as field metadata under ``description``, each table
under ``description`` and ``schema_version``. ``docs/tables.md`` is generated from this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

SCHEMA_VERSION: Final = "1"
"""Raised, with a line in CHANGELOG.md, whenever a column is added, dropped, renamed or retyped."""

LANGUAGES: Final = ("hi", "ro", "tr", "en", "vi")
"""The languages Exonym reads, as ISO 639-1 codes."""

UNDETERMINED: Final = "und"
"""The ISO 639-2 code for text in none of :data:`LANGUAGES`, or too short to tell."""

LABELS: Final = ("PER", "LOC", "ORG")


def _field(name: str, type_: pa.DataType, description: str, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, type_, nullable=nullable, metadata={"description": description})


def _schema(description: str, *fields: pa.Field) -> pa.Schema:
    metadata = {"description": description, "schema_version": SCHEMA_VERSION}
    return pa.schema(list(fields), metadata=metadata)


_RUN_ID = _field("run_id", pa.string(), "The run that wrote this row (runs.run_id).")
_DOC_ID = _field("doc_id", pa.string(), "The document (documents.doc_id).")

DOCUMENTS: Final = _schema(
    "A distinct text.",
    _field("doc_id", pa.string(), "First 32 hex digits of the SHA-256 of the text in UTF-8."),
    _field("title", pa.string(), "The title the input gave, where it gave one.", nullable=True),
    _field("date", pa.date32(), "The day the text was published, as far as it is known."),
    _field(
        "date_origin",
        pa.string(),
        "Where the date comes from: `input`, `text` (a publication line) or `run`.",
    ),
    _field("lang", pa.string(), "The language of most of the text: hi, ro, tr, en, vi or und."),
    _field("lang_score", pa.float32(), "Share of the body's characters in that language, 0 to 1."),
    _field("text", pa.string(), "The stored text, exactly what all offsets refer to."),
    _field("n_chars", pa.int32(), "Length of the text in Unicode code points."),
    _field("n_words", pa.int32(), "Runs without white space that hold a letter or a digit."),
    _field(
        "near_duplicate_of",
        pa.string(),
        "The document of the same day that this one nearly repeats.",
        nullable=True,
    ),
    _field(
        "superseded_by",
        pa.string(),
        "The document that replaced this one: the same source and id with another text. "
        "A superseded document leaves the daily tables and all counts.",
        nullable=True,
    ),
    _RUN_ID,
)

DOCUMENT_SOURCES: Final = _schema(
    "One arrival of a document: a file or URL it came from.",
    _DOC_ID,
    _field("source", pa.string(), "Path or URI of the file, as given."),
    _field("source_id", pa.string(), "The input's own id, where it has one.", nullable=True),
    _field("url", pa.string(), "The address the input gave, where it gave one.", nullable=True),
    _field("date", pa.date32(), "The document's date (documents.date)."),
    _RUN_ID,
)

SEGMENTS: Final = _schema(
    "A stretch of one document in one language and of one kind.",
    _DOC_ID,
    _field("segment", pa.int32(), "Number of the segment within its document, from 0."),
    _field("date", pa.date32(), "The document's date (documents.date)."),
    _field("start", pa.int32(), "First code point of the segment in documents.text."),
    _field("end", pa.int32(), "One past the last code point of the segment."),
    _field("lang", pa.string(), "hi, ro, tr, en, vi or und."),
    _field("lang_score", pa.float32(), "Share of the detectors' votes for that language, 0 to 1."),
    _field(
        "lang_votes",
        pa.map_(pa.string(), pa.string()),
        "What each detector answered: its name to an ISO 639 code, `un` where it gave none.",
    ),
    _field(
        "lang_reason",
        pa.string(),
        "Why: `script`, `agreement`, `majority`, `inherited`, `hint` or `too short`.",
    ),
    _field(
        "kind",
        pa.string(),
        "`body`, `repeat` (a headline said again), `credit` (byline, photo credit) or "
        "`boilerplate` (related posts, notices).",
    ),
    _RUN_ID,
)

MENTIONS: Final = _schema(
    "One name at one place in one document. Sorted by document and start.",
    _field("mention_id", pa.string(), "Stable id of the mention: a hash of document and offsets."),
    _DOC_ID,
    _field("segment", pa.int32(), "The segment it stands in (segments.segment)."),
    _field("date", pa.date32(), "The document's date (documents.date)."),
    _field("lang", pa.string(), "The segment's language."),
    _field("kind", pa.string(), "The segment's kind."),
    _field("label", pa.string(), "PER, LOC or ORG: that of the linked entity."),
    _field("ner_label", pa.string(), "PER, LOC or ORG: what the recogniser said."),
    _field("start", pa.int32(), "First code point of the mention in documents.text."),
    _field("end", pa.int32(), "One past the last: text[start:end] == surface, always."),
    _field("surface", pa.string(), "The name as it stands in the text."),
    _field(
        "suffix",
        pa.string(),
        "The case ending that the language glued on behind the span: `'ın` of `Putin'ın`.",
        nullable=True,
    ),
    _field("name", pa.string(), "The name in the nominative, orthography normalised."),
    _field("sentence", pa.string(), "The sentence it stands in."),
    _field("sentence_start", pa.int32(), "First code point of the sentence in documents.text."),
    _field(
        "ner_score",
        pa.float32(),
        "The recogniser's score, 0 to 1; null where the engine gives none.",
        nullable=True,
    ),
    _field("engine", pa.string(), "onnx, spacy or stanza."),
    _field("model", pa.string(), "The model's name."),
    _field("entity_id", pa.string(), "The entity it names (entities.entity_id)."),
    _field("link_method", pa.string(), "How the entity was decided; see `exonym explain`."),
    _field("link_score", pa.float32(), "How sure the link is, 0 to 1."),
    _RUN_ID,
)

_NAMES = {"hi": "Hindi", "ro": "Romanian", "tr": "Turkish", "en": "English", "vi": "Vietnamese"}

ENTITIES: Final = _schema(
    "One person, place or organisation, as of now. Live ids only.",
    _field("entity_id", pa.string(), "Stable for ever; see redirects for merged ones."),
    _field("label", pa.string(), "PER, LOC or ORG."),
    _field("name", pa.string(), "International display name in Latin script."),
    *(
        _field(f"name_{code}", pa.string(), f"Its usual name in {language}.", nullable=True)
        for code, language in _NAMES.items()
    ),
    _field("status", pa.string(), "`known` (in the knowledge base) or `new` (met in the news)."),
    _field("wikidata", pa.string(), "Wikidata item, where known.", nullable=True),
    _field("geonames", pa.string(), "GeoNames id, where known.", nullable=True),
    _field("iso_country", pa.string(), "ISO 3166-1 alpha-2 code, where known.", nullable=True),
    _field("n_mentions", pa.int64(), "Mentions in documents that are not superseded."),
    _field("n_documents", pa.int64(), "Documents, not superseded, that mention it."),
    _field("langs", pa.list_(pa.string()), "Languages it was mentioned in, sorted."),
    _field("first_seen", pa.date32(), "Date of the earliest document that mentions it."),
    _field("last_seen", pa.date32(), "Date of the latest document that mentions it."),
)

ENTITY_NAMES: Final = _schema(
    "One spelling of an entity in one language.",
    _field("entity_id", pa.string(), "The entity (entities.entity_id)."),
    _field("lang", pa.string(), "hi, ro, tr, en, vi or und."),
    _field("script", pa.string(), "ISO 15924 code of the script: Latn, Deva, Cyrl …"),
    _field("name", pa.string(), "The spelling, in the nominative."),
    _field("origin", pa.string(), "`knowledge` or `news`."),
    _field("n_mentions", pa.int64(), "Mentions so spelled; 0 where only the knowledge base does."),
    _field("first_seen", pa.date32(), "Earliest date of such a mention.", nullable=True),
    _field("last_seen", pa.date32(), "Latest date of such a mention.", nullable=True),
)

REDIRECTS: Final = _schema(
    "An old entity id and where it went.",
    _field("entity_id", pa.string(), "The id that is no longer live."),
    _field("replaced_by", pa.string(), "The live id to use instead."),
    _field("reason", pa.string(), "Why the two were merged."),
    _RUN_ID,
)

DAILY_ENTITIES: Final = _schema(
    "An entity on one day in one language; segments of kind `body` only.",
    _field("date", pa.date32(), "The day."),
    _field("lang", pa.string(), "The segments' language."),
    _field("entity_id", pa.string(), "The entity (entities.entity_id)."),
    _field("name", pa.string(), "Its international display name on the day it was written."),
    _field("label", pa.string(), "PER, LOC or ORG."),
    _field("n_mentions", pa.int64(), "Mentions on that day in that language."),
    _field("n_documents", pa.int64(), "Documents that mention it."),
    _field("n_stories", pa.int64(), "The same with near duplicates counted once."),
)

DAILY_PAIRS: Final = _schema(
    "Two entities named in the same documents on one day; segments of kind `body` only.",
    _field("date", pa.date32(), "The day."),
    _field("entity_a", pa.string(), "The lesser id of the two."),
    _field("entity_b", pa.string(), "The greater id of the two."),
    _field("n_documents", pa.int64(), "Documents that name both."),
    _field("n_stories", pa.int64(), "The same with near duplicates counted once."),
)

QUARANTINE: Final = _schema(
    "One piece of input that could not be processed.",
    _field("source", pa.string(), "Path or URI of the file, as given."),
    _field("line", pa.int64(), "Line or row within the file, from 1.", nullable=True),
    _field("stage", pa.string(), "The stage that gave up: ingest, detect, recognise or resolve."),
    _field("error", pa.string(), "Short name of the error, always one of a fixed set."),
    _field("message", pa.string(), "What was wrong, for people."),
    _field("attempts", pa.int32(), "How often it was tried; `quarantine retry` raises it."),
    _field("payload", pa.binary(), "The input itself, capped.", nullable=True),
    _RUN_ID,
)

_MODEL = pa.struct(
    [
        pa.field("lang", pa.string(), nullable=False),
        pa.field("engine", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
    ]
)

RUNS: Final = _schema(
    "One attempt of a run. The only table with clock times.",
    _field("run_id", pa.string(), "A date and a hash of what went in."),
    _field("attempt", pa.int32(), "1 for the first try, one more for every resume."),
    _field("started", pa.timestamp("us", tz="UTC"), "When the attempt began."),
    _field("finished", pa.timestamp("us", tz="UTC"), "When it ended.", nullable=True),
    _field("outcome", pa.string(), "published, held back, rolled back, failed or stopped."),
    _field("code_version", pa.string(), "Version of Exonym and a hash of its code."),
    _field("config_hash", pa.string(), "Hash of the settings that change results."),
    _field("models", pa.list_(_MODEL), "Engine, model and checksum by language."),
    _field("schema_version", pa.string(), "Version of these tables."),
    _field("n_documents", pa.int64(), "Distinct documents taken in."),
    _field("n_words", pa.int64(), "Words in them."),
    _field("n_mentions", pa.int64(), "Mentions found."),
    _field("n_entities", pa.int64(), "Distinct entities mentioned."),
    _field("n_new_entities", pa.int64(), "Entities first met in this run."),
    _field("n_quarantined", pa.int64(), "Pieces of input put into quarantine."),
    _field("n_skipped", pa.int64(), "Documents or files already known."),
    _field("seconds", pa.map_(pa.string(), pa.float64()), "Wall seconds by stage."),
    _field("words_per_second", pa.float64(), "Words by wall seconds of the whole run."),
    _field("peak_rss_mb", pa.float64(), "Highest resident memory of any process, in MB."),
)

TABLES: Final[Mapping[str, pa.Schema]] = {
    "documents": DOCUMENTS,
    "document_sources": DOCUMENT_SOURCES,
    "segments": SEGMENTS,
    "mentions": MENTIONS,
    "entities": ENTITIES,
    "entity_names": ENTITY_NAMES,
    "redirects": REDIRECTS,
    "daily_entities": DAILY_ENTITIES,
    "daily_pairs": DAILY_PAIRS,
    "quarantine": QUARANTINE,
    "runs": RUNS,
}

DATED: Final = frozenset(
    {"documents", "document_sources", "segments", "mentions", "daily_entities", "daily_pairs"}
)
"""Tables kept as one file a day, ``TABLE/YYYY-MM-DD.parquet``; the others are one file each."""


def unfinished(schema: pa.Schema) -> pa.Schema:
    """Return ``schema`` with every column nullable: a table on its way through the stages."""
    return pa.schema([field.with_nullable(True) for field in schema], metadata=schema.metadata)


WORKING_SOURCES: Final = pa.schema([*unfinished(DOCUMENT_SOURCES), pa.field("line", pa.int64())])
"""Arrivals of a run in progress: ``document_sources`` and where in its file each stood."""

WORKING_SUPERSEDED: Final = pa.schema(
    [
        pa.field("doc_id", pa.string()),
        pa.field("superseded_by", pa.string()),
        pa.field("date", pa.date32()),
        pa.field("position", pa.int64()),
    ]
)
"""Documents that a run replaces, with the old one's date, in the order they were replaced."""

WORKING_LATEST: Final = pa.schema(
    [
        pa.field("source", pa.string()),
        pa.field("source_id", pa.string()),
        pa.field("doc_id", pa.string()),
        pa.field("date", pa.date32()),
        pa.field("position", pa.int64()),
    ]
)
"""What a run last met where several texts came from one source and id, with the text's date.

``position`` is that of the first of WORKING_SUPERSEDED that it replaces.
"""

WORKING_FAILED: Final = pa.schema([*unfinished(QUARANTINE), pa.field("doc_id", pa.string())])
"""Documents that a stage failed on, with the quarantine row each becomes."""
