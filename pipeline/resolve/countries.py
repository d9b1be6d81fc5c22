"""Which countries a document is about, from the entities already linked in it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from pipeline.knowledge.prior import COUNTRY_KEY
from pipeline.resolve.candidates import Known

_PLACE_WITHIN: Final = 1.0
_PERSON_OR_BODY: Final = 0.5
_COUNTRY_ITSELF: Final = 0.3
"""An article on Nigeria and Niger names Nigeria; that does not make Niger the Nigerian state."""
_HOMES: Final[Mapping[str, tuple[str, ...]]] = {
    "hi": ("IN",),
    "ro": ("RO", "MD"),
    "tr": ("TR",),
    "vi": ("VN",),
}
_REPEATED: Final = 0.3
"""What each doubling of an entity's mentions adds to its mass."""


def mass(known: Known, n_mentions: int) -> float:
    """Return how much an entity of a country tells that the document is about the country."""
    if known.key.startswith(COUNTRY_KEY):
        kind = _COUNTRY_ITSELF
    else:
        kind = _PLACE_WITHIN if known.label == "LOC" else _PERSON_OR_BODY
    return kind * (1.0 + _REPEATED * math.log2(n_mentions))


def masses(mentioned: Mapping[Known, int]) -> dict[str, float]:
    """Return the mass of each ISO 3166-1 country, of entities with their numbers of mentions."""
    total: dict[str, float] = {}
    for known, n_mentions in mentioned.items():
        if known.iso_country:
            country = known.iso_country
            total[country] = total.get(country, 0.0) + mass(known, n_mentions)
    return total


def homes(langs: Iterable[str]) -> frozenset[str]:
    """Return the ISO 3166-1 countries in which any of the languages is official.

    English is at home everywhere and says nothing.
    """
    return frozenset(country for lang in langs for country in _HOMES.get(lang, ()))


def without(mentioned: Mapping[Known, int], known: Known | None) -> dict[Known, int]:
    """Return ``mentioned`` without ``known``: an entity is no evidence for itself."""
    return {other: n for other, n in mentioned.items() if other != known}


def dominant(mentioned: Mapping[Known, int]) -> str | None:
    """Return the ISO country with the most mentions of its entities; None when there is a tie."""
    counts: Counter[str] = Counter()
    for known, n_mentions in mentioned.items():
        if known.iso_country:
            counts[known.iso_country] += n_mentions
    first = counts.most_common(2)
    if not first or (len(first) == 2 and first[0][1] == first[1][1]):
        return None
    return first[0][0]
