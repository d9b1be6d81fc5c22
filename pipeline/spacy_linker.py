"""The spaCy component ``exonym_linker``: entity ids for the names of any spaCy pipeline.

::

    nlp = spacy.load("en_core_web_sm")
    nlp.add_pipe("exonym_linker")
    [(ent.text, ent.kb_id_, ent._.exonym["name"]) for ent in nlp("Japarov met Erdoğan.").ents]

It finds no names itself: it goes behind whatever sets ``doc.ents``. It is registered by an entry
point, so that nothing of Exonym needs to be imported.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any, Final

import pyarrow as pa
from spacy.language import Language
from spacy.tokens import Doc, Span

from pipeline.detect.kinds import BODY
from pipeline.detect.segments import Segment, segments_of
from pipeline.errors import UsageError
from pipeline.extraction import Linked, Linker, registered
from pipeline.recognise.labels import to_label
from pipeline.resolve import registry
from pipeline.resolve.document import settle
from pipeline.schemas import DOCUMENTS, LANGUAGES, MENTIONS, SEGMENTS, UNDETERMINED, unfinished
from pipeline.settings import load

NAME: Final = "exonym_linker"

FACTS: Final = ("name", "label", "status", "wikidata", "geonames", "iso_country")
"""What ``ent._.exonym`` says of an entity: columns of the table ``entities``."""

FACTS_KEY: Final = "exonym"
"""Where ``doc.user_data`` keeps them, by entity id."""

Row = dict[str, Any]


@Language.factory(
    NAME,
    default_config={"lang": "", "tables": "", "config": ""},
    requires=["doc.ents"],
    assigns=["token.ent_kb_id", "span._.exonym"],
)
def create(nlp: Language, name: str, lang: str, tables: str, config: str) -> ExonymLinker:
    """Return the component for ``nlp``; see :class:`ExonymLinker` for the settings."""
    return ExonymLinker(lang or (nlp.lang if nlp.lang in LANGUAGES else ""), tables, config)


class ExonymLinker:
    """Sets ``kb_id`` of each entity of a Doc that is a person, a place or an organisation.

    ``lang`` is the language whose rules read the names: by default the pipeline's own, where it is
    one of Exonym's, else what each stretch of a text is found to be in. ``tables`` is an output
    folder whose names keep their ids; ``config`` the settings file, for the knowledge and the
    decisions of people.

    Names that neither knowledge nor tables hold get an id that this component remembers: the next
    Doc that names the same one gets it too. It is gone with the component, and stands in no table.
    """

    def __init__(self, lang: str = "", tables: str = "", config: str = "") -> None:
        """Take the settings; nothing is opened before the first Doc.

        Raises:
            UsageError: ``lang`` is none of Exonym's languages.
        """
        if lang and lang not in LANGUAGES:
            raise UsageError(f"lang '{lang}' is not read here; use one of {', '.join(LANGUAGES)}")
        self._lang = lang
        self._places = (tables, config)
        self._opened: _Opened | None = None
        if not Span.has_extension("exonym"):
            Span.set_extension("exonym", getter=facts_of)

    def __call__(self, doc: Doc) -> Doc:
        """Return ``doc``, its entities linked.

        Raises:
            UsageError: the settings are wrong, or nothing is published in ``tables``.
        """
        if self._opened is None:
            self._opened = _Opened(*self._places)
        rows = list(self._rows(doc))
        if rows:
            _mark(doc, self._opened.link(doc.text, rows))
        return doc

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is open: a copy, in another process perhaps, opens it anew."""
        return self.__dict__ | {"_opened": None}

    def _rows(self, doc: Doc) -> Iterator[Row]:
        """Yield the entities that Exonym has a label for, as the recogniser's mentions."""
        segments = [] if self._lang else segments_of(doc.text)
        for ent in doc.ents:
            label = to_label(ent.label_)
            if label is not None:
                yield {
                    "doc_id": _doc_id(doc.text),
                    "segment": 0,
                    "lang": self._lang or _language_at(ent.start_char, segments),
                    "kind": BODY,
                    "label": label,
                    "ner_label": label,
                    "start": ent.start_char,
                    "end": ent.end_char,
                    "surface": ent.text,
                }


class _Opened:
    """The knowledge, and the registry in memory: a copy that learns from one Doc to the next."""

    def __init__(self, tables: str, config: str) -> None:
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        with registered(tables or None) as published:
            published.backup(connection)
        self._linker = Linker.of(load(Path(config) if config else None), connection)
        self._rulings = self._linker.rulings
        self._lock = Lock()
        self._numbers = count()

    def link(self, text: str, rows: Sequence[Row]) -> Linked:
        """Link the mentions in a text, and remember the names that were not known."""
        doc_id = _doc_id(text)
        documents = pa.Table.from_pylist([{"doc_id": doc_id, "text": text}], unfinished(DOCUMENTS))
        segments = unfinished(SEGMENTS).empty_table()
        mentions = pa.Table.from_pylist(list(rows), unfinished(MENTIONS))
        with self._lock:
            linker, run_id = self._linker, f"doc {next(self._numbers)}"
            settled = settle(documents, segments, mentions.to_pylist(), linker.index, self._rulings)
            linked = linker.link(settled, run_id)
            if any(getattr(linked.delta, part.name).num_rows for part in fields(linked.delta)):
                registry.apply(linker.connection, linked.delta, run_id)
        return linked


def facts_of(ent: Span) -> dict[str, str | None] | None:
    """Return the :data:`FACTS` of a linked entity, for ``ent._.exonym``; None without a link."""
    facts: dict[str, str | None] | None = ent.doc.user_data.get(FACTS_KEY, {}).get(ent.kb_id_)
    return facts


def _mark(doc: Doc, linked: Linked) -> None:
    """Write the links into ``doc``; a mention lies in the entity that it was cleaned from."""
    entities = linked.entities.select(["entity_id", *FACTS]).to_pylist()
    known = doc.user_data.setdefault(FACTS_KEY, {})
    known |= {row.pop("entity_id"): row for row in entities}
    for row in linked.mentions.select(["start", "end", "entity_id"]).to_pylist():
        for ent in doc.ents:
            if ent.start_char <= row["start"] and row["end"] <= ent.end_char:
                for token in ent:
                    token.ent_kb_id_ = row["entity_id"]


def _language_at(position: int, segments: Sequence[Segment]) -> str:
    return next((s.verdict.lang for s in segments if s.start <= position < s.end), UNDETERMINED)


def _doc_id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
