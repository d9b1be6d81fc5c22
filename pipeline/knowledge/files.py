"""The readable files of the knowledge base: tab-separated, one entry a line, sorted by key."""

from __future__ import annotations

import hashlib
import heapq
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pipeline.errors import UsageError
from pipeline.knowledge.entry import Alias, Entry
from pipeline.knowledge.prior import prior, source_rank
from pipeline.schemas import LABELS, LANGUAGES, UNDETERMINED

T = TypeVar("T")

_NAME_COLUMNS: Final = {
    "en": "en",
    "hi": "hi",
    "ro": "ro",
    "tr": "tr",
    "vi": "vi",
    "any": UNDETERMINED,
}
"""Column to the language of the names in it."""

COLUMNS: Final = (
    "key",
    "label",
    "name",
    *_NAME_COLUMNS,
    "iso_country",
    "wikidata",
    "geonames",
    "population",
    "source",
)
OPTIONAL_COLUMN: Final = "sitelinks"
"""A last column that a file may have: the number of its pages on Wikipedias and sister projects."""

_KEY = re.compile(
    r"iso:[A-Z]{2}|m49:\d{3}|wikidata:Q[1-9]\d*|geonames:[1-9]\d*"
    r"|(?!(?:iso|m49|wikidata|geonames):)[a-z][a-z0-9-]*:\S+"
)
_FORMATS: Final = {
    "iso_country": re.compile(r"[A-Z]{2}"),
    "wikidata": re.compile(r"Q[1-9]\d*"),
    "geonames": re.compile(r"[1-9]\d*"),
    "population": re.compile(r"\d+"),
    OPTIONAL_COLUMN: re.compile(r"\d+"),
}
_UNTIDY = re.compile(r"  | \t|\t |^ | $|[^\S \t]")
_CEDILLA = re.compile("[\u015e\u015f\u0162\u0163]")


class KnowledgeError(UsageError):
    """A knowledge file that cannot be used: says which file and line, and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a knowledge file.

    ``names`` maps a language (``und`` for the column ``any``) to the forms in its cell, in order;
    languages with an empty cell are absent.
    """

    key: str
    label: str
    name: str
    names: Mapping[str, tuple[str, ...]]
    iso_country: str | None
    wikidata: str | None
    geonames: str | None
    population: int | None
    source: str
    sitelinks: int | None = None


def knowledge_files(folder: Path) -> list[Path]:
    """Return the knowledge files of ``folder``, sorted by name.

    Raises :class:`KnowledgeError` when there is none.
    """
    files = sorted(folder.glob("*.tsv"))
    if not files:
        raise KnowledgeError(
            f"{folder} holds no knowledge files (*.tsv): point to the folder that does, "
            "models/knowledge in the repository"
        )
    return files


def read_rows(path: Path, *, checked: bool = False) -> Iterator[Row]:
    """Yield the rows of ``path``, which are checked on the way unless they are known to be right.

    Raises :class:`KnowledgeError` at the first line that breaks the format.
    """
    previous = ""
    number = 0
    columns: tuple[str, ...] = ()
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, start=1):
            where = f"{path}, line {number}"
            try:
                line = raw.decode("utf-8").rstrip("\n")
            except UnicodeDecodeError:
                raise KnowledgeError(f"{where}: not UTF-8: save the file as UTF-8") from None
            if number == 1:
                columns = _header(line, where)
                continue
            if checked:
                yield _row(dict(zip(columns, line.split("\t"), strict=True)), where)
                continue
            row = parse_row(line, columns, where)
            if row.key <= previous:
                remedy = "merge the two" if row.key == previous else "sort the lines by key"
                raise KnowledgeError(f"{where}: {row.key} comes after {previous}: {remedy}")
            previous = row.key
            yield row
    if number == 0:
        raise KnowledgeError(f"{path} is empty: give it a header line, or delete it")


