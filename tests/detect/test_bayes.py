"""langdetect's answers in arrays are langdetect's answers."""

from __future__ import annotations

import json
import lzma
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory
from langdetect.lang_detect_exception import LangDetectException

from pipeline.detect.bayes import NaiveBayes


@pytest.fixture(scope="module")
def factory() -> DetectorFactory:
    factory = DetectorFactory()
    factory.set_seed(0)
    profiles = sorted(Path(PROFILES_DIRECTORY).iterdir())
    factory.load_json_profile([profile.read_text(encoding="utf-8") for profile in profiles])
    return factory


@pytest.fixture(scope="module")
def bayes() -> NaiveBayes:
    return NaiveBayes()


def ask(factory: DetectorFactory, text: str) -> str | None:
    detector = factory.create()
    detector.append(text)
    try:
        return str(detector.detect())
    except LangDetectException:
        return None


def test_sentences_of_26_languages(
    factory: DetectorFactory, bayes: NaiveBayes, shared: Path
) -> None:
    texts = []
    with lzma.open(shared / "corpora/parallel/flores_5lang.jsonl.xz", "rt", encoding="utf-8") as f:
        for row in islice(map(json.loads, f), 0, None, 50):
            texts += [text for key, text in row.items() if key != "id"]
    with lzma.open(shared / "corpora/langid/flores_others.jsonl.xz", "rt", encoding="utf-8") as f:
        texts += [row["text"] for row in islice(map(json.loads, f), 0, None, 20)]
    shapes = [shape for text in texts for shape in (text, text[:25], text.upper(), text * 5)]
    assert [bayes.answer(text) for text in shapes] == [ask(factory, text) for text in shapes]


@pytest.mark.parametrize(
    "text",
    ["", " ", "12 345", "BBC NATO", "a", "Ştefan ştie că ţara lui", "The BBC said",
     "vi\u0323 ro\u0309", "日本語の文", "Привет мир", "a  b   c "],
)  # fmt: skip
def test_corners(factory: DetectorFactory, bayes: NaiveBayes, text: str) -> None:
    assert bayes.answer(text) == ask(factory, text)


@hypothesis_settings(max_examples=100)
@given(text=st.text(alphabet=st.sampled_from("aAbZé Çșțạेकि1.\u0323語 "), max_size=80))
def test_any_text(factory: DetectorFactory, bayes: NaiveBayes, text: str) -> None:
    assert bayes.answer(text) == ask(factory, text)
