"""Back to an earlier published state: what ``exonym rollback`` does."""

from __future__ import annotations

from pathlib import Path

from pipeline.attempts import as_table
from pipeline.errors import UsageError
from pipeline.held import forget_documents
from pipeline.store import Store
from pipeline.store.state import rolled_back


def roll_back(out: Path, run_id: str) -> list[str]:
    """Put tables, ledger and registry back to what they were after a run; journaled.

    Returns the runs that were taken back, newest first; none where the run is the last one. Their
    input counts as new again. ``runs`` keeps their attempts, with the outcome ``rolled back``.
    What was withdrawn stays withdrawn, and a night held back stays so; where it had another copy of
    a document that is taken back, that input counts as new as well.

    Raises:
        UsageError: the run's generation is not kept.
        LockedError: another process is at work.
    """
    store = Store(out)
    if not store.exists():
        raise UsageError(f"nothing was published in {out}; check --out")
    with store.locked(), store.state() as state:
        generation = store.generations.find(run_id)
        if generation is None:
            kept = ", ".join(kept.run_id for kept in store.generations.kept()) or "none"
            raise UsageError(f"run '{run_id}' is not kept in {out}; kept are: {kept}")
        published = state.published()
        undone = published[published.index(run_id) + 1 :]
        if undone:
            store.staging.discard()
            forget_documents(store.held, lambda doc_id: state.run_of(doc_id) in undone)
            attempts = [
                rolled_back(attempt) if attempt["run_id"] in undone else attempt
                for attempt in state.attempts()
            ]
            store.staging.write_table("runs", [as_table(attempts)])
            store.roll_back(generation)
    return undone[::-1]
