"""Which known entities are weighed for a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.knowledge.build import build
from pipeline.resolve.candidates import Finder
from pipeline.resolve.forms import read
from tests.resolve.conftest import write_knowledge

PLACES = ("State of Zorkim", "Torkam", "Bodh Gaya", "Budhja")


@pytest.mark.parametrize(
    ("name", "lang", "meant"),
    [("Zorkum", "tr", "State of Zorkim"), ("बोधगया", "hi", "Bodh Gaya")],
)
def test_a_kind_or_a_word_break_more_does_not_cut_what_is_meant(
    name: str, lang: str, meant: str, tmp_path: Path
) -> None:
    rows = [
        {"key": f"geonames:{number}", "label": "LOC", "name": place, "population": "1000"}
        for number, place in enumerate(PLACES, start=1)
    ]
    finder = Finder(build(write_knowledge(tmp_path / "knowledge", rows), tmp_path / "index"))
    (first,) = finder.nearest(read(name, lang), range(len(PLACES)), 1)
    assert finder.known(first).name == meant
