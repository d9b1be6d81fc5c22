"""The names in texts at hand, without an output folder.

::

    import pipeline as exonym

    exonym.extract(["Sadır Caparov Ankara'ya geldi.", "जापारोव अंकारा पहुँचे।"])

It is a night without its first and last step: the same stages, models, knowledge and decisions of
people, in this very process, and a DataFrame in place of tables.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from pipeline import past
from pipeline.errors import UsageError
from pipeline.ingest.tables import INCOMING_DOCUMENTS
from pipeline.knowledge.build import ensure
from pipeline.knowledge.index import Index
from pipeline.overrides import Overrides
from pipeline.overrides import load as load_overrides
from pipeline.resolve import catalogue, ids, registry
from pipeline.resolve.finish import finish
from pipeline.resolve.judgements import rulings_of
from pipeline.resolve.rulings import Rulings
from pipeline.schemas import MENTIONS
from pipeline.settings import Settings
from pipeline.settings import load as load_settings
from pipeline.shard import PAST, STAGES, Job
from pipeline.store import Staging, Store
from pipeline.store.state import State

if TYPE_CHECKING:
    import pandas as pd

Folder = str | os.PathLike[str]

LEFT_OUT: Final = ("date", "run_id")
"""Columns of ``mentions`` that say something of a night, and here of nothing."""

ADDED: Final = {"name": "entity", "status": "status", "wikidata": "wikidata"}
"""Columns of ``entities`` that stand beside each mention, and what they are called there."""

RUN: Final = "extract"
"""Stands where a run's id would."""


def extract(
    texts: str | Iterable[str],
    *,
    lang: str | None = None,
    tables: Folder | None = None,
    config: Folder | None = None,
) -> pd.DataFrame:
    """Return the names in ``texts`` and the entities that they mean, one row a mention.

    ``lang`` is a hint: it breaks ties and decides very short texts, no more. ``config`` is the
    settings file; as on the command line, ``exonym.toml`` in the current folder, else the shipped
    one. The ``overrides.toml`` that it names is heeded.

    Columns: ``text``, the position in ``texts``, from 0; those of the table ``mentions`` but
    ``date`` and ``run_id``; the entity's display name ``entity``, its ``status`` and ``wikidata``.
    Rows are in the order of the texts and of the names in them. A text that comes twice gives its
    rows twice.

    Ids of entities in the knowledge base (``status`` ``known``) are those of every run. The others
    are compared across all of ``texts``, as in a night, and get an id for this call: the same
    whenever the same texts come together, but perhaps another in other company and in published
    tables. With ``tables``, an output folder, those that were met there have their ids from there,
    and what the last days published there tells who is meant where a text leaves it open, as in the
    next night (:mod:`pipeline.past`; the setting ``past_days``). Nothing is written.

    Raises:
        TypeError: something in ``texts`` is no string.
        ValueError: a text holds half a surrogate pair.
        UsageError: the settings are wrong, a model is not there, or nothing is published in
            ``tables``.
    """
    wanted = [texts] if isinstance(texts, str) else list(texts)
    doc_ids = [_doc_id(text, number) for number, text in enumerate(wanted)]
    settings = load_settings(Path(config) if config else None)
    with registered(tables) as connection, TemporaryDirectory() as folder:
        linker = Linker.of(settings, connection)
        documents = _documents(dict(zip(doc_ids, wanted, strict=True)), lang)
        job = _job(settings, linker, Path(folder))
        if tables is not None:
            _look_back(Path(tables), settings.past_days, connection, job)
            job = replace(job, past=PAST)
        linked = linker.link(_settled(documents, settings.shard_documents, job))
    return _in_order(linked, doc_ids)


@contextmanager
def registered(tables: Folder | None) -> Iterator[sqlite3.Connection]:
    """Open the registry of an output folder, or an empty one, for reading.

    Raises:
        UsageError: nothing is published there.
    """
    if tables is None:
        with State.open(Path(":memory:")) as state:
            yield state.connection
        return
    store = Store(Path(tables))
    if not store.generations.kept():
        raise UsageError(f"nothing is published in {tables}; name the folder that a run wrote to")
    with store.readable() as state:
        yield state.connection


@dataclass(frozen=True, slots=True)
class Linked:
    """Mentions with their entities, and what a registry has to learn of them.

    ``mentions`` are MENTIONS, ``entities`` the
    :data:`pipeline.resolve.catalogue.ATTRIBUTES` of those that they name.
    """

    mentions: pa.Table
    entities: pa.Table
    delta: registry.Delta