def write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Write ``rows`` to ``path``, sorted by key, and return their number."""
    ordered = sorted(rows, key=lambda row: row.key)
    lines = ["\t".join(COLUMNS), *map(format_row, ordered)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return len(ordered)


def read_entries(folder: Path) -> Iterator[Entry]:
    """Yield the entries of all knowledge files in ``folder`` in the order of their keys.

    Rows of one key are merged: names that a person picked come first, then those of the bulk
    sources in the order of :data:`pipeline.knowledge.prior.BULK_SOURCES`. Holds one row a file in
    memory at a time. Raises :class:`KnowledgeError`, also where rows of one key differ in label.
    """
    streams = [_alone(path) for path in knowledge_files(folder)]
    for entry, _ in merge_rows(streams):
        yield entry


def _alone(path: Path) -> Iterator[tuple[Path, Row, None]]:
    for row in read_rows(path):
        yield path, row, None


def merge_rows(streams: Iterable[Iterator[tuple[Path, Row, T]]]) -> Iterator[tuple[Entry, list[T]]]:
    """Merge files as :func:`read_entries` does, each a stream of its path, a row, and a companion.

    Yields every entry with the companions of its rows.
    """
    merged = heapq.merge(*streams, key=lambda item: item[1].key)
    for _, group in itertools.groupby(merged, key=lambda item: item[1].key):
        rows = list(group)
        yield _merge([(path, row) for path, row, _ in rows]), [other for _, _, other in rows]


def source_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every knowledge file of ``folder`` by file name."""
    return {path.name: file_hash(path) for path in knowledge_files(folder)}


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _header(line: str, where: str) -> tuple[str, ...]:
    columns = tuple(line.split("\t"))
    if columns not in (COLUMNS, (*COLUMNS, OPTIONAL_COLUMN)):
        raise KnowledgeError(
            f"{where}: the first line must name the columns, with tabs between: "
            f"{' '.join(COLUMNS)}, and {OPTIONAL_COLUMN} where it is known"
        )
    return columns


def parse_row(line: str, columns: tuple[str, ...], where: str) -> Row:
    """Return a line of a file as a row, checked.

    ``columns`` are those of the file, ``where`` is named in errors. Raises :class:`KnowledgeError`.
    """
    cells = line.split("\t")
    if len(cells) != len(columns):
        raise KnowledgeError(
            f"{where}: {len(cells)} cells where {len(columns)} belong: "
            "keep one tab between cells, also around empty ones"
        )
    values = {OPTIONAL_COLUMN: "", **dict(zip(columns, cells, strict=True))}
    if _UNTIDY.search(line) or not unicodedata.is_normalized("NFC", line):
        _refuse_untidy(values, where)
    if _CEDILLA.search(values["ro"]):
        raise KnowledgeError(
            f"{where}: ro holds ş or ţ with cedilla: write ș and ț with comma below in "
            f"{values['ro']!r}"
        )
    for column, pattern in _FORMATS.items():
        if values[column] and not pattern.fullmatch(values[column]):
            raise KnowledgeError(
                f"{where}: {column} is {values[column]!r}: write it as {pattern.pattern} "
                "or leave the cell empty"
            )
    if not _KEY.fullmatch(values["key"]):
        raise KnowledgeError(
            f"{where}: key is {values['key']!r}: write iso:KG, geonames:1528675, wikidata:Q7825 "
            "or exonym:some-slug"
        )
    if values["label"] not in LABELS:
        raise KnowledgeError(f"{where}: label is {values['label']!r}: one of {', '.join(LABELS)}")
    for column in ("name", "source"):
        if not values[column]:
            raise KnowledgeError(f"{where}: {column} is empty: every row needs one")
    kind, _, identifier = values["key"].partition(":")
    if kind in ("wikidata", "geonames") and values[kind] not in ("", identifier):
        raise KnowledgeError(
            f"{where}: key {values['key']} but {kind} is {values[kind]}: they must agree"
        )
    return _row(values, where)


