"""How likely the news means an entry rather than a namesake, before any context."""

from __future__ import annotations

import math
from typing import Final

COUNTRY: Final = 0.95
REGION: Final = 0.85
CURATED: Final = 0.8
INTERNATIONAL: Final = 0.6
OTHER: Final = 0.3
"""Also what a place gets whose population is unknown: admin regions, mostly."""

_SMALLEST_PLACE: Final = 0.1
_LARGEST_PLACE: Final = 0.75
_LARGEST_POPULATION: Final = 4e7

CLDR: Final = "CLDR"
GEONAMES: Final = "GeoNames"
SUPRAVERDEN: Final = "supraverden"
EVERYPOLITICIAN: Final = "EveryPolitician/Wikidata"
PERSONS_LIST: Final = "persons_5lang"

BULK_SOURCES: Final = (CLDR, GEONAMES, SUPRAVERDEN, EVERYPOLITICIAN, PERSONS_LIST)
"""The `source` of rows taken over in bulk; every other row was picked by a person.

Their order says whose names come first where several of them describe one entry.
"""


def source_rank(source: str) -> int:
    """Return the place of ``source`` among all, 0 for rows that a person picked."""
    return BULK_SOURCES.index(source) + 1 if source in BULK_SOURCES else 0


def prior(key: str, source: str, population: int | None) -> float:
    """Return the prior of one row, between 0 and 1.

    Countries (``iso:``) 0.95, regions of the world (``m49:``) 0.85, what a person picked 0.8,
    international bodies 0.6; places by the logarithm of their population, from 0.1 for none to 0.75
    for forty million, so that a metropolis stands above its namesake villages and below countries;
    everything else 0.3. A capital counts as any other city: no source at hand marks capitals.
    The prior of an entry with several rows is the highest of theirs.
    """
    floor = 0.0
    if key.startswith("iso:"):
        floor = COUNTRY
    elif key.startswith("m49:"):
        floor = REGION
    elif source_rank(source) == 0:
        floor = CURATED
    elif source == SUPRAVERDEN:
        floor = INTERNATIONAL
    elif population is None:
        floor = OTHER
    if population is None:
        return floor
    share = min(1.0, math.log1p(population) / math.log1p(_LARGEST_POPULATION))
    return max(floor, _SMALLEST_PLACE + (_LARGEST_PLACE - _SMALLEST_PLACE) * share)
