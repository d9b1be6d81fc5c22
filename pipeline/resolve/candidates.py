"""Which known entities a name may stand for: by exact text, by key, by likeness, by surname.

Labels are not looked at here; every kind of entity competes.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, takewhile
from typing import Final

import numpy as np
from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from pipeline import languages
from pipeline.knowledge.index import MOST_NAMES, Hit, Index
from pipeline.knowledge.vectors import Vector
from pipeline.languages import vi
from pipeline.languages.shared import sound_or_key
from pipeline.resolve import contradictions, generic, matching, meaning
from pipeline.resolve.forms import Form, is_read, looks_like_acronym, read
from pipeline.resolve.matching import Difference, Target
from pipeline.resolve.meaning import Meanings
from pipeline.resolve.methods import ALIAS, KEY, SIMILAR, SURNAME
from pipeline.resolve.similarity import NUMBERS
from pipeline.resolve.spotting import LEAST_PRIOR_OF_PLACE
from pipeline.schemas import UNDETERMINED
from pipeline.scripts import LATIN

MOST_CANDIDATES: Final = 20
"""Candidates kept of one form, the likest first."""

_CACHED: Final = 16_384
_MATCHED_CACHED: Final = 32_768
"""Names whose likely entities are kept, once over for those asked for lately; most have none."""
_MATCHED_AT_ONCE: Final = 256
_TARGETS_CACHED: Final = 8192
_FEW_CACHED: Final = 1024
"""Forms of which more is kept while they are looked for."""

_SAME_TEXT: Final = 1.0
_SAME_KEY: Final = 0.96
_COMPANY: Final = 0.95
"""A name that is a body's own but for a word like *Inc.*"""
_OTHER_LANGUAGE: Final = 0.01
"""What it takes off that the alias belongs to another language than the text."""
_DOUBT: Final = 0.35
"""What a doubtful reading takes off, times its cost."""

_SHORT: Final = 4
"""Letters up to which a single word has to be the same: TASS is no respelling of TAS."""

_SHORT_ENGLISH: Final = 6
"""The same in English, which is what most names are known in: Shark is not Sark."""

_KEYS_COMPARED: Final = 3
_SHORTLIST: Final = 20
_MOST_SEARCHED: Final = 3
_WIDE: Final = 50
"""Entries that share letter groups with a key."""
_LEAST_COSINE: Final = 0.4
_LEAST_MEANT: Final = 0.5
"""Cosines of letter groups, and of meaning, below which the nightly run passes an entry over."""
_MEANT: Final = 8
"""Entries that are weighed because a name of theirs means the same."""
_NEAREST: Final = 24
_FEWER: Final = 6
"""Entries of a shortlist that are weighed, where all is looked at and in the nightly run."""

_ALL: Final = 100.0
_PRIOR: Final = 20.0
"""Percent of likeness that a prior of 1 is worth when a shortlist is cut."""

_DOUBTFUL, _CERTAIN = 0.75, 0.95
"""Similarity of what is surely not and surely meant by a name that is not its own."""

_LONGEST_COUNTRY: Final = 3
"""Words of a country's or city's name that are looked for within a longer name."""

_KINDS: Final = {"iso": "country", "geonames-admin1": "region"}
"""What the scheme of a key says of the kind of place."""

_WELL_KNOWN: Final = 0.75
"""Least prior of a person whom the news calls by surname alone."""
_SHORTENED: Final = 0.9
"""Likeness of a person's name and one with initials for the given names."""
_LAST_NAME, _LONG_LAST_NAME = 5, 8
"""Least letters of a last name that tells whom several given names or one belong to."""
_SURNAME: Final = 0.93
_LONGEST_SURNAME: Final = 3
_COMMON: Final = 0.05
"""What each doubling of the persons with that surname or given name takes off: Putin, Daniel."""
_LEAST_OF_SURNAME: Final = 0.72
"""A surname that many bear names nobody by itself: Lee, Johnson, Kim; Erdoğan still does."""
_SURNAME_FIRST: Final = frozenset({"CN", "HK", "KP", "KR", "MO", "TW"})
"""Countries whose persons the world's press names surname first: Xi Jinping."""


