from __future__ import annotations

import json
import lzma
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.recognise.base import Span
from pipeline.training.common import Corpus, LabelledSentence
from pipeline.training.evaluate_corpora import (
    Counts,
    Result,
    by_tokens,
    count,
    evaluate,
    format_table,
    rebuild,
)


def test_rebuild_with_spaces_and_without() -> None:
    sentence = LabelledSentence(
        ("Noul", "„", "Astra", "Giurgiu", "”", "."),
        ("O", "O", "B-ORG", "I-ORG", "O", "O"),
        (True, False, True, False, False, False),
    )
    text, names = rebuild(sentence)
    assert text == "Noul „Astra Giurgiu”."
    assert names == {(6, 19, "ORG")}


def test_names_by_tokens() -> None:
    sentence = LabelledSentence(
        ("in", ".Oslo", "”", "then"), ("O", "B-LOC", "O", "O"), (True, False, True, False)
    )
    text, names = rebuild(sentence)
    assert text == "in .Oslo” then"
    assert by_tokens(sentence, [(4, 8, "LOC")]) == names == {(3, 8, "LOC")}
    assert by_tokens(sentence, [(0, 2, "ORG"), (5, 12, "PER")]) == {(0, 2, "ORG"), (3, 14, "PER")}


def test_counts() -> None:
    gold = [{(0, 4, "PER"), (5, 9, "LOC")}, set()]
    found = [[(0, 4, "PER"), (5, 8, "LOC")], [(0, 1, "ORG")]]
    counts = count(gold, found)
    assert counts["PER"] == Counts(1, 1, 1)
    assert counts["LOC"] == Counts(0, 1, 1)
    assert counts["ORG"] == Counts(0, 1, 0)
    assert counts["all"] == Counts(1, 3, 2)
    assert counts["all"].precision == pytest.approx(1 / 3)
    assert counts["all"].recall == pytest.approx(1 / 2)
    assert counts["all"].f1 == pytest.approx(2 / 5)
    assert Counts().f1 == Counts().precision == Counts().recall == 0


class FirstWord:
    """Takes the first four characters of every sentence for a place."""

    name = "onnx"
    model = "first"
    sha256 = "0" * 64

    def recognise(self, sentences: Sequence[str], lang: str) -> list[list[Span]]:
        return [[Span(0, 4, "LOC")] for _ in sentences]


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    rows = [
        {"tokens": ["Oslo", "calls"], "tags": ["B-LOC", "O"]},
        {"tokens": ["They", "call", "Oslo"], "tags": ["O", "O", "B-LOC"]},
    ]
    with lzma.open(tmp_path / "d.jsonl.xz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return Corpus("made", "en", ".", "made up", "CC0", dev="d")


def test_evaluate(corpus: Corpus, tmp_path: Path) -> None:
    result = evaluate(FirstWord(), corpus, "dev", tmp_path)
    assert result is not None
    assert (result.sentences, result.words) == (2, 5)
    assert result.labels["LOC"] == result.labels["all"] == Counts(1, 2, 2)
    assert (
        "| en made | dev | 2 | 50.0 | 50.0 | 50.0 | 50.0 | 0.0 | 50.0 | 0.0 | – |"
        in format_table([result])
    )
    row = json.loads(json.dumps(result.as_row()))
    assert row["labels"]["LOC"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "expected": 2}


def test_a_limit_and_an_absent_part(corpus: Corpus, tmp_path: Path) -> None:
    limited = evaluate(FirstWord(), corpus, "dev", tmp_path, limit=1)
    assert limited is not None
    assert limited.labels["all"] == Counts(1, 1, 1)
    assert evaluate(FirstWord(), corpus, "test", tmp_path) is None


def test_calibration_error_weighs_the_gap_of_every_bin() -> None:
    result = Result("made", "en", "dev")
    assert result.calibration_error is None
    result.scores = [(0.95, True), (0.95, False), (1.0, True), (0.3, False)]
    # Upper bin: 2.9 expected, 2 right; the other: 0.3 expected, none right.
    assert result.calibration_error == pytest.approx((0.9 + 0.3) / 4)
    assert result.as_row()["calibration_error"] == 0.3
