"""What stands beside a sentence in a batch, or in what order, changes nothing of its names."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pipeline.recognise.routing import load_engine
from pipeline.schemas import LANGUAGES
from pipeline.settings import load
from pipeline.training.evaluate_corpora import rebuild
from pipeline.training.written import read_passage

CASES = Path(__file__).parent / "cases"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("profile", ["shipped", "fast"])
def test_shuffled_and_split_input_gives_the_same_names_and_scores(
    lang: str, profile: str, root: Path
) -> None:
    engine = load_engine(load(root / "exonym.toml").profiles[profile][lang], root / "models")
    lines = (CASES / f"{lang}.txt").read_text(encoding="utf-8").splitlines()
    sentences = [rebuild(read_passage(line))[0] for line in lines if not line.startswith("#")]
    together = engine.recognise(sentences, lang)
    assert any(together)
    order = random.Random(7).sample(range(len(sentences)), len(sentences))
    shuffled = engine.recognise([sentences[number] for number in order], lang)
    alone = [engine.recognise([sentence], lang)[0] for sentence in sentences]
    assert [shuffled[order.index(number)] for number in range(len(sentences))] == together
    assert alone == together
