"""What the runs did, for Prometheus: a file for the textfile collector of its node exporter.

The file is written whole after every attempt, published or not, so that an alert can ask how long
ago the last publication was and how the last attempt ended. docs/operations.md lists the metrics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

OUTCOMES: Final = ("published", "held back", "failed", "stopped")
"""How an attempt can end; each is a series, 1 for how the last one did and 0 for the others."""

_COUNTS: Final = {
    "n_documents": ("exonym_run_documents", "Documents taken in."),
    "n_words": ("exonym_run_words", "Words in them."),
    "n_mentions": ("exonym_run_mentions", "Mentions found."),
    "n_entities": ("exonym_run_entities", "Distinct entities mentioned."),
    "n_new_entities": ("exonym_run_new_entities", "Entities first met."),
    "n_quarantined": ("exonym_run_quarantined", "Pieces of input put into quarantine."),
    "n_skipped": ("exonym_run_skipped", "Documents or files already known."),
    "words_per_second": ("exonym_run_words_per_second", "Words by wall seconds."),
}

_PEAKS: Final = {
    "peak_rss_mb": ("exonym_run_peak_memory_bytes", "Highest of any process."),
    "peak_main_mb": ("exonym_run_peak_memory_main_bytes", "Highest of the process that leads."),
    "peak_worker_mb": ("exonym_run_peak_memory_worker_bytes", "Highest of any worker."),
}


def write(path: Path, attempts: Sequence[Mapping[str, Any]], n_in_quarantine: int) -> None:
    """Write the metrics of ``attempts`` (the state's, oldest first) to ``path``, replaced whole.

    The collector reads files that end in ``.prom``. Does nothing where there is no attempt yet.

    Raises:
        OSError: the file cannot be written.
    """
    if not attempts:
        return
    registry = CollectorRegistry()
    last = attempts[-1]
    outcome = Gauge(
        "exonym_last_run_outcome", "How the last attempt ended.", ["outcome"], registry=registry
    )
    for name in OUTCOMES:
        outcome.labels(name).set(last["outcome"] == name)
    _set(registry, "exonym_last_run_timestamp_seconds", "When it ended.", _ended(last))
    published = [attempt for attempt in attempts if attempt["outcome"] == "published"]
    if published:
        name, about = "exonym_last_publication_timestamp_seconds", "When a run last was published."
        _set(registry, name, about, _ended(published[-1]))
    for column, (name, about) in _COUNTS.items():
        _set(registry, name, f"{about} Of the last attempt.", last[column])
    seconds = Gauge(
        "exonym_run_stage_seconds", "Of the last attempt.", ["stage"], registry=registry
    )
    for stage, value in last["seconds"].items():
        seconds.labels(stage).set(value)
    about = "Processor time of all processes, of the last attempt."
    cpu = Gauge("exonym_run_stage_cpu_seconds", about, ["stage"], registry=registry)
    for stage, value in last.get("cpu_seconds", {}).items():  # older attempts lack it
        cpu.labels(stage).set(value)
    for column, (name, about) in _PEAKS.items():
        _set(registry, name, about, last.get(column, 0.0) * 10**6)
    _set(registry, "exonym_quarantine_rows", "Rows in quarantine.", n_in_quarantine)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_to_textfile(str(path), registry)


def _set(registry: CollectorRegistry, name: str, about: str, value: float) -> None:
    Gauge(name, about, registry=registry).set(value)


def _ended(attempt: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(attempt["finished"] or attempt["started"]).timestamp()
