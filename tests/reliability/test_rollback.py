"""Back to an earlier state, documents taken out, old days redone."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import pipeline as exonym_api
from pipeline import shard
from pipeline.errors import UsageError
from pipeline.recognise import recognise
from pipeline.rollback import roll_back
from pipeline.run import run
from pipeline.settings import load
from pipeline.status import status
from pipeline.store import Store
from pipeline.withdraw import withdraw

from . import world
from .command import contents, exonym, killing_at, noting, steps, unresolved
from .conftest import NIGHTS, Copies, Scene


def published(out: Path) -> dict[str, str]:
    """Return the checksums of the published files alone."""
    return {name: of for name, of in contents(out).items() if not name.startswith(".")}


def kept(out: Path) -> list[str]:
    return [generation.run_id for generation in Store(out).generations.kept()]


def third_night(scene: Scene, out: Path) -> None:
    run([str(scene.world.raw)], out, date.fromisoformat(NIGHTS[2]), load(scene.world.config))


def test_rollback_restores_tables_ledger_and_registry(scene: Scene, fresh: Copies) -> None:
    out = fresh()
    first, second = kept(out)
    third_night(scene, out)
    _, third = kept(out)
    assert [one.run_id for one in status(Store(out), n_runs=5).kept] == [third, second]
    assert roll_back(out, second) == [third]
    assert published(out) == published(scene.before)
    assert kept(out) == [second]
    outcomes = pd.read_parquet(out / "runs").set_index("run_id")["outcome"]
    assert outcomes.to_dict() == {first: "published", second: "published", third: "rolled back"}
    assert roll_back(out, second) == []
    third_night(scene, out)
    assert contents(out) == scene.expected
    with pytest.raises(UsageError, match=second):
        roll_back(out, first)


def killed_everywhere(out: Copies, arguments: list[str], tmp_path: Path, every: int) -> None:
    """Kill a command at every so manieth step; the same command again ends as without the kill."""
    log, notes = tmp_path / "log", tmp_path / "notes"
    straight = out()
    assert exonym([*arguments, "--out", str(straight)], log, noting(notes)).code == 0
    for number in range(0, len(steps(notes, straight)), every):
        killed = out()
        command = [*arguments, "--out", str(killed)]
        assert exonym(command, log, killing_at(number)).code == -SIGKILL
        assert unresolved(killed) == set()
        exonym(command, log)
        assert contents(killed) == contents(straight), number


def test_a_killed_rollback_is_carried_out_or_never_was(
    scene: Scene, fresh: Copies, tmp_path: Path
) -> None:
    first, _ = kept(scene.before)
    arguments = ["rollback", first, "--config", str(scene.world.config)]
    killed_everywhere(fresh, arguments, tmp_path, every=8)


def test_a_killed_withdrawal_is_carried_out_or_never_was(
    scene: Scene, fresh: Copies, tmp_path: Path
) -> None:
    source = str(scene.world.raw / "first.jsonl")
    arguments = ["withdraw", source, "--config", str(scene.world.config)]
    killed_everywhere(fresh, arguments, tmp_path, every=24)


def holds(out: Path, doc_id: str) -> bool:
    """Tell whether a document stands in any Parquet file below the folder."""
    for path in out.rglob("*.parquet"):
        rows = pq.ParquetFile(path).read()
        if "doc_id" in rows.column_names and doc_id in rows["doc_id"].to_pylist():
            return True
    return False


def test_a_withdrawn_document_is_nowhere_and_does_not_come_back(
    scene: Scene, fresh: Copies, tmp_path: Path
) -> None:
    out = fresh()
    documents = pd.read_parquet(out / "documents")
    sources = pd.read_parquet(out / "document_sources")
    whole_file = sources[sources["source"].str.endswith("first-0000.txt")].iloc[0]
    doc_id, source = whole_file["doc_id"], whole_file["source"]
    text = documents.set_index("doc_id")["text"][doc_id]
    assert holds(out, doc_id)
    done = withdraw(out, doc_id)
    assert done.doc_ids == (doc_id,)
    assert done.n_generations == 2
    assert not holds(out, doc_id)
    assert unresolved(out) == set()
    documents_now = pd.read_parquet(out / "documents")
    live = documents_now.loc[documents_now["superseded_by"].isna(), "doc_id"]
    mentions = pd.read_parquet(out / "mentions")
    mentions = mentions[mentions["doc_id"].isin(live)]
    entities = pd.read_parquet(out / "entities").set_index("entity_id")["n_mentions"]
    entities = entities[entities > 0]
    assert mentions.groupby("entity_id").size().to_dict() == entities.to_dict()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "copy.txt").write_text(text, encoding="utf-8")
    settings = load(scene.world.config)
    run([str(elsewhere)], out, date(2026, 3, 9), settings)
    original = Path(source).read_text(encoding="utf-8")
    try:
        Path(source).write_text(f"{text} Corrected.", encoding="utf-8")
        run([source], out, date(2026, 3, 9), settings)
    finally:
        Path(source).write_text(original, encoding="utf-8")
    assert len(pd.read_parquet(out / "documents")) == len(documents) - 1
    roll_back(out, kept(out)[0])
    assert not holds(out, doc_id)


def test_what_it_superseded_and_its_quarantine_rows_go_too(scene: Scene, tmp_path: Path) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    settings = load(scene.world.config)
    for number, text in enumerate(("Maia Sandu was in Ankara.", "Maia Sandu was in Bishkek.")):
        (raw / "a.txt").write_text(text, encoding="utf-8")
        run([str(raw)], out, date(2026, 3, 5 + number), settings)
    documents = pd.read_parquet(out / "documents").set_index("doc_id")
    (new,) = documents.index[documents["superseded_by"].isna()]
    assert set(withdraw(out, new).doc_ids) == set(documents.index)
    assert len(pd.read_parquet(out / "documents")) == 0
    (raw / "b.jsonl").write_text('{"id": "secret"}\n{"text": "Kenya"}\n', encoding="utf-8")
    run([str(raw)], out, date(2026, 3, 8), settings)
    assert len(pd.read_parquet(out / "quarantine")) == 1
    withdraw(out, str(raw / "b.jsonl"))
    assert len(pd.read_parquet(out / "quarantine")) == 0
    assert len(pd.read_parquet(out / "documents")) == 0
    with pytest.raises(UsageError, match="nowhere"):
        withdraw(out, "nowhere.txt")


def test_withdrawn_also_from_a_generation_that_is_read_and_a_night_held_back(
    scene: Scene, fresh: Copies, tmp_path: Path
) -> None:
    out, log, late = fresh(), tmp_path / "log", tmp_path / "late"
    settings = load(scene.world.config)
    late.mkdir()
    doc_id = pd.read_parquet(out / "documents")["doc_id"].iloc[0]
    with exonym_api.Tables(out, run=kept(out)[0]):
        third_night(scene, out)  # it takes the first of the two from the list
        (late / "a.txt").write_text("Maia Sandu was in Astana, and in Ankara.", encoding="utf-8")
        exonym(scene.command(out, "2026-03-08", str(late)), log, killing_at(40))
        Store(out).hold()
        assert holds(out, doc_id)
        withdraw(out, doc_id)
    assert not holds(out, doc_id)
    assert not Store(out).held.manifest
    (summary,) = run([str(late)], out, date(2026, 3, 9), settings)
    assert summary.published is not None
    assert summary.published.n_documents == 1


def test_the_payload_of_a_withdrawn_text_leaves_quarantine(scene: Scene, tmp_path: Path) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    settings = load(scene.world.config)
    text = "Maia Sandu was in Ankara."
    (raw / "a.txt").write_text(text, encoding="utf-8")
    (raw / "copy.doc").write_text(text, encoding="utf-8")
    (raw / "other.doc").write_text("Nikol Pashinyan was in Astana.", encoding="utf-8")
    run([str(raw)], out, date(2026, 3, 5), settings)
    (raw / "a.txt").write_bytes(b"Maia Sandu \xff")
    run([str(raw)], out, date(2026, 3, 6), settings)
    sources = pd.read_parquet(out / "quarantine")["source"]
    assert {Path(source).name for source in sources} == {"a.txt", "copy.doc", "other.doc"}
    withdraw(out, pd.read_parquet(out / "documents")["doc_id"].item())
    sources = pd.read_parquet(out / "quarantine")["source"]
    assert {Path(source).name for source in sources} == {"other.doc"}


def test_old_days_are_redone_with_the_models_of_now(
    scene: Scene, fresh: Copies, tmp_path: Path
) -> None:
    out = fresh()
    models, config = tmp_path / "models", tmp_path / "exonym.toml"
    shutil.copytree(scene.world.models / "knowledge", models / "knowledge")
    world.write_engine(models / "rules", without="Bishkek")
    settings = scene.world.config.read_text(encoding="utf-8")
    config.write_text(settings.replace(str(scene.world.models), str(models)), encoding="utf-8")
    before = pd.read_parquet(out / "mentions").set_index("mention_id")
    day = date.fromisoformat(NIGHTS[0])
    assert run([], out, date(2026, 3, 9), load(config), reprocess=(date(2020, 1, 1),) * 2) == []
    (summary,) = run([], out, date(2026, 3, 9), load(config), reprocess=(day, day))
    after = pd.read_parquet(out / "mentions").set_index("mention_id")
    lost = before.loc[before.index.difference(after.index)]
    assert set(lost["surface"]) == {"Bishkek"}
    assert set(lost["date"].astype(str)) == {NIGHTS[0]}
    assert sum(one.n_lost for one in summary.differences) == len(lost)
    assert sum(one.n_found for one in summary.differences) == 0
    same = before.loc[after.index]
    assert (same["entity_id"] == after["entity_id"]).all()
    redone = after["date"].astype(str) == NIGHTS[0]
    assert set(after.loc[redone, "run_id"]) == {summary.run_id}
    assert set(after.loc[~redone, "run_id"]) == set(before["run_id"]) - set(lost["run_id"])
    assert unresolved(out) == set()
    assert run([], out, date(2026, 3, 10), load(config), reprocess=(day, day)) == []
    untouched = [name for name in published(scene.before) if NIGHTS[1] in name]
    assert untouched
    assert all(published(out)[name] == published(scene.before)[name] for name in untouched)


def test_what_is_redone_keeps_the_input_s_hint_and_what_fails_its_rows(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, out, day = tmp_path / "raw", tmp_path / "out", date(2026, 3, 5)
    raw.mkdir()
    lines = ('{"text": "Ankara", "lang": "tr"}', '{"text": "Maia Sandu was in Bishkek."}')
    (raw / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    settings = load(scene.world.config)
    run([str(raw)], out, day, settings)
    before = {table: pd.read_parquet(out / table) for table in ("documents", "mentions")}
    assert "tr" in set(before["documents"]["lang"])

    def fail(documents: pa.Table, *others: Any) -> pa.Table:
        if any("Sandu" in text for text in documents["text"].to_pylist()):
            raise ValueError("poison")
        return recognise(documents, *others)

    monkeypatch.setattr(shard, "recognise", fail)
    (summary,) = run([], out, date(2026, 3, 9), settings, reprocess=(day, day))
    assert summary.n_quarantined == 1
    for table, rows in before.items():
        after = pd.read_parquet(out / table)
        redone = after["run_id"] == summary.run_id
        assert redone.sum() == 1
        pd.testing.assert_frame_equal(after.drop(columns="run_id"), rows.drop(columns="run_id"))
    (row,) = pd.read_parquet(out / "quarantine").to_dict("records")
    assert (row["error"], row["source"]) == ("stage_failed", str(raw / "a.jsonl"))


def test_killed_while_it_redoes_old_days_it_ends_the_same(
    scene: Scene, fresh: Copies, tmp_path: Path
) -> None:
    arguments = ["run", "--reprocess", f"{NIGHTS[0]}..{NIGHTS[0]}", "--date", "2026-03-09"]
    arguments += ["--config", str(scene.world.config)]
    killed_everywhere(fresh, arguments, tmp_path, every=60)
