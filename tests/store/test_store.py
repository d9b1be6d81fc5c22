from __future__ import annotations

from contextlib import suppress
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.errors import LockedError, UsageError
from pipeline.resolve import registry, tables
from pipeline.schemas import DATED, TABLES
from pipeline.store import Store, files
from pipeline.store.state import Arrival, LedgerDelta

DAY = date(2026, 3, 5)
NO_IDS = registry.Delta(
    tables.REGISTRY_ENTITIES.empty_table(),
    tables.REGISTRY_KEYS.empty_table(),
    tables.REGISTRY_REDIRECTS.empty_table(),
)
ATTEMPT = {"run_id": "r1", "attempt": 1, "started": "2026-03-05T01:00:00+00:00"}


def ledger() -> LedgerDelta:
    return LedgerDelta(
        files=[("a.txt", "00")],
        documents=[("d1", DAY)],
        arrivals=[Arrival("a.txt", "", "d1")],
    )


def redirect(old: str) -> pa.Table:
    row = {"entity_id": old, "replaced_by": "e2", "reason": "same", "run_id": "r1"}
    return pa.Table.from_pylist([row], TABLES["redirects"])


def stage(store: Store) -> None:
    for table in TABLES:
        store.staging.write_table(table, [], DAY if table in DATED else None)
    store.staging.write_table("redirects", [redirect("e1")])


def test_publish_moves_the_tables_and_changes_the_state(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    with store.locked():
        stage(store)
        store.publish("r1", ledger(), NO_IDS, ATTEMPT, keep=2)
    assert store.read("redirects")["entity_id"].to_pylist() == ["e1"]
    assert store.live_days("documents") == [store.live("documents", DAY)]
    with store.state() as state:
        assert state.published() == ["r1"]
        assert state.last_content("a.txt") == "00"
        assert state.document_date("d1") == DAY
        assert state.has_arrival(Arrival("a.txt", "", "d1"))
        assert state.documents_from("a.txt", "") == ["d1"]
    assert not store.staging.folder.exists()


class PowerCutError(BaseException):
    """The machine stops."""


@pytest.mark.parametrize("step", range(0, 130, 9))
def test_cut_anywhere_the_next_command_ends_at_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    store = Store(tmp_path / "out")
    steps = 0

    def cut(name: str, path: Path) -> None:
        nonlocal steps
        steps += 1
        if steps > step:
            raise PowerCutError

    with store.locked():
        stage(store)
        monkeypatch.setattr(files, "reached", cut)
        with suppress(PowerCutError):
            store.publish("r1", ledger(), NO_IDS, ATTEMPT, keep=2)
    monkeypatch.undo()
    journal = tmp_path / "out" / ".exonym" / "journal.json"
    committed = journal.exists() or store.live("redirects").exists()
    with store.locked(), store.state() as state:
        assert state.published() == (["r1"] if committed else [])
    assert [kept.run_id for kept in store.generations.kept()] == (["r1"] if committed else [])
    assert store.live("redirects").exists() == committed
    assert store.live("documents", DAY).exists() == committed
    assert not journal.exists()


def test_the_lock_names_its_holder(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    with store.locked(), pytest.raises(LockedError, match=r"process \d+"), store.locked():
        pass


def test_a_folder_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="--out"), Store(tmp_path / "file" / "out").locked():
        pass


def test_reading_where_nothing_was_published(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    assert store.read("mentions").schema == TABLES["mentions"]
    with store.readable() as state:
        assert state.published() == []
    assert not (tmp_path / "out").exists()


def test_a_dated_table_wants_a_day(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(ValueError, match="dated"):
        store.live("documents")
    with pytest.raises(ValueError, match="not dated"):
        store.live("entities", DAY)
