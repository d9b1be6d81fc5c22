"""How long an import of a Wikidata dump takes, and that its memory does not grow with the dump.

Run ``python benchmarks/wikidata_import.py [--entities N ...]``. Writes a dump of Wikidata's
structure with N made-up persons, places and bodies, imports it into a copy of the knowledge base in
a process of its own, and prints processor time of one thread and the most memory that the process
had to itself, sampled (Linux alone tells).
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import platform
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from memory import own_mib, sampled

from pipeline.knowledge.files import knowledge_files
from pipeline.knowledge.wikidata.importing import import_dump
from pipeline.knowledge.wikidata.settings import load

KNOWLEDGE: Final = Path("models/knowledge")
CLASSES: Final = ("Q5", "Q618123", "Q43229")
"""Person, geographical feature and organisation, as the shipped settings have them."""

LANGUAGES: Final = ("en", "hi", "ro", "tr", "vi", "de", "fr", "ja", "ru", "zh")
SYLLABLES: Final = [a + b for a in "bcdfghjklmnprstvz" for b in ("a", "e", "i", "o", "u", "an")]
PROPERTIES: Final = [f"P{number}" for number in range(1000, 1020)]
"""Statements that an import passes over: a dump's entities have many."""


def statement(prop: str, value: Any) -> dict[str, Any]:
    """Return a statement as a dump has it."""
    kind = "string" if isinstance(value, str) else "wikibase-entityid"
    snak = {"snaktype": "value", "property": prop, "datavalue": {"value": value, "type": kind}}
    return {"mainsnak": snak, "type": "statement", "rank": "normal", "references": []}


def entities(count: int) -> Iterator[dict[str, Any]]:
    """Yield made-up entities, the same ones every time."""
    rng = random.Random(1)
    for number in range(count):
        name = " ".join("".join(rng.choices(SYLLABLES, k=3)).title() for _ in range(2))
        item = CLASSES[number % len(CLASSES)]
        kind = {"entity-type": "item", "numeric-id": int(item[1:]), "id": item}
        claims = {prop: [statement(prop, str(rng.random()))] for prop in PROPERTIES}
        yield {
            "type": "item",
            "id": f"Q{900_000_000 + number}",
            "labels": {lang: {"language": lang, "value": name} for lang in LANGUAGES},
            "aliases": {"en": [{"language": "en", "value": f"{name} {number}"}]},
            "claims": {"P31": [statement("P31", kind)], **claims},
            "sitelinks": {"enwiki": {"site": "enwiki", "title": name, "badges": []}},
        }


def write_dump(path: Path, count: int) -> None:
    """Write a dump of so many entities, gzipped, a line each."""
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        file.write("[\n")
        for number, entity in enumerate(entities(count), start=1):
            file.write(
                json.dumps(entity, separators=(",", ":")) + (",\n" if number < count else "\n")
            )
        file.write("]\n")


def measured(dump: Path, folder: Path) -> tuple[float, float, float, int]:
    """Import; return the seconds, the most MiB, those from before, and the entities taken over."""
    before = own_mib()
    started = time.process_time()
    with sampled() as samples:
        summary = import_dump(dump, folder, load(), lambda line: None)
    seconds = time.process_time() - started
    return seconds, max(samples), before, sum(summary.entities.values())


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entities", type=int, nargs="*", default=[50_000, 200_000])
    arguments = parser.parse_args()
    print("$ python benchmarks/wikidata_import.py", *sys.argv[1:])
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, exonym {version('exonym')}, {platform.machine()}, "
        "one thread, processor time"
    )
    print(f"{'entities':>12} {'dump, MiB':>10} {'taken over':>11} {'seconds':>8} {'own MiB':>8}")
    context = multiprocessing.get_context("spawn")
    for count in arguments.entities:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "knowledge"
            folder.mkdir()
            for path in knowledge_files(KNOWLEDGE):
                shutil.copy(path, folder)
            dump = Path(temporary) / "dump.json.gz"
            write_dump(dump, count)
            size = dump.stat().st_size / 2**20
            with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
                seconds, most, before, taken = pool.submit(measured, dump, folder).result()
        print(
            f"{count:12,} {size:10,.0f} {taken:11,} {seconds:8,.1f} {most:8,.0f}"
            f"   ({before:,.0f} before it began)",
            flush=True,
        )


if __name__ == "__main__":
    main()
