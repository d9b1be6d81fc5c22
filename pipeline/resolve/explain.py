"""Why a mention was linked as it was, and which entities a name may mean.

Both work things out anew with the code that links, so what they say is what was done.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final, TypedDict

import pyarrow as pa

from pipeline.knowledge.index import Index
from pipeline.resolve import generic, link, registry, score
from pipeline.resolve.candidates import Finder
from pipeline.resolve.document import Settled, settle_document
from pipeline.resolve.forms import Form, read
from pipeline.resolve.grouping import KINSHIPS, Signature, alike, kinship, writing
from pipeline.resolve.link import Decision
from pipeline.resolve.methods import METHODS, REGISTRY, SURNAME
from pipeline.resolve.past import NONE as NO_PAST
from pipeline.resolve.past import Past
from pipeline.resolve.rulings import NONE, Rulings
from pipeline.resolve.score import Scored
from pipeline.schemas import LANGUAGES, UNDETERMINED

_MOST_CANDIDATES: Final = 10
_SAME: Final = 0.95
_ALIKE: Final = 0.85
"""What the name of an unknown entity scores that is the same, or alike."""
_UNKNOWN_BY_PART: Final = 0.4
_KNOWN_BY_PART: Final = 0.45
"""What a part of a person's name scores, of a known one times how likely the news means him."""
_MOST_BY_PART: Final = 50


class Reading(TypedDict):
    """One comparison key of the mention: what it was made of and its doubt, 0 to 1."""

    name: str
    key: str
    cost: float


class Weighed(TypedDict):
    """A candidate with its score and what the score is made of.

    ``parts`` maps a feature of :data:`pipeline.resolve.score.WEIGHTS` to weight times value; with
    ``bias`` they sum up to ``logit``.
    """

    knowledge_key: str
    name: str
    label: str
    score: float
    logit: float
    found_by: str
    alias: str
    alias_lang: str
    similarity: float
    bias: float
    parts: dict[str, float]


class Member(TypedDict):
    """A mention of the same cluster; ``joined`` says how it came there, null by its spelling."""

    mention_id: str
    start: int
    end: int
    surface: str
    ner_label: str
    joined: str | None


class Chain(TypedDict):
    """The whole way from a span to an entity.

    ``cluster_keys`` are those under which other documents may name an unknown entity. ``ruling`` is
    the decision of a person that went before all candidates, and ``entity_id`` what it gave the
    name to where that is no entry of the knowledge base.
    """

    mention_id: str
    surface: str
    suffix: str | None
    lang: str
    name: str
    readings: list[Reading]
    ner_label: str
    label: str
    votes: dict[str, int]
    cluster: list[Member]
    spoken_for_by: list[str]
    candidates: list[Weighed]
    knowledge_key: str | None
    cluster_keys: list[str]
    ruling: str | None
    entity_id: str | None
    method: str
    method_means: str
    score: float
    threshold: float


class Result(TypedDict):
    """One entity that a name may mean."""

    entity_id: str
    name: str
    label: str
    score: float
    method: str


def explain(
    doc_id: str,
    text: str,
    mentions: pa.Table,
    index: Index,
    mention_id: str,
    rulings: Rulings = NONE,
    past: Past = NO_PAST,
) -> Chain:
    """Return how one mention of a document was linked.

    ``mentions`` are all of the document, of MENTIONS or as the recogniser left them. Raises
    ``KeyError`` when the document has no mention of that id.
    """
    finder = Finder(index)
    settled = settle_document(doc_id, text, mentions.to_pylist(), finder, rulings, past)
    for position, row in enumerate(settled.rows):
        if row["mention_id"] == mention_id:
            decision = next(d for d in settled.decisions if position in d.cluster.members)
            return _chain(settled, position, decision, finder)
    raise KeyError(f"document {doc_id} has no mention {mention_id}")


def _chain(settled: Settled, position: int, decision: Decision, finder: Finder) -> Chain:
    row, form = settled.rows[position], settled.mentions[position].form
    method = link.method_of(decision, position, form, finder)
    return Chain(
        mention_id=row["mention_id"],
        surface=row["surface"],
        suffix=row["suffix"],
        lang=form.lang,
        name=link.name_of(decision, form, finder),
        readings=[Reading(name=k.name, key=k.text, cost=k.cost) for k in form.keys],
        ner_label=row["ner_label"],
        label=decision.label,
        votes=dict(decision.votes),
        cluster=[_member(settled, i, decision) for i in decision.cluster.members],
        spoken_for_by=[f.surface for f in decision.forms],
        candidates=[_weighed(s) for s in decision.ranked[:_MOST_CANDIDATES]],
        knowledge_key=decision.knowledge_key,
        cluster_keys=list(decision.unknown.keys) if decision.unknown else [],
        ruling=decision.ruled.cause if decision.ruled else None,
        entity_id=decision.ruled.entity_id if decision.ruled else None,
        method=method,
        method_means=METHODS[method],
        score=decision.score,
        threshold=score.THRESHOLD,
    )


def _member(settled: Settled, position: int, decision: Decision) -> Member:
    row = settled.rows[position]
    return Member(
        mention_id=row["mention_id"],
        start=row["start"],
        end=row["end"],
        surface=row["surface"],
        ner_label=row["ner_label"],
        joined=decision.cluster.joined.get(position),
    )


