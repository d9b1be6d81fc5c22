"""What speaks against it that a name means a known entity that is called much like it.

The scorer of :mod:`pipeline.resolve.matching` sums up what two names share, and much that is
shared can outweigh the one word that is not. These few rules are asked after it, of names that are
none of the entity's own: where one of them holds, nobody is meant rather than the wrong one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import product
from typing import Final

from pipeline import languages
from pipeline.knowledge.entry import Entry
from pipeline.languages.shared import initials
from pipeline.languages.vi import are_marked_otherwise
from pipeline.resolve import generic
from pipeline.resolve.forms import Form, is_read, looks_like_acronym
from pipeline.resolve.matching import Difference
from pipeline.resolve.similarity import NUMBERS, SAME_WORD, word_similarity
from pipeline.schemas import UNDETERMINED
from pipeline.scripts import LATIN

_UNLIKE: Final = 0.6
"""Similarity below which a word of a person's name is no other spelling of another word.

Of the respelled persons of the names file it parts 10 of 97 Turkish, 12 of 74 Romanian and 5 of 17
Vietnamese names from the English ones, most of them two persons or a nickname; Hindi ones are
romanised too roughly for it.
"""
_WHOLE: Final = 0.95
"""Similarity from which two names are one, words apart or together: Jinping, Jin-pyng."""
_SYLLABLE: Final = 0.87
"""Least similarity of two spellings of one Vietnamese syllable: *sĩ* and *sỹ*, not *hành*, *hồng*.
"""
_SAME: Final = 1.0
_UNLIKE_PERSON: Final = 0.8
"""Cost a letter from which a word on either side that is like none makes two persons.

Junichiro and Shinjiro Koizumi, रघबीर and रणवीर सिंह. With the names in a language hidden, of 37
persons linked by likeness it parts none from himself; at 0.7 one (रेसेप तईप ईरदोगन). This and
what follows is of names that ``benchmarks/hidden_alias.py --sample 60`` leaves out.
"""
_UNLIKE_WORDS: Final = 0.6
"""The same of a word of a place's or body's name; of 213 places it parts none from itself."""
_ONE_WORD: Final = 0.88
"""Similarity below which a place of one word is not another spelling of its name in that language.
"""
_LONGEST_SHORT_BODY: Final = 3
_SHORT_BODY_VI: Final = 2
_VILLAGES: Final = {"ro": "esti"}
_ROMANIAN: Final = frozenset({"RO", "MD"})
_TURKISH: Final = "tr"
_VIETNAMESE: Final = "vi"
_VIETNAM: Final = "VN"


def is_other(
    form: Form, entry: Entry, keys: Sequence[str], named: Collection[str], difference: Difference
) -> bool:
    """Say whether a name spelled like one of an entity's own must mean something else.

    ``keys`` are the comparison keys of the entity's names, ``named`` the ISO countries whose names,
    or large cities' names, the name holds, ``difference`` is that of it and the entity's names.
    """
    if _is_other_acronym(form, keys):
        return True
    if entry.label == "PER":
        unlike = difference.apart and difference.cost >= _UNLIKE_PERSON
        return unlike or _is_longer_name(form, difference) or _is_other_person(form, entry, keys)
    return (
        _has_word_alone(form, entry, difference)
        or _ends_as_at_home(form, entry)
        or _is_of_other_sort(form, entry)
        or _is_elsewhere(entry, named)
        or _is_called_otherwise(form, entry)
        or _is_spelled_otherwise(form, entry, keys)
    )


def _has_word_alone(form: Form, entry: Entry, difference: Difference) -> bool:
    """Say whether a word of the name is like none of the entity's: Texas Longhorns, Total Film.

    Words for what it names are left out, of long names of bodies too few of the words are known.
    Vietnamese syllables tell less: one of a body's two decides, and of a place's none.
    """
    words = len(form.words)
    if words < 2 or difference.cost < _UNLIKE_WORDS:
        return False
    if form.lang == _VIETNAMESE:
        return entry.label == "ORG" and words == _SHORT_BODY_VI
    if entry.label == "ORG" and words > _LONGEST_SHORT_BODY:
        return False
    own, _ = generic.proper(difference.alone)
    if entry.label == "LOC":  # a court of Kerala is not Kerala
        return bool(set(difference.alone) & set(own))
    fold = languages.get(form.lang).fold
    return any(not generic.is_generic(fold(word)) for word in own)


def _ends_as_at_home(form: Form, entry: Entry) -> bool:
    """Say whether a Romanian name ends as villages there do, and the entity lies elsewhere.

    *Averești* is spelled much like *Everest*.
    """
    ending = _VILLAGES.get(form.lang)
    if ending is None or entry.iso_country in _ROMANIAN or not form.key.endswith(ending):
        return False
    return not any(name.endswith(ending) for name in _names_in(form.lang, entry))


def _is_other_acronym(form: Form, keys: Iterable[str]) -> bool:
    """Say whether the name spells letters that are no name's initials: CBSE is no CBS."""
    letters = form.spelled_out.lower()
    return bool(letters) and not any(letters in (key, initials(key)) for key in keys)


