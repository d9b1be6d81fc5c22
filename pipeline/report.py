"""What commands print: rich tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:  # so that a command loads only what it uses
    from pipeline.evaluate import Bcubed, Evaluation, Score
    from pipeline.knowledge.build import Summary as KnowledgeSummary
    from pipeline.knowledge.wikidata.importing import Summary as ImportSummary
    from pipeline.reprocess import Difference
    from pipeline.run import Summary
    from pipeline.status import Status


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Return a table; columns whose name begins with ``#`` hold numbers, aligned to the right."""
    result = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        numeric = column.startswith("#")
        result.add_column(column.lstrip("#"), justify="right" if numeric else "left")
    for row in rows:
        result.add_row(*(cell if isinstance(cell, Text) else _cell(cell) for cell in row))
    return result


def _cell(value: Any) -> Text:
    if isinstance(value, float):
        return Text(f"{value:.3f}")
    if isinstance(value, int):
        return Text(f"{value:,}")
    return Text("" if value is None else str(value))


def summary(done: Summary) -> RenderableType:
    """Return the end of a run: counts by language, then the totals."""
    published = done.published
    assert published is not None
    counts = table(
        f"Run {done.run_id}" + (" (resumed)" if done.resumed else ""),
        ["language", "#documents", "#mentions", "#entities"],
        published.by_language,
    )
    counts.add_section()
    counts.add_row(
        "all",
        f"{published.n_documents:,}",
        f"{published.n_mentions:,}",
        f"{published.n_entities:,}",
        style="bold",
    )
    seconds = ", ".join(f"{stage} {value:.1f}" for stage, value in done.seconds.items())
    totals = Text(
        f"new entities {done.n_new_entities:,} · quarantined {done.n_quarantined:,} · "
        f"skipped {done.n_skipped:,} · {done.words_per_second:,.0f} words/s · "
        f"peak {done.peak_rss_mb:,.0f} MB\nseconds: {seconds}"
    )
    parts: list[RenderableType] = [counts, totals]
    if done.differences:
        parts.insert(0, _differences(done.differences))
    return Group(*parts)


def _differences(differences: Sequence[Difference]) -> Table:
    """Return how the mentions of days that were redone changed."""
    return table(
        "Mentions before and after",
        ["language", "#before", "#after", "#found", "#lost", "#other label", "#other entity"],
        map(astuple, differences),
    )


def status(state: Status) -> RenderableType:
    """Return the state of an output folder."""
    parts: list[RenderableType] = [
        table(
            "Last runs",
            ["run", "#attempt", "outcome", "started", "#documents", "#mentions", "#quarantined"],
            (
                (
                    run["run_id"],
                    run["attempt"],
                    run["outcome"],
                    run["started"][:19],
                    run["n_documents"],
                    run["n_mentions"],
                    run["n_quarantined"],
                )
                for run in state.runs
            ),
        ),
        table(
            "Live",
            ["table", "#rows", "#files", "#bytes", "first day", "last day"],
            (
                (live.table, live.n_rows, live.n_files, live.n_bytes, live.first_day, live.last_day)
                for live in state.live
            ),
        ),
        table(
            "Kept for rollback",
            ["run", "#files", "#bytes of its own"],
            ((kept.run_id, kept.n_files, kept.n_bytes_own) for kept in state.kept),
        ),
        table(
            "Quarantine",
            ["stage", "error", "#rows"],
            ((stage, error, n) for (stage, error), n in state.quarantined.items()),
        ),
    ]
    if state.last_idle:
        when, skipped = state.last_idle
        parts.append(Text(f"Last time nothing was new: {when[:19]} ({skipped:,} files known)"))
    if state.held:
        parts.append(_held(state.held))
    if state.unfinished:
        parts.append(
            Text(f"Unfinished: {state.unfinished['run_id']}; the next run resumes it", "yellow")
        )
    return Group(*parts)


def _held(manifest: Mapping[str, Any]) -> RenderableType:
    """Return what a night held back is about."""
    run_id, moved = manifest["run_id"], manifest.get("moved", ())
    if not moved:
        return Text(f"Not published yet: {run_id}; it goes in with the next run", "yellow")
    columns = ["lang", "figure", "tonight", "usual", "lowest", "highest"]
    return Group(
        table(
            f"Held back: {run_id}",
            ["language", "figure", "#tonight", "#usual", "#lowest", "#highest"],
            ([move[column] for column in columns] for move in moved),
        ),
        Text(
            "Publish it with 'exonym run --accept'; otherwise the next run is judged with it.",
            "yellow",
        ),
    )


def measured(gold: Path, result: Evaluation) -> str:
    """Return a line that says what was measured: the gold, the software, models and runs."""
    software = f"exonym {version('exonym')} with {', '.join(result.models)}"
    return f"{gold} · {software} · published by {', '.join(result.runs)}"


def evaluation(result: Evaluation) -> RenderableType:
    """Return scores, linking and the list of differences."""
    return Group(
        _scores("Mentions, exact span and label", result.exact),
        _scores("Mentions, overlapping spans, any label", result.overlapping),
        table(
            "Linking (B³)",
            ["over", "#mentions", "#precision", "#recall", "#F1"],
            [
                _bcubed_row("aligned mentions", result.linking_aligned),
                _bcubed_row("all, missed as singletons", result.linking_all),
            ],
        ),
        table(
            "Gold entities under more than one id",
            ["gold entity", "ids with their mentions"],
            result.splits,
        ),
        table(
            "Ids for more than one gold entity",
            ["id", "gold entities with their mentions"],
            result.merges,
        ),
        table(
            "Differences",
            ["document", "what", "#start", "#end", "text", "gold", "system"],
            ((m.document, m.what, m.start, m.end, m.text, m.gold, m.system) for m in result.misses),
        ),
    )


def _scores(title: str, scores: Mapping[tuple[str, str], Score]) -> Table:
    return table(
        title,
        ["language", "label", "#gold", "#system", "#precision", "#recall", "#F1"],
        (
            (lang, label, score.n_gold, score.n_system, score.precision, score.recall, score.f1)
            for (lang, label), score in scores.items()
        ),
    )


def _bcubed_row(over: str, score: Bcubed) -> tuple[str, int, float, float, float]:
    return over, score.n_mentions, score.precision, score.recall, score.f1


def imported(done: ImportSummary) -> RenderableType:
    """Return what an import took over, and what the dump calls the classes it went by."""
    return Group(
        table("Classes and properties", ["id", "name in the dump"], sorted(done.named.items())),
        table("Entities taken over", ["label", "#count"], done.entities.items()),
        Text(f"{done.file} · {done.unreadable:,} lines unreadable"),
    )


def knowledge(built: KnowledgeSummary) -> RenderableType:
    """Return what an index was built from."""
    return Group(
        *(
            table(title, [column, "#count"], counts.items())
            for title, column, counts in (
                ("Rows by file", "file", built.by_file),
                ("Entries by label", "label", built.by_label),
                ("Aliases by language", "language", built.by_language),
            )
        ),
        Text(
            f"{built.entries:,} entries · {built.aliases:,} aliases · "
            f"{built.size_bytes / 1e6:.1f} MB · {built.seconds:.1f} s · {built.checksum[:12]}"
        ),
    )
