"""Groups of unknown names across documents."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.resolve.grouping import (
    Bearer,
    Signature,
    alike,
    block,
    group,
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