def is_unread_acronym(form: Form, entry: Entry) -> bool:
    """Say whether a name of one word is like a body's acronyms of other languages alone.

    आईआईटी is no İİT, which is Turkish, and फिदा no FIDA, which is Romanian.
    """
    if " " in form.key or entry.label != "ORG":
        return False
    fold = languages.get(UNDETERMINED).fold
    ours = {key.text for key in form.keys}
    like = [
        looks_like_acronym(alias.text) and not is_read(alias.lang, form.lang)
        for alias in entry.aliases
        if any(word_similarity(key, fold(alias.text)) >= SAME_WORD for key in ours)
    ]
    return bool(like) and all(like)


def _is_longer_name(form: Form, difference: Difference) -> bool:
    """Say whether the name goes on where all the person's end: मनमोहन सिंह राय.

    What comes last tells families apart, and in Vietnamese the persons.
    """
    last = languages.get(form.lang).translated(form.name).split()[-1:]
    return (
        len(form.words) > 1
        and not difference.apart  # else the last word may be another spelling
        and difference.cost >= _UNLIKE_WORDS
        and difference.alone[-1:] == tuple(last)
    )


def _is_other_person(form: Form, entry: Entry, keys: Sequence[str]) -> bool:
    """Say whether both names have a word that is unlike all of the other: Ngọc Tư, Ngọc Tuấn.

    A Vietnamese in a Vietnamese text is written as he is called: another syllable is another word.
    """
    if _is_other_number(form, keys):
        return True
    if form.script != LATIN or len(form.words) < 2:
        return False
    is_at_home = form.lang == _VIETNAMESE and entry.iso_country == _VIETNAM
    if is_at_home and _is_marked_otherwise(form, entry):
        return True
    least = _SAME if is_at_home else _UNLIKE
    ours = [key.text for key in form.keys if not is_at_home or key.text in form.read]
    ours += languages.get(form.lang).transcriptions(form.name)
    return all(_are_two(one, other, least) for one in ours for other in keys)


def _is_marked_otherwise(form: Form, entry: Entry) -> bool:
    """Say whether all that the person is called with marks has others: Nguyễn Xuân Sơn and Son."""
    marked = [alias.text for alias in entry.aliases if not alias.text.isascii()]
    return bool(marked) and all(are_marked_otherwise(form.name, text) for text in marked)


def _is_other_number(form: Form, keys: Iterable[str]) -> bool:
    """Say whether both are numbered as rulers are, and not alike: Carlos I, Charles III.

    Turkish has the number in front (*III. Elizabeth*), where elsewhere it may be a name (Vi, Xi).
    """
    ours = NUMBERS.intersection(form.words if form.lang == _TURKISH else form.words[1:])
    theirs = {word for key in keys for word in key.split()[1:] if word in NUMBERS}
    return bool(ours) and bool(theirs) and ours.isdisjoint(theirs)


