"""Finds entities by what one has typed so far, in any script."""

from __future__ import annotations

import threading
from typing import Final

import duckdb
import pyarrow as pa

from pipeline import languages
from pipeline.dashboard.reader import Generation, Reader, Row, Tables
from pipeline.schemas import UNDETERMINED
from pipeline.scripts import script_of

_LONGEST: Final = 100
"""Characters of a query that are looked at."""

_NAMES: Final = """
SELECT n.entity_id, n.name AS spelling, n.lang, n.n_mentions, e.name, e.label,
       e.n_mentions AS weight
FROM read_parquet($entity_names) n JOIN read_parquet($entities) e USING (entity_id)
"""

_FIND: Final = """
WITH matched AS (
    SELECT *, CASE WHEN starts_with(key, $key) THEN 0
                   WHEN contains(key, ' ' || $key) THEN 1 ELSE 2 END AS place
    FROM spellings WHERE contains(key, $key)
), best AS (
    SELECT * FROM matched QUALIFY row_number() OVER (
        PARTITION BY entity_id
        ORDER BY NOT contains(lower(spelling), lower($text)), place, n_mentions DESC, spelling) = 1
)
SELECT entity_id, name, label, spelling, lang, weight AS n_mentions FROM best
ORDER BY place, weight DESC, name LIMIT $limit
"""


def key_of(text: str) -> str:
    """Return ``text`` as it is compared: romanised, lower case, without marks.

    By the rules of Hindi for Devanagari, so that जापारोव becomes ``japarov``.
    """
    text = text[:_LONGEST]
    if text.isascii():
        return " ".join(text.lower().split())
    lang = "hi" if script_of(text) == "Deva" else UNDETERMINED
    return languages.get(lang).fold(text)


class Names:
    """The spellings of one generation, in memory with the keys they are found by."""

    def __init__(self, reader: Reader) -> None:
        """Use ``reader``; nothing is read before the first question."""
        self._reader = reader
        self._lock = threading.Lock()
        self._generation: Generation | None = None
        self._keys: dict[str, str] = {}
        self._database = duckdb.connect()

    def find(self, text: str, limit: int) -> list[Row]:
        """Return entities with a spelling that holds ``text``, at most ``limit``.

        Names that begin with it come first, then those with a word that does; among equals the
        most mentioned. ``spelling`` and ``lang`` say by which spelling it was found.
        """
        key = key_of(text)
        if not key:
            return []
        self.refresh()
        with self._database.cursor() as cursor:
            values = {"key": key, "text": text, "limit": limit}
            found = cursor.execute(_FIND, values)
            columns = [column for column, *_ in found.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def refresh(self) -> None:
        """Read the spellings anew if the tables were published since."""
        with self._lock:
            generation = self._reader.generation()
            if self._generation is None or generation not in (None, self._generation):
                spellings = self._reader.ask(_spellings)
                self._keys = self._keys_of(spellings["spelling"].to_pylist())
                keys = pa.array(map(self._keys.__getitem__, spellings["spelling"].to_pylist()))
                table = spellings.append_column("key", keys.cast(pa.string()))
                self._database.register("read", table)
                self._database.execute("CREATE OR REPLACE TABLE spellings AS SELECT * FROM read")
                self._database.unregister("read")
                self._generation = generation

    def _keys_of(self, spellings: list[str]) -> dict[str, str]:
        """Return the key of each spelling; those known from the last generation are kept."""
        return {text: self._keys.get(text) or key_of(text) for text in spellings}


def _spellings(tables: Tables) -> pa.Table:
    return tables.arrow(
        _NAMES, entity_names=tables.files("entity_names"), entities=tables.files("entities")
    )
