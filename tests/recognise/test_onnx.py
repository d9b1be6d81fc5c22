"""The ONNX engine: on a tiny model made here, and on the shipped one where it lies."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models

from pipeline.recognise.base import EngineUnavailable
from pipeline.recognise.cards import digest_of, hash_files, model_files, write_card
from pipeline.recognise.checksum import sha256_of
from pipeline.recognise.onnx import MAX_PIECES, OnnxEngine

onnx = pytest.importorskip("onnx", reason="needs the extra `train`")

TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "ada", "king", "oslo", "went", "to"]
TAG_OF_PIECE = {"ada": "B-PER", "king": "I-PER", "oslo": "B-LOC"}


def write_model(folder: Path) -> None:
    """Write a model that tags every piece by a table, whatever stands around it."""
    table = np.zeros((len(PIECES), len(TAGS)), np.float32)
    for number, piece in enumerate(PIECES):
        table[number, TAGS.index(TAG_OF_PIECE.get(piece, "O"))] = 4.0
    helper, kinds = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["plain"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=kinds.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["mask_3d"]),
            helper.make_node("Mul", ["plain", "mask_3d"], ["logits"]),
        ],
        "tagger",
        [
            helper.make_tensor_value_info(name, kinds.INT64, ["sentence", "piece"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("logits", kinds.FLOAT, ["sentence", "piece", len(TAGS)])],
        [
            onnx.numpy_helper.from_array(table, "table"),
            onnx.numpy_helper.from_array(np.array([2]), "last"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    pieces = [(piece, 0.0) for piece in PIECES]
    Tokenizer(models.Unigram(pieces, unk_id=3)).save(str(folder / "tokenizer.json"))
    (folder / "labels.json").write_text(json.dumps(TAGS))
    names = ("model.onnx", "tokenizer.json", "labels.json")
    files = "".join(f'"{name}" = "{sha256_of(folder / name)}"\n' for name in names)
    (folder / "model.toml").write_text(f'name = "tiny"\n\n[files]\n{files}')


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    write_model(folder)
    return folder


@pytest.fixture(scope="module")
def engine(folder: Path) -> OnnxEngine:
    return OnnxEngine(folder)


def test_names_with_offsets_and_score(engine: OnnxEngine, folder: Path) -> None:
    text = "to  “ada king” went to oslo."
    (spans,) = engine.recognise([text], "en")
    assert [(text[span.start : span.end], span.label) for span in spans] == [
        ("ada king", "PER"),
        ("oslo", "LOC"),
    ]
    expected = np.exp(4.0) / (np.exp(4.0) + len(TAGS) - 1)
    assert spans[0].score == pytest.approx(expected, abs=1e-5)
    assert (engine.name, engine.model) == ("onnx", "tiny")
    assert engine.sha256 == digest_of(hash_files(folder, model_files(folder)))


def test_a_continuation_is_never_a_beginning(engine: OnnxEngine) -> None:
    (spans,) = engine.recognise(["oslo king went"], "en")
    assert [(span.start, span.end) for span in spans] == [(0, 4)]


def test_sentences_without_words(engine: OnnxEngine) -> None:
    assert engine.recognise([], "en") == []
    nothing, blank, spans = engine.recognise(["", " ", "oslo"], "en")
    assert (nothing, blank) == ([], [])
    assert [(span.start, span.end) for span in spans] == [(0, 4)]


def test_a_sentence_longer_than_the_model_reads_keeps_all_its_names(engine: OnnxEngine) -> None:
    rng = random.Random(7)
    words = rng.choices(["ada", "oslo", "to", "went", ","], k=5 * MAX_PIECES)
    text = " ".join(words)
    (spans,) = engine.recognise([text], "en")
    assert [text[span.start : span.end] for span in spans] == [
        word for word in words if word in TAG_OF_PIECE
    ]


def write_upper(folder: Path, confidence: float) -> None:
    """Put a second part above the model in ``folder``, which sees a person in every word."""
    helper, kinds = onnx.helper, onnx.TensorProto
    lower = onnx.load(folder / "model.onnx")
    shape = ["sentence", "piece", len(TAGS)]
    lower.graph.output.append(helper.make_tensor_value_info("plain", kinds.FLOAT, shape))
    onnx.save(lower, folder / "model.onnx")
    person = np.eye(len(TAGS), dtype=np.float32)[[TAGS.index("B-PER")]] * 9
    graph = helper.make_graph(
        [helper.make_node("Add", ["plain", "person"], ["logits"])],
        "upper",
        [helper.make_tensor_value_info("plain", kinds.FLOAT, shape)],
        [helper.make_tensor_value_info("logits", kinds.FLOAT, shape)],
        [onnx.numpy_helper.from_array(person, "person")],
    )
    upper = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(upper, folder / "upper.onnx")
    files = hash_files(folder, model_files(folder))
    write_card(folder, {"name": "tiny", "exit_confidence": confidence, "files": files})


def test_the_upper_part_reads_what_the_lower_is_not_sure_of(tmp_path: Path) -> None:
    write_model(tmp_path)
    sure = float(np.exp(4.0) / (np.exp(4.0) + len(TAGS) - 1))
    for confidence, expected in ((sure - 0.01, []), (sure + 0.01, ["went", "to"])):
        write_model(tmp_path)
        write_upper(tmp_path, confidence)
        (spans,) = OnnxEngine(tmp_path).recognise(["went to"], "en")
        assert ["went to"[span.start : span.end] for span in spans] == expected


def test_files_are_verified(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"has no model\.toml"):
        OnnxEngine(tmp_path)
    write_model(tmp_path)
    (tmp_path / "labels.json").write_text("[]")
    with pytest.raises(EngineUnavailable, match="is changed"):
        OnnxEngine(tmp_path)
    (tmp_path / "labels.json").unlink()
    with pytest.raises(EngineUnavailable, match="is missing"):
        OnnxEngine(tmp_path)


SHIPPED = Path(__file__).resolve().parents[2] / "models" / "joint"
DOCUMENTS = (
    ("en", ["The Prime Minister of Norway visited Toyota in Nagoya.", "Then she left for Peru."]),
    ("tr", ["Norveç Başbakanı, Nagoya’da Toyota’yı ziyaret etti.", "Sonra Peru’ya gitti."]),
    ("ro", ["Premierul Norvegiei a vizitat Toyota la Nagoya.", "Apoi a plecat în Peru."]),
    ("hi", ["नॉर्वे की प्रधानमंत्री ने नागोया में टोयोटा का दौरा किया।", "फिर वह पेरू गईं।"]),
    ("vi", ["Thủ tướng Na Uy thăm Toyota ở Nagoya.", "Sau đó bà đến Peru."]),
)


@pytest.fixture(scope="module")
def shipped() -> OnnxEngine:
    if not SHIPPED.is_dir():
        pytest.skip("models/joint is not here")
    return OnnxEngine(SHIPPED)


def test_the_shipped_model_finds_most_places_of_simple_sentences(shipped: OnnxEngine) -> None:
    found = 0
    for lang, sentences in DOCUMENTS:
        places = ("नागोया", "पेरू") if lang == "hi" else ("Nagoya", "Peru")
        for text, spans, place in zip(
            sentences, shipped.recognise(sentences, lang), places, strict=True
        ):
            found += (place, "LOC") in [(text[s.start : s.end], s.label) for s in spans]
    assert found >= 8


def test_a_sentence_does_not_depend_on_what_else_was_read(shipped: OnnxEngine) -> None:
    sentences = [sentence for _, sentences in DOCUMENTS for sentence in sentences]
    together = shipped.recognise(sentences, "en")
    order = random.Random(1).sample(range(len(sentences)), len(sentences))
    fresh = OnnxEngine(SHIPPED)
    for number in order:
        assert fresh.recognise([sentences[number]], "en") == [together[number]]
