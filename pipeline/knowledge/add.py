"""One entry more, or more names of one that is there, in a readable file of the user's own."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline import languages
from pipeline.knowledge.build import build, ensure
from pipeline.knowledge.files import (
    COLUMNS,
    KnowledgeError,
    Row,
    format_row,
    parse_row,
    read_rows,
    write_rows,
)
from pipeline.knowledge.index import Index
from pipeline.schemas import UNDETERMINED

FILE: Final = "added.tsv"
"""The knowledge file that additions go to."""


@dataclass(frozen=True, slots=True)
class Ids:
    """Ids of an entry, as the user gives them; none is looked up or guessed."""

    key: str | None = None
    wikidata: str | None = None
    geonames: str | None = None
    iso_country: str | None = None


def add(
    knowledge_dir: Path,
    name: str,
    label: str,
    names: Mapping[str, Iterable[str]],
    source: str,
    ids: Ids,
    population: int | None = None,
) -> str:
    """Add an entry to :data:`FILE` in ``knowledge_dir``, update the index, and return its key.

    ``names`` are those in each language, ``und`` for none in particular; ``source`` says who says
    so. The key is the one given, else that of the Wikidata or GeoNames id, else made of the name;
    a key that the knowledge base has already adds names to that entry, but only where it was given.

    Raises :class:`pipeline.knowledge.files.KnowledgeError`, and changes nothing, where a value
    breaks the format, the label differs from the one the entry has, or the name's key is taken.
    """
    given = ids.key or _key_of_id(ids)
    row = Row(
        key=given or f"exonym:{languages.get(UNDETERMINED).fold(name).replace(' ', '-')}",
        label=label,
        name=_tidy(name),
        names={lang: forms for lang, texts in names.items() if (forms := _forms(texts))},
        iso_country=ids.iso_country,
        wikidata=ids.wikidata,
        geonames=ids.geonames,
        population=population,
        source=_tidy(source),
    )
    row = parse_row(format_row(row), COLUMNS, f"the entry {row.key}")
    _check_known(ensure(knowledge_dir), row, key_given=given is not None)
    path = knowledge_dir / FILE
    rows = {row.key: row for row in read_rows(path)} if path.exists() else {}
    if row.key in rows:
        raise KnowledgeError(f"{path} has a line for {row.key}: edit that line")
    draft = path.with_suffix(".draft")
    write_rows(draft, [*rows.values(), row])
    draft.replace(path)
    build(knowledge_dir)
    return row.key


def _check_known(index: Index, row: Row, *, key_given: bool) -> None:
    """Raise KnowledgeError if the index has the row's key and the row must not add names to it."""
    known = index.by_key(row.key)
    if known is None:
        return
    if not key_given:
        raise KnowledgeError(
            f"{row.key} is in the knowledge base: give --key {row.key} to add names to it, "
            "or another key for another entry"
        )
    label = index.entry(known).label
    if label != row.label:
        raise KnowledgeError(f"{row.key} is {label} in the knowledge base: give that label")


def _key_of_id(ids: Ids) -> str | None:
    if ids.wikidata:
        return f"wikidata:{ids.wikidata}"
    return f"geonames:{ids.geonames}" if ids.geonames else None


def _forms(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(_tidy, texts))))


def _tidy(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
