"""How fast the knowledge index is built, opened and asked, beside brute force over the same keys.

Run ``python benchmarks/knowledge_index.py [--knowledge DIR] [--synthetic N]``. For the files of the
knowledge base, and for N synthetic persons when asked: processor seconds to build, bytes on disk,
time to open, and look-ups a second: exact ones, similar ones (nothing cached), and rapidfuzz's
``process.extract`` over all the index's keys on queries of the same set in the same run. The
queries are keys of the index with one letter replaced.

Names of the synthetic persons are made of syllables; their aliases get their plain fold as only
key, so that the index is measured and not the languages' rules.
"""

from __future__ import annotations

import argparse
import platform
import random
import tempfile
import time
from pathlib import Path
from unittest import mock

from rapidfuzz import fuzz, process

from pipeline import languages
from pipeline.knowledge import build as build_module
from pipeline.knowledge.build import build
from pipeline.knowledge.entry import Alias
from pipeline.knowledge.files import Row, write_rows
from pipeline.knowledge.index import Index

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LIMIT = 50
N_EXACT, N_SIMILAR, N_BRUTE = 5_000, 300, 10


def misspelled(rng: random.Random, key: str) -> str:
    """Return ``key`` with one letter replaced by another."""
    place = rng.randrange(len(key))
    return key[:place] + rng.choice(LETTERS) + key[place + 1 :]


def per_second(ask: object, queries: list[str]) -> float:
    """Return how many ``queries`` the callable ``ask`` answers a second of processor time."""
    assert callable(ask)
    started = time.process_time()
    for query in queries:
        ask(query)
    return len(queries) / (time.process_time() - started)


def fold_only(alias: Alias) -> tuple[str, ...]:
    """Return the plain fold of ``alias`` as its only key."""
    return (languages.get(alias.lang).fold(alias.text),)


def synthetic(folder: Path, count: int) -> None:
    """Write ``count`` persons of two to three made-up words to a knowledge file in ``folder``."""
    rng = random.Random(1)
    syllables = [a + b for a in "bcdfghjklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er")]
    words = ["".join(rng.choices(syllables, k=rng.choice((2, 3)))).title() for _ in range(60_000)]
    names = (" ".join(rng.choices(words, k=rng.choice((2, 2, 3)))) for _ in range(count))
    rows = (
        Row(f"exonym:{i:09}", "PER", name, {"en": (name,)}, None, None, None, None, "synthetic")
        for i, name in enumerate(names)
    )
    write_rows(folder / "synthetic.tsv", rows)


def measure(title: str, knowledge_dir: Path) -> None:
    """Build an index of ``knowledge_dir`` in a temporary folder, ask it, and print the figures."""
    rng = random.Random(7)
    with tempfile.TemporaryDirectory() as temporary:
        out_dir = Path(temporary)
        started = time.process_time()
        build(knowledge_dir, out_dir)
        build_seconds = time.process_time() - started
        started = time.process_time()
        index = Index.open(out_dir)
        open_ms = (time.process_time() - started) * 1e3
        texts = index._key_text
        places = rng.sample(range(len(texts)), min(N_EXACT, len(texts)))
        known = [texts[place].as_py() for place in places]
        strange = [misspelled(rng, key) for key in known[: N_SIMILAR + N_BRUTE]]
        exact = per_second(index.exact, known)
        similar = per_second(lambda key: index.similar(key, LIMIT), strange[:N_SIMILAR])
        keys: list[str] = texts.to_pylist()
        brute = per_second(
            lambda key: process.extract(key, keys, scorer=fuzz.ratio, limit=LIMIT),
            strange[N_SIMILAR:],
        )
        print(f"{title}: {len(index):,} entries, {len(keys):,} keys")
        print(f"  build               {build_seconds:10.1f} s of processor time")
        print(f"  on disk             {index.size_bytes / 2**20:10.1f} MiB")
        print(f"  open                {open_ms:10.2f} ms of processor time")
        print(f"  exact               {exact:10.0f} a second, {exact / brute:8.0f} x brute force")
        print(f"  similar, best {LIMIT}    {similar:10.0f} a second, {similar / brute:8.1f} x")
        print(f"  rapidfuzz extract   {brute:10.2f} a second")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--knowledge", type=Path, default=Path("models/knowledge"))
    parser.add_argument("--synthetic", type=int, default=0)
    arguments = parser.parse_args()
    print(f"{platform.machine()}, one thread, processor time")
    measure(str(arguments.knowledge), arguments.knowledge)
    if arguments.synthetic:
        with tempfile.TemporaryDirectory() as folder:
            synthetic(Path(folder), arguments.synthetic)
            with mock.patch.object(build_module, "alias_keys", fold_only):
                measure("synthetic", Path(folder))


if __name__ == "__main__":
    main()
