"""The publish gates: does tonight look like the nights before?

A night is counted by language as it would be published, and each share is compared with the median
of the last published runs. A figure that moved further than its bound in ``[gates]`` of
exonym.toml holds the whole night back, until it is accepted or the next night is judged with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any, Final

import pyarrow as pa

from pipeline.resolve.methods import MINTED, REGISTRY
from pipeline.schemas import UNDETERMINED
from pipeline.settings import GateSettings

EVERY_LANGUAGE: Final = "all"
"""Stands for the night as a whole where otherwise a language does."""

_UNLINKED: Final = (MINTED, REGISTRY)
"""The methods that leave a name without an entry of the knowledge base."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What one language's documents held, or those of the whole night."""

    n_inputs: int = 0
    """Documents and pieces of input that went to quarantine."""
    n_documents: int = 0
    n_mentions: int = 0
    n_unlinked: int = 0
    n_chars: int = 0
    n_chars_undetermined: int = 0

    @property
    def figures(self) -> dict[str, float]:
        """The figures that are compared, by the name of their bound; those that can be told."""
        parts = {
            "mentions_per_document": (self.n_mentions, self.n_documents),
            "undetermined": (self.n_chars_undetermined, self.n_chars),
            "unlinked": (self.n_unlinked, self.n_mentions),
            "quarantined": (self.n_inputs - self.n_documents, self.n_inputs),
        }
        return {name: part / whole for name, (part, whole) in parts.items() if whole}


@dataclass(frozen=True, slots=True)
class Moved:
    """A figure that moved beyond its bound."""

    lang: str
    """A language code, or :data:`EVERY_LANGUAGE`."""
    figure: str
    tonight: float
    usual: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.lang} {self.figure} {self.tonight:.3g}, usually {self.usual:.3g} "
            f"(bounds {self.lowest:.3g} to {self.highest:.3g})"
        )


def count(
    shards: Iterable[tuple[pa.Table, pa.Table, pa.Table]],
    failed: Collection[str],
    n_rejected: int,
) -> dict[str, Counts]:
    """Count a night by the language of its documents, and as a whole.

    ``shards`` are documents, segments and mentions of the same documents; ``failed`` the documents
    that a stage failed on, ``n_rejected`` how many pieces of input could not be read at all. Memory
    is bounded by one shard and the failed documents.
    """
    totals: Counter[tuple[str, str]] = Counter()
    n_failed_early = len(failed)
    for documents, segments, mentions in shards:
        langs = dict(zip(*_columns(documents, "doc_id", "lang"), strict=True))
        totals.update((lang, "n_inputs") for lang in langs.values())
        lost = langs.keys() & set(failed)
        n_failed_early -= len(lost)
        langs = {doc_id: lang for doc_id, lang in langs.items() if doc_id not in lost}
        totals.update((lang, "n_documents") for lang in langs.values())
        columns = _columns(segments, "doc_id", "start", "end", "lang")
        for doc_id, start, end, lang in zip(*columns, strict=True):
            if doc_id in langs:
                totals[langs[doc_id], "n_chars"] += end - start
                totals[langs[doc_id], "n_chars_undetermined"] += (end - start) * (
                    lang == UNDETERMINED
                )
        for doc_id, method in zip(*_columns(mentions, "doc_id", "link_method"), strict=True):
            if doc_id in langs:
                totals[langs[doc_id], "n_mentions"] += 1
                totals[langs[doc_id], "n_unlinked"] += method in _UNLINKED
    counts = {
        lang: Counts(**{name: n for (of, name), n in totals.items() if of == lang})
        for lang in sorted({lang for lang, _ in totals})
    }
    return {**counts, EVERY_LANGUAGE: _sum(counts.values(), n_failed_early + n_rejected)}


def _columns(table: pa.Table, *names: str) -> list[list[Any]]:
    return [table[name].to_pylist() for name in names]


def _sum(counts: Iterable[Counts], n_elsewhere: int) -> Counts:
    sums: Counter[str] = Counter()
    for one in counts:
        sums.update(asdict(one))
    whole = Counts(**sums)
    return replace(whole, n_inputs=whole.n_inputs + n_elsewhere)


def moved(
    tonight: Mapping[str, Counts], before: Sequence[Mapping[str, Counts]], bounds: GateSettings
) -> list[Moved]:
    """Return the figures of ``tonight`` that are out of bounds, sorted.

    ``before`` are the published runs, oldest first. A language is compared with those of the last
    ``bounds.runs`` that had ``bounds.documents`` of it, as tonight must have, and is not judged
    where they are fewer than ``bounds.first_runs``.
    """
    found = []
    for lang, counts in tonight.items():
        usual = [
            earlier[lang].figures
            for earlier in before[-bounds.runs :]
            if lang in earlier and earlier[lang].n_inputs >= bounds.documents
        ]
        if counts.n_inputs < bounds.documents or len(usual) < bounds.first_runs:
            continue
        for figure, value in counts.figures.items():
            values = [figures[figure] for figures in usual if figure in figures]
            if values:
                lowest, highest = _range(figure, median(values), bounds)
                if not lowest <= value <= highest:
                    found.append(Moved(lang, figure, value, median(values), lowest, highest))
    return sorted(found, key=lambda one: (one.lang, one.figure))


def _range(figure: str, usual: float, bounds: GateSettings) -> tuple[float, float]:
    """Return the lowest and the highest value of ``figure`` that passes."""
    bound: float = getattr(bounds, figure)
    if figure == "mentions_per_document":
        return usual * (1 - bound), usual * (1 + bound)
    # Less input in quarantine than usual is no reason to wake anyone.
    lowest = 0.0 if figure == "quarantined" else max(usual - bound, 0.0)
    return lowest, min(usual + bound, 1.0)
