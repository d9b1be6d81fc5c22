"""Names put in place of others of the same label, so that a model learns contexts, not lists.

Dai and Adel 2020, "An Analysis of Simple Data Augmentation for Named Entity Recognition",
mention replacement; here the names come from the knowledge base, in the language's own spelling.
"""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from pipeline.recognise.decode import tag_runs
from pipeline.recognise.words import split_words
from pipeline.training.augment import TaggedWords

KNOWLEDGE_DIR: Final = Path("models/knowledge")
"""Where the names lie, relative to the repository root."""

SWAP_SHARE: Final = {"PER": 0.10, "LOC": 0.08, "ORG": 0.25}
"""How many names of a label are replaced: most of those whose label has the fewest examples."""

_FULL_NAME_SHARE: Final = 0.7
_APOSTROPHES: Final = frozenset("'’‘")
_VOWEL: Final = re.compile(r"[aeıioöuüâîû]")
_ROMANIAN_GENITIVE: Final = (("ul", "ului"), ("ția", "ției"), ("ia", "iei"), ("ea", "ii"))
_ROMANIAN_GENITIVE_ENDING: Final = re.compile(r"(ului|iei|ei|ii)$")


@cache
def names_of(lang: str, folder: Path = KNOWLEDGE_DIR) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Return by label the names of the knowledge base in ``lang``, each split into words.

    A name stands once for every file that holds it, so that well-known ones are likelier. Where
    Romanian and Turkish have no form of a person's own, the English one serves, as in their news.
    """
    names: dict[str, list[tuple[str, ...]]] = {"PER": [], "LOC": [], "ORG": []}
    for path in sorted(folder.glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                cell = row[lang]
                if not cell and row["label"] == "PER" and lang in ("ro", "tr", "vi"):
                    cell = row["en"]
                names[row["label"]] += [
                    tuple(form[start:end] for start, end in split_words(form))
                    for form in cell.split("|")
                    if form
                ]
    return {label: tuple(found) for label, found in names.items()}


def swap_names(
    sentence: TaggedWords,
    lang: str,
    names: Mapping[str, Sequence[Sequence[str]]],
    rng: random.Random,
    share: Mapping[str, float] = SWAP_SHARE,
) -> TaggedWords:
    """Return the sentence with a ``share`` of its names replaced by others of the same label.

    A Turkish name before an apostrophe gives way only to one that takes the same ending (vowel
    harmony, and a vowel at the end or none); a Romanian name in the genitive to one whose first
    word is put in the genitive where it has an article.
    """
    words, tags = sentence
    new_words: list[str] = []
    new_tags: list[str] = []
    end = 0
    for start, stop, label in tag_runs(tags):
        new_words += words[end:start]
        new_tags += tags[end:start]
        end = stop
        name: Sequence[str] = words[start:stop]
        if names.get(label) and rng.random() < share[label]:
            name = _replacement(words, start, stop, label, lang, names[label], rng)
        new_words += name
        new_tags += [f"B-{label}"] + [f"I-{label}"] * (len(name) - 1)
    return new_words + words[end:], new_tags + list(tags[end:])


def _replacement(
    words: Sequence[str],
    start: int,
    stop: int,
    label: str,
    lang: str,
    names: Sequence[Sequence[str]],
    rng: random.Random,
) -> Sequence[str]:
    name = list(rng.choice(names))
    if label == "PER" and (stop - start == 1 or rng.random() > _FULL_NAME_SHARE):
        # Vietnamese persons are called by the whole name or its last word; others by the last.
        name = name[-1:]
    if lang == "tr" and stop < len(words) and words[stop] in _APOSTROPHES:
        return name if _takes_same_ending(words[stop - 1], name[-1]) else words[start:stop]
    if lang == "ro" and label != "PER" and _ROMANIAN_GENITIVE_ENDING.search(words[start]):
        name[0] = _romanian_genitive(name[0])
    return name


def _takes_same_ending(one: str, other: str) -> bool:
    return _ending_class(one) == _ending_class(other)


def _ending_class(word: str) -> tuple[str, bool]:
    lower = word.replace("İ", "i").replace("I", "ı").lower()
    vowels = _VOWEL.findall(lower)
    return (vowels[-1] if vowels else "", lower[-1:] in "aeıioöuüâîû")


def _romanian_genitive(word: str) -> str:
    for nominative, genitive in _ROMANIAN_GENITIVE:
        if word.endswith(nominative):
            return word.removesuffix(nominative) + genitive
    return word
