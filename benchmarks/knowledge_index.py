"""How fast the knowledge index is built, opened and asked, and what it weighs.

Run ``python benchmarks/knowledge_index.py [--knowledge DIR] [--synthetic N ...]``: for the files of
the knowledge base, then for N made-up persons each. With ``--index DIR`` nothing is built: the
index that lies in DIR is asked. Every one is measured in two processes of its
own, one that builds and one that asks. Times are processor time of one thread. Of resident memory
the most is given that was the process's own, sampled (Linux alone tells), and the most with the
pages of mapped files that happened to be in memory, which the system takes back when it needs them.

Exact queries are plain folds of the index. Similar ones are such folds with one letter replaced,
nothing cached; ``found`` counts those that give the entry they were made from among the best 50.
Beside them rapidfuzz's ``process.extract`` over all folds, where there are no more than a million.
Made-up names are two or three words of syllables, their keys made by the rules of English.
"""

from __future__ import annotations

import argparse
import multiprocessing
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from memory import own_mib, peak_mib, sampled
from rapidfuzz import fuzz, process

from pipeline.knowledge.build import build
from pipeline.knowledge.files import COLUMNS, Row, format_row
from pipeline.knowledge.index import Index

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LIMIT = 50
N_EXACT, N_SIMILAR, N_BRUTE = 5_000, 300, 10
MOST_FOR_BRUTE_FORCE = 1_000_000


def misspelled(rng: random.Random, key: str) -> str:
    """Return ``key`` with one letter replaced by another."""
    place = rng.randrange(len(key))
    return key[:place] + rng.choice(LETTERS) + key[place + 1 :]


def per_second(ask: Callable[[str], object], queries: list[str]) -> float:
    """Return how many ``queries`` are answered a second of processor time."""
    started = time.process_time()
    for query in queries:
        ask(query)
    return len(queries) / (time.process_time() - started)


def write_persons(folder: Path, count: int) -> None:
    """Write ``count`` made-up persons to a knowledge file in ``folder``."""
    rng = random.Random(1)
    syllables = [a + b for a in "bcdfghjklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er")]
    words = ["".join(rng.choices(syllables, k=rng.choice((2, 3)))).title() for _ in range(60_000)]
    with (folder / "synthetic.tsv").open("w", encoding="utf-8") as file:
        file.write("\t".join(COLUMNS) + "\n")
        for i in range(count):
            name = " ".join(rng.choices(words, k=rng.choice((2, 2, 3))))
            key, names = f"exonym:{i:09}", {"en": (name,)}
            row = Row(key, "PER", name, names, None, None, None, None, "synthetic")
            file.write(format_row(row) + "\n")


def built(knowledge_dir: Path, out_dir: Path) -> list[str]:
    """Build twice, the second time with the keys of the first; return what there is to say."""
    lines = []
    with sampled() as samples:
        for title in ("build", "build, keys kept"):
            started = time.process_time()
            build(knowledge_dir, out_dir)
            lines.append(f"{title:20}{time.process_time() - started:12,.1f} s")
    lines.append(f"{'building, peak':20}{max(samples):12,.0f} MiB of its own")
    lines.append(f"{'with mapped files':20}{peak_mib():12,.0f} MiB resident")
    return [*lines, *weighed(out_dir)]


def weighed(out_dir: Path) -> list[str]:
    """Return what there is to say of the size of the index in ``out_dir``."""
    index = Index.open(out_dir)
    size = index.size_bytes
    return [
        f"{'on disk':20}{size / 2**20:12,.1f} MiB, {size / len(index):,.0f} bytes an entry",
        f"{'entries, folds':20}{len(index):12,}, {index.n_folds:,}",
    ]


def asked(out_dir: Path) -> list[str]:
    """Open the index and ask it; return what there is to say."""
    rng = random.Random(7)
    before, own_before = peak_mib(), own_mib()
    started = time.process_time()
    index = Index.open(out_dir)
    lines = [f"{'open':20}{(time.process_time() - started) * 1e3:12,.1f} ms"]
    places = rng.sample(range(index.n_folds), min(N_EXACT, index.n_folds))
    known = [index.folds(place, place + 1)[0] for place in places]
    exact = per_second(index.exact, known)
    strange = [misspelled(rng, key) for key in known[:N_SIMILAR]]
    similar = per_second(lambda key: index.similar(key, LIMIT), strange)
    found = sum(
        index.exact(right)[0].entry in {hit.entry for hit in index.similar(wrong, LIMIT)}
        for right, wrong in zip(known, strange, strict=False)
    )
    lines.append(f"{'exact':20}{exact:12,.0f} a second")
    lines.append(
        f"{f'similar, best {LIMIT}':20}{similar:12,.0f} a second, found {found} of {len(strange)}"
    )
    lines.append(f"{'asking, more':20}{own_mib() - own_before:12,.0f} MiB of its own")
    lines.append(f"{'with mapped files':20}{peak_mib() - before:12,.0f} MiB resident")
    if index.n_folds <= MOST_FOR_BRUTE_FORCE:
        folds = index.folds(0, index.n_folds)
        brute = per_second(
            lambda key: process.extract(key, folds, scorer=fuzz.ratio, limit=LIMIT),
            strange[:N_BRUTE],
        )
        lines.append(f"{'rapidfuzz extract':20}{brute:12,.1f} a second")
    return lines


def measure(title: str, knowledge_dir: Path) -> None:
    """Print the figures of an index of ``knowledge_dir``, built in a temporary folder."""
    with tempfile.TemporaryDirectory() as temporary:
        out_dir = Path(temporary)
        context = multiprocessing.get_context("spawn")
        print(title)
        for task, *arguments in ((built, knowledge_dir, out_dir), (asked, out_dir)):
            with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
                for line in pool.submit(task, *arguments).result():
                    print(f"  {line}", flush=True)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--knowledge", type=Path, default=Path("models/knowledge"))
    parser.add_argument("--synthetic", type=int, nargs="*", default=[])
    parser.add_argument("--index", type=Path, help="ask the index in this folder and build none")
    arguments = parser.parse_args()
    now = datetime.now(UTC)
    print("$ python benchmarks/knowledge_index.py", *sys.argv[1:])
    print(
        f"{now:%Y-%m-%d}, exonym {version('exonym')}, {platform.machine()}, "
        "one thread, processor time",
        flush=True,
    )
    if arguments.index:
        print(
            "\n".join(f"  {line}" for line in [*weighed(arguments.index), *asked(arguments.index)])
        )
        return
    measure(str(arguments.knowledge), arguments.knowledge)
    for count in arguments.synthetic:
        with tempfile.TemporaryDirectory() as folder:
            write_persons(Path(folder), count)
            measure(f"{count:,} made-up persons", Path(folder))


if __name__ == "__main__":
    main()
