"""A small knowledge folder with names in all scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.knowledge.files import COLUMNS

HEADER = "\t".join(COLUMNS)

# key label name en hi ro tr vi any iso_country wikidata geonames population source
CURATED = [
    "exonym:example-union|ORG|Example Union|Example Union/EXU|उदाहरण संघ|||||||||curated",
    "iso:KG|LOC|Kyrgyzstan|Kyrgyzstan|किर्गिज़स्तान|Kârgâzstan|Kırgızistan|||KG||||curated",
]
BULK = [
    "geonames:1528675|LOC|Bishkek|Bishkek|बिश्केक|Bișkek|Bişkek||Frunze|KG|||900000|GeoNames",
    "geonames:745044|LOC|Istanbul|Istanbul|इस्तांबुल|Istanbul|İstanbul|||TR|||15701602|GeoNames",
    "geonames:999|LOC|Istanbul|Istanbul||||||BR|||400|GeoNames",
    "iso:KG|LOC|Kirghizia|Kirghizia|किरगिजस्तान||||Киргизия|KG||1527747||GeoNames",
    "iso:RU|LOC|Russia|Russia|रूस|Rusia|Rusya|Nga||RU||||CLDR",
]
PEOPLE = [
    "wikidata:Q11|PER|Sergei Shamba|Sergei Shamba||||||||||EveryPolitician/Wikidata",
    "wikidata:Q12|PER|Raul Khadjimba|Raul Khadjimba|||Raul Hacımba|||||||EveryPolitician/Wikidata",
]


def line(spec: str) -> str:
    """Return one line of a knowledge file: ``|`` of ``spec`` become tabs, ``/`` becomes ``|``."""
    cells = spec.split("|")
    return "\t".join([cell.replace("/", "|") for cell in cells[:-1]] + [cells[-1]])


def write(path: Path, specs: list[str]) -> None:
    """Write a knowledge file of the rows in ``specs``."""
    path.write_text("\n".join([HEADER, *map(line, specs)]) + "\n", encoding="utf-8")


@pytest.fixture
def knowledge_dir(tmp_path: Path) -> Path:
    """A folder with three small knowledge files."""
    folder = tmp_path / "knowledge"
    folder.mkdir()
    write(folder / "curated.tsv", CURATED)
    write(folder / "bulk.tsv", BULK)
    write(folder / "people.tsv", PEOPLE)
    return folder
