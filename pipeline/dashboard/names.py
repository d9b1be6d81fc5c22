"""Finds entities by what one has typed so far, in any script."""

from __future__ import annotations

import re
import threading
from typing import Final

import duckdb
import pyarrow as pa
from rapidfuzz import fuzz, process

from pipeline import languages
from pipeline.dashboard.reader import Generation, Reader, Row, Tables
from pipeline.languages import shared
from pipeline.schemas import UNDETERMINED
from pipeline.scripts import DEVANAGARI, script_of

_LONGEST: Final = 100
"""Characters of a query that are looked at."""

_LEAST_ALIKE: Final = 70
"""How alike two sounds have to be, in per cent of their letters that stand in the same order."""

_NEAREST: Final = 8
"""How many sounds are taken for near."""

_NAMES: Final = """
SELECT n.entity_id, n.name AS spelling, n.lang, n.n_mentions, e.name, e.label,
       e.n_mentions AS weight
FROM read_parquet($entity_names) n JOIN read_parquet($entities) e USING (entity_id)
"""

_BY_KEY: Final = """
    SELECT *, CASE WHEN starts_with(key, $key) THEN 0
                   WHEN contains(key, ' ' || $key) THEN 1 ELSE 2 END AS place
    FROM spellings WHERE contains(key, $key)
"""

_BY_SOUND: Final = """
    SELECT *, CASE WHEN sound = $sound THEN 0 WHEN starts_with(sound, $sound) THEN 1 ELSE 2 END
              AS place
    FROM spellings WHERE contains(' ' || sound, ' ' || $sound)
"""

_BY_NEAR_SOUND: Final = """
    SELECT held.*, list_position($near, sounds.sound) AS place
    FROM (SELECT * FROM spellings WHERE regexp_matches(' ' || sound || ' ', $any_near)) held
    JOIN (SELECT unnest($near) AS sound) sounds
         ON contains(' ' || held.sound || ' ', ' ' || sounds.sound || ' ')
"""
"""One look at every spelling for all sounds together; which of them it holds is asked of few."""

_BEST: Final = """
WITH matched AS ({matched}), best AS (
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
    lang = "hi" if script_of(text) == DEVANAGARI else UNDETERMINED
    return languages.get(lang).fold(text)


class Names:
    """The spellings of one generation, in memory with the keys they are found by."""

    def __init__(self, reader: Reader) -> None:
        """Use ``reader``; nothing is read before the first question."""
        self._reader = reader
        self._lock = threading.Lock()
        self._generation: Generation | None = None
        self._keys: dict[str, str] = {}
        self._sounds: list[str] = []
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
        return self._best(_BY_KEY, text, limit, key=key)

    def sounding(self, text: str, limit: int) -> list[Row]:
        """Return entities with a spelling that sounds as ``text`` does, for any script.

        First those that begin so, or have a word that does: Жапаров and Japarov are ``japaruv``.
        Where there is none, those with a name or a word that sounds nearly so (Τζαπάροφ). Of
        less than four letters nothing is told. Otherwise as :meth:`find`.
        """
        sound = shared.sound(key_of(text))
        if not sound:
            return []
        self.refresh()
        if found := self._best(_BY_SOUND, text, limit, sound=sound):
            return found
        near = self._near(sound)
        any_near = f" (?:{'|'.join(map(re.escape, near))}) "
        return self._best(_BY_NEAR_SOUND, text, limit, near=near, any_near=any_near) if near else []

    def _near(self, sound: str) -> list[str]:
        """Return the sounds of names and words that are most like ``sound``, the likest first."""
        found = process.extract(
            sound,
            self._sounds,
            scorer=fuzz.ratio,
            processor=None,
            score_cutoff=_LEAST_ALIKE,
            limit=_NEAREST,
        )
        return [near for near, *_ in found]

    def _best(self, matched: str, text: str, limit: int, **values: object) -> list[Row]:
        """Return the entities of the spellings that the query ``matched`` gives."""
        with self._database.cursor() as cursor:
            query = _BEST.format(matched=matched)
            found = cursor.execute(query, {"text": text, "limit": limit, **values})
            columns = [column for column, *_ in found.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def refresh(self) -> None:
        """Read the spellings anew if the tables were published since."""
        with self._lock:
            generation = self._reader.generation()
            if self._generation is None or generation not in (None, self._generation):
                spellings = self._reader.ask(_spellings)
                self._keys = self._keys_of(spellings["spelling"].to_pylist())
                keys = [self._keys[text] for text in spellings["spelling"].to_pylist()]
                sounds = [shared.sound(key) for key in keys]
                parts = {part for sound in sounds for part in (sound, *sound.split())}
                self._sounds = sorted(part for part in parts if len(part) >= shared.MIN_SOUND)
                table = spellings.append_column("key", pa.array(keys, pa.string()))
                table = table.append_column("sound", pa.array(sounds, pa.string()))
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
