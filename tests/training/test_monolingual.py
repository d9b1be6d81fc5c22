import json
import lzma
import random
from pathlib import Path

import pytest

pytest.importorskip("safetensors", reason="needs the extra `train`")

import torch
from spacy.util import load_config, load_model

from pipeline.recognise.base import Span
from pipeline.recognise.spacy import SpacyEngine
from pipeline.recognise.words import split_words
from pipeline.training import labelled, monolingual
from pipeline.training import spacy as spacy_recipe
from pipeline.training import stanza as stanza_recipe
from pipeline.training.common import Corpus

ROWS = [
    {"tokens": ["Ion", "Popescu", "locuiește", "la", "Cluj-Napoca", "."],
     "tags": ["B-PER", "I-PER", "O", "O", "B-LOC", "O"]},
    {"tokens": ["Compania", "are", "sediul", "în", "Franța", "."],
     "tags": ["O", "O", "O", "O", "B-LOC", "O"]},
    {"tokens": ["Ana", "pleacă", "."], "tags": ["B-PER", "O", "O"]},
]  # fmt: skip


MADE = Corpus("made", "ro", ".", "made up", "CC0", train="train", dev="dev")


@pytest.fixture
def corpora(tmp_path, monkeypatch):
    for module in (labelled, monolingual):
        monkeypatch.setattr(module, "catalogue", lambda: {"made": MADE})
    for part, rows in (("train", ROWS), ("dev", ROWS[:1])):
        with lzma.open(tmp_path / f"{part}.jsonl.xz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    return tmp_path


def test_corpora_are_read_in_our_words(corpora):
    words, tags = monolingual.read_dev("ro", corpora)[0]
    assert words == ["Ion", "Popescu", "locuiește", "la", "Cluj", "-", "Napoca", "."]
    assert tags == ["B-PER", "I-PER", "O", "O", "B-LOC", "I-LOC", "I-LOC", "O"]


def test_training_sentences_are_the_same_for_the_same_seed(corpora):
    first, again, other = (
        monolingual.read_training("ro", corpora, random.Random(seed), 20) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_what_is_measured_on_is_not_trained_on(corpora):
    sentences = monolingual.read_training("ro", corpora, random.Random(1), 1)
    assert "ion" not in {word.casefold() for words, _ in sentences for word in words}
    assert "ana" in {word.casefold() for words, _ in sentences for word in words}


class Teacher:
    """Takes every capitalised word but a sentence's first for a place."""

    name, model, sha256 = "teacher", "made up", "0" * 64

    def recognise(self, sentences, lang):
        return [
            [
                Span(start, end, "LOC")
                for start, end in split_words(text)
                if start and text[start].isupper()
            ]
            for text in sentences
        ]


def test_a_teacher_tags_the_sentences_again_with_other_names(corpora, monkeypatch):
    names = {"PER": [("Maia", "Sandu")], "LOC": [("Alba", "Iulia")], "ORG": [("Duma",)]}
    monkeypatch.setattr(monolingual, "names_of", lambda lang: names)
    sentence = ["Compania", "pleacă", "din", "Franța", "."], ["O", "O", "O", "B-LOC", "O"]
    (silver,) = monolingual.taught([sentence], "ro", Teacher(), random.Random(1))
    assert silver == (
        ["Compania", "pleacă", "din", "Alba", "Iulia", "."],
        ["O", "O", "O", "B-LOC", "B-LOC", "O"],
    )
    plain, doubled = (
        sum(
            len(words)
            for words, _ in monolingual.read_training("ro", corpora, random.Random(1), 1, one)
        )
        for one in (None, Teacher())
    )
    assert doubled > 1.5 * plain


def test_some_sentences_are_written_with_cedillas():
    sentences = [(["știință"], ["O"])] * 200
    written = {words[0] for words, _ in spacy_recipe.with_cedillas(sentences, random.Random(1))}
    assert written == {"știință", "ştiinţă"}


def test_spacy_recipe_trains_and_exports_what_the_engine_loads(corpora, tmp_path, monkeypatch):
    config = load_config(spacy_recipe.CONFIG)
    config["training"] |= {"max_steps": 2, "eval_frequency": 1}
    config.to_disk(tmp_path / "short.cfg")
    monkeypatch.setattr(spacy_recipe, "CONFIG", tmp_path / "short.cfg")
    best = spacy_recipe.train("ro", corpora, tmp_path / "work")
    spacy_recipe.export(best, tmp_path / "model")
    monolingual.write_trained_card(tmp_path / "model", "spacy", "ro", ["It is small."])
    engine = SpacyEngine("model", tmp_path)
    assert engine.labels == ["LOC", "PER"]
    assert str(tmp_path) not in (tmp_path / "model/config.cfg").read_text(encoding="utf-8")


def test_a_stopped_spacy_run_goes_on_from_its_last_weights(corpora, tmp_path, monkeypatch):
    config = load_config(spacy_recipe.CONFIG)
    config["training"] |= {"max_steps": 2, "eval_frequency": 1}
    config.to_disk(tmp_path / "short.cfg")
    monkeypatch.setattr(spacy_recipe, "CONFIG", tmp_path / "short.cfg")
    spacy_recipe.train("ro", corpora, tmp_path / "work")
    begun = []
    monkeypatch.setattr(spacy_recipe, "train_nlp", lambda nlp, *_, **__: begun.append(nlp))
    spacy_recipe.train("ro", corpora, tmp_path / "work")
    last = load_model(tmp_path / "work/model-last")
    first = begun[0].get_pipe("ner").model.get_ref("tok2vec").to_bytes()
    assert first == last.get_pipe("ner").model.get_ref("tok2vec").to_bytes()


@pytest.mark.skipif(not stanza_recipe.ENCODER.is_dir(), reason="the encoder is not at hand")
def test_a_stopped_stanza_run_goes_on_from_its_best_weights(corpora, tmp_path, monkeypatch):
    short = ("--max_steps", "2", "--eval_interval", "1", "--hidden_dim", "8")
    short += ("--char_hidden_dim", "8", "--char_emb_dim", "8", "--no_emb_finetune")
    monkeypatch.setattr(stanza_recipe, "RECIPE", short)
    work = tmp_path / "work"
    stanza_recipe.train("ro", corpora, stanza_recipe.ENCODER, work)
    loaded = []
    load = stanza_recipe.ner_tagger.load_model

    def note(arguments, path):
        loaded.append(path)
        return load(arguments, path)

    monkeypatch.setattr(stanza_recipe.ner_tagger, "load_model", note)
    stanza_recipe.train("ro", corpora, stanza_recipe.ENCODER, work)
    assert loaded[0] == str(work / stanza_recipe.MODEL_FILE)


@pytest.mark.skipif(not stanza_recipe.ENCODER.is_dir(), reason="the encoder is not at hand")
def test_word_vectors_are_of_frequent_words_and_of_pieces(tmp_path):
    sentences = [(["Ankara", "ankara", "Eskişehirli"], ["O", "O", "O"])]
    counts = stanza_recipe.surface_counts(sentences)
    assert counts["ankara"] == {"Ankara": 1, "ankara": 1}
    words, vectors = stanza_recipe.word_vectors(counts, stanza_recipe.ENCODER)
    assert vectors.shape == (len(words), stanza_recipe.DIMENSIONS)
    assert "ankara" in words
    assert "istanbul" in words
    assert "eskişehirli" not in words
    stanza_recipe.save_vectors(words, vectors, tmp_path / "vectors.pt")
    saved = torch.load(tmp_path / "vectors.pt", weights_only=True)
    assert torch.equal(saved["emb"][-1], torch.from_numpy(vectors[-1]))


def test_sentences_are_saved_as_stanza_reads_them(tmp_path):
    stanza_recipe.save_sentences([(["Ulm", "."], ["B-LOC", "O"]), ([], [])], tmp_path / "x.json")
    assert json.loads(Path(tmp_path / "x.json").read_text(encoding="utf-8")) == [
        [{"text": "Ulm", "ner": "B-LOC"}, {"text": ".", "ner": "O"}]
    ]
