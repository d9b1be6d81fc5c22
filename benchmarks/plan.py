"""What a night of millions of articles takes, worked out from a measured night.

Reads what ``benchmarks/night.py`` printed and multiplies the largest night's figures up: nothing is
measured here. Memory of the main process is continued along the line through the two largest
nights. Run from the repository root:
``python benchmarks/plan.py benchmarks/results/night.txt [--articles 10000000]``.
"""

from __future__ import annotations

import argparse
import math
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ALONE: Final = ("ingest", "publish", "rest")
"""What one process does, however many workers there are."""

SHARED: Final = ("detect", "recognise", "resolve")
SHARD_DOCUMENTS: Final = 64
FILES_A_SHARD: Final = 7
"""Tables that the stages stage of a shard."""

Row = Mapping[str, float]


def tables(text: str) -> Iterator[list[Row]]:
    """Yield the Markdown tables of ``text``, a row as column to number."""
    columns: list[str] = []
    rows: list[Row] = []
    for line in [*text.splitlines(), ""]:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            if rows:
                yield rows
            columns, rows = [], []
        elif not columns:
            columns = cells
        elif not cells[0].startswith("-"):
            values = [float(cell.replace(",", "")) for cell in cells]
            rows.append(dict(zip(columns, values, strict=True)))


def main() -> None:
    """Parse the command line and print the plan."""
    parser = argparse.ArgumentParser(description="Work out a night of millions of articles.")
    parser.add_argument("measured", type=Path, help="what benchmarks/night.py printed")
    parser.add_argument("--articles", type=int, default=10_000_000)
    parser.add_argument("--words", type=int, default=400, help="of an article")
    parser.add_argument("--hours", type=float, default=8, help="that the night may take")
    parser.add_argument("--price", type=float, default=0.04, help="of a core-hour; an assumption")
    arguments = parser.parse_args()
    speeds, sizes = tables(arguments.measured.read_text(encoding="utf-8"))
    print(f"$ python benchmarks/plan.py {shlex.join(sys.argv[1:])}\n")
    print(*plan(speeds, sizes, arguments), sep="\n")


def plan(speeds: list[Row], sizes: list[Row], wanted: argparse.Namespace) -> Iterator[str]:
    """Yield the lines of the plan."""
    speed = max(speeds, key=lambda row: row["documents"])
    size = max(sizes, key=lambda row: row["documents"])
    words = wanted.articles * wanted.words
    hours = {stage: words / speed[stage] / 3600 for stage in (*SHARED, *ALONE)}
    workers = math.ceil(sum(hours[stage] for stage in SHARED) / wanted.hours)
    total = sum(hours.values())
    yield f"{wanted.articles:,} articles of {wanted.words} words, {words:.2g} words a night"
    yield "core-hours: " + ", ".join(f"{stage} {hours[stage]:.1f}" for stage in hours)
    yield f"all {total:.0f} core-hours; at {wanted.price} a core-hour {total * wanted.price:.0f}"
    yield f"cores that finish detect, recognise and resolve in {wanted.hours:g} hours: {workers}"
    yield f"memory of {workers} workers: {workers * size['peak MB of a worker'] / 1000:.0f} GB"
    alone = sum(hours[stage] for stage in ALONE)
    yield f"hours of the one process that reads and publishes: {alone:.1f}"
    yield f"its memory at that size: {main_memory(sizes, wanted.articles):.0f} GB"
    mentions = words * size["mentions"] / speed["words"]
    kept = mentions * size["table bytes a mention"] / 1e9
    state = mentions * size["state bytes a mention"] / 1e9
    yield f"mentions {mentions:.2g}; tables {kept:.0f} GB, state {state:.0f} GB a night"
    shards = wanted.articles / SHARD_DOCUMENTS
    files = shards * FILES_A_SHARD
    yield f"shards of {SHARD_DOCUMENTS} documents: {shards:,.0f}, files of theirs {files:,.0f}"


def main_memory(sizes: list[Row], articles: int) -> float:
    """Return the main process's memory in GB, along the line through the two largest nights."""
    *_, one, two = sorted(sizes, key=lambda row: row["documents"])
    slope = (two["of the main"] - one["of the main"]) / (two["documents"] - one["documents"])
    return (two["of the main"] + slope * (articles - two["documents"])) / 1000


if __name__ == "__main__":
    main()
