"""What speaks against it that a name means a known entity that is called much like it.

The scorer of :mod:`pipeline.resolve.matching` sums up what two names share, and much that is
shared can outweigh the one word that is not. These few rules are asked after it, of names that are
none of the entity's own: where one of them holds, nobody is meant rather than the wrong one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from pipeline import languages
from pipeline.knowledge.entry import Entry
from pipeline.resolve import generic
from pipeline.resolve.forms import Form
from pipeline.resolve.similarity import word_similarity
from pipeline.schemas import UNDETERMINED

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
_LATIN: Final = "Latn"
_VIETNAMESE: Final = "vi"
_VIETNAM: Final = "VN"


def is_other(form: Form, entry: Entry, keys: Sequence[str], named: Collection[str]) -> bool:
    """Say whether a name spelled like one of an entity's own must mean something else.

    ``keys`` are the comparison keys of the entity's names, ``named`` the ISO countries that the
    words of the name say.
    """
    if entry.label == "PER":
        return _is_other_person(form, entry, keys)
    return (
        _is_of_other_sort(form, entry)
        or _is_elsewhere(entry, named)
        or _is_called_otherwise(form, entry)
    )


def _is_other_person(form: Form, entry: Entry, keys: Sequence[str]) -> bool:
    """Say whether both names have a word that is unlike all of the other: Ngọc Tư, Ngọc Tuấn.

    A Vietnamese in a Vietnamese text is written as he is called: another syllable is another word.
    """
    if form.script != _LATIN or len(form.words) < 2:
        return False
    is_at_home = form.lang == _VIETNAMESE and entry.iso_country == _VIETNAM
    least = _SAME if is_at_home else _UNLIKE
    ours = [key.text for key in form.keys if not is_at_home or key.text in form.read]
    ours += languages.get(form.lang).transcriptions(form.name)
    return all(_are_two(one, other, least) for one in ours for other in keys)


def _are_two(one: str, other: str, least: float) -> bool:
    """Say whether each of two keys has a word unlike all of the other, wherever they part words."""
    if word_similarity(one.replace(" ", ""), other.replace(" ", "")) >= max(least, _WHOLE):
        return False
    words, others = one.split(), other.split()
    return _has_more(words, others, least) and _has_more(others, words, least)


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
    """Say whether the name says a country that is not the body's: the Fiji Labour Party."""
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
    fold = languages.get(_VIETNAMESE).fold
    theirs = [fold(alias.text).split() for alias in entry.aliases if alias.lang == _VIETNAMESE]
    ours = [key.split() for key in form.read]
    return bool(theirs) and not any(_holds(one, other) for one in ours for other in theirs)


def _holds(words: Sequence[str], others: Sequence[str]) -> bool:
    """Say whether the longer name holds the shorter one, word for word but for the spelling."""
    if "".join(words) == "".join(others):
        return True
    short, long = sorted((words, others), key=len)
    return any(
        all(word_similarity(*pair) >= _SYLLABLE for pair in zip(short, long[first:], strict=False))
        for first in range(len(long) - len(short) + 1)
    )
