"""Where the bars of a timeline stand, in the units of an SVG's ``viewBox``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from pipeline.dashboard.queries import Period
from pipeline.dashboard.reader import Row
from pipeline.schemas import LANGUAGES, UNDETERMINED

_STEP: Final = 10
_GAP: Final = 2
_HEIGHT: Final = 100
_MOST_BARS: Final = 92
_BAR_DAYS: Final = (1, 7, 30, 91)
"""How many days a bar may stand for; the fewest that give no more bars than fit."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One language's part of one bar; ``title`` says it in words."""

    lang: str
    x: int
    y: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Bars, and the numbers they show: a row a bar, of its first day and mentions by language."""

    bars: Sequence[Bar]
    rows: Sequence[tuple[date, dict[str, int]]]
    n_days_a_bar: int
    highest: int
    width: int
    height: int = _HEIGHT
    bar_width: int = _STEP - _GAP


def timeline(counts: Sequence[Row], period: Period) -> Timeline:
    """Return the timeline of rows with ``date``, ``lang`` and ``n_mentions`` over ``period``."""
    n_days = next((n for n in _BAR_DAYS if period.n_days <= n * _MOST_BARS), _BAR_DAYS[-1])
    sums: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in counts:
        sums[(row["date"] - period.first).days // n_days][row["lang"]] += row["n_mentions"]
    highest = max((sum(by_lang.values()) for by_lang in sums.values()), default=0)
    bars = []
    rows = []
    for number in sorted(sums):
        first = period.first + timedelta(number * n_days)
        top = float(_HEIGHT)
        for lang in (*LANGUAGES, UNDETERMINED):
            if n := sums[number].get(lang, 0):
                height = _HEIGHT * n / highest
                top -= height
                title = f"{first}, {lang}: {n:,}"
                bars.append(Bar(lang, number * _STEP, round(top, 2), round(height, 2), title))
        rows.append((first, dict(sums[number])))
    n_bars = (period.n_days + n_days - 1) // n_days
    return Timeline(bars, rows, n_days, highest, n_bars * _STEP)
