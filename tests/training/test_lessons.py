"""Names asked of a knowledge base in which their entity, or what it is called, is hidden."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.knowledge.build import build
from pipeline.knowledge.files import Row, write_rows
from pipeline.resolve.candidates import Finder
from pipeline.resolve.forms import read
from pipeline.training.hiding import ALL, THIS, Hiding
from pipeline.training.lessons import _Finder, little_known, with_kind
from pipeline.training.names import Learned


@pytest.fixture
def index(tmp_path: Path) -> Hiding:
    names = {"en": ("Zorkhan",), "tr": ("Zorhan",), "und": ("Zorchan",)}
    row = Row("geonames:1", "LOC", "Zorkhan", names, None, None, None, 9000, "GeoNames")
    write_rows(tmp_path / "places.tsv", [row])
    build(tmp_path)
    return Hiding.open(tmp_path / "index")


def found(index: Hiding, name: str, lang: str) -> bool:
    return bool(Finder(index).exact(read(name, lang)))


def test_hidden_is_what_an_entry_is_called_in_one_language(index: Hiding) -> None:
    index.hide(0, "tr", "Zorhan")
    assert not found(index, "Zorhan", "tr")
    assert found(index, "Zorkhan", "en")
    assert [alias.text for alias in index.entry(0).aliases if alias.lang == "tr"] == []


def test_hidden_is_a_name_of_no_language_by_its_text(index: Hiding) -> None:
    index.hide(0, "ro", "Zorchan")
    assert [alias.text for alias in index.entry(0).aliases if alias.lang == "und"] == []
    index.hide(0, "ro", "Other")
    assert [alias.text for alias in index.entry(0).aliases if alias.lang == "und"] == ["Zorchan"]


def test_hidden_is_one_name_alone(index: Hiding) -> None:
    index.hide(0, THIS, "Zorkhan")
    assert [alias.text for alias in index.entry(0).aliases if alias.lang == "en"] == []
    assert found(index, "Zorhan", "tr")


def test_all_of_an_entry_is_hidden_and_shown_again(index: Hiding) -> None:
    index.hide(0, ALL, "")
    assert not found(index, "Zorkhan", "en")
    assert not found(index, "Zorhan", "tr")
    index.hide(0, "", "")
    assert found(index, "Zorkhan", "en")


def test_nothing_hidden_is_remembered_from_before(index: Hiding) -> None:
    finder = _Finder(index, Learned({}, {}))
    assert "zorhan" in finder.target(0).keys
    index.hide(0, "tr", "Zorhan")
    assert "zorhan" not in finder.target(0).keys
    index.hide(0, "", "")
    assert "zorhan" in finder.target(0).keys


def test_a_kind_stands_where_the_language_puts_it() -> None:
    assert with_kind("Tannerby", "ro", 0).endswith(" Tannerby")
    assert with_kind("Tannerby", "vi", 0).endswith(" Tannerby")
    assert with_kind("Tannerby", "tr", 0).startswith("Tannerby ")


def test_the_rows_of_one_fold_alone_are_held_out() -> None:
    rows = [
        {"id": str(i), "en": f"Zor{i}", "hi": "", "ro": "", "tr": "", "vi": ""} for i in range(50)
    ]
    rows.append({"id": "50", "en": "Zor", "hi": "ज़ोर", "ro": "", "tr": "", "vi": ""})
    numbers = {f"geonames:{i}": i for i in range(51)}
    held, learned = (
        {one.entry for one in little_known("places", rows, numbers, held_out=held_out)}
        for held_out in (True, False)
    )
    assert held
    assert held.isdisjoint(learned)
    assert held | learned == set(range(50))
