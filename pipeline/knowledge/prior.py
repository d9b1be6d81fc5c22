"""How likely the news means an entry rather than a namesake, before any context."""

from __future__ import annotations

import math
from typing import Final

COUNTRY_KEY: Final = "iso:"
"""How the keys of countries and territories begin."""

COUNTRY: Final = 0.95
REGION: Final = 0.85
CURATED: Final = 0.8
WIDER_CIRCLE: Final = 0.7
"""Picked too, but of those whom the news seldom calls by surname alone."""
TOWN: Final = 0.45
"""Picked as well: towns, districts and quarters that the list of places lacks."""
INTERNATIONAL: Final = 0.6
OTHER: Final = 0.3
"""Also what a place gets whose population is unknown: admin regions, mostly."""

_SMALLEST: Final = 0.1
_LARGEST: Final = 0.75
_LARGEST_POPULATION: Final = 4e7
_MOST_SITELINKS: Final = 300

CLDR: Final = "CLDR"
GEONAMES: Final = "GeoNames"
SUPRAVERDEN: Final = "supraverden"
EVERYPOLITICIAN: Final = "EveryPolitician/Wikidata"
PERSONS_LIST: Final = "persons_5lang"
WIKIDATA: Final = "Wikidata"

_MARKED: Final = {"; wider circle": WIDER_CIRCLE, "; town": TOWN}
"""How the `source` of a picked row ends, and what that makes of its prior."""

BULK_SOURCES: Final = (CLDR, GEONAMES, SUPRAVERDEN, EVERYPOLITICIAN, PERSONS_LIST, WIKIDATA)
"""How the `source` of rows taken over in bulk begins; every other row was picked by a person.

Their order says whose names come first where several of them describe one entry.
"""


def source_rank(source: str) -> int:
    """Return the place of ``source`` among all, 0 for rows that a person picked."""
    for rank, bulk in enumerate(BULK_SOURCES, start=1):
        if source == bulk or source.startswith(f"{bulk} "):
            return rank
    return 0


def prior(key: str, source: str, population: int | None, sitelinks: int | None = None) -> float:
    """Return the prior of one row, between 0 and 1.

    Countries (``iso:``) 0.95, regions of the world (``m49:``) 0.85, what a person picked 0.8, 0.7
    where the source says "wider circle", 0.45 where it says "town"; international bodies 0.6;
    places by the logarithm of their population, from 0.1 for none to 0.75 for forty million, so
    that a metropolis stands above its namesake villages and below countries; what comes from
    Wikidata by the number of its pages, from 0.1 for none to 0.75 for three hundred; everything
    else 0.3. A capital counts as any other city: no source at hand marks capitals.
    The prior of an entry with several rows is the highest of theirs.
    """
    floor = 0.0
    if key.startswith(COUNTRY_KEY):
        floor = COUNTRY
    elif key.startswith("m49:"):
        floor = REGION
    elif source_rank(source) == 0:
        floor = next((share for mark, share in _MARKED.items() if mark in source), CURATED)
    elif source == SUPRAVERDEN:
        floor = INTERNATIONAL
    elif population is None and sitelinks is None:
        floor = OTHER
    return max(floor, _share(population, _LARGEST_POPULATION), _share(sitelinks, _MOST_SITELINKS))


def _share(count: int | None, largest: float) -> float:
    """Return how far ``count`` is from 1 to ``largest`` by its logarithm, as a prior; 0 of none."""
    if count is None:
        return 0.0
    share = min(1.0, math.log1p(count) / math.log1p(largest))
    return _SMALLEST + (_LARGEST - _SMALLEST) * share
