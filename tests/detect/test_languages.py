"""Which language a piece of text is in, and why."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detect.clean import cleaned, lowered
from pipeline.detect.languages import decide
from pipeline.detect.lookalikes import hindi_words, lookalike_of
from pipeline.detect.names import without_names
from pipeline.detect.script import OTHER, script_by_count, script_of
from pipeline.detect.votes import ask_langdetect, votes_for
from pipeline.scripts import DEVANAGARI, LATIN

SENTENCES = {
    "en": "The council decided on Friday to plant two thousand trees along the river.",
    "ro": "Consiliul a hotărât vineri să planteze două mii de copaci de-a lungul râului.",
    "tr": "Belediye meclisi cuma günü nehir boyunca iki bin ağaç dikilmesine karar verdi.",
    "vi": "Hội đồng thành phố hôm thứ Sáu đã quyết định trồng hai nghìn cây dọc bờ sông.",
    "hi": "नगर परिषद ने शुक्रवार को नदी के किनारे दो हजार पेड़ लगाने का फैसला किया है।",
}
FOREIGN = {
    "az": "Şəhər şurası cümə günü çay boyunca iki min ağac əkilməsi barədə qərar qəbul edib.",
    "es": "El ayuntamiento decidió el viernes plantar dos mil árboles a lo largo del río.",
    "id": "Dewan kota memutuskan pada hari Jumat untuk menanam dua ribu pohon di tepi sungai.",
    "ne": "नगर परिषद्ले शुक्रबार नदी किनारमा दुई हजार रूख रोप्ने निर्णय गरेको छ।",
    "mr": "नगर परिषदेने शुक्रवारी नदीच्या काठावर दोन हजार झाडे लावण्याचा निर्णय घेतला आहे.",
    "bho": "ऊ कहलन कि गाँव में एगो नया इस्कूल खुलल बा, जवन लइकन खातिर बहुत नीक बा।",
    "ru": "Городской совет решил в пятницу посадить вдоль реки две тысячи деревьев.",
    "ar": "قرر مجلس المدينة يوم الجمعة زراعة ألفي شجرة على طول النهر.",
}
HEADLINES = tomllib.loads(Path(__file__).with_name("headlines.toml").read_text(encoding="utf-8"))
"""By group and language; the first twenty of each of ours served to choose the rules."""


@pytest.mark.parametrize("lang", SENTENCES)
def test_a_sentence_is_told_by_agreement(lang: str) -> None:
    verdict = decide(SENTENCES[lang])
    assert (verdict.lang, verdict.reason) == (lang, "agreement")
    assert verdict.score >= 2 / 3
    assert set(verdict.votes) == {"langdetect", "pycld2", "py3langid"}


@pytest.mark.parametrize("lang", ["en", "ro", "tr", "vi"])
def test_capitals_do_not_mislead(lang: str) -> None:
    text = SENTENCES[lang]
    capitals = (text.replace("i", "İ") if lang == "tr" else text).upper()
    assert decide(capitals).lang == lang


@pytest.mark.parametrize("lang", FOREIGN)
def test_other_languages_are_undetermined(lang: str) -> None:
    assert decide(FOREIGN[lang]).lang == "und"


def test_other_scripts_are_decided_without_a_vote() -> None:
    verdict = decide(FOREIGN["ru"])
    assert (verdict.reason, verdict.votes, verdict.score) == ("script", {}, 0.0)


def test_a_short_text_is_told_by_majority() -> None:
    verdict = decide("Nehir boyunca ağaç dikilecek")
    assert (verdict.lang, verdict.reason) == ("tr", "majority")


def test_a_name_inherits_from_its_neighbours() -> None:
    verdict = decide("Maria Silva", neighbour="vi", hint="ro")
    assert (verdict.lang, verdict.reason) == ("vi", "inherited")


def test_a_hint_decides_what_is_too_short() -> None:
    assert decide("Rabat").reason == "too short"
    assert decide("Rabat").lang == "und"
    verdict = decide("Rabat", hint="ro")
    assert (verdict.lang, verdict.reason) == ("ro", "hint")


def test_a_hint_does_no_more() -> None:
    assert decide(SENTENCES["ro"], hint="en").lang == "ro"
    assert decide(FOREIGN["es"], hint="ro").lang == "und"
    assert decide("दिल्ली", hint="tr").lang != "tr"


def test_a_neighbour_does_not_overrule_the_detectors() -> None:
    assert decide(SENTENCES["en"], neighbour="hi").lang == "en"


def test_votes_do_not_depend_on_what_was_asked_before() -> None:
    texts = [text[:cut] for text in (SENTENCES | FOREIGN).values() for cut in (12, 30, 90)]
    first = [ask_langdetect(text) for text in texts]
    order = list(range(len(texts)))
    random.Random(3).shuffle(order)
    again = {index: ask_langdetect(texts[index]) for index in order}
    assert [again[index] for index in range(len(texts))] == first


def test_remembered_votes_are_the_same_votes() -> None:
    votes_for.cache_clear()
    assert votes_for("deux mille arbres") == votes_for("deux mille arbres")
    assert votes_for.cache_info().hits == 1
    assert votes_for.cache_info().maxsize is not None


@pytest.mark.parametrize(
    "text", ["", " ", "12 345", "\x00\x01", "\u200b\ufeff", "\ud800 abc", "🚨"]
)
def test_texts_without_language_raise_nothing(text: str) -> None:
    assert decide(text).lang == "und"


def test_detectors_read_no_addresses_numbers_or_invisible_characters() -> None:
    text = "Ask\u200b me@site.example or @desk at https://site.example/a?b=1, 24\x00 hours"
    assert cleaned(text) == "Ask or at hours"
    assert cleaned("क्\u200dष") == "क्ष"


def test_turkish_capitals_keep_their_dots() -> None:
    assert lowered("IŞIK VE İZMİR") == "ışık ve izmir"
    assert lowered("SPRING IN THE CITY") == "spring in the city"
    assert lowered("NATO and the UN met") == "NATO and the UN met"


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Bărăgan", LATIN),
        ("Đà Nẵng", LATIN),
        ("दिल्ली", DEVANAGARI),
        ("World Chess Federation: शतरंज महासंघ की बैठक", DEVANAGARI),
        ("Москва", OTHER),
        ("東京", OTHER),
        ("2024 – 3:1", None),
    ],
)
def test_script(text: str, script: str | None) -> None:
    assert script_of(text) == script


def test_one_quoted_word_does_not_make_a_lookalike() -> None:
    assert lookalike_of(FOREIGN["bho"]) == "bho"
    assert lookalike_of(SENTENCES["hi"]) is None
    assert lookalike_of(f"{SENTENCES['hi']} {SENTENCES['hi']} उसने कहा बा") is None


@pytest.mark.parametrize(
    ("lang", "least"), [("hi", 0.9), ("ro", 0.8), ("tr", 0.9), ("en", 0.7), ("vi", 0.9)]
)
def test_headlines_full_of_names_from_elsewhere(lang: str, least: float) -> None:
    answers = [decide(text).lang for text in HEADLINES["ours"][lang]]
    assert answers.count(lang) >= least * len(answers)


def test_names_that_we_know_make_no_headline_ours() -> None:
    texts = [text for texts in HEADLINES["others"].values() for text in texts]
    wrong = [text for text in texts if decide(text).lang != "und"]
    assert len(wrong) <= 2, wrong


def test_words_around_names_decide() -> None:
    verdict = decide("Recep Tayyip Erdoğan arrives in Bucharest")
    assert (verdict.lang, verdict.reason) == ("en", "majority")
    assert verdict.votes == votes_for("arrives in")


def test_names_of_two_words_and_more_are_left_out() -> None:
    assert without_names("Ursula von der Leyen merge la Kiev") == (3, "merge la")
    assert without_names("Sadır Caparov Bişkek'te halka seslendi")[1] == "Bişkek'te halka seslendi"
    assert without_names("Modi’s visit") == (1, "visit")
    assert without_names("Maria Silva") == (2, "")


def test_two_words_that_hindi_alone_uses_outvote_names_from_elsewhere() -> None:
    text = "एमोमाली रहमान को मिला सम्मान"
    assert hindi_words(text) == 2
    assert list(votes_for(text).values()).count("ne") == 2
    assert (decide(text).lang, decide(text).votes["words"]) == ("hi", "hi")
    assert decide("नरेन्द्र मोदीले भने युद्ध रोकिनुपर्छ").lang == "und"


PIECES = ["a", "İ", "ơ", "ș", "µ", "1", " ", "–", "₫", "हि", "्", "।", "ж", "ა", "中", "\u200d"]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_the_short_way_to_a_script_says_what_counting_letters_does(text: str) -> None:
    assert script_of(text) == script_by_count(text)
