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
_SOUNDING: Final = shared.respellings(_DATA["sounding"])
_TITLES: Final = shared.Titles.from_data(_DATA, str.lower)
_TRANSLATIONS: Final = shared.Translations.from_data(_DATA)
_COMMA: Final = str.maketrans("şţŞŢ", "șțȘȚ")
_ENDINGS: Final = shared.respellings(_DATA["head"])
_ADJECTIVES: Final = [(re.compile(p), r) for p, r in _DATA["feminine_adjective"]]
_BEFORE_NOUN: Final[dict[str, str]] = _DATA["adjective_before_noun"]
_NOUNS: Final = [(re.compile(p), r) for p, r in _DATA["noun_after_adjective"]]
_IRREGULAR: Final[dict[str, str]] = _DATA["irregular"]
_VOWEL: Final = re.compile(r"[aeiouyăâîáéíóöúü]")
_SHORTEST: Final = 4
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

    def ruler_before(self, text: str, start: int) -> int:
        """Return where ``Regele`` and the like directly before ``text[start:]`` begins."""
        return _TRANSLATIONS.title_before(text, start, str.lower)

    def fold(self, name: str) -> str:
        """Return the name in plain letters; î inside a word is a, as â is (``Kîrgîzstan``)."""
        return shared.fold_ascii(re.sub(r"(?<=\w)[îÎ]", "a", self.orthography(name)))

    def keys(self, name: str) -> tuple[str, ...]:
        """Return the fold, then respellings towards English."""
        written = self.orthography(name)
        fold = self.fold(written)
        spelled = shared.respell(written.lower(), _RULES, shared.MAX_KEYS, shared.fold_ascii)
        english = shared.respell(written.lower(), _SOUNDING, 1, shared.fold_ascii)
        translated = _TRANSLATIONS.key(written.lower(), self.fold)
        return shared.with_sounds(fold, [translated, *spelled], [fold, *english])

    def translated(self, name: str) -> str:
        """Return the name with ``județul`` as county, ``de nord`` as north and the like."""
        return _TRANSLATIONS.apply(self.orthography(name).lower())

    def transcriptions(self, name: str) -> tuple[str, ...]:
        """Return nothing: the language reads no other's characters."""
        return ()

    def spelled_out(self, name: str) -> str:
        """Return nothing: letters are written, not spelled out."""
        return ""

    def letters(self, name: str) -> str:
        """Return the letters with their marks, lower case."""
        return "".join(filter(str.isalnum, self.orthography(name).lower()))


def _nominatives(name: str) -> list[Reading]:
    """Return the readings of ``name`` with its head, and what agrees with it, in the nominative."""
    head, *tail = name.split() or [""]
    if head.lower() in _NOMINATIVE:
        return []
    if tail and head.lower() in _BEFORE_NOUN:
        adjective = _recase(head, _BEFORE_NOUN[head.lower()])
        return [Reading(" ".join([adjective, _changed(_NOUNS, tail[0]), *tail[1:]]), "", 0.05)]
    found: dict[str, Reading] = {}
    for nominative, cost in _heads(head):
        # The head of a longer name keeps its article: Ministerul Apărării, Consiliul Europei.
        if tail and head.lower().endswith("ului") and not nominative.lower().endswith("ul"):
            cost += 0.2
        form = " ".join([nominative, *_agreeing(nominative, tail)])
        found.setdefault(form, Reading(form, "", cost))
        # What looks like an adjective may be a surname: Condoleezzei Rice.
        plain = " ".join([nominative, *tail])
        found.setdefault(plain, Reading(plain, "", cost + 0.2))
    return sorted(found.values(), key=lambda reading: reading.cost)


def _heads(head: str) -> list[tuple[str, float]]:
    """Return the nominatives of a name's first word, each with its cost."""
    irregular = _IRREGULAR.get(head.lower())
    if irregular:
        return [(_recase(head, irregular), 0.03)]
    forms = ((_apply(rule, head), rule.cost) for rule in _ENDINGS)
    return [(form, cost) for form, cost in forms if form]


def _apply(rule: shared.Respelling, word: str) -> str:
    """Return ``word`` changed by ``rule``, empty where it does not fit or leaves too little."""
    lower = word.lower()
    match = rule.pattern.search(lower)
    if not match or match.start() == 0 or len(word) < _SHORTEST:
        return ""
    changed = rule.pattern.sub(rule.replacement, lower)
    return _recase(word, changed) if _VOWEL.search(changed[:-1]) else ""


def _agreeing(nominative: str, tail: list[str]) -> list[str]:
    """Return the words behind a head, those that agree with it in the nominative.

    The adjectives of a feminine head (``Băncii Centrale Europene``), or a second head behind
    ``și`` (``Bosniei și Herțegovinei``).
    """
    if not nominative.lower().endswith("a"):
        return tail
    if len(tail) > 1 and tail[0] == "și":
        second = next((word for rule in _ENDINGS if (word := _apply(rule, tail[1]))), tail[1])
        return [tail[0], second, *tail[2:]]
    result = list(tail)
    for number, word in enumerate(tail):
        result[number] = _changed(_ADJECTIVES, word)
        if result[number] == word:
            break
    return result


def _changed(rules: list[tuple[re.Pattern[str], str]], word: str) -> str:
    """Return ``word`` changed by the first rule that fits, unchanged when none does."""
    lower = word.lower()
    for pattern, replacement in rules:
        if pattern.search(lower):
            return _recase(word, pattern.sub(replacement, lower))
    return word


def _recase(model: str, word: str) -> str:
    """Return the lower-case ``word`` in capitals or with a capital as ``model`` is."""
    if model.isupper() and len(model) > 1:
        return word.upper()
    common = 0
    while common < min(len(model), len(word)) and model[common].lower() == word[common]:
        common += 1
    return model[:common] + word[common:]
