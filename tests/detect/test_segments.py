"""Segments cover a text, break where language or kind does, and nowhere else."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.detect.segments import Segment, segments_of
from tests.detect.conftest import Page

HINDI = "नगर परिषद ने शुक्रवार को नदी के किनारे दो हजार पेड़ लगाने का फैसला किया है।"
ENGLISH = "The council decided on Friday to plant two thousand trees along the river."
ROMANIAN = "Consiliul a hotărât vineri să planteze două mii de copaci de-a lungul râului."
HINDI_TOO = "अधिकारियों के अनुसार यह काम अगले महीने शुरू होगा और सर्दियों से पहले पूरा हो जाएगा।"
ROMANIAN_TOO = "Lucrările vor începe luna viitoare și se vor încheia înainte de venirea iernii."
ROMANIAN_THREE = "Locuitorii orașului pot alege singuri ce fel de pomi vor crește pe strada lor."
ENGLISH_TOO = "Work will begin next month and should be finished before the winter comes."
RUSSIAN = "Городской совет решил в пятницу посадить вдоль реки две тысячи деревьев."


def languages(text: str, hint: str | None = None) -> list[str]:
    return [segment.verdict.lang for segment in segments_of(text, hint)]


def assert_covers(text: str, segments: list[Segment]) -> None:
    place = 0
    for segment in segments:
        assert not text[place : segment.start].strip()
        part = text[segment.start : segment.end]
        assert part
        assert part == part.strip()
        place = segment.end
    assert not text[place:].strip()


def test_pages_come_out_in_their_languages(page: Page) -> None:
    segments = segments_of(page.text)
    assert_covers(page.text, segments)
    for row in page.rows:
        (segment,) = (s for s in segments if s.start <= row.start and row.end <= s.end)
        assert (segment.verdict.lang, segment.kind) == (row.lang, row.kind)


def test_neighbouring_segments_differ(page: Page) -> None:
    segments = segments_of(page.text)
    for one, next_ in pairwise(segments):
        assert (one.kind, one.verdict.lang) != (next_.kind, next_.verdict.lang)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from([HINDI, ENGLISH, ROMANIAN, RUSSIAN, "Read more", "Photo: AFP", "\n"]),
            st.text(max_size=30),
        ),
        max_size=8,
    ).map("\n".join)
)
def test_any_text_is_covered(text: str) -> None:
    assert_covers(text, segments_of(text))


def test_a_wide_space_before_a_full_stop_does_no_harm() -> None:
    text = f"{ENGLISH} They left the U.S\u00a0. {ENGLISH_TOO}"
    assert_covers(text, segments_of(text))


def test_a_few_foreign_words_stay_with_their_host() -> None:
    with_names = "विश्व स्वास्थ्य संगठन (WHO) और World Bank के अनुसार।"
    assert languages(f"{HINDI}\n{with_names}\nUnited Nations\n{HINDI_TOO}") == ["hi"]
    assert languages(f"{ENGLISH}\nТекст\n{ENGLISH_TOO}") == ["en"]


def test_a_foreign_line_has_a_segment_of_its_own() -> None:
    assert languages(f"{HINDI}\n{ENGLISH}\n{HINDI_TOO}") == ["hi", "en", "hi"]
    assert languages(f"{ROMANIAN}\n{ENGLISH}\n{ROMANIAN_TOO}") == ["ro", "en", "ro"]
    assert languages(f"{ENGLISH}\n{RUSSIAN}\n{ENGLISH_TOO}") == ["en", "und", "en"]


def test_a_line_is_cut_at_sentence_ends_where_the_language_changes() -> None:
    text = f"{HINDI} {HINDI_TOO} {ENGLISH} {HINDI}"
    segments = segments_of(text)
    assert [segment.verdict.lang for segment in segments] == ["hi", "en", "hi"]
    assert text[segments[1].start : segments[1].end] == ENGLISH


def test_headings_inherit() -> None:
    lines = [ROMANIAN, "Maria Silva", ROMANIAN_TOO, "Berlin, Paris, Roma", ROMANIAN_THREE]
    assert languages("\n".join(lines)) == ["ro"]


def test_a_credit_inherits_its_language() -> None:
    text = f"Un titlu simplu\n{ROMANIAN}\nFOTO: Getty Images\n{ROMANIAN_TOO}"
    assert languages(text) == ["ro", "ro", "ro"]


def test_a_hint_helps_only_where_nothing_else_does() -> None:
    assert languages("Rabat", "tr") == ["tr"]
    assert languages(ENGLISH, "tr") == ["en"]


def test_no_segments_without_text() -> None:
    assert segments_of(" \n ") == []
