"""Documents written with their mentions marked, and knowledge bases to resolve them with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.knowledge.build import build, ensure
from pipeline.knowledge.files import COLUMNS
from pipeline.knowledge.index import Index
from pipeline.schemas import DOCUMENTS, MENTIONS, SEGMENTS, unfinished

_MARK = re.compile(r"\[\[([^|\[\]]+)\|(PER|LOC|ORG)(?:\|([^\]]*))?\]\]")

KNOWLEDGE = [
    {"key": "exonym:amina-bolat", "label": "PER", "name": "Amina Bolat", "iso_country": "KZ"},
    {"key": "exonym:juna-bolat", "label": "PER", "name": "Juna Bolat", "iso_country": "KZ"},
    {
        "key": "exonym:petru-varga",
        "label": "PER",
        "name": "Petru Varga",
        "en": "Petru Varga",
        "hi": "पेत्रु वर्गा",
        "iso_country": "RO",
    },
    {
        "key": "exonym:northern-trade-union",
        "label": "ORG",
        "name": "Northern Trade Pact",
        "en": "Northern Trade Pact|NTP",
        "ro": "Pactul Nordic de Comerț|PNC",
        "tr": "Kuzey Ticaret Paktı",
        "hi": "उत्तरी व्यापार संधि",
    },
    {
        "key": "exonym:russian-defence-ministry",
        "label": "ORG",
        "name": "Russian Defence Ministry",
        "en": "Russian Defence Ministry|Ministry of Defence of Russia",
        "iso_country": "RU",
    },
    {
        "key": "exonym:turkish-defence-ministry",
        "label": "ORG",
        "name": "Turkish Defence Ministry",
        "en": "Turkish Defence Ministry|Ministry of Defence of Turkey",
        "iso_country": "TR",
    },
    {
        "key": "geonames-admin1:US.GA",
        "label": "LOC",
        "name": "Georgia",
        "en": "Georgia",
        "iso_country": "US",
        "source": "GeoNames",
    },
    {
        "key": "geonames:4180439",
        "label": "LOC",
        "name": "Atlanta",
        "en": "Atlanta",
        "iso_country": "US",
        "population": "463878",
        "source": "GeoNames",
    },
    {
        "key": "geonames:4221552",
        "label": "LOC",
        "name": "Savannah",
        "en": "Savannah",
        "iso_country": "US",
        "population": "145674",
        "source": "GeoNames",
    },
    {
        "key": "geonames:524901",
        "label": "LOC",
        "name": "Moscow",
        "en": "Moscow",
        "ro": "Moscova",
        "iso_country": "RU",
        "population": "10381222",
        "source": "GeoNames",
    },
    {
        "key": "geonames:5601538",
        "label": "LOC",
        "name": "Moscow",
        "en": "Moscow",
        "iso_country": "US",
        "population": "25060",
        "source": "GeoNames",
    },
    {"key": "iso:GE", "label": "LOC", "name": "Georgia", "en": "Georgia", "iso_country": "GE"},
    {"key": "iso:NE", "label": "LOC", "name": "Niger", "en": "Niger", "tr": "Nijer"},
    {"key": "iso:NG", "label": "LOC", "name": "Nigeria", "en": "Nigeria", "tr": "Nijerya"},
    {
        "key": "iso:RU",
        "label": "LOC",
        "name": "Russia",
        "en": "Russia",
        "ro": "Rusia",
        "tr": "Rusya",
        "hi": "रूस",
        "vi": "Nga",
        "iso_country": "RU",
    },
    {"key": "iso:US", "label": "LOC", "name": "United States", "en": "United States|U.S."},
]
"""Invented persons and bodies, and places that are easily taken for one another."""


def write_knowledge(folder: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """Write ``rows`` as a knowledge file into ``folder``."""
    folder.mkdir(exist_ok=True)
    lines = ["\t".join(COLUMNS)]
    for row in sorted(rows, key=lambda r: r["key"]):
        kind, _, code = row["key"].partition(":")
        full = {"source": "curated", "en": row["name"], **row}
        if kind == "iso":
            full.setdefault("iso_country", code)
        lines.append("\t".join(full.get(column, "") for column in COLUMNS))
    (folder / "small.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def small_index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """An index of :data:`KNOWLEDGE`."""
    folder = tmp_path_factory.mktemp("small")
    return build(write_knowledge(folder / "knowledge", KNOWLEDGE), folder / "index")


@pytest.fixture(scope="session")
def shipped_index(root: Path) -> Index:
    """The index of the knowledge base that the project ships."""
    return ensure(root / "models" / "knowledge")


@dataclass(frozen=True)
class Marked:
    """Documents as tables, and what each mention, by (doc_id, start), stands for."""

    documents: pa.Table
    segments: pa.Table
    mentions: pa.Table
    gold: dict[tuple[str, int], str]


Documents = Mapping[str, tuple[str, str]]
"""Document id to language and text with marks ``[[surface|LABEL|entity]]``."""


def marked(documents: Documents) -> Marked:
    """Return the tables of documents in which mentions are marked."""
    texts, mentions, gold = [], [], {}
    for doc_id, (lang, markup) in documents.items():
        text = ""
        at = 0
        for match in _MARK.finditer(markup):
            text += markup[at : match.start()]
            surface, label, entity = match.groups()
            start = len(text)
            text += surface
            at = match.end()
            gold[doc_id, start] = entity or surface
            mentions.append(
                {
                    "doc_id": doc_id,
                    "segment": 0,
                    "date": date(2026, 1, 5),
                    "lang": lang,
                    "kind": "body",
                    "ner_label": label,
                    "start": start,
                    "end": start + len(surface),
                    "surface": surface,
                    "sentence": surface,
                    "sentence_start": start,
                    "ner_score": 0.9,
                    "engine": "gold",
                    "model": "gold",
                }
            )
        text += markup[at:]
        texts.append({"doc_id": doc_id, "text": text, "lang": lang})
    return Marked(
        pa.Table.from_pylist(texts, schema=unfinished(DOCUMENTS)),
        pa.Table.from_pylist([], schema=unfinished(SEGMENTS)),
        pa.Table.from_pylist(mentions, schema=unfinished(MENTIONS)),
        gold,
    )


@pytest.fixture(scope="session")
def mark() -> Callable[[Documents], Marked]:
    """The function :func:`marked`."""
    return marked
