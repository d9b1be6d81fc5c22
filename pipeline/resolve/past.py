"""What past news meant: how often each known entity was named, and beside which others.

It settles only what a document leaves open. Counts are of stories, near duplicates once, and frozen
while a run works: :mod:`pipeline.past` takes them from what is published.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import pyarrow as pa

from pipeline.resolve.similarity import NUMBERS

STORIES: Final = "news"
BESIDE: Final = "news_beside"
"""The features, as :data:`pipeline.resolve.score.WEIGHTS` names them."""

LEAST_STORIES: Final = 3
LEAST_SHARE: Final = 0.8
"""Stories of a person, and their least share of those that name anyone of the surname in full, from
which the surname alone may mean a person who is not well known (``benchmarks/past_news.py``)."""

_UNCERTAIN: Final = 2.0
"""Stories at which a candidate that had all of them counts half: one or two are chance."""

COUNTED: Final = pa.schema(
    [
        pa.field("key", pa.string()),
        pa.field("other", pa.string()),
        pa.field("n_stories", pa.int64(), nullable=False),
    ]
)
"""Stories that name ``key``, with ``other`` where that is not null.

All stories where both are null; where ``key`` alone is, those that name in full a person whom the
knowledge base does not hold and whose surname, as a comparison key, is ``other``.
"""


DECIDED: Final = pa.schema(
    [("doc_id", pa.string()), ("start", pa.int32()), ("knowledge_key", pa.string())]
)
"""Published mentions, by document and start, and the key that past news decided for."""

Place = tuple[str, int]
"""A document and where in it a mention starts."""


@dataclass(frozen=True)
class Past:
    """Stories of past news by knowledge key, and by pair of keys.

    ``beside`` has each pair both ways, ``strangers`` the stories of persons not in the knowledge
    base by surname (:data:`COUNTED`). ``settled`` holds, for mentions that were published before,
    the key that past news decided for: it goes on deciding when all is resolved again.
    """

    n_stories: int = 0
    stories: Mapping[str, int] = field(default_factory=dict)
    beside: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    strangers: Mapping[str, int] = field(default_factory=dict)
    settled: Mapping[Place, str] = field(default_factory=dict)

    @classmethod
    def of(cls, counted: pa.Table) -> Past:
        """Return what a table of :data:`COUNTED` says."""
        total = 0
        stories: dict[str, int] = {}
        beside: dict[str, dict[str, int]] = defaultdict(dict)
        strangers: dict[str, int] = {}
        for key, other, n in zip(*(c.to_pylist() for c in counted.columns), strict=True):
            if key is None and other is None:
                total = n
            elif key is None:
                strangers[other] = n
            elif other is None:
                stories[key] = n
            else:
                beside[key][other] = beside[other][key] = n
        return cls(total, stories, dict(beside), strangers)

    @classmethod
    def deciding_again(cls, decided: pa.Table) -> Past:
        """Return what decides as past news once did: a table of :data:`DECIDED`."""
        rows = decided.to_pylist()
        return cls(settled={(r["doc_id"], r["start"]): r["knowledge_key"] for r in rows})

    def __bool__(self) -> bool:
        """Say whether there is any past."""
        return bool(self.stories or self.settled)

    @cached_property
    def often(self) -> frozenset[str]:
        """The keys of those who are named so often that a surname alone may mean them."""
        return frozenset(key for key, n in self.stories.items() if n >= LEAST_STORIES)

    def settled_for(self, places: Iterable[Place]) -> frozenset[str]:
        """Return the keys that past news decided for when the mentions there were published."""
        return frozenset(self.settled[place] for place in places if place in self.settled)

    def is_meant(self, key: str, surname: str, namesakes: Iterable[str]) -> bool:
        """Say whether ``surname`` alone means ``key`` among the ``namesakes`` and strangers."""
        n = self.stories.get(key, 0)
        of_all = sum(self.stories.get(one, 0) for one in namesakes) + self.strangers.get(surname, 0)
        return n >= LEAST_STORIES and n >= LEAST_SHARE * of_all

    def weight(self, key: str) -> float:
        """Return how much an entity tells by whom it stands beside, 0 to 1: its IDF.

        One that every story names tells nothing.
        """
        n = self.stories.get(key, 0)
        if not n or self.n_stories < 2:
            return 0.0
        return math.log(self.n_stories / n) / math.log(self.n_stories)

    def evidence(
        self,
        candidates: Iterable[str],
        surnames: Iterable[str],
        rest: Iterable[str],
        settled: Collection[str] = (),
    ) -> dict[str, dict[str, float]]:
        """Return the features of the candidates of one name, by key; empty where none has any.

        ``surnames`` are the comparison keys of the name where it may be a surname, ``rest`` the
        keys of what else the document surely names, ``settled`` is of :meth:`settled_for`. A
        feature is a candidate's share of the stories that name any of the candidates, or a stranger
        of the surname, shrunk towards 0 where there are few: n / (total + 2).
        """
        candidates = list(candidates)
        if not frozenset(settled).isdisjoint(candidates):
            return {key: {STORIES: 1.0, BESIDE: 1.0} for key in settled}
        rest = sorted(rest)
        named = {key: float(self.stories.get(key, 0)) for key in candidates}
        beside = {key: self._beside(key, rest) for key in candidates}
        found: dict[str, dict[str, float]] = defaultdict(dict)
        strangers = max((self.strangers.get(surname, 0) for surname in surnames), default=0)
        for feature, counts in ((STORIES, named), (BESIDE, beside)):
            total = sum(counts.values()) + strangers + _UNCERTAIN
            for key, n in counts.items():
                if n:
                    found[key][feature] = n / total
        return dict(found)

    def _beside(self, key: str, rest: Sequence[str]) -> float:
        others = self.beside.get(key, {})
        return sum(self.weight(other) * others.get(other, 0) for other in rest)


def surname_of(key: str) -> str | None:
    """Return the last word of a person's comparison key of several; None of what stands alone."""
    name, _, place = key.partition("@")
    words = [word for word in name.split() if word not in NUMBERS]
    return words[-1] if len(words) > 1 and not place else None


NONE: Final = Past()
"""Where nothing was published before."""
