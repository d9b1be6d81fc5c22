"""Training the comparison of names, on a handful of made-up ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.resolve.candidates import Finder
from pipeline.resolve.matching import FEATURES, Weights
from pipeline.resolve.spelling import learned
from pipeline.training.names import Answer, Question, answer, english_index, questions, ranked

ROWS = [
    {"id": "1", "en": "Zorkhan", "tr": "Zorhan", "pop": "90000"},
    {"id": "2", "en": "Ashtepe Province", "tr": "Aştepe ili (Ashtepe)", "pop": ""},
    {"id": "3", "en": "Joldash", "tr": "Coldaş", "pop": "2000"},
    {"id": "4", "en": "Vellmar", "tr": "", "pop": "500"},
]
BY_SPELLING = Weights(
    0.0,
    np.array([-10.0 * (name == "letters") for name in FEATURES]),
    np.zeros(1),
    np.zeros((len(FEATURES), 1)),
    np.zeros(1),
)


def test_brackets_are_left_out_and_rows_without_a_name_are_not_asked() -> None:
    asked = list(questions("places", ROWS))
    assert [(q.id, q.lang, q.name) for q in asked] == [
        ("1", "tr", "Zorhan"), ("2", "tr", "Aştepe ili"), ("3", "tr", "Coldaş"),
    ]  # fmt: skip
    assert [q.respelled for q in asked] == [True, True, True]
    assert not Question("places", "5", "ro", "Bistrița", "Bistriţa").respelled


def test_respelled_names_find_their_row(tmp_path: Path) -> None:
    finder = Finder(english_index(ROWS, "LOC", tmp_path, None), {})
    for question in questions("places", ROWS):
        found = answer(question, finder, learned())
        assert ranked(found, BY_SPELLING)[0][1] == found.right
        own = found.features[found.entries.index(found.right)]
        assert own["letters"] == min(values["letters"] for values in found.features)


def test_probabilities_leave_room_for_none() -> None:
    question = Question("places", "1", "tr", "Zorhan", "Zorkhan")
    values = dict.fromkeys(FEATURES, 0.0)
    found = Answer(question, 7, (7, 9), (values, {**values, "letters": 1.0}), {})
    (first, right), (second, _) = ranked(found, BY_SPELLING)
    assert right == 7
    assert first == pytest.approx(1 / (1 + 1 + 4.54e-5), abs=1e-4)
    assert first + second < 1
