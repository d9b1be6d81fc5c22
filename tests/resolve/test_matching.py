"""How alike a name and a known one are, and how likely they are one."""

from __future__ import annotations

import pytest

from pipeline.knowledge.index import Index
from pipeline.resolve import candidates, matching
from pipeline.resolve.candidates import Finder
from pipeline.resolve.forms import Form, read
from pipeline.resolve.matching import (
    FEATURES,
    Target,
    features,
    likelihoods,
    probabilities,
    spelled_by,
)

MEANINGS = {"tr": {"konsey": {"council": 1.0}, "ticare": {"trade": 1.0}}}


def compared(name: str, lang: str, target: Target, likeness: float = 0.0) -> dict[str, float]:
    """Return the features of a name beside one known entity; every word tells the same."""
    (found,) = features(
        read(name, lang),
        [target],
        lambda words: [1.0] * len(words),
        MEANINGS,
        lambda form, other: likeness,
    )
    return found


def place(*keys: str, kind: str = "") -> Target:
    return Target(keys, "LOC", 0.5, kind)


def test_every_label_has_a_weight_for_every_feature() -> None:
    weights = matching.trained()
    assert weights.keys() == {"PER", "LOC", "ORG"}
    for found in weights.values():
        assert found.direct.shape == (len(FEATURES),)
        assert found.hidden.shape == (len(FEATURES), len(found.bias))
        assert found.bias.shape == found.out.shape


def test_probabilities_leave_room_for_none() -> None:
    assert probabilities([0.0]) == [0.5]
    assert sum(probabilities([5.0, 4.0, -3.0])) < 1
    assert probabilities([]) == []
    assert probabilities([800.0, 0.0]) == pytest.approx([1.0, 0.0])


def test_words_in_another_order_are_still_covered() -> None:
    found = compared("Japarov Sadyr", "en", Target(("sadyr japarov",), "PER", 0.5, ""))
    assert found["covered"] == pytest.approx(1.0)
    assert found["covers"] == pytest.approx(1.0)
    assert found["letters"] > 0.3


def test_a_name_that_lacks_a_word_is_covered_and_does_not_cover() -> None:
    found = compared("Sadyr Japarov", "en", Target(("sadyr nurgojoevich japarov",), "PER", 0.5, ""))
    assert found["covered"] == pytest.approx(1.0)
    assert found["covers"] == pytest.approx(2 / 3, abs=0.05)
    assert found["last"] == pytest.approx(1.0)


def test_words_of_bodies_are_alike_by_meaning_and_those_of_persons_are_not() -> None:
    body = compared("Ticaret Konseyi", "tr", Target(("trade council",), "ORG", 0.5, ""))
    person = compared("Ticaret Konseyi", "tr", Target(("trade council",), "PER", 0.5, ""))
    assert body["covered"] == pytest.approx(1.0)
    assert person["covered"] < 0.5


@pytest.mark.parametrize(
    ("name", "target", "feature"),
    [
        ("Zorkhan ili", place("zorkhan province"), "kind_same"),
        ("Zorkhan ili", place("zorkhan", kind="region"), "kind_same"),
        ("Zorkhan ili", place("zorkhan"), "kind_lacking"),
        ("Zorkhan", place("zorkhan province"), "kind_more"),
        ("Zorkhan ili", place("zorkhan city"), "kind_other"),
    ],
)
def test_kinds_of_place(name: str, target: Target, feature: str) -> None:
    found = compared(name, "tr", target)
    kinds = {name: value for name, value in found.items() if name.startswith("kind_")}
    assert kinds == {name: float(name == feature) for name in kinds}


@pytest.mark.parametrize(
    ("name", "lang"),
    [
        ("लताविया", "hi"), ("टैक्सास", "hi"), ("एल्डर बाकिएव", "hi"),
        ("Bakiyev Eldar", "tr"), ("Teksas", "tr"), ("Kuzey Osetya", "tr"),
        ("Ticaret Konseyi", "tr"), ("Sadîr Japarov", "ro"), ("Delhi de Nord", "ro"),
        ("Moskova", "ro"), ("NATO", "ro"), ("University of Delhi", "en"), ("Zorkhan", "en"),
        ("Vladimir", "en"), ("Ma-xa-chu-xét", "vi"), ("Tổ chức Y tế Thế giới", "vi"),
    ],
)  # fmt: skip
def test_what_is_meant_is_what_all_features_of_all_entries_say(
    name: str, lang: str, shipped_index: Index
) -> None:
    finder = Finder(shipped_index)
    form = read(name, lang)
    targets = [finder.target(entry) for entry in finder.shortlist(form)]
    values = features(form, targets, finder.weights, finder.meanings, finder.likeness)
    likely = likelihoods([target.label for target in targets], values, matching.trained())
    expected = [(i, share) for i, share in enumerate(likely) if share >= matching.LEAST_PROBABILITY]
    (found,) = matching.meant([(form, targets)], finder.weights, finder.meanings, finder.likeness)
    assert [place for place, _ in found] == [place for place, _ in expected]
    assert [share for _, share in found] == pytest.approx([share for _, share in expected])


