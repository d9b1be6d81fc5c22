import json
import random
import shutil
from pathlib import Path

import pytest
import torch

from pipeline.recognise.base import EngineUnavailable
from pipeline.recognise.stanza import StanzaEngine

MODELS = Path(__file__).parents[2] / "models"

SENTENCES = [
    "Mustafa Kemal Atatürk 1881'de Selanik'te doğdu.",
    "Galatasaray, İstanbul'da Fenerbahçe ile oynadı.",
    "Almanya'nın başkenti Berlin'dir.",
    "Yağmur bütün gün sürdü.",
    "Türkiye Büyük Millet Meclisi Ankara'da toplandı.",
    "",
    "Roma, İtalya'nın en kalabalık şehridir.",
    "Albert Einstein, Princeton Üniversitesi'nde çalıştı.",
] * 3


def surfaces(engine, sentence):
    [spans] = engine.recognise([sentence], "tr")
    return [(sentence[span.start : span.end], span.label) for span in spans]


@pytest.fixture(scope="module")
def turkish():
    return StanzaEngine("stanza-tr", MODELS)


@pytest.fixture
def downloads(tmp_path):
    """A folder as stanza.download leaves it, with the shipped tagger as Turkish's default."""
    resources = {
        "tr": {
            "lang_name": "Turkish",
            "packages": {"default": {"ner": "news"}},
            "ner": {"news": {"dependencies": [{"model": "pretrain", "package": "words"}]}},
        },
        "ro": {"lang_name": "Romanian", "packages": {"default": {"tokenize": "rrt"}}},
    }
    (tmp_path / "resources.json").write_text(json.dumps(resources), encoding="utf-8")
    for file, place in (("ner.pt", "tr/ner/news.pt"), ("vectors.pt", "tr/pretrain/words.pt")):
        (tmp_path / place).parent.mkdir(parents=True)
        shutil.copyfile(MODELS / "stanza-tr" / file, tmp_path / place)
    return tmp_path


def test_names_without_their_case_endings(turkish):
    assert surfaces(turkish, "Albert Einstein Almanya'nın Ulm şehrinde doğdu.") == [
        ("Albert Einstein", "PER"),
        ("Almanya", "LOC"),
        ("Ulm", "LOC"),
    ]


@pytest.mark.parametrize("gap", ["  ", "\u00a0", "\t"])
def test_offsets_are_those_of_the_text_whatever_stands_between_words(turkish, gap):
    sentence = f"Fizikçi{gap}Albert{gap}Einstein{gap}doğdu."
    assert (f"Albert{gap}Einstein", "PER") in surfaces(turkish, sentence)


def test_no_names_in_nothing(turkish):
    assert turkish.recognise(["", "  ", "\u200b"], "tr") == [[], [], []]
    assert turkish.recognise([], "tr") == []


def test_gives_no_score(turkish):
    assert {span.score for spans in turkish.recognise(SENTENCES, "tr") for span in spans} == {None}


def test_answer_does_not_depend_on_what_shares_a_batch(turkish):
    together = turkish.recognise(SENTENCES, "tr")
    alone = [turkish.recognise([sentence], "tr")[0] for sentence in SENTENCES]
    order = random.Random(7).sample(range(len(SENTENCES)), len(SENTENCES))
    shuffled = turkish.recognise([SENTENCES[number] for number in order], "tr")
    assert together == alone
    assert shuffled == [alone[number] for number in order]
    assert any(alone)


def test_an_endless_word_does_no_harm(turkish):
    sentence = f"Almanya'nın başkenti Berlin'dir, {'a' * 300_000}."
    assert ("Berlin", "LOC") in surfaces(turkish, sentence)


def test_official_package_is_found_where_stanza_puts_it(turkish, downloads):
    engine = StanzaEngine("tr", MODELS, downloads)
    assert engine.model == "tr_news"
    assert engine.labels == ["LOC", "ORG", "PER"]
    assert engine.recognise(SENTENCES, "tr") == turkish.recognise(SENTENCES, "tr")


def test_absent_official_package_names_its_download(tmp_path):
    command = r"stanza.download\('hi', processors='tokenize,ner'\)"
    with pytest.raises(EngineUnavailable, match=command):
        StanzaEngine("hi", MODELS, tmp_path)


def test_half_a_download_names_its_download(downloads):
    (downloads / "tr/pretrain/words.pt").unlink()
    with pytest.raises(EngineUnavailable, match=r"stanza.download\('tr'"):
        StanzaEngine("tr", MODELS, downloads)


def test_language_without_tagger_is_refused(downloads):
    with pytest.raises(EngineUnavailable, match="no tagger of names for 'ro'"):
        StanzaEngine("ro", MODELS, downloads)


def test_tagger_by_its_path_needs_its_vectors_beside_it(turkish, tmp_path):
    shutil.copyfile(MODELS / "stanza-tr/ner.pt", tmp_path / "mine.pt")
    with pytest.raises(EngineUnavailable, match=r"mine.pt needs vectors.pt"):
        StanzaEngine(str(tmp_path / "mine.pt"))
    shutil.copyfile(MODELS / "stanza-tr/vectors.pt", tmp_path / "vectors.pt")
    engine = StanzaEngine(str(tmp_path / "mine.pt"))
    assert engine.model == "mine"
    assert engine.recognise(SENTENCES, "tr") == turkish.recognise(SENTENCES, "tr")


def test_a_changed_file_is_refused(tmp_path):
    shutil.copytree(MODELS / "stanza-tr", tmp_path / "stanza-tr")
    with (tmp_path / "stanza-tr/vectors.pt").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(EngineUnavailable, match=r"vectors.pt of .* is changed"):
        StanzaEngine("stanza-tr", tmp_path)


class Trap:
    """What unpickling turns into a call."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_file_cannot_run_code(tmp_path):
    sprung = tmp_path / "sprung"
    torch.save({"config": Trap(sprung), "vocab": {}, "model": {}}, tmp_path / "trap.pt")
    with pytest.raises(EngineUnavailable, match=r"trap.pt is no Stanza tagger"):
        StanzaEngine(str(tmp_path / "trap.pt"))
    assert not sprung.exists()


def test_what_is_no_tagger_is_refused(tmp_path):
    with pytest.raises(EngineUnavailable, match=r"there is no Stanza tagger"):
        StanzaEngine(str(tmp_path / "absent.pt"))
