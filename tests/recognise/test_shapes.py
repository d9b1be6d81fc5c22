"""What the shapes of words say about their tags."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.recognise.shapes import FEATURES, ShapeCorrection, shape_features


def shapes_of(words: list[str], position: int) -> set[str]:
    row = shape_features(words)[position]
    return {name for name, value in zip(FEATURES, row, strict=True) if value}


def test_a_words_own_shape_and_that_of_its_neighbours() -> None:
    words = ["Bişkek", "’", "te", "BM"]
    assert shapes_of(words, 0) == {"any", "capital", "first", "next letterless", "next apostrophe"}
    assert shapes_of(words, 1) == {
        *("any", "letterless", "apostrophe", "short"),
        *("previous capital", "previous first", "next small"),
    }
    assert shapes_of(words, 2) == {
        *("any", "small", "short", "previous letterless", "previous apostrophe", "next capital")
    }
    assert shapes_of(words, 3) == {"any", "capital", "capitals", "short", "previous small"}


def test_a_script_without_case_has_neither_capitals_nor_small_letters() -> None:
    assert shapes_of(["जापारोव"], 0) == {"any", "first"}
    assert shapes_of(["२०२६", "में"], 0) == {"any", "letterless", "digit", "first"}


def test_no_word_has_no_row() -> None:
    assert shape_features([]).shape == (0, len(FEATURES))


def correction() -> ShapeCorrection:
    weights = np.zeros(len(FEATURES), np.float32)
    weights[FEATURES.index("small")] = 2.0
    return ShapeCorrection({"tr": weights})


def test_no_name_gets_likelier_and_scores_stay_probabilities() -> None:
    scores = np.log(np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]], np.float32))
    moved = correction().apply(scores, 0, ["Ada", "gitti"], "tr")
    assert moved[0] == pytest.approx(scores[0], abs=1e-6)
    outside = 0.5 * np.exp(2) / (0.5 * np.exp(2) + 0.5)
    assert np.exp(moved[1]) == pytest.approx([outside, *((1 - outside) * np.array([0.6, 0.4]))])


def test_other_languages_stay_as_they_are() -> None:
    scores = np.log(np.full((1, 3), 1 / 3, np.float32))
    assert correction().apply(scores, 0, ["gitti"], "en") is scores
    assert ShapeCorrection().apply(scores, 0, ["gitti"], "tr") is scores


def test_weights_survive_the_file(tmp_path: Path) -> None:
    path = tmp_path / "shapes.json"
    correction().save(path)
    read = ShapeCorrection.from_file(path)
    assert read.weights.keys() == {"tr"}
    assert (read.weights["tr"] == correction().weights["tr"]).all()
    assert ShapeCorrection.from_file(tmp_path / "none.json") == ShapeCorrection()
