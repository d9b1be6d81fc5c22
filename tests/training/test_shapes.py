"""Fitting what the shapes of words say about where names are."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("transformers", reason="needs the extra `train`")
pytest.importorskip("sklearn", reason="needs the extra `train`")

from pipeline.recognise.shapes import FEATURES, ShapeCorrection
from pipeline.recognise.words import split_words
from pipeline.training.joint import TAGS
from pipeline.training.shapes import Scored, fit

OUTSIDE, PLACE = TAGS.index("O"), TAGS.index("B-LOC")


def sentence(text: str, place_probability: float) -> Scored:
    """Return a sentence whose capitalised words are places, to all words of which a model says so
    with the same probability.
    """
    words = split_words(text)
    probabilities = np.full((len(words), len(TAGS)), 0.01, np.float32)
    probabilities[:, PLACE] = place_probability
    probabilities[:, OUTSIDE] = 1 - probabilities.sum(axis=1) + 0.01
    places = [(start, end) for start, end in words if text[start].isupper()]
    return Scored(
        corpus="made",
        fold=0,
        text=text,
        words=words,
        scores=np.log(probabilities),
        tags=[PLACE if span in places else OUTSIDE for span in words],
        names={(start, end, "LOC") for start, end in places},
    )


def test_what_the_model_does_not_see_in_capitals_is_learned() -> None:
    sentences = [
        sentence("dün Ankara ve Oslo arasında konuştu", 0.3),
        sentence("gece yarısı Bakü yolu kapandı", 0.3),
    ] * 20
    weights = fit(sentences)
    assert weights[FEATURES.index("capital")] < 0 < weights[FEATURES.index("small")]
    fresh = sentence("sabah Roma yağmurluydu", 0.3)
    correction = ShapeCorrection({"tr": weights})
    corrected = correction.apply(fresh.scores, OUTSIDE, fresh.surfaces, "tr")
    assert fresh.scores.argmax(axis=1).tolist() == [OUTSIDE] * 3
    assert corrected.argmax(axis=1).tolist() == [OUTSIDE, PLACE, OUTSIDE]


def test_a_penalty_keeps_the_weights_small() -> None:
    sentences = [sentence("dün Ankara konuştu", 0.3)] * 20
    assert np.abs(fit(sentences, penalty=1.0)).max() < 0.2 < np.abs(fit(sentences)).max()
