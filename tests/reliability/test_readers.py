"""Readers while runs publish: whole files, ids that resolve, one generation for who pins it."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.dataset as ds
import pytest

import pipeline as exonym_api
from pipeline.errors import UsageError
from pipeline.schemas import TABLES
from pipeline.store import Store, files

from . import world
from .command import contents, end_of, exonym, start, unresolved
from .conftest import NIGHTS, Copies, Scene


def read_by_pandas(out: Path, table: str) -> list[dict[str, object]]:
    return pd.read_parquet(out / table).to_dict("records")


def read_by_duckdb(out: Path, table: str) -> list[dict[str, object]]:
    """Ask as docs/dashboards.md says: once more where the file was replaced within the query.

    DuckDB opens a file for its footer and again for its rows.
    """
    query = f"SELECT * FROM '{out}/{table}/*.parquet'"
    with duckdb.connect() as connection:
        try:
            return connection.sql(query).to_arrow_table().to_pylist()
        except duckdb.Error:
            return connection.sql(query).to_arrow_table().to_pylist()


def read_by_dataset(out: Path, table: str) -> list[dict[str, object]]:
    return ds.dataset(out / table).to_table().to_pylist()


@pytest.fixture
def busy(scene: Scene, fresh: Copies, tmp_path: Path) -> tuple[Scene, Path]:
    """A copy of the scene whose sources can be added to."""
    raw = tmp_path / "raw"
    shutil.copytree(scene.world.raw, raw)
    made = replace(scene.world, raw=raw)
    return replace(scene, world=made), fresh()


def test_every_table_can_be_read_at_any_moment(busy: tuple[Scene, Path], tmp_path: Path) -> None:
    scene, out = busy
    readers = (read_by_pandas, read_by_duckdb, read_by_dataset)
    rounds = 0
    for night in range(2):
        world.add_articles(scene.world, f"busy{night}", range(700 + 10 * night, 705 + 10 * night))
        child = start(scene.command(out, f"2026-03-1{night}"), tmp_path / "log")
        while not (ended := os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT)):
            for read in readers:
                pointing = {row["entity_id"] for row in read(out, "mentions")}
                known = {row["entity_id"] for row in read(out, "entities")}
                known |= {row["entity_id"] for row in read(out, "redirects")}
                assert pointing <= known
                for table in TABLES:
                    assert isinstance(read(out, table), list)
            rounds += 1
        assert ended is not None
        assert end_of(child, tmp_path / "log").code == 0
    assert rounds >= 2


def test_every_id_resolves_after_every_step(busy: tuple[Scene, Path], tmp_path: Path) -> None:
    scene, out = busy
    log = tmp_path / "log"

    def look(step: str, path: Path) -> None:
        if ".exonym" not in path.relative_to(out).parts and unresolved(out):
            raise AssertionError(f"{step} {path} leaves ids that do not resolve")

    before = len(Store(out).read("entities"))
    assert exonym(scene.command(out), log, look).code == 0
    assert len(Store(out).read("entities")) > before
    first = Store(out).generations.kept()[0].run_id
    place = ["--out", str(out), "--config", str(scene.world.config)]
    source = str(scene.world.raw / "first.jsonl")
    assert exonym(["withdraw", source, *place], log, look).code == 0
    assert exonym(["rollback", first, *place], log, look).code == 0
    assert unresolved(out) == set()


def test_a_pinned_generation_stays_while_runs_publish_and_old_ones_go(
    busy: tuple[Scene, Path], tmp_path: Path
) -> None:
    scene, out = busy
    log = tmp_path / "log"
    with exonym_api.Tables(out) as tables:
        before = tables.mentions().order("mention_id").fetchall()
        assert len(before) == len(pd.read_parquet(out / "mentions"))
        for night in range(3):
            world.add_articles(scene.world, f"late{night}", range(800 + night, 801 + night))
            assert exonym(scene.command(out, f"2026-03-1{night}"), log).code == 0
        kept = Store(out).generations
        assert tables.run_id not in {one.run_id for one in kept.kept()}
        assert tables.mentions().order("mention_id").fetchall() == before
        assert len(pd.read_parquet(out / "mentions")) > len(before)
    assert [one.number for one in kept.kept()] == [4, 5]
    kept.remove([])
    assert sorted(path.name for path in kept.folder.iterdir()) == ["000004", "000005"]


def test_tables_of_an_earlier_run(scene: Scene) -> None:
    first, last = (kept.run_id for kept in Store(scene.before).generations.kept())
    with exonym_api.Tables(scene.before, run=first) as then, exonym_api.Tables(scene.before) as now:
        assert now.run_id == last
        assert then.days() == now.days()[:1]
        day = str(now.days()[1])
        assert then.mentions(date=day).fetchall() == []
        late = now.mentions(date=day).df()
        assert len(late) > 0
        assert len(now.mentions(date=day, lang=["en", "ro"]).df()) == (late["lang"] == "en").sum()
        assert set(late["date"].dt.date.astype(str)) == {day}
        everything = now.mentions().fetchall()
        assert len(everything) == len(then.mentions().fetchall()) + len(late)
        assert now.mentions(label=[]).fetchall() == []
    with pytest.raises(UsageError, match=first):
        exonym_api.Tables(scene.before, run="2020-01-01-000000000000")
    with pytest.raises(UsageError, match="nothing is published"):
        exonym_api.Tables(scene.before / "nowhere")


def test_an_entity_by_id_and_by_name(scene: Scene) -> None:
    with exonym_api.Tables(scene.before, config=scene.world.config) as tables:
        found = tables.entity("Nikol Pashinyan")
        assert found.status == "known"
        assert tables.entity(found.entity_id) == found
        assert found.n_mentions == len(tables.mentions(entity_id=found.entity_id).fetchall())
        assert tables.search("Pashinyan")[0].entity_id == found.entity_id
        assert tables.search("Pashinyan", label="ORG") == []
        with pytest.raises(KeyError):
            tables.entity("Zzyzx Qwfp")


def test_a_folder_without_hard_links(
    scene: Scene, fresh: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = fresh()

    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert exonym(scene.command(out, NIGHTS[2]), tmp_path / "log").code == 0
    assert contents(out) == scene.expected
    assert files.same(
        out / "entities" / "entities.parquet",
        Store(out).generations.kept()[-1].tables.path("entities"),
    )