def _row(values: Mapping[str, str], where: str) -> Row:
    names = {lang: _forms(column, values[column], where) for column, lang in _NAME_COLUMNS.items()}
    sitelinks = values.get(OPTIONAL_COLUMN)
    return Row(
        key=values["key"],
        label=values["label"],
        name=values["name"],
        names={lang: forms for lang, forms in names.items() if forms},
        iso_country=values["iso_country"] or None,
        wikidata=values["wikidata"] or _id_of_key(values["key"], "wikidata"),
        geonames=values["geonames"] or _id_of_key(values["key"], "geonames"),
        population=int(values["population"]) if values["population"] else None,
        source=values["source"],
        sitelinks=int(sitelinks) if sitelinks else None,
    )


def _id_of_key(key: str, kind: str) -> str | None:
    """Return the id in a key of that kind: ``Q7825`` of ``wikidata:Q7825``."""
    return key.removeprefix(f"{kind}:") if key.startswith(f"{kind}:") else None


def _refuse_untidy(values: Mapping[str, str], where: str) -> None:
    for column, value in values.items():
        if value != " ".join(value.split()):
            raise KnowledgeError(
                f"{where}: {column} holds stray white space: single spaces only, none at either "
                f"end of {value!r}"
            )
        if not unicodedata.is_normalized("NFC", value):
            raise KnowledgeError(f"{where}: {column} is not in Unicode NFC: normalise {value!r}")


def _forms(column: str, cell: str, where: str) -> tuple[str, ...]:
    if not cell:
        return ()
    forms = tuple(cell.split("|"))
    if any(form != form.strip() or not form for form in forms):
        raise KnowledgeError(
            f"{where}: {column} holds an empty name or a space beside |: write A|B, got {cell!r}"
        )
    if len(set(forms)) != len(forms):
        raise KnowledgeError(f"{where}: {column} holds a name twice: keep one in {cell!r}")
    return forms


def format_row(row: Row) -> str:
    """Return ``row`` as a line of a file, without its end and without ``sitelinks``."""
    cells: dict[str, str] = {
        "key": row.key,
        "label": row.label,
        "name": row.name,
        "iso_country": row.iso_country or "",
        "wikidata": row.wikidata or "",
        "geonames": row.geonames or "",
        "population": "" if row.population is None else str(row.population),
        "source": row.source,
    }
    for column, lang in _NAME_COLUMNS.items():
        cells[column] = "|".join(row.names.get(lang, ()))
    return "\t".join(cells[column] for column in COLUMNS)


def _merge(group: list[tuple[Path, Row]]) -> Entry:
    group.sort(key=lambda item: (source_rank(item[1].source), item[0].name))
    first_path, first = group[0]
    for path, row in group[1:]:
        if row.label != first.label:
            raise KnowledgeError(
                f"{row.key} is {first.label} in {first_path} and {row.label} in {path}: "
                "give both rows one label"
            )
    rows = [row for _, row in group]
    return Entry(
        key=first.key,
        label=first.label,
        name=first.name,
        names=_usual_names(rows),
        aliases=_aliases(rows),
        prior=max(prior(row.key, row.source, row.population, row.sitelinks) for row in rows),
        wikidata=next((row.wikidata for row in rows if row.wikidata), None),
        geonames=next((row.geonames for row in rows if row.geonames), None),
        iso_country=next((row.iso_country for row in rows if row.iso_country), None),
    )


def _usual_names(rows: list[Row]) -> dict[str, str]:
    names: dict[str, str] = {}
    for lang in LANGUAGES:
        for row in rows:
            if lang in row.names:
                names[lang] = row.names[lang][0]
                break
    return names


def _aliases(rows: list[Row]) -> tuple[Alias, ...]:
    """Every name of ``rows`` once a language, by language, the usual one first; ``und`` last.

    A display name that no language has counts as an alias of none.
    """
    aliases: list[Alias] = []
    texts: set[str] = set()
    for lang in LANGUAGES:
        seen: set[str] = set()
        for row in rows:
            for text in row.names.get(lang, ()):
                if text not in seen:
                    seen.add(text)
                    aliases.append(Alias(text, lang, row.source))
        texts |= seen
    for row in rows:
        for text in (row.name, *row.names.get(UNDETERMINED, ())):
            if text not in texts:
                texts.add(text)
                aliases.append(Alias(text, UNDETERMINED, row.source))
    return tuple(aliases)
