import shutil
from pathlib import Path

import pytest
import spacy

from pipeline import models
from pipeline.errors import UsageError
from pipeline.recognise.cards import read_card
from pipeline.recognise.spacy import SpacyEngine

MODELS = Path(__file__).parents[1] / "models"
ROUTING = {"ro": "spacy:spacy-ro", "tr": "stanza:stanza-tr", "en": "spacy:en_core_web_xx"}


def states(models_dir):
    return {row["file"]: row["state"] for row in models.verify(models_dir)}


@pytest.fixture
def copied(tmp_path):
    """A models folder with the shipped Romanian pipeline alone."""
    shutil.copytree(MODELS / "spacy-ro", tmp_path / "models/spacy-ro")
    return tmp_path / "models"


@pytest.fixture
def pipeline_folder(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns(
        [{"label": "GPE", "pattern": "Paris"}, {"label": "DATE", "pattern": "Monday"}]
    )
    nlp.to_disk(tmp_path / "mine")
    return tmp_path / "mine"


def test_list_has_a_row_for_every_language():
    romanian, turkish, english = models.list_models(MODELS, ROUTING)
    assert romanian["lang"] == "ro"
    assert romanian["engine"] == "spacy"
    assert romanian["model"] == "spacy-ro"
    assert romanian["licence"] == "CC BY-SA 4.0"
    assert 0 < romanian["size_mb"] < 15
    assert " ronec_mix_names" in romanian["f1"]
    assert romanian["sha256"] == "ok"
    assert turkish["licence"] == "CC BY-SA 4.0"
    assert 0 < turkish["size_mb"] < 20
    assert " wikiner_split" in turkish["f1"]
    assert "python -m spacy download en_core_web_xx" in english["sha256"]
    assert romanian.keys() == turkish.keys() == english.keys()


def test_every_shipped_model_is_whole():
    rows = models.verify(MODELS)
    assert {"spacy-ro", "stanza-tr"} <= {row["model"] for row in rows}
    assert {row["state"] for row in rows} == {"ok"}


def test_verify_tells_changed_missing_and_extra_files(copied):
    folder = copied / "spacy-ro"
    (folder / "meta.json").write_text("{}", encoding="utf-8")
    (folder / "ner/cfg").unlink()
    (folder / "ner/more").write_text("", encoding="utf-8")
    assert states(copied) == {
        "config.cfg": "ok",
        "meta.json": "changed",
        "ner/cfg": "missing",
        "ner/model": "ok",
        "ner/more": "extra",
        "ner/moves": "ok",
    }
    assert models.list_models(copied, {"ro": "spacy:spacy-ro"})[0]["sha256"] == "differs"


def test_checksums_follow_the_routing_and_the_files(copied):
    routing = {"ro": "spacy:spacy-ro", "und": "spacy:spacy-ro"}
    before = models.checksums(routing, copied)
    sha256 = SpacyEngine("spacy-ro", copied).sha256
    assert before == [(lang, "spacy", "spacy-ro", sha256) for lang in routing]
    (copied / "spacy-ro/meta.json").write_text("{}", encoding="utf-8")
    assert models.checksums(routing, copied)[0][3] != sha256


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        ("spacy:ro_core_news_xx", "python -m spacy download ro_core_news_xx"),
        ("stanza:xx", "stanza.download\\('xx', processors='tokenize,ner'\\)"),
        ("onnx:absent", "correct the routing"),
        ("bert:base", "write onnx:NAME, spacy:NAME or stanza:NAME"),
        ("spacy:", "write onnx:NAME, spacy:NAME or stanza:NAME"),
    ],
)
def test_an_absent_model_is_named_with_the_remedy(value, remedy, copied):
    with pytest.raises(UsageError, match=remedy):
        models.checksums({"ro": value}, copied)


def test_add_registers_a_pipeline_and_shows_its_labels(copied, pipeline_folder):
    report = models.add(copied, "mine", f"spacy:{pipeline_folder}", ("en",), "MIT")
    assert report.splitlines()[1:] == ["DATE -> -", "GPE -> LOC"]
    assert read_card(copied / "mine")["languages"] == ["en"]
    [row] = models.list_models(copied, {"en": "spacy:mine"})
    assert (row["model"], row["licence"], row["sha256"]) == ("mine", "MIT", "ok")
    [spans] = SpacyEngine("mine", copied).recognise(["Monday in Paris."], "en")
    assert [(span.start, span.end, span.label) for span in spans] == [(10, 15, "LOC")]


def test_add_registers_a_stanza_tagger(tmp_path):
    report = models.add(tmp_path, "mine", f"stanza:{MODELS / 'stanza-tr'}", ("tr",))
    assert report.splitlines()[1:] == ["LOC -> LOC", "ORG -> ORG", "PER -> PER"]
    assert states(tmp_path) == {"ner.pt": "ok", "vectors.pt": "ok"}


def test_a_registered_model_that_went_away_is_missing(copied, pipeline_folder):
    models.add(copied, "mine", f"spacy:{pipeline_folder}", ("en",))
    shutil.rmtree(pipeline_folder)
    assert {row["state"] for row in models.verify(copied) if row["model"] == "mine"} == {"missing"}


def test_add_refuses_to_overwrite(copied, pipeline_folder):
    before = (copied / "spacy-ro/model.toml").read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        models.add(copied, "spacy-ro", f"spacy:{pipeline_folder}", ("en",))
    assert (copied / "spacy-ro/model.toml").read_bytes() == before


def test_add_leaves_nothing_behind_when_it_refuses(copied, tmp_path):
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(UsageError, match="finds no names"):
        models.add(copied, "mine", f"spacy:{tmp_path / 'blank'}", ("en",))
    with pytest.raises(UsageError, match="only spacy:"):
        models.add(copied, "mine", "onnx:joint", ("en",))
    with pytest.raises(UsageError, match="is no name"):
        models.add(copied, "../mine", "onnx:joint", ("en",))
    assert not (copied / "mine").exists()


def test_add_refuses_labels_that_mean_none_of_ours(copied, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "GENE", "pattern": "BRCA1"}])
    nlp.to_disk(tmp_path / "genes")
    with pytest.raises(UsageError, match="no persons, places or organisations: GENE"):
        models.add(copied, "genes", f"spacy:{tmp_path / 'genes'}", ("en",))
