"""Clusters of one document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.resolve.forms import Form, read
from pipeline.resolve.indocument import Named, cluster, initials_of, letters_match, part_rank


def nothing_known(_: Form) -> frozenset[int]:
    """Stand for a knowledge base that holds nothing."""
    return frozenset()


def clusters(
    mark: Callable[..., Any],
    lang: str,
    markup: str,
    known: Callable[[Form], frozenset[int]] = nothing_known,
) -> list[list[str]]:
    """Return the surfaces of each cluster of one marked document."""
    marked = mark({"d": (lang, markup)})
    text = marked.documents["text"][0].as_py()
    named = [
        Named(m["start"], m["end"], m["ner_label"], read(m["surface"], m["lang"]))
        for m in marked.mentions.to_pylist()
    ]
    return [[named[i].form.surface for i in c.members] for c in cluster(named, text, known)]


def test_a_surname_joins_its_full_name_in_any_script(mark: Any) -> None:
    markup = "[[पेत्रु वर्गा|PER]] आए। [[Petru Varga|PER]] spoke. [[वर्गा|PER]] और [[Varga|PER]]."
    assert clusters(mark, "hi", markup) == [["पेत्रु वर्गा", "Petru Varga", "वर्गा", "Varga"]]


def test_two_of_one_surname_share_it_by_what_was_said_last(mark: Any) -> None:
    markup = (
        "[[Bolat|PER]] is a name. [[Amina Bolat|PER]] sang. [[Bolat|PER]] won. "
        "[[Juna Bolat|PER]] lost. [[Bolat|PER]] wept."
    )
    assert clusters(mark, "en", markup) == [
        ["Bolat"],
        ["Amina Bolat", "Bolat"],
        ["Juna Bolat", "Bolat"],
    ]


def test_a_city_is_no_surname(mark: Any) -> None:
    markup = "[[Ada Lincoln|PER]] left [[Lincoln|LOC]]. [[Lincoln|PER]] is gone."
    assert clusters(mark, "en", markup, known=lambda form: frozenset({1})) == [
        ["Ada Lincoln", "Lincoln"],
        ["Lincoln"],
    ]


def test_a_woman_of_the_family_is_another_person(mark: Any) -> None:
    markup = "[[Aman Japarov|PER]] and [[Aigul Japarova|PER]]. [[Japarova|PER]] spoke."
    assert clusters(mark, "en", markup) == [["Aman Japarov"], ["Aigul Japarova", "Japarova"]]


def test_an_acronym_joins_by_its_letters_before_and_behind(mark: Any) -> None:
    markup = (
        "The [[Northern Trade Pact|ORG]] ([[NTP|ORG]]) met; [[SBF|ORG]] "
        "([[Southern Boat Federation|ORG]]) did not. [[NTP|ORG]] and [[SBF|ORG]] agree."
    )
    assert clusters(mark, "en", markup) == [
        ["Northern Trade Pact", "NTP", "NTP"],
        ["SBF", "Southern Boat Federation", "SBF"],
    ]


def test_a_translated_acronym_joins_by_standing_in_brackets(mark: Any) -> None:
    markup = "[[उत्तरी व्यापार संधि संगठन|ORG]] ([[NTPO|ORG]]) की बैठक। [[NTPO|ORG]] चुप है।"
    assert clusters(mark, "hi", markup) == [["उत्तरी व्यापार संधि संगठन", "NTPO", "NTPO"]]


def test_an_acronym_explained_but_not_marked_there_still_joins(mark: Any) -> None:
    markup = "The [[Northern Trade Pact|ORG]] (NTP) met. [[NTP|ORG]] agreed."
    assert clusters(mark, "en", markup) == [["Northern Trade Pact", "NTP"]]


def test_an_agency_behind_a_city_is_no_acronym(mark: Any) -> None:
    markup = "[[New Delhi|LOC]] ([[PTI|ORG]]) - It rained."
    assert clusters(mark, "en", markup) == [["New Delhi"], ["PTI"]]


def test_knowledge_forbids_what_letters_allow(mark: Any) -> None:
    def known(form: Form) -> frozenset[int]:
        return frozenset({len(form.words)})

    markup = "The [[Northern Trade Pact|ORG]] met. [[NTP|ORG]] agreed."
    assert clusters(mark, "en", markup, known) == [["Northern Trade Pact"], ["NTP"]]
    assert clusters(mark, "en", markup) == [["Northern Trade Pact", "NTP"]]


def test_a_generic_part_does_not_join(mark: Any) -> None:
    markup = "The [[European Parliament|ORG]] voted. [[Parliament|ORG]] in Chisinau did not."
    assert clusters(mark, "en", markup) == [["European Parliament"], ["Parliament"]]


def test_every_mention_is_in_one_cluster(mark: Any) -> None:
    markup = "[[A B|PER]] [[B|PER]] [[C|LOC]] [[C D|LOC]] [[D|LOC]] [[E F|ORG]] [[EF|ORG]]"
    found = clusters(mark, "en", markup)
    assert sorted(s for c in found for s in c) == sorted(["A B", "B", "C", "C D", "D", "E F", "EF"])


def test_the_last_word_is_the_likeliest_part() -> None:
    whole = read("Recep Tayyip Erdoğan", "tr")
    ranks = [part_rank(read(p, "tr"), whole) for p in ("Erdoğan", "Tayyip", "Recep", "Ali")]
    assert ranks == [0, 1, 2, None]
    assert part_rank(read("R. Erdoğan", "tr"), whole) == 0


def test_letters_match_as_schwartz_and_hearst_have_it() -> None:
    assert letters_match("csto", "collective security treaty organization")
    assert letters_match("hmm", "hidden markov model")
    assert not letters_match("pti", "new delhi")
    assert not letters_match("kgb", "central bank")


def test_initials() -> None:
    assert initials_of("Human Rights Watch") == {"HRW"}
    assert initials_of("Organization for Security in Europe") == {"OFSIE", "OSE"}
    assert initials_of("Reuters") == frozenset()
