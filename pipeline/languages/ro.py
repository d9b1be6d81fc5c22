"""Romanian: genitives and articles of names, titles, and letters to English ones.

Endings follow the Academy's grammar (Gramatica limbii române, 2008) and the orthographic dictionary
(DOOM2). The rules stand in the data file; the first word that inflects is the head of the name.
"""

from __future__ import annotations

import re
from typing import Final

from pipeline.languages import shared
from pipeline.languages.base import Reading

_DATA: Final = shared.load_data("ro")
_RULES: Final = shared.respellings(_DATA["respelling"])
_TITLES: Final = shared.Titles.from_data(_DATA, str.lower)
_COMMA: Final = str.maketrans("şţŞŢ", "șțȘȚ")
_ENDINGS: Final = shared.respellings(_DATA["head"])
_ADJECTIVES: Final = shared.respellings(_DATA["feminine_adjective"])
_BEFORE_NOUN: Final[dict[str, str]] = _DATA["adjective_before_noun"]
_NOUNS: Final = shared.respellings(_DATA["noun_after_adjective"])
_NOMINATIVE: Final = frozenset(_DATA["nominative"])
_GLUED: Final = re.compile(rf"[-‐‑–](?:{'|'.join(_DATA['glued'])})(?!\w)")
_GLUED_AT_END: Final = re.compile(rf"(?<=\w)[-‐‑](?:{'|'.join(_DATA['glued'])})$")


class Romanian:
    """The rules of Romanian."""

    code = "ro"

    def orthography(self, text: str) -> str:
        """Return ``text`` in NFC, ş and ţ written with a comma below, apostrophes straight."""
        return shared.straighten(shared.compose(text)).translate(_COMMA)

    def readings(self, surface: str) -> tuple[Reading, ...]:
        """Return the nominatives that ``surface`` may be a form of, and the form as written."""
        name = self.orthography(surface)
        written = Reading(name, "", 0.0)
        if name.lower().startswith("lui ") and len(name) > 4:
            return (Reading(name[4:], "", 0.02), written)
        count = self.inside_suffix(name)
        if count:
            return (Reading(name[:-count], name[-count:], 0.05), written)
        inflected = _nominatives(name)
        sure = [reading for reading in inflected if reading.cost < 0.3]
        return (*sure, written, *(reading for reading in inflected if reading.cost >= 0.3))

    def suffix_after(self, text: str, end: int) -> str:
        """Return a hyphen and article behind an acronym or foreign name (``-ului``)."""
        if end == 0 or not text[end - 1].isalnum():
            return ""
        match = _GLUED.match(text, end)
        return match.group() if match else ""

    def inside_suffix(self, surface: str) -> int:
        """Return the length of a final hyphen and article (``NATO-ului`` gives 5), else 0."""
        match = _GLUED_AT_END.search(surface)
        return len(match.group()) if match else 0

    def strip_titles(self, name: str) -> str:
        """Return ``name`` without ``președintele``, ``doamna``, ``lui`` and the like."""
        return _TITLES.strip(name, str.lower)

    def fold(self, name: str) -> str:
        """Return the name in plain letters; î inside a word is a, as â is (``Kîrgîzstan``)."""
        return shared.fold_ascii(re.sub(r"(?<=\w)[îÎ]", "a", self.orthography(name)))

    def keys(self, name: str) -> tuple[str, ...]:
        """Return the fold, then respellings towards English."""
        written = self.orthography(name)
        spelled = shared.respell(written.lower(), _RULES, shared.MAX_KEYS - 1, shared.fold_ascii)
        return shared.distinct([self.fold(written), *spelled])


def _nominatives(name: str) -> list[Reading]:
    """Return the readings of ``name`` with its head, and what agrees with it, in the nominative."""
    words = name.split()
    head, tail = words[0], words[1:]
    if head.lower() in _NOMINATIVE:
        return []
    if tail and head.lower() in _BEFORE_NOUN:
        noun = _first(_NOUNS, tail[0])
        if noun:
            first = _as_written(head, _BEFORE_NOUN[head.lower()])
            return [Reading(" ".join([first, noun, *tail[1:]]), "", 0.05)]
    found: dict[str, Reading] = {}
    for rule in _ENDINGS:
        if not rule.pattern.search(head):
            continue
        nominative = rule.pattern.sub(rule.replacement, head)
        rest = list(tail)
        cost = rule.cost
        if tail and nominative.endswith(("a", "A")):
            rest = _feminine(rest)
        if tail and "ului" in head and not nominative.endswith("ul"):
            cost += 0.2
        form = " ".join([nominative, *rest])
        found.setdefault(form, Reading(form, "", cost))
    return sorted(found.values(), key=lambda reading: reading.cost)


def _feminine(tail: list[str]) -> list[str]:
    """Return ``tail`` with the adjectives right behind a feminine head in the nominative."""
    result = list(tail)
    for number, word in enumerate(tail):
        changed = _first(_ADJECTIVES, word)
        if not changed:
            break
        result[number] = changed
    return result


def _first(rules: tuple[shared.Respelling, ...], word: str) -> str:
    """Return ``word`` changed by the first rule that fits, empty when none does."""
    for rule in rules:
        if rule.pattern.search(word):
            return rule.pattern.sub(rule.replacement, word)
    return ""


def _as_written(model: str, word: str) -> str:
    """Return ``word`` in capitals or with a capital as ``model`` is."""
    if model.isupper():
        return word.upper()
    return word.capitalize() if model[:1].isupper() else word
