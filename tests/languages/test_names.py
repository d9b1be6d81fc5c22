"""Thousands of names of places and persons in both languages: how many share a key with English.

The floors are a little below what was reached when they were set; a change of rules that loses
names falls below them.
"""

from __future__ import annotations

import csv
import lzma
from collections import defaultdict

import pytest

from pipeline import languages
from tests.languages.conftest import NAMES, PLACES

PERSONS = NAMES / "persons_5lang.tsv.xz"
FLOORS = {
    ("places", "hi"): (1200, 0.65),
    ("places", "tr"): (1600, 0.64),
    ("places", "ro"): (2400, 0.71),
    ("places", "vi"): (1000, 0.47),
    ("persons", "hi"): (500, 0.81),
    ("persons", "tr"): (4500, 0.98),
    ("persons", "ro"): (900, 0.935),
    ("persons", "vi"): (300, 0.94),
}
"""By kind and language: fewest names, and least share of them that shares a key."""

pytestmark = pytest.mark.skipif(not PLACES.exists(), reason="needs ../shared/names")


def pairs(kind: str, code: str) -> list[tuple[str, str]]:
    """Return English names and those in the language, what stands in brackets left out."""
    path = PLACES if kind == "places" else PERSONS
    lines = lzma.decompress(path.read_bytes()).decode("utf-8").splitlines()
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return [(row["en"], row[code].split(" (")[0]) for row in rows if row["en"] and row[code]]


@pytest.mark.parametrize(("kind", "code"), FLOORS)
def test_names_share_a_key_with_their_english_form(kind: str, code: str) -> None:
    least, floor = FLOORS[kind, code]
    english, language = languages.get("en"), languages.get(code)
    names = pairs(kind, code)
    assert len(names) >= least
    met = sum(bool(set(english.keys(e)) & set(language.keys(n))) for e, n in names)
    assert met / len(names) >= floor


def test_different_places_rarely_share_the_first_two_keys() -> None:
    """Of the keys that count as a name itself, most belong to one English name alone."""
    english = languages.get("en")
    owners: dict[str, set[str]] = defaultdict(set)
    for name, _ in pairs("places", "ro"):
        for key in english.keys(name)[:2]:
            owners[key].add(english.fold(name))
    assert sum(len(names) == 1 for names in owners.values()) / len(owners) > 0.95
