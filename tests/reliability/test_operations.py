"""What operators see of a run, and what they start it with: logs, metrics, ``timeout``."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from .command import contents, exonym
from .conftest import NIGHTS, Copies, Scene


def lines_of(log: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for line in log.read_text(encoding="utf-8").splitlines()
        if not line.startswith("exonym:")
    ]


def outcome_of(metrics: Path) -> str:
    """Return how the metrics say that the last attempt ended."""
    [outcome] = [
        sample.labels["outcome"]
        for family in text_string_to_metric_families(metrics.read_text(encoding="utf-8"))
        for sample in family.samples
        if sample.name == "exonym_last_run_outcome" and sample.value == 1
    ]
    return outcome


def no_space(step: str, path: Path) -> None:
    if "recognised" in str(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def terminated(step: str, path: Path) -> None:
    if step == "write" and "recognised" in str(path):
        os.kill(os.getpid(), signal.SIGTERM)


def test_logs_and_metrics_of_runs_that_fail_stop_and_publish(
    scene: Scene, fresh: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, log, metrics = fresh(), tmp_path / "log", tmp_path / "textfiles" / "exonym.prom"
    monkeypatch.setenv("EXONYM_LOG", "json")
    monkeypatch.setenv("EXONYM_METRICS_FILE", str(metrics))
    assert exonym(scene.command(out), log, no_space).code == 1
    *_, last = lines_of(log)
    assert (last["event"], last["exit_code"]) == ("run ended", 1)
    assert "No space left" in last["error"]
    assert outcome_of(metrics) == "failed"
    assert exonym(scene.command(out), log, terminated).code == 143
    assert lines_of(log)[-1]["exit_code"] == 143
    assert outcome_of(metrics) == "stopped"
    assert exonym(scene.command(out), log).code == 0
    *stages, last = lines_of(log)
    assert {line["stage"] for line in stages} >= {"detect", "recognise", "resolve", "publish"}
    (run,) = last["runs"]
    assert run["run_id"].startswith(NIGHTS[2])
    assert outcome_of(metrics) == "published"
    assert contents(out) == scene.expected


@pytest.mark.skipif(not shutil.which("timeout"), reason="needs timeout of the GNU core utilities")
def test_a_run_is_safe_under_timeout(crowd: Scene, fresh_crowd: Copies, tmp_path: Path) -> None:
    out = fresh_crowd()
    program = [sys.executable, "-c", "from pipeline.cli import main; main()"]
    command = [*program, *crowd.command(out, NIGHTS[2], "--workers", "2")]
    process = subprocess.Popen(
        ["timeout", "--kill-after=15m", "10h", *command],
        start_new_session=True,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
    )
    while not list((out / ".exonym" / "staging").glob("documents/*.parquet")):
        assert process.poll() is None
        sleep(0.01)
    # Told to stop, it does what it does when the time is over: it signals the whole group.
    process.send_signal(signal.SIGTERM)
    try:
        _, errors = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGABRT)  # all say where they stand
        _, errors = process.communicate()
    assert errors == "exonym: stopped by SIGTERM; nothing was lost, the next run resumes\n"
    assert process.returncode == 143
    assert contents(out) == contents(crowd.before)
    assert exonym(crowd.command(out), tmp_path / "log").code == 0
    assert contents(out) == crowd.expected
