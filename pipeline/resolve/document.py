"""The first half of the stage: each document settled by itself.

The second half gives ids (:mod:`pipeline.resolve.registry`) and ends in
:mod:`pipeline.resolve.finish`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa

from pipeline.detect.credits import is_label
from pipeline.detect.kinds import BOILERPLATE, CREDIT
from pipeline.knowledge.index import Index
from pipeline.resolve import link, normalise
from pipeline.resolve.candidates import Finder
from pipeline.resolve.forms import read
from pipeline.resolve.indocument import Named
from pipeline.resolve.link import Decision, Linker
from pipeline.resolve.past import NONE as NO_PAST
from pipeline.resolve.past import Past
from pipeline.resolve.rulings import NONE, Rulings
from pipeline.resolve.tables import SETTLED

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Settled:
    """One document's mentions, by start, and what was decided about their clusters."""

    rows: list[Row]
    mentions: list[Named]
    decisions: list[Decision]


def settle(
    documents: pa.Table,
    segments: pa.Table,
    mentions: Iterable[Row],
    index: Index,
    rulings: Rulings = NONE,
    past: Past = NO_PAST,
) -> pa.Table:
    """Clean, cluster and link the mentions of each document.

    ``documents`` and ``segments`` are (unfinished) tables of those schemas; ``mentions`` are rows
    that hold what the recogniser fills, and are changed; ``rulings`` are what people decided about
    names, ``past`` is what earlier news meant. Returns :data:`pipeline.resolve.tables.SETTLED`,
    sorted by document and start: fewer rows than came in where spans held no name, overlapped, or
    are to be left out. A document's rows depend on that document, ``index``, ``rulings`` and
    ``past`` alone. Raises ``KeyError`` for a mention whose document is not in ``documents``.
    """
    finder = _finder(index)
    texts = dict(zip(documents["doc_id"].to_pylist(), documents["text"].to_pylist(), strict=True))
    kinds = {
        (row["doc_id"], row["segment"]): row["kind"]
        for row in segments.select(["doc_id", "segment", "kind"]).to_pylist()
    }
    by_document: dict[str, list[Row]] = defaultdict(list)
    for row in mentions:
        if row.get("kind") is None:
            row["kind"] = kinds.get((row["doc_id"], row["segment"]))
        by_document[row["doc_id"]].append(row)
    begun = [
        _begin(doc_id, texts[doc_id], by_document[doc_id], finder, rulings, past)
        for doc_id in sorted(by_document)
    ]
    finder.match(form for one in begun for form in one.linker.unmatched())
    rows = [row for one in begun for row in finished_rows(one.settled(), finder)]
    return pa.Table.from_pylist(rows, schema=SETTLED)


@lru_cache(maxsize=1)
def _finder(index: Index) -> Finder:
    """Return the same finder for all shards of a worker, so that it looks each name up once."""
    return Finder(index)


def settle_document(
    doc_id: str,
    text: str,
    rows: Iterable[Row],
    finder: Finder,
    rulings: Rulings = NONE,
    past: Past = NO_PAST,
) -> Settled:
    """Return the mentions and decisions of one document; ``rows`` are the recogniser's mentions."""
    begun = _begin(doc_id, text, rows, finder, rulings, past)
    finder.match(begun.linker.unmatched())
    return begun.settled()


@dataclass(frozen=True, slots=True)
class _Begun:
    """One document's mentions, by start, clustered."""

    rows: list[Row]
    mentions: list[Named]
    linker: Linker

    def settled(self) -> Settled:
        """Decide whom they name."""
        return Settled(self.rows, self.mentions, self.linker.decide())


def _begin(
    doc_id: str, text: str, rows: Iterable[Row], finder: Finder, rulings: Rulings, past: Past
) -> _Begun:
    rows = list(rows)
    claims = []
    for number, row in enumerate(rows):
        span = normalise.clean(text, row["start"], row["end"], row["ner_label"], row["lang"])
        if span is not None:
            claims.append(normalise.Claim(number, span, row["ner_score"] or 0.0))
    kept = []
    named = []
    for claim in normalise.without_overlaps(claims):
        span = claim.span
        surface = text[span.start : span.end]
        row = rows[claim.row]
        form = read(surface, row["lang"])
        kind = row.get("kind")
        if rulings.ignores(form) or (kind == CREDIT and is_label(surface)):
            continue
        row |= {
            "mention_id": normalise.mention_id(doc_id, span.start, span.end),
            "start": span.start,
            "end": span.end,
            "surface": surface,
            "suffix": span.suffix,
        }
        kept.append(row)
        titled = normalise.titled(text, span.start, span.end, row["ner_label"], row["lang"])
        named.append(
            Named(
                span.start,
                span.end,
                row["ner_label"],
                form,
                read(titled, row["lang"]) if titled else None,
                in_body=kind not in (CREDIT, BOILERPLATE),
            )
        )
    return _Begun(kept, named, Linker(doc_id, named, text, finder, rulings, past))


def finished_rows(settled: Settled, finder: Finder) -> Iterator[Row]:
    """Yield the document's rows with what was decided, by start."""
    decisions = {
        i: (number, decision)
        for number, decision in enumerate(settled.decisions)
        for i in decision.cluster.members
    }
    for i, row in enumerate(settled.rows):
        number, decision = decisions[i]
        form = settled.mentions[i].form
        ruled = decision.ruled
        unknown = decision.unknown if ruled is None else None
        yield row | {
            "label": decision.label,
            "name": link.name_of(decision, form, finder),
            "link_method": link.method_of(decision, i, form, finder),
            "link_score": decision.score,
            "entity_id": ruled.entity_id if ruled else None,
            "knowledge_key": decision.knowledge_key,
            "cluster": str(number) if unknown else None,
            "cluster_name": unknown.name if unknown else None,
            "cluster_lang": unknown.lang if unknown else None,
            "cluster_keys": list(unknown.keys) if unknown else None,
        }
