from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.recognise.sentences import split_sentences
from pipeline.schemas import LANGUAGES, UNDETERMINED


def sentences(text: str, lang: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text, lang)]


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        ("hi", ["मंत्री ने कहा।", "वह दिल्ली में थे।", "बैठक 5 मई को हुई.", "फिर वह गए."]),
        ("hi", ["डॉ. सिंह आए।", "ए.पी.जे. अब्दुल कलाम भी।"]),
        ("ro", ["La ora 14.30, dl. Ionescu a plecat.", "S-a întors târziu."]),
        ("ro", ["Conform art. 5 alin. 2 din lege, da.", "Nu știm."]),
        ("tr", ["Prof. Dr. Yılmaz 3. kez geldi.", "Yarın gidecek."]),
        ("tr", ["19. yüzyılda II. Mahmut vardı.", "T.C. Dışişleri Bakanlığı açıkladı."]),
        ("en", ["Mr. Smith met the U.S. Senate at 5 p.m. on Friday.", "It voted."]),
        ("en", ["J. K. Rowling works for Acme Inc. too.", "She left."]),
        ("vi", ["TP. Hồ Chí Minh có PGS.TS. Nguyễn Văn An.", "Ông nói rất ít."]),
        ("und", ["यो नेपाल हो।", "Good."]),
    ],
)
def test_examples(lang: str, expected: list[str]) -> None:
    assert sentences(" ".join(expected), lang) == expected


@pytest.mark.parametrize("space", ["\u00a0", "\u2009", "\u3000", "\u00a0 ", " \u202f"])
@pytest.mark.parametrize("lang", [*LANGUAGES, UNDETERMINED])
def test_a_wide_space_before_a_full_stop_does_no_harm(lang: str, space: str) -> None:
    text = f"Moldova left the U.S{space}. Then Maia S{space}. spoke"
    assert "".join("".join(sentences(text, lang)).split()) == "".join(text.split())


@pytest.mark.parametrize("lang", [*LANGUAGES, UNDETERMINED])
@pytest.mark.parametrize("mark", ["\u0301", "\u0323", "\u094d"])
def test_a_mark_stays_with_the_full_stop_that_it_stands_on(lang: str, mark: str) -> None:
    for text in (f".{mark}", f"Maia left.{mark}", f"वह गई।{mark}"):
        assert sentences(text, lang) == [text]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\n\n", "\u2028"])
def test_a_line_break_always_ends_a_sentence(line_break: str) -> None:
    assert sentences(f"A headline{line_break}goes on", "en") == ["A headline", "goes on"]


@pytest.mark.parametrize(
    "text", ["Emmanuel Macron in Paris " * 2_000, "a" * 9_000, "ab" * 2_000 + " " + "c  d " * 999]
)
def test_a_very_long_sentence_is_cut_at_white_space(text: str) -> None:
    found = sentences(text, "en")
    assert max(map(len, found)) <= 4_000
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(part == part.strip() for part in found)
    if " " in text[:100]:
        assert {word for part in found for word in part.split()} == set(text.split())


TEXT = st.text(
    # Half surrogates are no text: readers refuse them.
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from(" \n.!?।“”\"'()AaBbIi1अक\u0301\u200d\U0001f600"),
    )
)


@given(TEXT, st.sampled_from([*LANGUAGES, UNDETERMINED]))
def test_sentences_are_ordered_disjoint_and_miss_only_white_space(text: str, lang: str) -> None:
    last = 0
    for start, end in split_sentences(text, lang):
        assert last <= start < end <= len(text)
        assert not text[last:start].strip()
        assert text[start:end] == text[start:end].strip()
        last = end
    assert not text[last:].strip()
