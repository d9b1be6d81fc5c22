"""How likely a candidate is what the mentions of a cluster name.

A weighted sum of a few features, squeezed into 0 to 1 by the logistic function. The weights are set
by hand so that the cases named beside them come out as they do; nothing is learned.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pipeline.knowledge.prior import COUNTRY_KEY
from pipeline.resolve.candidates import Candidate, Known
from pipeline.resolve.methods import SIMILAR

THRESHOLD: Final = 0.5
"""Least score of a link; below it the cluster names nothing that is known (NIL)."""

MARGIN: Final = {"PER": 0.5, "ORG": 0.5, "LOC": 0.0}
"""By how much the weighted sum must exceed that of the next candidate, by the best one's label.

Two persons or bodies of one name are not to be told apart by a hair; of places of one name the news
means the larger unless the context says otherwise.
"""

BIAS: Final = -3.0

WEIGHTS: Final = {
    # An exact alias gives +1.8, a similarity of 0.85 nothing, 0.7 takes 1.8 off.
    "name": 12.0,
    # Sadyr Japarov is far less likely to be a namesake than Japarov; full from three words on.
    "words": 1.0,
    # Found by likeness alone: the name may as well belong to someone unknown.
    "inexact": -0.8,
    # The same of a single word, which nothing beside it bears out: Catania, Katanya, Kotanya.
    "inexact_word": -2.0,
    # Share of the recogniser's votes for the candidate's own label.
    "label_same": 1.4,
    # Share of votes that take a place for an organisation or the reverse: countries act, the
    # Kremlin is a building; but a body that bears a small town's name is not the town. Twice over
    # where the document names nothing else of the town's country: TOKİ is not Toki in Japan.
    "label_near": -1.2,
    # Share of votes that take a person for something else or the reverse; still not a filter.
    "label_far": -3.0,
    # Countries, heads of state and the UN before villages and former members of parliament. Strong
    # enough that an American article does not turn Moscow into the one in Idaho.
    "prior": 6.0,
    # Other entities of the candidate's country in the document: Birmingham in Alabama.
    "country_for": 1.5,
    # The same for a state or province that shares its name with a country: Georgia in the USA.
    "country_for_region": 3.5,
    # All known names enumerated with it may be of the candidate's kind: Georgia, Armenia and
    # Azerbaijan, but Georgia, Alabama and Florida.
    "peers": 1.5,
    # The country is one in which the text's language is at home: of two places called Alexandria a
    # Romanian paper may mean the one in Teleorman.
    "home": 0.4,
    # The document is about another country.
    "country_against": -0.3,
    # A Ministry of Defence is that of the country the document is about, or nobody knows whose;
    # and so is a body whose alias says more than the name. Twice over where both is so, and up to
    # twice where the document names nothing else of the body's country.
    "generic_elsewhere": -4.0,
    # The same of a body of no country, the more so the more a document is about one: the Court of
    # Auditors in a Romanian article is not the European one.
    "generic_international": -8.0,
    # A body that is found by likeness alone, in a document that names nothing else of its country,
    # the more so the more that is about another: the Cuban Union Electrica is not Electrica.
    "inexact_elsewhere": -6.0,
    # A little-known person whose known name has more words: there are many a Mehmet Yıldırım.
    "lacks_words": -0.25,
    # An acronym of another language, in a text that is not about the body's country: DNA is an
    # agency in Romania, and in a Vietnamese text about Romania.
    "acronym_elsewhere": -8.0,
    # Past news named the candidate, and named it beside what else the document names, more than
    # the others of that name (pipeline/resolve/past.py). Each breaks a tie of persons from three
    # stories against none on, not from two, and of many from about five against one.
    "news": 0.9,
    "news_beside": 0.9,
}
"""Feature to weight, with the reason."""

_FROM_NEWS: Final = ("news", "news_beside")
MOST_NEWS: Final = sum(WEIGHTS[name] for name in _FROM_NEWS)
"""The most that past news adds to a candidate."""

_NEUTRAL_SIMILARITY: Final = 0.85
_ENOUGH_EVIDENCE: Final = 2.0
"""Mass of a country's entities, alone in a document, at which it counts half."""

_REGION: Final = "geonames-admin1:"
_REGION_PRIOR: Final = 0.45
"""First-level regions come without population; of a city and its region the news means the city."""
_METONYMS: Final = (0.5, 0.75)
"""Priors of places between which a vote for an organisation comes to be no evidence against one: a
capital stands for its government, a village for nothing."""
_LITTLE_KNOWN: Final = 0.5
"""Prior of persons below which the news hardly ever means them."""
_NAMESAKE_REGION_PRIOR: Final = 0.7
"""A region that shares its name with a country stands beside it, not beside cities."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with its features (name to value), their weighted sum and its score, 0 to 1."""

    candidate: Candidate
    known: Known
    features: Mapping[str, float]
    logit: float

    @property
    def score(self) -> float:
        """The logistic function of :attr:`logit`."""
        return _logistic(self.logit)

    @property
    def without_news(self) -> float:
        """The score that it would have without past news."""
        news = sum(WEIGHTS[name] * self.features.get(name, 0.0) for name in _FROM_NEWS)
        return _logistic(self.logit - news)


def _logistic(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-logit))


