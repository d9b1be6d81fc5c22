"""The published tables for notebooks and programs, all of one generation.

::

    import pipeline as exonym

    with exonym.Tables("data/processed") as tables:
        tables.mentions(date="2025-11-26", lang="tr").df()
        tables.entity("Sadyr Japarov").name_hi

A table is a DuckDB relation: nothing is read before rows are asked for (``.df()``, ``.arrow()``,
``.fetchall()``), and ``.filter()``, ``.aggregate()`` or ``.order()`` narrow down what is.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Self

import duckdb
from duckdb import ColumnExpression, ConstantExpression, DuckDBPyRelation

from pipeline.errors import UsageError
from pipeline.schemas import DATED, TABLES
from pipeline.store import Store
from pipeline.store.query import view

Day = datetime.date | str
"""A date, or one written YYYY-MM-DD."""
Days = Day | tuple[Day, Day] | None
"""One day, a first and a last day, or all."""
Values = str | Sequence[str] | None
"""A value, several, or any."""

_FOLLOWED: Final = {
    "mentions": "t.* REPLACE (coalesce(r.replaced_by, t.entity_id) AS entity_id)",
    "daily_entities": "t.* REPLACE (coalesce(r.replaced_by, t.entity_id) AS entity_id)",
}
"""Tables whose older days may hold ids that were merged since: they come out as their heirs."""

_SEARCHED: Final = 100
"""Search results that are looked at for those that this generation holds."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A row of the table ``entities``; its columns are described there."""

    entity_id: str
    label: str
    name: str
    name_hi: str | None
    name_ro: str | None
    name_tr: str | None
    name_en: str | None
    name_vi: str | None
    status: str
    wikidata: str | None
    geonames: str | None
    iso_country: str | None
    n_mentions: int
    n_documents: int
    langs: list[str]
    first_seen: datetime.date
    last_seen: datetime.date


@dataclass(frozen=True, slots=True)
class Found:
    """An entity that a name may mean, and how likely, 0 to 1."""

    entity_id: str
    name: str
    label: str
    score: float
    method: str


