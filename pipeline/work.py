"""What everything that publishes has in hand, and the steps that a night and a relink share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import publish, shard
from pipeline.executors import Executor
from pipeline.knowledge.index import Index
from pipeline.overrides import Overrides
from pipeline.overrides import load as load_overrides
from pipeline.progress import Reporter
from pipeline.resolve import catalogue, ids, registry
from pipeline.resolve.judgements import Spelling, rulings_of
from pipeline.resolve.rulings import Rulings
from pipeline.settings import Settings
from pipeline.store import Store
from pipeline.store.state import State


@dataclass(slots=True)
class Work:
    """A locked output folder with its state, the settings, the knowledge, and who does the work.

    Decisions of people are read when it is made.
    """

    _store: Store
    _state: State
    _settings: Settings
    _index: Index
    _reporter: Reporter
    _executor: Executor
    _overrides: Overrides = field(init=False)
    _rulings: Rulings = field(init=False)

    def __post_init__(self) -> None:
        """Read the decisions of people. Raises ``UsageError`` when they are wrong."""
        self._overrides = overrides_in_force(self._settings, self._state)
        known = registry.Registry(self._state.connection)
        self._rulings = rulings_of(known, self._index, self._overrides)

    def _job(
        self,
        stage: str,
        number: int,
        run_id: str,
        staging: Path,
        checksums: shard.Checksums = (),
        past: str = "",
    ) -> shard.Job:
        """Return the job of putting one shard of ``staging`` through ``stage``.

        ``checksums`` are those of the models that may be used, any where there are none; ``past``
        names the staged table of past news. Paths are absolute: a worker may have another working
        folder.
        """
        return shard.Job(
            stage=stage,
            shard=number,
            run_id=run_id,
            staging=staging.absolute(),
            models=self._settings.models.absolute(),
            routing=tuple(sorted(self._settings.routing.items())),
            payload_bytes=self._settings.ingest.payload_bytes,
            seconds=self._settings.limits.document_seconds,
            memory_mb=self._settings.limits.document_memory_mb,
            knowledge=self._index.checksum,
            checksums=checksums,
            rulings=self._rulings,
            past=past,
        )

    def _assign(
        self, clusters: Iterable[pa.Table], run_id: str, *, strict: bool = False
    ) -> ids.Assignment:
        """Return the ids of all names in ``clusters``; see :func:`pipeline.resolve.ids.assign`."""
        return ids.assign(
            clusters,
            self._state.connection,
            self._index,
            run_id,
            self._overrides,
            self._spellings(),
            strict=strict,
        )

    def _spellings(self) -> dict[str, list[Spelling]]:
        """Return the published spellings of the entities that people may have split."""
        heir = registry.Registry(self._state.connection).heir
        split = {heir(different.id) for different in self._overrides.different if different.id}
        if not split:
            return {}
        names = self._store.read("entity_names")
        rows = names.filter(pc.is_in(names["entity_id"], pa.array(sorted(split)))).to_pylist()
        spellings: dict[str, list[Spelling]] = {entity_id: [] for entity_id in split}
        for row in rows:
            spelling = Spelling(row["name"], row["lang"], row["n_mentions"])
            spellings[row["entity_id"]].append(spelling)
        return spellings

    def _stage_published(
        self, changes: publish.Changes, run_id: str, delta: registry.Delta
    ) -> publish.Published:
        """Stage the tables as ``changes`` and the registry's ``delta`` leave them."""
        connection = self._state.connection
        return publish.stage_tables(
            self._store.tables,
            self._store.staging.tables,
            self._store.scratch,
            changes,
            run_id,
            catalogue.attribute_batches(connection, delta),
            (
                catalogue.known_names(entities, self._index)
                for entities in catalogue.attribute_batches(connection, delta)
            ),
            catalogue.redirects(connection, delta, run_id),
        )


def overrides_in_force(settings: Settings, state: State) -> Overrides:
    """Return what people decided: as the file says, else as the registry remembers.

    Raises ``UsageError`` when the file is wrong.
    """
    written = load_overrides(settings.overrides)
    return registry.overrides_of(state.connection) if written is None else written
