"""Which engine becomes a language's default."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def engines() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "benchmarks/engines.py"
    specification = importlib.util.spec_from_file_location("benchmark_engines", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("speeds_and_f1", "chosen"),
    [
        ([(700, 0.80), (1400, 0.795), (7000, 0.68)], 0),  # the fast one is too far behind
        ([(700, 0.80), (1400, 0.795)], 0),  # half as fast is fast enough
        ([(600, 0.80), (1400, 0.795)], 1),  # less than half is not
        ([(600, 0.80), (1400, 0.78)], 0),
        ([(7000, 0.90), (700, 0.80)], 0),
    ],
)
def test_the_default_is_the_best_that_is_fast_or_the_best(
    engines: ModuleType, speeds_and_f1: list[tuple[int, float]], chosen: int
) -> None:
    measured = [
        engines.Measured(
            engines.Candidate("ro", f"onnx:{number}", f1),
            {"results": [{"words": 1000, "words_per_second": speed}]},
        )
        for number, (speed, f1) in enumerate(speeds_and_f1)
    ]
    assert engines.choose(measured) is measured[chosen]


def test_a_model_made_elsewhere_is_never_the_default(engines: ModuleType) -> None:
    report = {"results": [{"words": 1000, "words_per_second": 100}]}
    own = engines.Measured(engines.Candidate("en", "onnx:a", 0.5), report)
    other = engines.Measured(engines.Candidate("en", "spacy:b", None), report)
    assert engines.choose([other, own]) is own


def test_every_shipped_model_is_a_candidate_in_its_languages(
    engines: ModuleType, root: Path
) -> None:
    found = {(one.lang, one.engine) for one in engines.candidates(root / "models")}
    assert {(lang, "onnx:joint") for lang in ("hi", "ro", "tr", "en", "vi")} <= found
    assert ("ro", "spacy:spacy-ro") in found
    assert {engine.partition(":")[0] for _, engine in found} == {"onnx", "spacy", "stanza"}