@dataclass(frozen=True, slots=True)
class Linker:
    """What gives settled mentions their entities: knowledge, a registry, decisions of people.

    ``overrides`` are None where the registry's memory of them holds.
    """

    index: Index
    connection: sqlite3.Connection
    overrides: Overrides | None

    @classmethod
    def of(cls, settings: Settings, connection: sqlite3.Connection) -> Linker:
        """Return the linker that ``settings`` describe, over an open registry."""
        return cls(ensure(settings.knowledge), connection, load_overrides(settings.overrides))

    @property
    def rulings(self) -> Rulings:
        """What people decided about names."""
        return rulings_of(registry.Registry(self.connection), self.index, self.overrides)

    def link(self, settled: pa.Table, run_id: str = RUN) -> Linked:
        """Give each of the settled mentions its entity. Writes nothing."""
        clusters = [ids.distinct(settled)]
        assignment = ids.assign(clusters, self.connection, self.index, run_id, self.overrides)
        mentions = finish(settled, assignment, run_id)
        met = set(mentions["entity_id"].to_pylist())
        entities = catalogue.attributes(self.connection, assignment.delta, met)
        return Linked(mentions, entities, assignment.delta)


def _doc_id(text: object, number: int) -> str:
    """Return the id that the text has as a document."""
    if not isinstance(text, str):
        raise TypeError(f"text {number} is {type(text).__name__}: give strings")
    try:
        return hashlib.sha256(text.encode()).hexdigest()[:32]
    except UnicodeEncodeError as error:
        raise ValueError(
            f"text {number} holds half a surrogate pair at {error.start}: decode it as a whole"
        ) from None


def _documents(texts: Mapping[str, str], lang: str | None) -> pa.Table:
    """Return the distinct texts, by their ids, as ingest would hand them on."""
    rows = [
        {"doc_id": doc_id, "text": text, "n_chars": len(text), "lang_hint": lang}
        for doc_id, text in texts.items()
    ]
    return pa.Table.from_pylist(rows, schema=INCOMING_DOCUMENTS)


def _job(settings: Settings, linker: Linker, staging: Path) -> Job:
    """Return what the stages of a run are told; ``staging`` is empty."""
    return Job(
        stage="",
        shard=0,
        run_id=RUN,
        staging=staging,
        models=settings.models,
        routing=tuple(sorted(settings.routing.items())),
        payload_bytes=0,
        seconds=settings.limits.document_seconds,
        memory_mb=settings.limits.document_memory_mb,
        rulings=linker.rulings,
    )


def _look_back(tables: Path, n_days: int, connection: sqlite3.Connection, job: Job) -> None:
    """Stage for ``job`` what the last days published in the output folder ``tables`` meant."""
    files = Store(tables).tables
    days = past.window(files.days("mentions"), n_days)
    counted = past.count(files, days, connection, job.staging)
    Staging(job.staging).write_part(PAST, 0, counted)


def _settled(documents: pa.Table, at_once: int, job: Job) -> pa.Table:
    """Take documents through the stages of a run, as many at a time as make a shard there."""
    parts = []
    for start in range(0, max(documents.num_rows, 1), at_once):
        tables = {"incoming": documents.slice(start, at_once)}
        for name, stage in STAGES.items():
            tables |= stage.apply(replace(job, stage=name), tables)
        parts.append(tables["settled"])
    return pa.concat_tables(parts)


def _in_order(linked: Linked, doc_ids: list[str]) -> pd.DataFrame:
    """Return the mentions of each text beside their entities, in the order of ``doc_ids``."""
    import pandas as pd

    texts = pd.DataFrame({"text": range(len(doc_ids)), "doc_id": pd.Series(doc_ids, dtype=str)})
    mentions = linked.mentions.drop_columns(list(LEFT_OUT)).to_pandas()
    entities = linked.entities.select(["entity_id", *ADDED]).to_pandas()
    beside = entities.rename(columns=ADDED)
    found = texts.merge(mentions, on="doc_id").merge(beside, on="entity_id")
    columns = ["text", *(n for n in MENTIONS.names if n not in LEFT_OUT), *ADDED.values()]
    return found.sort_values(["text", "start"], ignore_index=True)[columns]