def test_names_matched_together_match_what_each_matches_alone(shipped_index: Index) -> None:
    names = [("Moskova", "ro"), ("Zorkhan", "en"), ("", "en"), ("टैक्सास", "hi"), ("NATO", "ro")]
    names += [("Ticaret Konseyi", "tr"), ("Delhi de Nord", "ro"), ("Sadîr Japarov", "ro")]
    forms = [read(*name) for name in names]
    together = Finder(shipped_index)
    together.match(forms)
    found = [together.matched(form) for form in forms]
    assert found == [Finder(shipped_index).matched(form) for form in forms]
    assert any(found)


def test_a_word_may_be_the_initials_of_many() -> None:
    keys = ["north atlantic treaty organisation"]
    assert spelled_by(read("नाटो", "hi"), keys)
    assert spelled_by(read("NATO", "ro"), keys)
    assert not spelled_by(read("NATA", "ro"), keys)
    assert not spelled_by(read("North Atlantic", "en"), keys)


@pytest.mark.parametrize(
    ("name", "lang"),
    [
        ("Đảo Tannerby", "vi"),
        ("टैनर्बी द्वीप", "hi"),
        ("Tannerby bölgesi", "tr"),
        ("Tannerby Gap", "en"),
    ],
)
def test_sharing_the_word_for_its_kind_makes_no_place_a_well_known_one(
    name: str, lang: str, shipped_index: Index
) -> None:
    assert Finder(shipped_index).matched(read(name, lang)) == ()


@pytest.mark.parametrize(
    ("name", "lang", "known"),
    [
        ("लताविया", "hi", "Latvia"),
        ("टैक्सास", "hi", "Texas"),
        ("रेचेप तैयप एर्दोआन", "hi", "Recep Tayyip Erdoğan"),
        ("Recep Taip Erdogan", "ro", "Recep Tayyip Erdoğan"),
        ("Kasâm Jomart Tokaiev", "ro", "Kassym-Jomart Tokayev"),
    ],
)
def test_a_spelling_that_nobody_wrote_down_still_finds_its_bearer(
    name: str, lang: str, known: str, shipped_index: Index
) -> None:
    finder = Finder(shipped_index)
    assert not finder.exact(read(name, lang))
    (found,) = finder.matched(read(name, lang))
    assert finder.known(found.entry).name == known


@pytest.mark.parametrize(
    ("name", "lang"),
    [
        ("Sanjar Zelensky", "en"),
        ("रेचेप एर्दोगलू", "hi"),
        ("Vladimir Putinescu", "ro"),
        ("Tayyip Erdoğmuş", "tr"),
    ],
)
def test_sharing_a_word_with_a_famous_person_makes_nobody_famous(
    name: str, lang: str, shipped_index: Index
) -> None:
    assert Finder(shipped_index).matched(read(name, lang)) == ()


@pytest.mark.parametrize(
    ("name", "lang", "spelled"),
    [("SKAK", "en", True), ("Shkak", "en", False), ("स्काक", "hi", True), ("श्काक", "hi", False)],
)
def test_initials_are_to_the_letter_and_sh_is_no_s(name: str, lang: str, spelled: bool) -> None:
    assert matching.spelled_by(read(name, lang), ["south kelo alliance of kirns"]) is spelled


def test_what_was_matched_is_remembered_while_it_is_asked_for(
    small_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "_MATCHED_CACHED", 4)
    finder, often = Finder(small_index), read("Petru Vargas", "en")
    first = finder.matched(often)
    asked: list[Form] = []

    def near(form: Form) -> list[int]:
        asked.append(form)
        return []

    monkeypatch.setattr(finder, "near", near)
    for number in range(40):
        finder.matched(read(f"Name Nobody{'x' * number}", "en"))
        assert finder.matched(often) == first
    assert often not in asked
    assert len(finder._matched) + len(finder._matched_before) <= 8