class Tables:
    """One generation of the published tables, which runs that publish meanwhile do not change.

    As long as this is open its files stay, also when the generation is older than those that are
    kept. (A withdrawal still takes its document out, and a generation that is no longer kept with
    it.) Not for use by two threads at once.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] = "data/processed",
        *,
        run: str | None = None,
        config: str | os.PathLike[str] | None = None,
    ) -> None:
        """Open what is published in ``folder``, or what was after ``run`` (a run_id).

        ``config`` is the settings file, which names the knowledge that :meth:`search` needs.

        Raises:
            UsageError: nothing is published there, or that run is not kept.
        """
        self._store = Store(Path(folder))
        self._config = Path(config) if config else None
        self._held = ExitStack()
        generation = self._held.enter_context(self._store.generations.pinned(run))
        if generation is None:
            kept = ", ".join(one.run_id for one in self._store.generations.kept()) or "none"
            wanted = f"run '{run}' is not kept" if run else "nothing is published"
            raise UsageError(f"{wanted} in {folder}; runs that are kept: {kept}")
        self.run_id: Final = generation.run_id
        self._files = generation.tables
        self._connection = self._held.enter_context(duckdb.connect())
        for table in TABLES:
            view(self._connection, table, self._files.paths(table), TABLES[table])

    def close(self) -> None:
        """Let go of the generation."""
        self._held.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def days(self) -> list[datetime.date]:
        """Return the days that are published, in order."""
        return self._files.days("documents")

    def sql(self, query: str) -> DuckDBPyRelation:
        """Return the result of an SQL query over the tables, each of which is a view."""
        return self._connection.sql(query)

    def documents(self, *, date: Days = None, lang: Values = None) -> DuckDBPyRelation:
        """Return the texts."""
        return self._table("documents", date, lang=lang)

    def document_sources(self, *, date: Days = None, source: Values = None) -> DuckDBPyRelation:
        """Return where documents came from."""
        return self._table("document_sources", date, source=source)

    def segments(
        self, *, date: Days = None, lang: Values = None, kind: Values = None
    ) -> DuckDBPyRelation:
        """Return the stretches of documents, each in one language."""
        return self._table("segments", date, lang=lang, kind=kind)

    def mentions(
        self,
        *,
        date: Days = None,
        lang: Values = None,
        label: Values = None,
        kind: Values = None,
        entity_id: Values = None,
    ) -> DuckDBPyRelation:
        """Return the names in the texts; ids that were merged come out as their heirs."""
        return self._table("mentions", date, lang=lang, label=label, kind=kind, entity_id=entity_id)

    def entities(self, *, label: Values = None, status: Values = None) -> DuckDBPyRelation:
        """Return the persons, places and organisations."""
        return self._table("entities", label=label, status=status)

    def entity_names(self, *, entity_id: Values = None, lang: Values = None) -> DuckDBPyRelation:
        """Return the spellings of entities."""
        return self._table("entity_names", entity_id=entity_id, lang=lang)

    def redirects(self) -> DuckDBPyRelation:
        """Return the ids that were merged into others."""
        return self._table("redirects")

    def daily_entities(
        self, *, date: Days = None, lang: Values = None, entity_id: Values = None
    ) -> DuckDBPyRelation:
        """Return the entities of each day; merged ones by their heir, in a row each."""
        return self._table("daily_entities", date, lang=lang, entity_id=entity_id)

    def daily_pairs(self, *, date: Days = None) -> DuckDBPyRelation:
        """Return the pairs of entities of each day, with the ids of that day."""
        return self._table("daily_pairs", date)

    def quarantine(self) -> DuckDBPyRelation:
        """Return the input that could not be processed."""
        return self._table("quarantine")

    def runs(self) -> DuckDBPyRelation:
        """Return the attempts of runs."""
        return self._table("runs")

    def entity(self, item: str) -> Entity:
        """Return the entity with the id ``item``, or the likeliest one of that name.

        An id that was merged leads to its heir.

        Raises:
            KeyError: there is none.
        """
        ids = [item]
        for _ in range(2):
            query = (
                f"SELECT {', '.join(field.name for field in fields(Entity))} FROM entities"
                " WHERE entity_id = coalesce("
                "(SELECT replaced_by FROM redirects WHERE entity_id = $id), $id)"
            )
            for candidate in ids:
                for row in self._connection.execute(query, {"id": candidate}).fetchall():
                    return Entity(*row)
            ids = [found.entity_id for found in self.search(item, limit=1)]
        raise KeyError(item)

    def search(
        self, name: str, *, lang: str | None = None, label: str | None = None, limit: int = 10
    ) -> list[Found]:
        """Return the entities that a name in any spelling may mean, the likeliest first.

        Those that this generation holds; ``exonym search`` finds the rest of the knowledge too.
        """
        from pipeline.knowledge.build import ensure
        from pipeline.resolve.explain import search
        from pipeline.settings import load

        index = ensure(load(self._config).knowledge)
        with self._store.readable() as state:
            results = search(name, index, state.connection, lang, label, _SEARCHED)
        query = "SELECT entity_id FROM entities WHERE entity_id IN (SELECT unnest($ids))"
        ids = [result["entity_id"] for result in results]
        held = {row[0] for row in self._connection.execute(query, {"ids": ids}).fetchall()}
        return [Found(**result) for result in results if result["entity_id"] in held][:limit]

    def _table(self, table: str, days: Days = None, **wanted: Values) -> DuckDBPyRelation:
        name = table
        if table in DATED and days is not None:
            first, last = days if isinstance(days, tuple) else (days, days)
            first, last = _date(first), _date(last)
            chosen = [day for day in self._files.days(table) if first <= day <= last]
            name = f"{table}_{first:%Y%m%d}_{last:%Y%m%d}"
            paths = [self._files.path(table, day) for day in chosen]
            view(self._connection, name, paths, TABLES[table])
        if table in _FOLLOWED:
            relation = self._connection.sql(
                f"SELECT {_FOLLOWED[table]} FROM {name} t LEFT JOIN redirects r USING (entity_id)"
            )
        else:
            relation = self._connection.sql(f"SELECT * FROM {name}")
        for column, values in wanted.items():
            if values is not None:
                several = [values] if isinstance(values, str) else values
                constants = [ConstantExpression(value) for value in several]
                matches = ColumnExpression(column).isin(*constants) if constants else "false"
                relation = relation.filter(matches)
        return relation


def _date(day: Day) -> datetime.date:
    return datetime.date.fromisoformat(day) if isinstance(day, str) else day