def _are_two(one: str, other: str, least: float) -> bool:
    """Say whether each of two keys has a word unlike all of the other, wherever they part words."""
    if word_similarity(one.replace(" ", ""), other.replace(" ", "")) >= max(least, _WHOLE):
        return False
    # What both have counts once: Ahmed al-Ahmed, Ahmed al-Sharaa.
    words, others = Counter(one.split()), Counter(other.split())
    ours, theirs = [*(words - others)], [*(others - words)]
    return _has_more(ours, theirs, least) and _has_more(theirs, ours, least)


def _has_more(words: Iterable[str], others: Sequence[str], least: float) -> bool:
    return any(all(word_similarity(word, other) < least for other in others) for word in words)


def _is_of_other_sort(form: Form, entry: Entry) -> bool:
    """Say whether both names say what they name, and not the same: a valley and a residence."""
    ours = generic.sorts(form.key, form.lang)
    if not ours:
        return False
    theirs = {
        sort
        for alias in entry.aliases
        if alias.lang != UNDETERMINED
        for sort in generic.sorts(languages.get(alias.lang).fold(alias.text), alias.lang)
    }
    return bool(theirs) and ours.isdisjoint(theirs)


def _is_elsewhere(entry: Entry, named: Collection[str]) -> bool:
    """Say whether the name says a country that is not the body's: the Fiji Labour Party.

    Or a large city there.
    """
    if entry.label != "ORG" or entry.iso_country is None:
        return False
    return bool(named) and entry.iso_country not in named


def _is_called_otherwise(form: Form, entry: Entry) -> bool:
    """Say whether a Vietnamese text names a place that has a Vietnamese name by none like it.

    Every syllable is a word, and a few letters make another place: *Tả Van* is spelled like
    *Taiwan*, which is *Đài Loan*.
    """
    if form.lang != _VIETNAMESE or entry.label != "LOC":
        return False
    theirs = [name.split() for name in _names_in(form.lang, entry)]
    ours = [key.split() for key in form.read]
    return bool(theirs) and not any(_holds(one, other) for one in ours for other in theirs)


def _is_spelled_otherwise(form: Form, entry: Entry, keys: Iterable[str]) -> bool:
    """Say whether a place that has a name in the text's language is not called as the text says.

    No word is spelled like one of the place's, and meaning alone speaks for it (सिंधुदुर्ग, the Indus);
    or both are one word in Latin letters that are not spelled alike: *Sinaia* is not *Sinai*.
    """
    theirs = _names_in(form.lang, entry)
    if entry.label != "LOC" or not theirs:
        return False
    ours = [key.text for key in form.keys]
    of_one_word = [key for key in theirs if " " not in key]
    if form.script == LATIN and of_one_word and not any(" " in key for key in ours):
        return all(word_similarity(*pair) < _ONE_WORD for pair in product(ours, of_one_word))
    words = {word for key in keys for word in key.split()} | {key.replace(" ", "") for key in keys}
    parts = {word for key in ours for word in key.split()} | {key.replace(" ", "") for key in ours}
    return all(word_similarity(*pair) < SAME_WORD for pair in product(parts, words))


def _names_in(lang: str, entry: Entry) -> list[str]:
    """Return the comparison keys of what the entity is called in a language."""
    fold = languages.get(lang).fold
    return [fold(alias.text) for alias in entry.aliases if alias.lang == lang]


def _holds(words: Sequence[str], others: Sequence[str]) -> bool:
    """Say whether the longer name holds the shorter one, word for word but for the spelling."""
    if "".join(words) == "".join(others):
        return True
    short, long = sorted((words, others), key=len)
    return any(
        all(word_similarity(*pair) >= _SYLLABLE for pair in zip(short, long[first:], strict=False))
        for first in range(len(long) - len(short) + 1)
    )
