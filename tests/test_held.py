"""A night that is held back: nothing changes, nothing is lost, nothing is recognised twice."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import regex
from rich.console import Console

from pipeline import report, shard
from pipeline.errors import HeldBackError
from pipeline.rollback import roll_back
from pipeline.run import run
from pipeline.schemas import TABLES
from pipeline.settings import Settings, load
from pipeline.status import status
from pipeline.store import Store

NAMED = "Maia Sandu met Ursula von der Leyen in Brussels on day {} of the talks."
NAMELESS = "there was nothing to report about anyone or anything at all on day {} of the talks."


@pytest.fixture(scope="module")
def settings(root: Path) -> Settings:
    loaded = load(root / "exonym.toml")
    gates = loaded.gates.model_copy(update={"documents": 3, "first_runs": 2})
    return loaded.model_copy(update={"shard_documents": 2, "gates": gates})


def night(raw: Path, day: int, text: str, n_documents: int = 4) -> date:
    """Put documents of one night into the landing folder and return the night's date."""
    raw.mkdir(exist_ok=True)
    lines = (
        json.dumps({"id": f"{day}-{number}", "text": text.format(100 * day + number)})
        for number in range(n_documents)
    )
    (raw / f"{day}.jsonl").write_text("\n".join(lines), "utf-8")
    return date(2026, 3, day)


def checksums(out: Path, *, without_runs: bool = False) -> dict[str, str]:
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for table in TABLES
        for path in sorted((out / table).glob("*.parquet"))
        if not (without_runs and table == "runs")
    }


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "raw"


@pytest.fixture
def out(tmp_path: Path, raw: Path, settings: Settings, engine: Any) -> Path:
    """An output folder after two usual nights and a third that was held back."""
    out = tmp_path / "out"
    for day in (1, 2):
        run([str(raw)], out, night(raw, day, NAMED), settings)
    before = checksums(out)
    with pytest.raises(HeldBackError, match="en mentions_per_document 0, usually"):
        run([str(raw)], out, night(raw, 3, NAMELESS), settings)
    assert checksums(out) == before
    return out


def test_the_status_says_what_moved(out: Path) -> None:
    state = status(Store(out), 10)
    assert state.runs[0]["outcome"] == "held back"
    assert state.runs[0]["n_documents"] == 4
    assert not state.unfinished
    console = Console(width=200, record=True)
    console.print(report.status(state))
    text = console.export_text()
    assert "Held back: 2026-03-03" in text
    assert regex.search(r"en\W+mentions_per_document\W+0\.000", text)
    assert "exonym run --accept" in text


def test_it_stays_held_back_without_recognising_again(
    out: Path, raw: Path, settings: Settings, engine: Any
) -> None:
    before, n_sentences = checksums(out), engine.n_sentences
    with pytest.raises(HeldBackError):
        run([str(raw)], out, date(2026, 3, 4), settings)
    assert checksums(out) == before
    assert engine.n_sentences == n_sentences
    assert Store(out).held.manifest["night"] == "2026-03-03"


def test_accepting_publishes_what_a_run_without_gate_would_have(
    out: Path, raw: Path, settings: Settings, engine: Any, tmp_path: Path
) -> None:
    n_sentences = engine.n_sentences
    (summary,) = run([], out, date(2026, 3, 9), settings, accept=True)
    assert engine.n_sentences == n_sentences
    assert str(summary.night) == "2026-03-03"
    assert not Store(out).held.manifest
    no_gate = settings.gates.model_copy(update={"first_runs": 99})
    straight = tmp_path / "straight"
    for day in (1, 2, 3):
        source = str(raw / f"{day}.jsonl")
        run([source], straight, date(2026, 3, day), settings.model_copy(update={"gates": no_gate}))
    assert checksums(out, without_runs=True) == checksums(straight, without_runs=True)
    assert run([str(raw)], out, date(2026, 3, 10), settings) == []


def test_the_next_night_is_judged_with_it(
    out: Path, raw: Path, settings: Settings, engine: Any
) -> None:
    before, n_sentences = checksums(out), engine.n_sentences
    with pytest.raises(HeldBackError, match="mentions_per_document"):
        run([str(raw)], out, night(raw, 4, NAMELESS), settings)
    assert checksums(out) == before
    assert engine.n_sentences == n_sentences + 4
    (raw / "3.jsonl").unlink()
    (summary,) = run([str(raw)], out, night(raw, 5, NAMED, n_documents=20), settings)
    assert engine.n_sentences == n_sentences + 24
    assert summary.published is not None
    assert summary.published.n_documents == 28
    documents = pd.read_parquet(out / "documents")
    days = documents[documents["run_id"] == summary.run_id].groupby("date").size().to_dict()
    assert days == {date(2026, 3, 3): 4, date(2026, 3, 4): 4, date(2026, 3, 5): 20}
    assert not Store(out).held.manifest
    assert run([str(raw)], out, date(2026, 3, 6), settings) == []


