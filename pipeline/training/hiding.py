"""An index that hides what an entity is called in a language, or that the entity is known at all.

What a name is linked to when the knowledge base lacks just this spelling, or whom it names, can be
learned and measured so without building another index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.knowledge.entry import Alias, Entry
from pipeline.knowledge.files import knowledge_files, read_rows
from pipeline.knowledge.index import Hit, Index
from pipeline.knowledge.keys import comparison_names
from pipeline.knowledge.vectors import Vector
from pipeline.languages.shared import sound_or_key
from pipeline.schemas import UNDETERMINED

ALL: Final = "*"
"""In place of a language: all names of the entry are hidden."""
THIS: Final = "="
"""In place of a language: the text alone is hidden, in whatever language it is a name."""


class Hiding(Index):
    """An index that hides one name of an entry, all in one language, or all.

    A hidden name belongs to an entry of its own behind all others, which is never shown.
    """

    def __init__(self, folder: Path) -> None:
        """Map the files of ``folder``; nothing is hidden."""
        super().__init__(folder)
        self._nobody = len(self._prior)
        self._prior = np.append(self._prior, self._prior.dtype.type(0))
        self._alias_entry = np.array(self._alias_entry)
        self._entry_hidden = -1
        self._hidden: list[int] = []

    def __len__(self) -> int:
        """Return the number of entries."""
        return self._nobody

    def hide(self, entry: int, lang: str, text: str) -> None:
        """Hide the names of ``entry`` in ``lang``, and ``text`` where it has no language.

        ``lang`` may be :data:`ALL` or :data:`THIS`. What was hidden before is shown again.
        """
        if self._hidden:
            self._alias_entry[self._hidden] = self._entry_hidden
        first, last = self._entry_aliases[entry : entry + 2].tolist()
        aliases = ((number, self._alias(number)) for number in range(first, last))
        self._hidden = [number for number, alias in aliases if _is_meant(alias, lang, text)]
        self._alias_entry[self._hidden] = self._nobody
        self._entry_hidden = entry
        self.likest.cache_clear()

    def _likest(self, key: str, limit: int, least: float = 0.0) -> npt.NDArray[np.uint32]:
        found = super()._likest(key, limit + 1, least)
        shown: npt.NDArray[np.uint32] = found[found != self._nobody][:limit]
        return shown

    def meaning(
        self, vectors: Sequence[Vector], limit: int, least: float = -1.0
    ) -> list[list[int]]:
        """Return the entries with a name that means most the same and is not hidden."""
        found = super().meaning(vectors, limit + 1, least)
        return [[entry for entry in one if entry != self._nobody][:limit] for one in found]

    def exact(self, key: str) -> list[Hit]:
        """Return the aliases with that key that are not hidden."""
        return self._shown(super().exact(key))

    def likeliest(self, key: str, limit: int) -> list[Hit]:
        """Return the likeliest aliases with that key that are not hidden."""
        return self._shown(super().likeliest(key, limit))

    def exact_text(self, text: str, lang: str) -> list[Hit]:
        """Return the aliases with that text that are not hidden."""
        return self._shown(super().exact_text(text, lang))

    def _shown(self, hits: list[Hit]) -> list[Hit]:
        return [hit for hit in hits if hit.entry != self._nobody]

    def entry(self, number: int) -> Entry:
        """Return an entry without what is hidden."""
        entry = super().entry(number)
        if number != self._entry_hidden:
            return entry
        first = int(self._entry_aliases[number])
        places = enumerate(entry.aliases, start=first)
        return replace(entry, aliases=tuple(a for i, a in places if i not in self._hidden))

    def names(self, number: int) -> tuple[str, ...]:
        """Return the names to compare with an entry without what is hidden."""
        if number != self._entry_hidden:
            return super().names(number)
        aliases = self.entry(number).aliases
        names = (name for a in aliases for name in comparison_names(a.text, a.lang))
        return tuple(dict.fromkeys(names))

    def sounds(self, numbers: Sequence[int]) -> list[tuple[str, ...]]:
        """Return how the names of entries sound, without what is hidden."""
        found = super().sounds(numbers)
        return [
            self._sounds_of(number) if number == self._entry_hidden else of
            for number, of in zip(numbers, found, strict=True)
        ]

    def _sounds_of(self, number: int) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(sound_or_key, self.names(number))))


def _is_meant(alias: Alias, lang: str, text: str) -> bool:
    return lang in (ALL, alias.lang) or (
        alias.text == text and (lang == THIS or alias.lang == UNDETERMINED)
    )


def entries(index: Index, knowledge: Path) -> dict[str, int]:
    """Return the numbers of entries by their keys, and by their Wikidata and GeoNames ids."""
    found: dict[str, int] = {}
    for path in knowledge_files(knowledge):
        for row in read_rows(path, checked=True):
            number = index.by_key(row.key)
            if number is None:
                continue
            found[row.key] = number
            if row.wikidata:
                found.setdefault(f"wikidata:{row.wikidata}", number)
            if row.geonames:
                found.setdefault(f"geonames:{row.geonames}", number)
    return found
