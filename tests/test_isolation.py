"""Poison: what crashes, hangs or eats memory costs its own document and no other."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import regex

from pipeline import shard
from pipeline.errors import ExonymError
from pipeline.executors import Executor, Lost
from pipeline.executors.dask import DaskExecutor
from pipeline.executors.inline import InlineExecutor
from pipeline.executors.local import LocalExecutor
from pipeline.recognise import Span
from pipeline.run import run
from pipeline.settings import Settings, load

NIGHT = date(2026, 3, 5)
HEALTHY = {f"{number}.txt": f"Maia Sandu spoke in Brussels on day {number}." for number in range(4)}
POISON = {
    "crash.txt": "Crash the worker that reads this sentence, said the minister.",
    "hang.txt": "Hang for ever on this sentence, said the minister.",
    "memory.txt": "Memory is what this sentence eats, said the minister.",
    "raise.txt": "Raise an error about this sentence, said the minister.",
}


class PoisonedEngine:
    """Finds capitalised words, and does what a sentence tells it to."""

    name, model, sha256 = "onnx", "poisoned", "0" * 64

    def recognise(self, sentences: Sequence[str], lang: str) -> list[list[Span]]:
        for sentence in sentences:
            if sentence.startswith("Crash"):
                os.kill(os.getpid(), signal.SIGSEGV)
            while sentence.startswith("Hang"):
                pass
            eaten = []
            while sentence.startswith("Memory"):
                eaten.append(bytearray(10**7))
            if sentence.startswith("Raise"):
                raise ValueError("what a sentence")
        found = (regex.finditer(r"\p{Lu}\p{Ll}+", sentence) for sentence in sentences)
        return [[Span(*match.span(), "PER", 0.9) for match in matches] for matches in found]


def with_engine(engine: Callable[[], Any], function: Callable[[Any], Any], job: Any) -> Any:
    """Call ``function`` in a worker whose engines are all ``engine``."""
    shard._load_engines = lambda routing, models: dict.fromkeys(  # type: ignore[assignment]
        dict(routing), engine()
    )
    return function(job)


class WithEngine:
    """Another executor, whose workers have another engine."""

    def __init__(self, executor: Executor, engine: Callable[[], Any]) -> None:
        self._executor = executor
        self._engine = engine

    def map(self, function: Any, jobs: Iterable[Any], seconds: Any) -> Iterator[Any]:
        return self._executor.map(partial(with_engine, self._engine, function), jobs, seconds)


@pytest.fixture(params=["local", "dask"])
def executor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Executor]:
    if request.param == "local":
        with LocalExecutor(1) as processes:
            yield processes
    else:
        url = request.getfixturevalue("cluster").url
        with DaskExecutor(url, 1, tmp_path / "out") as workers:
            yield workers


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def settings(root: Path) -> Settings:
    loaded = load(root / "exonym.toml")
    limits = loaded.limits.model_copy(update={"document_seconds": 3, "document_memory_mb": 500})
    return loaded.model_copy(update={"limits": limits})


def landing(folder: Path, files: dict[str, str]) -> list[str]:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return [str(folder)]


def names(out: Path) -> list[tuple[str, int, str]]:
    mentions = pd.read_parquet(out / "mentions")[["doc_id", "start", "surface"]]
    return list(mentions.itertuples(index=False, name=None))


def test_poison_goes_to_quarantine_and_the_rest_is_published(
    tmp_path: Path, settings: Settings, engine: object, executor: Executor
) -> None:
    clean, out = tmp_path / "clean", tmp_path / "out"
    run(landing(tmp_path / "healthy", HEALTHY), clean, NIGHT, settings)
    poisoned = WithEngine(executor, PoisonedEngine)
    (summary,) = run(
        landing(tmp_path / "all", POISON | HEALTHY), out, NIGHT, settings, executor=poisoned
    )
    assert summary.n_quarantined == 4
    rows = pd.read_parquet(out / "quarantine")
    assert set(rows["stage"]) == {"recognise"}
    assert {Path(row.source).name: row.error for row in rows.itertuples()} == {
        "crash.txt": "crashed",
        "hang.txt": "timed_out",
        "memory.txt": "out_of_memory",
        "raise.txt": "stage_failed",
    }
    assert set(rows["error"]) <= set(shard.ERRORS)
    messages = {Path(row.source).name: row.message for row in rows.itertuples()}
    assert "SIGSEGV" in messages["crash.txt"]
    assert "3 seconds of work" in messages["hang.txt"]
    assert "500 MB" in messages["memory.txt"]
    assert {payload.decode() for payload in rows["payload"]} == set(POISON.values())
    assert {doc_id for doc_id, _, _ in names(out)} == {doc_id for doc_id, _, _ in names(clean)}
    assert len(pd.read_parquet(out / "documents")) == len(HEALTHY)
    assert not (out / ".exonym" / "staging").exists()


def test_a_stage_that_fails_without_any_document_blames_none(
    tmp_path: Path, settings: Settings, executor: Executor
) -> None:
    sources, out = landing(tmp_path / "raw", HEALTHY), tmp_path / "out"
    with pytest.raises(ExonymError, match="before any document"):
        run(sources, out, NIGHT, settings, executor=WithEngine(executor, die))
    assert not (out / "quarantine").exists()


class PanicException(BaseException):
    """What a library in Rust raises where it fails."""


def test_a_panic_costs_its_document_alone(
    tmp_path: Path, settings: Settings, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognise = engine.recognise

    def panic(sentences: Sequence[str], lang: str) -> list[list[Span]]:
        if any(sentence.startswith("Raise") for sentence in sentences):
            raise PanicException("not a char boundary")
        found: list[list[Span]] = recognise(sentences, lang)
        return found

    monkeypatch.setattr(engine, "recognise", panic)
    files, out = HEALTHY | {"raise.txt": POISON["raise.txt"]}, tmp_path / "out"
    run(landing(tmp_path / "raw", files), out, NIGHT, settings, executor=InlineExecutor())
    (row,) = pd.read_parquet(out / "quarantine").to_dict("records")
    assert (row["error"], Path(row["source"]).name) == ("stage_failed", "raise.txt")
    assert "not a char boundary" in row["message"]
    assert len(pd.read_parquet(out / "documents")) == len(HEALTHY)


class LosesTheFirst(InlineExecutor):
    """Loses the first job of every stage, as when a worker is killed by chance."""

    def map(self, function: Any, jobs: Iterable[Any], seconds: Any) -> Iterator[Any]:
        for number, job in enumerate(jobs):
            if function is shard.work and number == 0:
                yield Lost(job, "crashed", "the worker process died (SIGKILL)")
            else:
                yield function(job)


def job_of(stage: str, staging: Path, settings: Settings) -> shard.Job:
    routing = tuple(settings.routing.items())
    return shard.Job(stage, 0, "run", staging, settings.models, routing, 100, 15.0, 500)


def test_a_worker_that_does_not_see_the_staging_says_so(tmp_path: Path, settings: Settings) -> None:
    job = job_of("detect", tmp_path / "nowhere", settings)
    with pytest.raises(ExonymError, match=r"does not see .*nowhere.*put --out on storage"):
        shard.work(job)
    with pytest.raises(ExonymError, match=r"is not seen in .*nowhere"):
        shard.check_done([job])


@pytest.mark.parametrize(("stage", "what"), [("recognise", "models"), ("resolve", "names")])
def test_a_worker_with_other_models_or_names_says_so(
    tmp_path: Path, settings: Settings, stage: str, what: str
) -> None:
    others = (("en", "onnx", "joint", "0" * 64),)
    job = replace(job_of(stage, tmp_path, settings), knowledge="f" * 64, checksums=others)
    with pytest.raises(ExonymError, match=rf"the {what} in .* are not those the run began with"):
        shard.work(job)


@pytest.mark.parametrize(("in_worker", "forgotten"), [(True, ["detect"]), (False, [])])
def test_a_worker_lets_go_of_the_stage_before(
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    in_worker: bool,
    forgotten: list[str],
) -> None:
    seen: list[str] = []
    stages = {
        name: replace(stage, load=lambda job: None, forget=partial(seen.append, name))
        for name, stage in shard.STAGES.items()
    }
    monkeypatch.setattr(shard, "STAGES", stages)
    monkeypatch.setattr(shard, "_stage_before", None)
    monkeypatch.setattr(shard.multiprocessing, "parent_process", lambda: in_worker or None)
    for stage in ("detect", "detect", "recognise"):
        with pytest.raises(ExonymError, match="does not see"):
            shard.work(job_of(stage, tmp_path / "nowhere", settings))
    assert seen == forgotten


def test_a_worker_killed_by_chance_changes_no_byte(
    tmp_path: Path, settings: Settings, engine: object
) -> None:
    sources = landing(tmp_path / "raw", HEALTHY)
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    run(sources, straight, NIGHT, settings)
    run(sources, killed, NIGHT, settings, executor=LosesTheFirst())
    tables = sorted(path.relative_to(straight) for path in straight.glob("[a-z]*/*.parquet"))
    assert len(tables) == 11
    for table in tables:
        same = (straight / table).read_bytes() == (killed / table).read_bytes()
        assert same or table.parent.name == "runs", table
