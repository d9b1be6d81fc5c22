"""What the dashboard's search finds for names typed in scripts that no article is written in.

Run ``python benchmarks/other_scripts.py``. The tables hold the knowledge base's countries, persons
and organisations (not its long lists of towns and politicians), each by its names in the five
languages and no other. What is typed are the names of the countries in CLDR (by Babel) in languages
of other scripts, and the persons' names in Cyrillic that the knowledge base has.

``spelled`` is the share found among the first eight suggestions by the romanised spelling alone,
``found`` with those that sound alike, ``first`` those found as the first; ``wrong`` are those that
got other suggestions only. Milliseconds are of the processor, for a suggestion.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from babel import Locale

from pipeline.dashboard.names import Names
from pipeline.dashboard.reader import Reader
from pipeline.knowledge.files import Row, read_rows
from pipeline.schemas import LANGUAGES, TABLES, UNDETERMINED
from pipeline.scripts import script_of
from pipeline.store import Store, files

KNOWLEDGE: Final = Path("models/knowledge")
FILES: Final = ("territories", "persons", "organisations", "international")
TYPED_IN: Final = ("ru", "uk", "el", "ka", "hy", "ar", "he", "bn", "th", "zh", "ja", "ko")
SUGGESTED: Final = 8
DAY: Final = date(2025, 11, 26)


def write_tables(out: Path, rows: Sequence[Row]) -> None:
    """Publish the entities and their names in the five languages; the other tables are empty."""
    store = Store(out)
    content = {"entities": list(entities(rows)), "entity_names": list(entity_names(rows))}
    for name, schema in TABLES.items():
        if name in content or name in ("redirects", "quarantine", "runs"):
            table = pa.Table.from_pylist(content.get(name, []), schema)
            files.write_parquet(store.live(name), schema, [table])


def entities(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    for row in rows:
        entity = {"entity_id": row.key, "label": row.label, "name": row.name, "status": "known"}
        counts = {"n_mentions": row.population or 0, "n_documents": 0, "langs": []}
        yield {**entity, **counts, "first_seen": DAY, "last_seen": DAY}


def entity_names(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    for row in rows:
        for lang in LANGUAGES:
            for name in row.names.get(lang, ()):
                counts = {"n_mentions": 0, "first_seen": None, "last_seen": None}
                spelled = {"lang": lang, "script": script_of(name), "name": name}
                yield {"entity_id": row.key, **spelled, "origin": "knowledge", **counts}


def typed(rows: Sequence[Row]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield what is typed in and the names, each with the key of the entity that is meant."""
    countries = [row for row in rows if row.key.startswith("iso:")]
    for lang in TYPED_IN:
        names: Mapping[str, str] = Locale(lang).territories
        pairs = [(names.get(row.key.removeprefix("iso:"), ""), row.key) for row in countries]
        yield f"countries {lang}", [(name, key) for name, key in pairs if name]
    persons = (row for row in rows if row.label == "PER")
    others = ((name, row.key) for row in persons for name in row.names.get(UNDETERMINED, ()))
    yield "persons Cyrl", [(name, key) for name, key in others if script_of(name) == "Cyrl"]


def line(what: str, pairs: Sequence[tuple[str, str]], names: Names) -> str:
    spelled = found = first = wrong = 0
    started = time.process_time()
    for name, key in pairs:
        exact = names.find(name, SUGGESTED)
        ids = [row["entity_id"] for row in exact or names.sounding(name, SUGGESTED)]
        spelled += bool(exact) and key in ids
        found += key in ids
        first += ids[:1] == [key]
        wrong += bool(ids) and key not in ids
    milliseconds = 1000 * (time.process_time() - started) / len(pairs)
    shares = "".join(f"{count / len(pairs):9.2f}" for count in (spelled, found, first, wrong))
    return f"{what:14}{len(pairs):6}{shares}{milliseconds:9.0f}"


def main() -> None:
    rows = [row for name in FILES for row in read_rows(KNOWLEDGE / f"{name}.tsv")]
    print("$ python benchmarks/other_scripts.py")
    print(
        f"data: CLDR of Babel {version('babel')}, models/knowledge ({', '.join(FILES)}); "
        f"exonym {version('exonym')}, {date.today()}"
    )
    with tempfile.TemporaryDirectory() as out:
        write_tables(Path(out), rows)
        names = Names(Reader(Store(Path(out))))
        started = time.process_time()
        names.refresh()
        seconds = time.process_time() - started
        print(f"{len(rows):,} entities, {sum(1 for _ in entity_names(rows)):,} names,", end=" ")
        print(f"read in {seconds:.1f} s of the processor")
        print("               names  spelled    found    first    wrong       ms")
        for what, pairs in typed(rows):
            print(line(what, pairs, names), flush=True)


if __name__ == "__main__":
    main()
