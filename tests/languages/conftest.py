"""Cases of language rules, written as tables, and names of many places to generate more from."""

from __future__ import annotations

import csv
import lzma
from pathlib import Path

HERE = Path(__file__).parent
NAMES = HERE.parents[2] / "shared" / "names"
COUNTRIES = NAMES / "cldr_territories_5lang.tsv"
PLACES = NAMES / "places_geonames_5lang.tsv.xz"


def read_cases(code: str) -> list[tuple[str, str, str]]:
    """Return the cases of ``<code>.tsv``: surface, kind of case, what is expected."""
    lines = (HERE / f"{code}.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines[1:]]
    return [(surface, kind, expected) for surface, kind, expected in rows]


def read_names(path: Path, code: str) -> list[str]:
    """Return the different names in one language of a file under ``../shared/names``, sorted."""
    content = path.read_bytes()
    text = (lzma.decompress(content) if path.suffix == ".xz" else content).decode("utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return sorted({row[code] for row in rows if row[code]})
