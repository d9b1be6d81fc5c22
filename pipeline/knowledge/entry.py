"""The rows of the knowledge base."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Alias:
    """One way to write an entity's name: the text, its language (or ``und``), and its source."""

    text: str
    lang: str
    source: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One person, place or organisation of the knowledge base.

    ``key`` names the row for ever (``iso:KG``, ``geonames:1528675``, ``wikidata:Q7825`` or, for
    curated rows without an outside id, ``exonym:some-slug``). ``names`` maps a language to its
    usual name there. ``prior`` is how likely the news means this entry rather than a namesake,
    before any context, between 0 and 1.
    """

    key: str
    label: str
    name: str
    names: dict[str, str] = field(default_factory=dict)
    aliases: tuple[Alias, ...] = ()
    prior: float = 0.0
    wikidata: str | None = None
    geonames: str | None = None
    iso_country: str | None = None
