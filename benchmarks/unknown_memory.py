"""What memory and time it takes to give ids to the distinct unknown names of a night.

Run ``python benchmarks/unknown_memory.py [--names N ...]``. One process groups all of them, however
many workers there are. For every size a new process makes so many persons that the knowledge base
does not know (a given name and a surname of the corpora's, languages in turn), gives them ids with
an empty registry, writes them down, and gives ids to a second night of which half are the same.
Printed are processor seconds and the most memory the process had to itself, sampled (Linux alone
tells), less what it had before.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from memory import own_mib, sampled

from pipeline.knowledge.build import ensure
from pipeline.resolve import registry
from pipeline.resolve.forms import read
from pipeline.resolve.ids import assign
from pipeline.resolve.tables import CLUSTERS
from pipeline.schemas import LANGUAGES
from pipeline.training.swap import names_of

KNOWLEDGE: Final = Path("models/knowledge")
ROWS_AT_ONCE: Final = 500
"""Distinct names of a shard."""


def names(seed: int) -> Iterator[tuple[str, str]]:
    """Yield different full names and their languages without end."""
    parts = {lang: [name for name in names_of(lang)["PER"] if len(name) == 2] for lang in LANGUAGES}
    seen = set()
    draw = random.Random(seed)
    while True:
        for lang, persons in parts.items():
            name = f"{draw.choice(persons)[0]} {draw.choice(persons)[1]}"
            if (name, lang) not in seen:
                seen.add((name, lang))
                yield name, lang


def row(name: str, lang: str, number: int) -> dict[str, Any]:
    """Return a distinct name of a night as a row of CLUSTERS."""
    form = read(name, lang)
    return {
        "label": "PER",
        "cluster_name": name,
        "cluster_lang": lang,
        "cluster_keys": [key.text for key in form.keys],
        "n_mentions": 1,
        "doc_id": f"{number:032x}",
        "start": 0,
    }


def shards(made: list[tuple[str, str]]) -> Iterator[pa.Table]:
    """Yield the names as the stages hand them over, some hundred at a time."""
    for first in range(0, len(made), ROWS_AT_ONCE):
        some = enumerate(made[first : first + ROWS_AT_ONCE], first)
        rows = [row(name, lang, number) for number, (name, lang) in some]
        yield pa.Table.from_pylist(rows, schema=CLUSTERS)


def measure(count: int) -> list[tuple[str, int, int, float, float]]:
    """Return for both nights: which, names, ids minted, processor seconds, MiB."""
    index = ensure(KNOWLEDGE)
    made = list(islice(names(1), count + count // 2))
    nights = {"first": made[:count], "second": made[count // 2 :]}
    read.cache_clear()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "registry.sqlite")
        registry.create(connection)
        for night, here in nights.items():
            before, begun = own_mib(), time.process_time()
            with sampled() as samples:
                assignment = assign(shards(here), connection, index, night)
            seconds = time.process_time() - begun
            minted = len(assignment.minted)
            found.append((night, len(here), minted, seconds, max(samples) - before))
            registry.apply(connection, assignment.delta, night)
            del assignment
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    arguments = parser.parse_args()
    print(f"$ python benchmarks/unknown_memory.py --names {' '.join(map(str, arguments.names))}")
    print(f"exonym {version('exonym')}, {date.today()}")
    print(" night     names    minted   seconds   names/s       MiB   bytes a name")
    for count in arguments.names:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
            for night, number, minted, seconds, mib in alone.submit(measure, count).result():
                print(
                    f"{night:>6} {number:9,} {minted:9,} {seconds:9.1f} {number / seconds:9,.0f}"
                    f" {mib:9.0f} {mib * 2**20 / number:14,.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
