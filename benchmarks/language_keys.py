"""How often a name's keys in its own language meet the keys of its English form.

Run ``python benchmarks/language_keys.py [--dev] [--names DIR]``. Prints one line a language and
file: rows measured, how often the folds are equal, how often any key is shared (key recall), how
many other English names of the file share a key with a name, keys a name, and processor
microseconds a name. Measured on the fifth of the rows whose SHA-256 of the id is divisible by 5;
``--dev`` measures on the rest, on which the rules were developed.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import lzma
import time
from collections import defaultdict
from datetime import date
from importlib.metadata import version
from pathlib import Path

from pipeline import languages

FILES = {
    "persons": "persons_5lang.tsv.xz",
    "places": "places_geonames_5lang.tsv.xz",
    "countries": "cldr_territories_5lang.tsv",
    "cities": "cldr_exemplar_cities_5lang.tsv",
}
MEASURED = ("hi", "ro", "tr", "vi")


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a tab-separated file, compressed or not, the first column as ``id``."""
    content = path.read_bytes()
    text = (lzma.decompress(content) if path.suffix == ".xz" else content).decode("utf-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    first = next(iter(rows[0]))
    return [{**row, "id": row[first]} for row in rows]


def held_out(row: dict[str, str]) -> bool:
    """Tell whether a row is of the fifth that no rule was developed on."""
    return int(hashlib.sha256(row["id"].encode()).hexdigest(), 16) % 5 == 0


def measure(rows: list[dict[str, str]], code: str, dev: bool) -> str:
    """Return one line of the table: the figures of one language over one file."""
    english, language = languages.get("en"), languages.get(code)
    index: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for key in english.keys(row["en"]) if row["en"] else ():
            index[key].add(row["en"])
    pairs = [(r["en"], r[code]) for r in rows if r["en"] and r[code] and held_out(r) != dev]
    folds = found = others = keys = 0
    seconds = 0.0
    for name, native in pairs:
        started = time.process_time()
        own = language.keys(native)
        seconds += time.process_time() - started
        hits = set().union(*(index.get(key, set()) for key in own))
        folds += own[0] == english.fold(name)
        found += name in hits
        others += len(hits - {name})
        keys += len(own)
    count = len(pairs)
    return (
        f"{count:6} {folds / count:7.3f} {found / count:7.3f} {others / count:7.2f} "
        f"{keys / count:6.1f} {seconds / count * 1e6:6.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="measure on the development rows")
    parser.add_argument("--names", type=Path, default=Path("../shared/names"))
    arguments = parser.parse_args()
    print(f"$ python benchmarks/language_keys.py{' --dev' if arguments.dev else ''}")
    print(f"data: {arguments.names}; exonym {version('exonym')}, {date.today()}")
    print(f"{'':13}  names   folds    keys  others   keys     µs")
    print(f"{'':13}          equal   shared  a name a name a name")
    for kind, file in FILES.items():
        rows = read_rows(arguments.names / file)
        for code in MEASURED:
            print(f"{kind:10} {code} {measure(rows, code, arguments.dev)}")


if __name__ == "__main__":
    main()