def _weighed(scored: Scored) -> Weighed:
    return Weighed(
        knowledge_key=scored.known.key,
        name=scored.known.name,
        label=scored.known.label,
        score=scored.score,
        logit=scored.logit,
        found_by=scored.candidate.method,
        alias=scored.candidate.alias,
        alias_lang=scored.candidate.alias_lang,
        similarity=scored.candidate.similarity,
        bias=score.BIAS,
        parts={
            name: score.WEIGHTS[name] * value for name, value in scored.features.items() if value
        },
    )


def search(
    name: str,
    index: Index,
    connection: sqlite3.Connection,
    lang: str | None = None,
    label: str | None = None,
    limit: int = 10,
) -> list[Result]:
    """Return the entities that ``name`` may mean, the likeliest first, at most ``limit``.

    ``lang`` (each of the five when null) says how to read it, ``label`` admits one kind of
    entity only. Knowledge entries are found whether they were met in the news or not; unknown
    entities by the registry's keys; persons also by a part of the name, at a low score. Scores are
    those of a mention without a document.
    """
    finder = Finder(index)
    languages = (lang,) if lang else (*LANGUAGES, UNDETERMINED)
    forms = list(dict.fromkeys(read(name.strip(), code) for code in languages))
    results = {r["entity_id"]: r for r in _known(forms, finder, connection, label)}
    for result in _unknown(forms, connection):
        if label in (None, result["label"]):
            results.setdefault(result["entity_id"], result)
    for result in _by_part(name.strip(), forms, finder, connection, label):
        results.setdefault(result["entity_id"], result)
    ranked = sorted(results.values(), key=lambda r: (-r["score"], r["entity_id"]))
    return ranked[:limit]


def _known(
    forms: list[Form], finder: Finder, connection: sqlite3.Connection, label: str | None
) -> Iterator[Result]:
    found = link.candidates_of(forms, finder, person=label in (None, "PER"))
    pairs = [(c, known) for c in found if label in (None, (known := finder.known(c.entry)).label)]
    common = any(generic.is_generic(form.key) for form in forms)
    for scored in score.weigh(pairs, {}, {}, generic=common):
        yield Result(
            entity_id=registry.id_of(connection, scored.known.key),
            name=scored.known.name,
            label=scored.known.label,
            score=round(scored.score, 4),
            method=scored.candidate.method,
        )


class Met(TypedDict):
    """A name under which the news called an unknown entity before.

    ``kinship`` is what makes the mention's name one with it, one of
    :data:`pipeline.resolve.grouping.KINSHIPS`; null where other names stand between the two.
    """

    key: str
    script: str
    kinship: str | None


def met_as(chain: Chain, entity_id: str, connection: sqlite3.Connection) -> list[Met]:
    """Return under which names the registry has an entity of which ``chain`` is a mention.

    Those that the mention's name is one with come first, by the strength of the kinship. Empty for
    a mention of a known entity.
    """
    if not chain["cluster_keys"]:
        return []
    order = [*KINSHIPS, None]
    written = writing(chain["spoken_for_by"][0], chain["lang"])
    ours = Signature(chain["label"], tuple(chain["cluster_keys"]), written)
    found = [
        Met(key=theirs.keys[0], script=theirs.script, kinship=kinship(ours, theirs))
        for theirs in registry.Registry(connection).signatures_of(entity_id)
    ]
    return sorted(found, key=lambda met: (order.index(met["kinship"]), met["key"], met["script"]))


def _by_part(
    name: str,
    forms: list[Form],
    finder: Finder,
    connection: sqlite3.Connection,
    label: str | None,
) -> Iterator[Result]:
    """Yield the persons of whom ``name``, one word, is a part of the name, the known ones first."""
    if " " in name or label not in (None, "PER"):
        return
    words = {key.text for form in forms for key in form.keys if key.text in form.read}
    for entity_id, whole in registry.unknown_with_word(connection, words, _MOST_BY_PART):
        yield Result(
            entity_id=entity_id, name=whole, label="PER", score=_UNKNOWN_BY_PART, method=SURNAME
        )
    for number in {number for word in words for number in finder.index.by_word(word)}:
        known = finder.known(number)
        if known.label == "PER":
            yield Result(
                entity_id=registry.id_of(connection, known.key),
                name=known.name,
                label=known.label,
                score=round(_KNOWN_BY_PART * known.prior, 4),
                method=SURNAME,
            )


def _unknown(forms: list[Form], connection: sqlite3.Connection) -> Iterator[Result]:
    keys = {key.text for form in forms for key in form.keys}
    best: dict[str, Result] = {}
    for key, entity_id, name, label in registry.unknown_near(connection, keys):
        bare = key.partition("@")[0]
        same = bare in keys
        if (same or any(alike(bare, ours) for ours in keys)) and (same or entity_id not in best):
            best[entity_id] = Result(
                entity_id=entity_id,
                name=name,
                label=label,
                score=_SAME if same else _ALIKE,
                method=REGISTRY,
            )
    yield from best.values()
