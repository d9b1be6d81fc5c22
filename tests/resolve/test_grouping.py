"""Groups of unknown names across documents."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.resolve import grouping
from pipeline.resolve.grouping import (
    Bearer,
    Signature,
    alike,
    block,
    group,
    likeness_across,
    shortened,
    writing,
)


def grouped(*signatures: Signature) -> set[frozenset[Signature]]:
    """Return the groups where nothing is registered."""
    return {members for members, _ in group(signatures, {}, {}, {}).values()}


A = Signature("PER", ("ilo makara",))
B = Signature("PER", ("ilo macara", "ilo makara"))
C = Signature("PER", ("yilo makara",))


def test_full_names_join_by_any_key() -> None:
    assert grouped(A, B) == {frozenset({A, B})}


def test_full_names_join_when_every_word_is_alike() -> None:
    assert alike("sadyr japarov", "sadir caparov")
    assert not alike("sadyr japarov", "sanjar japarov")
    assert not alike("japarov", "caparov")
    assert not alike("justice ministry@RU", "justice ministry@TR")
    assert block("sadyr japarov") == block("sadir caparov")


def test_single_words_join_by_their_likeliest_key_and_label_alone() -> None:
    can, jan = Signature("PER", ("can", "jan")), Signature("PER", ("jan",))
    place, body = Signature("LOC", ("sputnik",)), Signature("ORG", ("sputnik",))
    assert len(grouped(can, jan, place, body)) == 4
    assert len(grouped(can, Signature("PER", ("can", "kan")))) == 1


def test_a_person_is_no_place_though_the_key_is_the_same() -> None:
    person, place, body = (Signature(label, ("anton makara",)) for label in ("PER", "LOC", "ORG"))
    assert grouped(person, place, body) == {frozenset({person}), frozenset({place, body})}


def test_two_registered_entities_never_become_one() -> None:
    left, right = Signature("PER", ("ilo makara",)), Signature("PER", ("ilo macara",))
    middle = Signature("PER", ("ilo makara", "ilo macara"))
    registered = {"ilo makara": [("e1", "PER")], "ilo macara": [("e2", "PER")]}
    found = group([left, middle, right], {}, registered, {})
    assert found[left][1] == "e1"
    assert found[right][1] == "e2"
    assert found[middle][1] in {"e1", "e2"}


def test_a_name_like_a_registered_one_is_that_entity() -> None:
    bearer = Bearer("sadyr japarov", "e7", "PER", "Latn", frozenset({"Latn"}))
    near = {block("sadyr japarov"): [bearer]}
    assert group([Signature("PER", ("sadir caparov",))], {}, {}, near) == {
        Signature("PER", ("sadir caparov",)): (
            frozenset({Signature("PER", ("sadir caparov",))}),
            "e7",
        )
    }


NAMES = st.sampled_from(
    [
        "ilo makara",
        "ilo macara",
        "yilo makara",
        "anton varga",
        "varga",
        "anton warga",
        "ilo",
        "makara",
    ]
)
SIGNATURES = st.builds(
    Signature,
    st.sampled_from(["PER", "LOC", "ORG"]),
    st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple),
)


@settings(deadline=None, derandomize=True)
@given(st.lists(SIGNATURES, max_size=12, unique=True), st.randoms())
def test_order_does_not_matter(signatures: list[Signature], random: object) -> None:
    shuffled = list(signatures)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    registered = {"ilo makara": [("e1", "PER")], "anton varga": [("e2", "PER"), ("e3", "LOC")]}
    assert group(signatures, {}, registered, {}) == group(shuffled, {}, registered, {})


@settings(deadline=None, derandomize=True)
@given(st.lists(SIGNATURES, max_size=12, unique=True))
def test_an_unrelated_name_changes_nothing(signatures: list[Signature]) -> None:
    other = Signature("PER", ("zzyx qqorl",))
    before = group(signatures, {}, {}, {})
    after = group([*signatures, other], {}, {}, {})
    assert {s: g for s, g in after.items() if s != other} == before


def person(name: str) -> Signature:
    return Signature("PER", (name,))


def test_a_name_with_a_word_more_is_the_same_person() -> None:
    for longer in ("miguel dias kanel bermudes", "jose miguel dias kanel", "miguel a dias kanel"):
        assert len(grouped(person("miguel dias kanel"), person(longer))) == 1
    assert len(grouped(person("elena laskoni"), person("elena valerika laskoni"))) == 1
    assert len(grouped(person("laskoni"), person("elena laskoni"))) == 2


def test_a_word_more_joins_nothing_where_two_have_it() -> None:
    names = ["amir khan", "amir khan mutaki", "amir khan sabri"]
    assert len(grouped(*map(person, names))) == 3


def test_a_father_is_not_his_son() -> None:
    assert len(grouped(person("robert kenedi"), person("robert kenedi jr"))) == 2
    assert (
        len(grouped(Signature("LOC", ("nova zagora",)), Signature("LOC", ("new nova zagora",))))
        == 2
    )


def test_a_registered_name_with_a_word_more_is_found_again() -> None:
    short, long = person("elena laskoni"), person("elena valerika laskoni")
    assert group([short], {}, {shortened("elena laskoni"): [("e1", "PER")]}, {})[short][1] == "e1"
    assert group([long], {}, {"elena laskoni": [("e1", "PER")]}, {})[long][1] == "e1"
    two = {shortened("elena laskoni"): [("e1", "PER"), ("e2", "PER")]}
    assert group([short], {}, two, {})[short][1] is None


def test_languages_that_respell_names_are_a_writing_of_their_own() -> None:
    assert writing("Aleksandr Șohin", "ro") == "Latn-ro"
    assert writing("Alexander Shokhin", "en") == writing("Alexander Shokhin", "vi") == "Latn"
    assert writing("शोखिन", "tr") == "Deva"
    english = Signature("PER", ("yevgeny balitsky",), "Latn")
    romanian = Signature("PER", ("evgheni balitski",), "Latn-ro")
    assert len(grouped(english, romanian)) == 1
    assert len(grouped(english, Signature("PER", romanian.keys, "Latn"))) == 2


WORDS = st.sampled_from(
    ["e", "jo", "joe", "sadyr", "sadir", "japarov", "caparov", "japarova", "mswati", "masvati",
     "iii", "ii", "x1", "dzhaparov", "makara", "macara", "varga", "warga", "zhu", "ju"]
)  # fmt: skip
KEYS = st.tuples(st.lists(WORDS, min_size=2, max_size=3), st.sampled_from(["", "@TR"])).map(
    lambda parts: " ".join(parts[0]) + parts[1]
)
WRITTEN = st.builds(grouping._Written, KEYS, st.sampled_from(["Latn", "Latn-tr", "Deva"]))


@settings(deadline=None, derandomize=True)
@given(st.lists(WRITTEN, min_size=11, max_size=15), st.lists(WRITTEN, min_size=11, max_size=15))
def test_a_look_at_the_words_leaves_out_no_pair(
    ours: list[grouping._Written], theirs: list[grouping._Written]
) -> None:
    assert len(ours) * len(theirs) > grouping._FEW
    left = set(grouping._may_be_one(ours, theirs))
    for (i, one), (j, other) in product(enumerate(ours), enumerate(theirs)):
        if alike(one.key, other.key) or likeness_across(
            one.key, other.key, one.writing, other.writing
        ):
            assert (i, j) in left


def test_names_of_one_block_that_share_a_word_are_not_compared_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = random.Random(1)
    surnames = {"".join(draw.choices("aeiou", k=6)) + "mrt" for _ in range(300)}
    names = [person(f"anton {surname}") for surname in surnames]
    assert len({block(name.keys[0]) for name in names}) < len(names) / 10
    compared = []
    monkeypatch.setattr(grouping, "alike", lambda a, b: compared.append((a, b)))
    group(names, {}, {}, {})
    assert len(compared) < 5 * len(names)