_Name = tuple[str, str]
"""What a form follows from: the surface and the language."""


@dataclass(frozen=True, slots=True)
class Known:
    """What scoring needs of an entry of the knowledge base; ``n_names`` counts its aliases."""

    number: int
    key: str
    label: str
    name: str
    prior: float
    iso_country: str | None
    n_names: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A known entity that a form may name, and how it was found.

    ``alias`` (in ``alias_lang``) is the name in the knowledge base that fits best, or the key of
    one; ``key`` the form's own key that found it, ``similarity`` how alike they are, 0 to 1.
    ``unread`` says that it is an acronym of another language, which readers of this do not know.
    """

    entry: int
    method: str
    similarity: float
    alias: str
    alias_lang: str
    key: str
    unread: bool = False


class Finder:
    """Finds candidates in an index; remembers what it found, within bounds."""

    def __init__(self, index: Index, meanings: Mapping[str, Meanings] | None = None) -> None:
        """Look up in ``index`` from now on; ``meanings`` of words else than the learned ones."""
        self.index = index
        self.meanings = meaning.learned() if meanings is None else meanings
        self.known = lru_cache(maxsize=_CACHED)(self._known)
        self.target = lru_cache(maxsize=_TARGETS_CACHED)(self._target)
        self.exact = lru_cache(maxsize=_CACHED)(self._exact)
        self.readings = lru_cache(maxsize=_FEW_CACHED)(self._readings)
        self.vector = lru_cache(maxsize=_FEW_CACHED)(self._vector)
        self.countries_named = lru_cache(maxsize=_FEW_CACHED)(self._countries_named)
        self.surname = lru_cache(maxsize=_CACHED)(self._surname)
        self.surnames = lru_cache(maxsize=_CACHED)(self._surnames)
        self.bearers = lru_cache(maxsize=2)(self._bearers)
        self.long_names = lru_cache(maxsize=_CACHED)(self._long_names)
        self._weights: dict[str, float] = {}
        self._matched: dict[_Name, tuple[Candidate, ...]] = {}
        self._matched_before: dict[_Name, tuple[Candidate, ...]] = {}

    def entries(self, form: Form) -> frozenset[int]:
        """Return the numbers of the entries that bear the name exactly, as readers know it."""
        return frozenset(found.entry for found in self.exact(form) if not found.unread)

    def _known(self, number: int) -> Known:
        columns = self.index.columns(number)
        key, label, name = columns["key"], columns["label"], columns["name"]
        assert key and label and name, "the knowledge files are checked for these"
        return Known(
            number,
            key,
            label,
            name,
            self.index.prior(number),
            columns["iso_country"],
            self.index.n_aliases(number),
        )

    def _surnames(self, number: int) -> frozenset[str]:
        """Return the surnames in the entry's names of several words, as keys.

        Any number of last words may be one: Pen, Le Pen, von der Leyen.
        """
        entry = self.index.entry(number)
        keys = [fold(alias.text, alias.lang).split() for alias in entry.aliases]
        if entry.iso_country in _SURNAME_FIRST:
            return frozenset(words[0] for words in keys if len(words) > 1)
        return frozenset(
            " ".join(words[first:]) for words in keys for first in range(1, len(words))
        )

    def _is_surname(self, key: str, number: int) -> bool:
        """Say whether ``key`` is among :meth:`surnames`; most names tell at a glance."""
        names = self.index.names(number)
        may_be = len(names) == MOST_NAMES or any(
            name.endswith(f" {key}") or name.startswith(f"{key} ") for name in names
        )
        return may_be and key in self.surnames(number)

    def _long_names(self, number: int, lang: str) -> tuple[str, ...]:
        """Return the keys of the entry's names of several words in one language."""
        keys = (fold(a.text, lang) for a in self.index.entry(number).aliases if a.lang == lang)
        return tuple(dict.fromkeys(key for key in keys if " " in key))

    def weight(self, word: str) -> float:
        """Return how much a word of a name tells."""
        return self.weights([word])[0]

    def weights(self, words: Sequence[str]) -> list[float]:
        """Return how much each of ``words`` tells."""
        known = self._weights
        if len(known) > _CACHED:
            known.clear()
        unknown = [word for word in words if word not in known]
        if unknown:
            known.update(zip(unknown, self.index.word_idfs(unknown), strict=True))
        return [known[word] for word in words]

    def _exact(self, form: Form) -> tuple[Candidate, ...]:
        """Return the entries that bear the name, as text or under one of its keys.

        Where there are none, the bodies that bear it without the word for a company: Nvidia Corp.
        """
        found: list[Candidate] = []
        for name in dict.fromkeys(key.name for key in form.keys if key.text in form.read):
            key = next(k for k in form.keys if k.name == name)
            short = len(name) <= _SHORT and looks_like_acronym(name)
            for hit in self.index.exact_text(name, form.lang):
                similarity = _SAME_TEXT - _DOUBT * key.cost - _foreign(hit.alias_lang, form.lang)
                found.append(
                    Candidate(
                        hit.entry,
                        ALIAS,
                        similarity,
                        hit.alias_text,
                        hit.alias_lang,
                        key.text,
                        short and not is_read(hit.alias_lang, form.lang),
                    )
                )
        for key in form.keys:
            for hit in self.index.exact(key.text):
                if hit.key_rank == 0 and not (
                    _too_short(key.text, hit.alias_lang, form.lang)
                    or (form.lang == vi.CODE and vi.are_marked_otherwise(key.name, hit.alias_text))
                ):
                    similarity = _SAME_KEY - _DOUBT * key.cost - _foreign(hit.alias_lang, form.lang)
                    found.append(
                        Candidate(
                            hit.entry, KEY, similarity, hit.alias_text, hit.alias_lang, key.text
                        )
                    )
        return best_of(found or self._companies(form))

    def _companies(self, form: Form) -> Iterator[Candidate]:
        for key in form.keys:
            bare = generic.without_company(key.text, form.lang, least=1)
            for hit in self.index.exact(bare) if bare else ():
                is_body = self.known(hit.entry).label == "ORG" and hit.key_rank == 0
                if is_body and not _too_short(bare, hit.alias_lang, form.lang):
                    doubt = _DOUBT * key.cost + _foreign(hit.alias_lang, form.lang)
                    yield Candidate(
                        hit.entry, KEY, _COMPANY - doubt, hit.alias_text, hit.alias_lang, key.text
                    )

    def matched(self, form: Form) -> tuple[Candidate, ...]:
        """Return the entries that the name likely means though it is none of theirs.

        Weighed by :mod:`pipeline.resolve.matching`, which also knows how likely it is that none is
        meant.
        """
        found = self._remembered(form)
        if found is None:
            self.match([form])
            found = self._matched[_name(form)]
        return found

    def match(self, forms: Iterable[Form]) -> None:
        """Find out :meth:`matched` of many names, which takes far less time than one by one."""
        unknown = [form for form in dict.fromkeys(forms) if self._remembered(form) is None]
        for first in range(0, len(unknown), _MATCHED_AT_ONCE):
            self._match(unknown[first : first + _MATCHED_AT_ONCE])

    def _match(self, forms: Sequence[Form]) -> None:
        entries = self._near(forms)
        targets = [[*map(self.target, some)] for some in entries]
        questions = [*zip(forms, targets, strict=True)]
        answers = matching.meant(questions, self.weights, self.meanings, self.likeness)
        pairs = [
            (form, known[place])
            for form, known, found in zip(forms, targets, answers, strict=True)
            for place, _ in found
        ]
        different = iter(matching.differences(pairs, self.meanings))
        for form, known, found in zip(forms, targets, answers, strict=True):
            likely = [
                self._likely(form, known[place], probability)
                for place, probability in found
                if not self._is_other(form, known[place], next(different))
            ]
            self._remember(form, best_of([*likely, *self._shortened(form)]))

    def _remembered(self, form: Form) -> tuple[Candidate, ...] | None:
        """Return what :meth:`matched` found; None where the name was not asked for, or long ago."""
        name = _name(form)
        found = self._matched.get(name)
        if found is None and (found := self._matched_before.get(name)) is not None:
            self._remember(form, found)
        return found

    def _remember(self, form: Form, found: tuple[Candidate, ...]) -> None:
        """Keep what was found, without the form, which takes far more memory."""
        if len(self._matched) >= _MATCHED_CACHED:
            self._matched_before, self._matched = self._matched, {}
        self._matched[_name(form)] = found

    def _shortened(self, form: Form) -> Iterator[Candidate]:
        """Yield the person whose given names the knowledge base shortens: R. Praggnanandhaa.

        The last name tells enough where nobody else there bears it, and the longer the better.
        """
        for key in form.keys[:_KEYS_COMPARED]:
            *given, last = key.text.split()
            if not given or len(last) < (_LONG_LAST_NAME if len(given) == 1 else _LAST_NAME):
                continue
            firsts = [word[0] for word in given]
            for text in dict.fromkeys(f"{sep.join(firsts)} {last}" for sep in (" ", "")):
                for hit in self.index.exact(text):
                    if self._only_bearer(last) == hit.entry:
                        similarity = _SHORTENED - _DOUBT * key.cost
                        yield Candidate(
                            hit.entry, SIMILAR, similarity, hit.alias_text, hit.alias_lang, key.text
                        )

    def _only_bearer(self, word: str) -> int | None:
        """Return the one person with ``word`` in his name; None where there are none or more."""
        numbers = self.index.by_word(word)
        persons = [number for number in numbers if self.known(number).label == "PER"]
        return persons[0] if len(persons) == 1 else None

    def _is_other(self, form: Form, target: Target, difference: Difference) -> bool:
        entry = self.index.entry(target.number)
        named = self.countries_named(form) if entry.label == "ORG" else frozenset()
        return contradictions.is_other(form, entry, target.keys, named, difference)

    def _countries_named(self, form: Form) -> frozenset[str]:
        """Return the ISO countries that words of a longer name say, or of whose large cities."""
        words = form.name.split()
        runs = (
            read(" ".join(words[first : first + length]), form.lang)
            for length in range(1, min(_LONGEST_COUNTRY, len(words) - 1) + 1)
            for first in range(len(words) - length + 1)
        )
        entries = (self.known(candidate.entry) for run in runs for candidate in self.exact(run))
        return frozenset(
            known.iso_country
            for known in entries
            if known.iso_country and known.label == "LOC" and known.prior >= LEAST_PRIOR_OF_PLACE
        )

    def near(self, form: Form) -> list[int]:
        """Return the entries that the nightly run weighs for a name that is none of theirs."""
        return self._near([form])[0]

    def _near(self, forms: Sequence[Form]) -> list[list[int]]:
        return self._nearest(forms, [*map(self._nightly_shortlist, forms)], _FEWER, _LEAST_MEANT)

    def _nightly_shortlist(self, form: Form) -> list[int]:
        """Return what the nightly run chooses from: nothing for short names, less for one word."""
        if " " in form.key:
            return self.shortlist(form, searched=1, near=True)
        short = _SHORT_ENGLISH if form.lang == "en" else _SHORT
        # Of one word there is no more to find than what sounds like it.
        return self._sounding(form) if len(form.key) > short else []

    def _likely(self, form: Form, target: Target, probability: float) -> Candidate:
        alias = max(target.keys, key=lambda key: Levenshtein.normalized_similarity(key, form.key))
        similarity = _DOUBTFUL + (_CERTAIN - _DOUBTFUL) * probability
        unread = contradictions.is_unread_acronym(form, self.index.entry(target.number))
        return Candidate(target.number, SIMILAR, similarity, alias, UNDETERMINED, form.key, unread)

    def nearest(self, form: Form, entries: Sequence[int]) -> list[int]:
        """Return those of ``entries`` of which a name shares most words or sounds with ``form``.

        The prior counts a little: respelled beyond likeness are countries rather than villages.
        Further ones are those with a name that means most the same.
        """
        return self._nearest([form], [entries], _NEAREST, -1.0)[0]

    def _nearest(
        self, forms: Sequence[Form], entries: Sequence[Sequence[int]], limit: int, least: float
    ) -> list[list[int]]:
        """Return :meth:`nearest` of each form: by words ``limit``, by meaning of that cosine."""
        vectors = [*map(self.vector, forms)]
        asked = [vector for vector in vectors if vector is not None]
        meant = iter(self.index.meaning(asked, _MEANT, least))
        found = []
        for form, some, vector in zip(forms, entries, vectors, strict=True):
            near = self._nearest_by_words(form, some, limit)
            found.append(list(dict.fromkeys([*near, *(next(meant) if vector is not None else ())])))
        return found

    def _nearest_by_words(self, form: Form, entries: Sequence[int], limit: int) -> list[int]:
        if len(entries) <= limit:
            return list(entries)
        ours = [sound_or_key(key.text) for key in form.keys[:_KEYS_COMPARED]]
        ours += [sound_or_key(reading) for reading in self.readings(form)]
        sounds = self.index.sounds(entries)
        likeness = process.cdist(
            list(dict.fromkeys(ours)), [*chain(*sounds)], scorer=fuzz.token_set_ratio
        )
        best = np.zeros(len(entries))
        np.maximum.at(
            best, np.repeat(np.arange(len(entries)), [*map(len, sounds)]), likeness.max(axis=0)
        )
        if " " not in form.key:
            for i, entry in enumerate(entries):
                if matching.spelled_by(form, self.index.names(entry)):
                    best[i] = _ALL
        priors = self.index.priors(entries)
        order = np.lexsort((-priors, -(best + _PRIOR * priors)))[:limit]
        return [entries[i] for i in sorted(order.tolist())]

    def _vector(self, form: Form) -> Vector | None:
        """Return what a name means, where it is of several words and has one of a body's name.

        What people and villages are called is spelled; what bodies are called is translated.
        """
        model = self.index.model
        if model is None or " " not in form.key:
            return None
        if not meaning.may_be_body(form.words, form.lang, self.meanings):
            return None
        return model.of(form.name)

    def likeness(self, form: Form, target: Target) -> float:
        """Return how much a name means the same as a known entity's, 0 to 1; 0 where unknown."""
        vector = self.vector(form)
        return 0.0 if vector is None else self.index.likeness(vector, target.number)

    def _readings(self, form: Form) -> tuple[str, ...]:
        """Return the name in another language's reading, by what its words mean, and bare.

        Bare is without the words for its kind: of a hundred provinces one is called Hyōgo.
        """
        language = languages.get(form.lang)
        meant = meaning.in_english(form.name, form.lang, self.meanings)
        words, kinds = generic.proper(language.translated(form.name).split())
        bare = language.fold(" ".join(words)) if kinds else ""
        return (*language.transcriptions(form.name), *filter(None, [meant, bare]))

    @staticmethod
    def _coarse(form: Form) -> tuple[str, ...]:
        return (*form.coarse, *(key.text for key in form.keys))

    def _first(self, text: str) -> list[Hit]:
        """Return the likeliest aliases with that key."""
        return self.index.likeliest(text, _SHORTLIST)

    def _sounding(self, form: Form) -> list[int]:
        """Return the entries with a name that shares a key or sounds like this one."""
        texts = (*self._coarse(form), *self.readings(form))
        return list(dict.fromkeys(hit.entry for text in texts for hit in self._first(text)))

    def shortlist(
        self, form: Form, searched: int = _MOST_SEARCHED, *, near: bool = False
    ) -> list[int]:
        """Return the entries to compare with ``form``: by keys, sound, meaning and letter groups.

        Letter groups are searched for by as many of the keys as ``searched`` says, by every other
        reading and, since another script writes what is heard, by the sound. Nothing is said of
        how alike the entries are, which :mod:`pipeline.resolve.matching` weighs, but ``near``
        leaves out what is too unlike to be meant; hyphenated syllables (*Bê-la-rút*) look unlike.
        """
        near = near and "-" not in form.name
        least = _LEAST_COSINE if near else 0.0
        sounds = form.coarse[:1] if form.script != LATIN or not near else ()
        texts = [*(key.text for key in form.keys[:searched]), *self.readings(form), *sounds]
        found = dict.fromkeys(self._sounding(form))
        for text in dict.fromkeys(texts):
            found |= dict.fromkeys(self.index.likest(text, _WIDE, least).tolist())
        return list(found)

    def _target(self, number: int) -> Target:
        """Return what :mod:`pipeline.resolve.matching` needs of an entry."""
        known = self.known(number)
        kind = _KINDS.get(known.key.partition(":")[0], "")
        (sounds,) = self.index.sounds([number])
        return Target(self.index.names(number), known.label, known.prior, kind, sounds, number)

    def of_surname(self, form: Form, keys: frozenset[str]) -> tuple[Candidate, ...]:
        """Return those among the persons with the knowledge ``keys`` of whom it is the surname.

        However well known they are, and however many others share the surname; but as it is
        written, since among so many some are spelled much like others.
        """
        bearers = self.bearers(keys)
        return best_of(
            Candidate(
                known.number, SURNAME, _SURNAME - _DOUBT * key.cost, known.name, "en", key.text
            )
            for key in form.keys[:_KEYS_COMPARED]
            if key.text in form.read
            for known in bearers.get(key.text, ())
        )

    def _bearers(self, keys: frozenset[str]) -> dict[str, list[Known]]:
        """Return the persons among ``keys`` by surname, as :meth:`surnames` has it."""
        bearers: dict[str, list[Known]] = defaultdict(list)
        for key in sorted(keys):
            number = self.index.by_key(key)
            if number is None:
                continue
            known = self.known(number)
            for surname in self.surnames(number) if known.label == "PER" else ():
                if surname.count(" ") < _LONGEST_SURNAME and surname not in NUMBERS:
                    bearers[surname].append(known)
        return bearers

    def _surname(self, form: Form) -> tuple[Candidate, ...]:
        """Return the well-known persons of whom the name is the surname.

        The more other persons share it, the less alike the candidate counts; little-known ones
        count for less. Of one family the best known has most spellings in the knowledge base.
        """
        found: list[Candidate] = []
        for key in form.keys[:_KEYS_COMPARED]:
            words = key.text.split()
            if not words or len(words) > _LONGEST_SURNAME:
                continue
            numbers = self.index.by_word(words[-1])
            best_first = takewhile(lambda number: self.index.prior(number) >= _WELL_KNOWN, numbers)
            if not any(self.known(number).label == "PER" for number in best_first):
                continue
            persons = [known for known in map(self.known, numbers) if known.label == "PER"]
            namesakes = [known for known in persons if self._is_surname(key.text, known.number)]
            best_known = max((known.prior for known in persons), default=1.0)
            bearers = sum(known.prior for known in persons) / best_known
            common = _COMMON * math.log2(max(1.0, bearers))
            fame = {known: (known.prior * known.n_names) ** 2 for known in namesakes}
            total = sum(fame.values())
            for known in namesakes:
                if known.prior >= _WELL_KNOWN:
                    share = fame[known] / total
                    likeness = _SURNAME * (0.8 + 0.2 * share) - _DOUBT * key.cost - common
                    found.append(
                        Candidate(known.number, SURNAME, likeness, known.name, "en", key.text)
                    )
        return best_of(c for c in found if c.similarity >= _LEAST_OF_SURNAME)


def _name(form: Form) -> _Name:
    return form.surface, form.lang


def best_of(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Return the best candidate of each entry, the likest first, at most ``MOST_CANDIDATES``."""
    best: dict[int, Candidate] = {}
    for candidate in candidates:
        other = best.get(candidate.entry)
        if other is None or candidate.similarity > other.similarity:
            best[candidate.entry] = candidate
    ranked = sorted(best.values(), key=lambda c: (-c.similarity, c.entry))
    return tuple(ranked[:MOST_CANDIDATES])


@lru_cache(maxsize=_CACHED)
def fold(name: str, lang: str) -> str:
    """Return the comparison key of ``name`` by the rules of ``lang``."""
    return languages.get(lang).fold(name)


@lru_cache(maxsize=_CACHED)
def _too_short(key: str, alias_lang: str, lang: str) -> bool:
    """Say whether a key is too short to trust in another language: ``my`` is the USA for ``Mỹ``."""
    return len(key) <= _SHORT and alias_lang not in (lang, UNDETERMINED)


def _foreign(alias_lang: str, lang: str) -> float:
    return 0.0 if alias_lang in (lang, UNDETERMINED) else _OTHER_LANGUAGE