def test_a_corrected_text_supersedes_one_that_waits(
    out: Path, raw: Path, settings: Settings
) -> None:
    night(raw, 3, NAMED)
    (summary,) = run([str(raw)], out, night(raw, 4, NAMED), settings)
    assert summary.published is not None
    documents = pd.read_parquet(out / "documents").set_index("doc_id")
    old = documents[documents["superseded_by"].notna()]
    assert len(old) == 4
    assert set(documents.loc[old["superseded_by"], "run_id"]) == {summary.run_id}


def test_a_rollback_takes_back_what_a_night_held_back_builds_on(
    tmp_path: Path, raw: Path, settings: Settings, engine: Any
) -> None:
    out = tmp_path / "out"
    for day in (1, 2):
        run([str(raw)], out, night(raw, day, NAMED), settings)
    first, _ = (kept.run_id for kept in Store(out).generations.kept())
    day = night(raw, 3, NAMELESS)
    copied = (raw / "2.jsonl").read_text("utf-8")
    corrected = json.dumps({"id": "2-0", "text": NAMELESS.format(9)})
    (raw / "3.jsonl").write_text(f"{(raw / '3.jsonl').read_text('utf-8')}\n{copied}", "utf-8")
    (raw / "2.jsonl").write_text(corrected, "utf-8")
    with pytest.raises(HeldBackError):
        run([str(raw)], out, day, settings)
    assert roll_back(out, first)
    gates = settings.gates.model_copy(update={"first_runs": 99})
    settings = settings.model_copy(update={"gates": gates})
    assert len(run([str(raw)], out, date(2026, 3, 4), settings, accept=True)) == 2
    documents = pd.read_parquet(out / "documents").set_index("doc_id")
    sources = pd.read_parquet(out / "document_sources")
    assert set(sources["doc_id"]) == set(documents.index)
    assert len(documents) == 4 + 5 + 4
    assert not documents["superseded_by"].notna().any()
    assert run([str(raw)], out, date(2026, 3, 5), settings) == []


def test_new_settings_redo_what_was_recognised_and_read_what_could_not_be(
    tmp_path: Path, raw: Path, settings: Settings, engine: Any
) -> None:
    out = tmp_path / "out"
    for day in (1, 2):
        run([str(raw)], out, night(raw, day, NAMED), settings)
    day = night(raw, 3, NAMED, n_documents=2)
    long = json.dumps(
        {"id": "long", "text": " ".join([NAMED.format(3), *[NAMELESS.format(3)] * 3])}
    )
    (raw / "3.jsonl").write_text((raw / "3.jsonl").read_text("utf-8") + "\n" + long, "utf-8")
    small = settings.ingest.model_copy(update={"document_bytes": 200})
    with pytest.raises(HeldBackError, match="all quarantined"):
        run([str(raw)], out, day, settings.model_copy(update={"ingest": small}))
    assert len(pd.read_parquet(out / "quarantine")) == 0
    n_sentences = engine.n_sentences
    (summary,) = run([str(raw)], out, date(2026, 3, 4), settings)
    assert engine.n_sentences == n_sentences + 3
    assert summary.n_quarantined == 0
    assert summary.published is not None
    assert summary.published.n_documents == 3


def test_a_run_killed_while_it_takes_the_night_over_loses_nothing(
    out: Path, raw: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = checksums(out)
    day = night(raw, 5, NAMED, n_documents=20)
    with monkeypatch.context() as patch:

        def stop(job: shard.Job) -> None:
            raise KeyboardInterrupt

        patch.setattr("pipeline.run.shard.work", stop)
        with pytest.raises(KeyboardInterrupt):
            run([str(raw)], out, day, settings)
    assert checksums(out) == before
    for path in raw.iterdir():
        path.unlink()
    other = settings.model_copy(
        update={"ingest": settings.ingest.model_copy(update={"payload_bytes": 7})}
    )
    (summary,) = run([str(raw)], out, date(2026, 3, 7), other)
    assert summary.published is not None
    assert summary.published.n_documents == 24
