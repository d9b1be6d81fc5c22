"""The file for Prometheus: read back by Prometheus' own parser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline import metrics

COUNTS: dict[str, Any] = {
    "n_documents": 5,
    "n_words": 900,
    "n_mentions": 70,
    "n_entities": 40,
    "n_new_entities": 3,
    "n_quarantined": 2,
    "n_skipped": 1,
    "words_per_second": 450.0,
    "seconds": {"ingest": 0.5, "recognise": 1.5},
    "cpu_seconds": {"ingest": 0.4, "recognise": 2.5},
    "peak_rss_mb": 600.0,
    "peak_main_mb": 200.0,
    "peak_worker_mb": 600.0,
}


def attempt(outcome: str, hour: int) -> dict[str, Any]:
    times = {"started": f"2026-03-05T{hour:02}:00:00+00:00", "finished": None}
    if outcome != "stopped":
        times["finished"] = f"2026-03-05T{hour:02}:30:00+00:00"
    return {"outcome": outcome, **times, **COUNTS}


def read(path: Path) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families(path.read_text("utf-8"))
    return {
        (sample.name, *sample.labels.values()) if sample.labels else (sample.name, ""): sample.value
        for family in families
        for sample in family.samples
    }


def test_the_last_attempt_is_told_and_the_last_publication(tmp_path: Path) -> None:
    path = tmp_path / "new" / "exonym.prom"
    metrics.write(path, [attempt("published", 1), attempt("held back", 2)], 7)
    found = read(path)
    assert found["exonym_last_run_outcome", "held back"] == 1
    assert found["exonym_last_run_outcome", "published"] == 0
    published, ended = 1772674200.0, 1772677800.0
    assert found["exonym_last_publication_timestamp_seconds", ""] == published
    assert found["exonym_last_run_timestamp_seconds", ""] == ended
    assert found["exonym_run_mentions", ""] == 70
    assert found["exonym_run_stage_seconds", "recognise"] == 1.5
    assert found["exonym_run_stage_cpu_seconds", "recognise"] == 2.5
    assert found["exonym_run_peak_memory_bytes", ""] == 600e6
    assert found["exonym_run_peak_memory_main_bytes", ""] == 200e6
    assert found["exonym_quarantine_rows", ""] == 7


def test_an_attempt_of_an_older_version_is_told_too(tmp_path: Path) -> None:
    path = tmp_path / "exonym.prom"
    old = {key: value for key, value in attempt("published", 1).items() if "cpu" not in key}
    metrics.write(path, [old], 0)
    assert ("exonym_run_stage_cpu_seconds", "recognise") not in read(path)


def test_nothing_published_is_no_publication_in_1970(tmp_path: Path) -> None:
    path = tmp_path / "exonym.prom"
    metrics.write(path, [], 0)
    assert not path.exists()
    metrics.write(path, [attempt("stopped", 1)], 0)
    assert ("exonym_last_publication_timestamp_seconds", "") not in read(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        metrics.write(tmp_path / "file" / "exonym.prom", [attempt("published", 1)], 0)
