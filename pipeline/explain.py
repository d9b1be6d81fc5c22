"""The whole chain behind a mention or an entity: the content of ``exonym explain``."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb
import pyarrow as pa

from pipeline import past
from pipeline.errors import UsageError
from pipeline.knowledge.build import ensure
from pipeline.knowledge.index import Index
from pipeline.resolve.explain import Chain, met_as
from pipeline.resolve.explain import explain as explain_link
from pipeline.resolve.judgements import rulings_of
from pipeline.resolve.past import BESIDE, STORIES, Past
from pipeline.resolve.registry import ACTIONS, Registry, id_of
from pipeline.schemas import DATED, MENTIONS
from pipeline.settings import Settings
from pipeline.store import Store
from pipeline.store.state import State

_MOST_EXAMPLES: Final = 5
_FROM_NEWS: Final = {STORIES, BESIDE}
_PLACE: Final = (
    "mention_id",
    "surface",
    "suffix",
    "name",
    "start",
    "end",
    "sentence",
    "sentence_start",
)
_LANGUAGE: Final = ("segment", "kind", "lang", "lang_score", "lang_reason", "lang_votes")

Row = dict[str, Any]


def explain(store: Store, item: str, settings: Settings) -> Row:
    """Return what is known of ``item``, a mention_id or an entity_id, as nested plain values.

    The link of a mention is worked out anew with today's models and knowledge; ``differs`` is true
    where that no longer gives the published entity. A retired entity id leads to its heir.

    Raises:
        UsageError: nothing published has that id.
    """
    index = ensure(settings.knowledge)
    with store.readable() as state:
        if mentions := _select(store, "mentions", "mention_id", item):
            return _explain_mention(store, mentions[0], index, settings, state)
        for redirect in _select(store, "redirects", "entity_id", item):
            heir = _explain_entity(store, redirect["replaced_by"], index, state)
            return {"redirected": redirect, **heir}
        if _select(store, "entities", "entity_id", item):
            return _explain_entity(store, item, index, state)
    raise UsageError(
        f"nothing published in {store.out} has the id '{item}'; "
        "take a mention_id or entity_id from the tables, or check --out"
    )


def _explain_mention(
    store: Store, mention: Row, index: Index, settings: Settings, state: State
) -> Row:
    doc_id = mention["doc_id"]
    (document,) = _select(store, "documents", "doc_id", doc_id)
    segments = _select(store, "segments", "doc_id", doc_id)
    (segment,) = (row for row in segments if row["segment"] == mention["segment"])
    registry = Registry(state.connection)
    entity_id = registry.heir(mention["entity_id"])
    (entity,) = _select(store, "entities", "entity_id", entity_id)
    all_mentions = pa.Table.from_pylist(_select(store, "mentions", "doc_id", doc_id), MENTIONS)
    link = explain_link(
        doc_id,
        document["text"],
        all_mentions,
        index,
        mention["mention_id"],
        rulings_of(registry, index, None),
        Past.deciding_again(past.decided(all_mentions, registry)),
    )
    today = link["entity_id"]
    if link["knowledge_key"] is not None:
        today = id_of(state.connection, link["knowledge_key"])
    by_news = any(_FROM_NEWS & candidate["parts"].keys() for candidate in link["candidates"])
    return {
        "mention": _picked(mention, *_PLACE),
        "document": _explain_document(store, document),
        "segment": _picked(segment, *_LANGUAGE),
        "recognised": _picked(mention, "engine", "model", "ner_label", "ner_score", "run_id"),
        "linked": _picked(mention, "label", "link_method", "link_score"),
        "link": {**link, "differs": today is not None and today != entity_id},
        "past": _past(store, link, mention, all_mentions, settings, state) if by_news else [],
        "met_as": met_as(link, entity_id, state.connection),
        "entity": entity,
    }


def _explain_document(store: Store, document: Row) -> Row:
    """Return which document it is, how it was dated, and every arrival of it."""
    arrivals = _select(store, "document_sources", "doc_id", document["doc_id"])
    return {
        **_picked(document, "doc_id", "date", "date_origin"),
        "sources": [_picked(row, "source", "source_id", "url") for row in arrivals],
    }


def _picked(row: Row, *columns: str) -> Row:
    return {column: row[column] for column in columns}


def _past(
    store: Store, link: Chain, mention: Row, mentions: pa.Table, settings: Settings, state: State
) -> list[Row]:
    """Return in how many stories the days before a mention's named each of its candidates.

    And in how many beside another entity of its document. These are counts of the tables as they
    stand: what was published, withdrawn or corrected since the mention was linked is in them.
    """
    days = past.window(store.tables.days("mentions"), settings.past_days, before=mention["date"])
    with TemporaryDirectory() as scratch:
        counted = past.count(store.tables, days, state.connection, Path(scratch))
    news, known = Past.of(counted), Registry(state.connection)
    ids = sorted(set(mentions["entity_id"].to_pylist()))
    others = {row["knowledge_key"] for i in ids if (row := known.by_id(known.heir(i)))}
    return [
        {
            "knowledge_key": key,
            "name": candidate["name"],
            "n_stories": news.stories.get(key, 0),
            "n_beside": max((news.beside.get(key, {}).get(one, 0) for one in others), default=0),
        }
        for candidate in link["candidates"]
        for key in (candidate["knowledge_key"],)
    ]


def _explain_entity(store: Store, entity_id: str, index: Index, state: State) -> Row:
    (entity,) = _select(store, "entities", "entity_id", entity_id)
    (key,) = state.connection.execute(
        "SELECT knowledge_key FROM entities WHERE entity_id = ?", (entity_id,)
    ).fetchone()
    return {
        "entity": entity,
        "knowledge": _knowledge(key, index),
        "decisions": [
            {"run_id": run_id, "action": action, "meaning": ACTIONS[action], "cause": cause}
            for run_id, action, cause in state.connection.execute(
                "SELECT run_id, action, cause FROM decisions WHERE entity_id = ? ORDER BY sequence",
                (entity_id,),
            )
        ],
        "former_ids": [
            row["entity_id"] for row in _select(store, "redirects", "replaced_by", entity_id)
        ],
        "names": [
            {key: row[key] for key in ("name", "lang", "script", "origin", "n_mentions")}
            for row in _select(store, "entity_names", "entity_id", entity_id)
            if row["n_mentions"]
        ],
        "examples": [
            {key: row[key] for key in ("mention_id", "lang", "surface", "link_method", "sentence")}
            for row in _select(store, "mentions", "entity_id", entity_id)[:_MOST_EXAMPLES]
        ],
    }


def _knowledge(key: str | None, index: Index) -> Row:
    number = index.by_key(key) if key else None
    if number is None:
        return {}
    entry = index.entry(number)
    return {
        "key": entry.key,
        "prior": entry.prior,
        "aliases": [f"{alias.text} ({alias.lang}; {alias.source})" for alias in entry.aliases],
    }


def _select(store: Store, table: str, column: str, value: str) -> list[Row]:
    paths = store.live_days(table) if table in DATED else [store.live(table)]
    files = [str(path) for path in paths if path.exists()]
    if not files:
        return []
    query = f'SELECT * FROM read_parquet($files) WHERE "{column}" = $value'
    with duckdb.connect() as database:
        found = database.execute(query, {"files": files, "value": value})
        names = [name for name, *_ in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
