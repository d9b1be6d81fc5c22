"""The only part that touches the output folder: tables, staging, state, lock and journal.

::

    DIR/documents/2025-11-26.parquet …   published tables, for readers
    DIR/.exonym/lock                     held by the one process that may write
    DIR/.exonym/state.sqlite             ledger of what was taken in, registry of ids, attempts
    DIR/.exonym/state.sqlite.backup      its copy, made at the end of every publication
    DIR/.exonym/staging/                 the run in progress, shard by shard
    DIR/.exonym/held/                    a night that a publish gate held back
    DIR/.exonym/generations/000042/      the tables as they were published, for the last runs
    DIR/.exonym/journal.json             there while a publication is being carried out
"""

from __future__ import annotations

from pipeline.store.store import Staging, Store

__all__ = ["Staging", "Store"]