def kind_of(known: Known) -> str:
    """Return the kind of an entity that enumerations keep to: country, region, or its label."""
    if known.key.startswith(COUNTRY_KEY):
        return "country"
    return "region" if known.key.startswith(_REGION) else known.label


def weigh(
    candidates: Iterable[tuple[Candidate, Known]],
    votes: Mapping[str, int],
    countries: Mapping[str, float],
    *,
    peers: Collection[str] = (),
    homes: Collection[str] = (),
    generic: bool = False,
    news: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
) -> list[Scored]:
    """Score the candidates of one cluster; the best comes first, ties by prior, then by key.

    ``votes`` are the recogniser's labels of the cluster's mentions, empty for a name without
    context; ``countries`` the mass of each ISO country in the rest of the document; ``peers`` the
    kinds (:func:`kind_of`) that all names enumerated with it may be of; ``homes`` the countries of
    the text's language; ``generic`` says that every country has something of the name; ``news``
    are features by key from past news.
    """
    pairs = list(candidates)
    namesake = any(known.key.startswith(COUNTRY_KEY) for _, known in pairs)
    main = max(countries, key=lambda code: (countries[code], code), default=None)
    share = countries[main] / (sum(countries.values()) + _ENOUGH_EVIDENCE) if main else 0.0
    scores = []
    for candidate, known in pairs:
        region = known.key.startswith(_REGION)
        prior = _NAMESAKE_REGION_PRIOR if namesake else _REGION_PRIOR
        elsewhere = share if known.iso_country not in (None, *countries) else 0.0
        features = {
            "name": candidate.similarity - _NEUTRAL_SIMILARITY,
            "words": min(candidate.key.count(" "), 2) / 2,
            "inexact": float(candidate.method == SIMILAR),
            "inexact_word": float(candidate.method == SIMILAR and " " not in candidate.key),
            "prior": max(known.prior, prior) if region else known.prior,
            **_label_features(known, votes),
            "peers": float(kind_of(known) in peers),
            "home": float(known.iso_country in homes),
            **_country_features(known, countries, beside_country=region and namesake),
            **_unsaid_features(candidate, known, main, share, elsewhere, generic=generic),
            **news.get(known.key, {}),
        }
        if known.label == "LOC" and elsewhere:
            features["label_near"] *= 2
        logit = BIAS + sum(WEIGHTS[name] * value for name, value in features.items())
        scores.append(Scored(candidate, known, features, logit))
    return sorted(scores, key=lambda s: (-s.logit, -s.known.prior, s.known.key))


def _unsaid_features(
    candidate: Candidate,
    known: Known,
    main: str | None,
    share: float,
    elsewhere: float,
    *,
    generic: bool,
) -> dict[str, float]:
    """Return what a name is short of that would tell whose it is, where the document does not.

    ``main`` is the country that the document names most, with that ``share``; ``elsewhere`` is the
    same share where nothing of the known entity's country is named, else 0.
    """
    lacks_words = _lacks_words(candidate)
    features = {}
    if lacks_words and known.label == "PER" and known.prior < _LITTLE_KNOWN:
        features["lacks_words"] = 1.0
    if known.iso_country not in (None, main) and (generic or lacks_words):
        features["generic_elsewhere"] = 1.0 + max(elsewhere, generic and lacks_words)
    elif known.iso_country is None and known.label == "ORG" and lacks_words and main:
        features["generic_international"] = share
    if candidate.method == SIMILAR and known.label == "ORG" and elsewhere:
        features["inexact_elsewhere"] = elsewhere
    if candidate.unread and (known.iso_country is None or known.iso_country != main):
        features["acronym_elsewhere"] = 1.0
    return features


def _lacks_words(candidate: Candidate) -> bool:
    """Say whether the alias holds more words, often the country's: Grand National Assembly."""
    return candidate.method == SIMILAR and candidate.alias.count(" ") > candidate.key.count(" ")


def _label_features(known: Known, votes: Mapping[str, int]) -> dict[str, float]:
    total = sum(votes.values())
    if not total:
        return {"label_same": 1.0, "label_near": 0.0, "label_far": 0.0}
    same = votes.get(known.label, 0) / total
    near = 0.0 if known.label == "PER" else 1.0 - same - votes.get("PER", 0) / total
    far = 1.0 - same - near
    if known.label == "LOC":
        least, most = _METONYMS
        near *= min(1.0, max(0.0, (most - known.prior) / (most - least)))
    return {"label_same": same, "label_near": near, "label_far": far}


def _country_features(
    known: Known, countries: Mapping[str, float], *, beside_country: bool
) -> dict[str, float]:
    if known.iso_country is None or not countries:
        return {}
    total = sum(countries.values()) + _ENOUGH_EVIDENCE
    own = countries.get(known.iso_country, 0.0) / total
    if own:
        return {"country_for_region" if beside_country else "country_for": own}
    return {"country_against": max(countries.values()) / total}


def choose(ranked: list[Scored]) -> Scored | None:
    """Return the best of ``ranked`` (best first); None when it is too weak or the next too close.

    Two entries of one label and country are never too close: a city and its province.
    """
    if not ranked or ranked[0].score < THRESHOLD:
        return None
    best = ranked[0]
    for other in ranked[1:]:
        if best.logit - other.logit >= MARGIN[best.known.label]:
            break
        if (other.known.label, other.known.iso_country) != (
            best.known.label,
            best.known.iso_country,
        ) or best.known.label == "PER":
            return None
    return best
