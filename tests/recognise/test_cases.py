"""What readers notice: sentences written to be hard, and how many of their names are found.

The cases lie in ``cases/``, one file a language; every name must be found with exact edges and the
right label. They are no training data.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from pipeline.recognise import find_names
from pipeline.recognise.base import Engine
from pipeline.recognise.routing import load_engine
from pipeline.schemas import LANGUAGES
from pipeline.settings import load
from pipeline.training.evaluate_corpora import count, rebuild
from pipeline.training.written import read_passage

CASES = Path(__file__).parent / "cases"

# Micro F1 that the shipped default engine reaches on each file, less three points.
FLOORS = {"hi": 0.927, "ro": 0.897, "tr": 0.941, "en": 0.898, "vi": 0.934}


@cache
def engine_for(value: str, models: Path) -> Engine:
    return load_engine(value, models)


def read_cases(lang: str) -> list[str]:
    lines = (CASES / f"{lang}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_names_in_hard_sentences(lang: str, root: Path) -> None:
    engine = engine_for(load(root / "exonym.toml").routing[lang], root / "models")
    rebuilt = [rebuild(read_passage(line)) for line in read_cases(lang)]
    # Each case stands alone: it is a document of its own.
    found = [find_names(engine, [text], lang)[0] for text, _ in rebuilt]
    guesses = [[(span.start, span.end, span.label) for span in spans] for spans in found]
    result = count([names for _, names in rebuilt], guesses)["all"]
    for (text, names), guess in zip(rebuilt, guesses, strict=True):
        for start, end, label in sorted(names ^ set(guess)):
            kind = "missed" if (start, end, label) in names else "wrong"
            print(f"{kind} {label} {text[start:end]!r} in {text!r}")
    print(f"{lang}: F1 {result.f1:.3f} of {result.expected} names")
    assert result.f1 >= FLOORS[lang]
