"""Persons that the knowledge base lacks, known again across languages, scripts and nights."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pipeline.evaluate import b_cubed
from pipeline.knowledge.index import Index


@pytest.fixture(scope="module")
def unknown_names(root: Path) -> ModuleType:
    """The benchmark that measures this at full size."""
    spec = importlib.util.spec_from_file_location(
        "unknown_names", root / "benchmarks" / "unknown_names.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("half", ["dev", "test"])
def test_persons_in_five_languages_over_three_nights(
    unknown_names: ModuleType, small_index: Index, root: Path, half: str
) -> None:
    knowledge = root / "models" / "knowledge"
    people = [p for p in unknown_names.curated(knowledge) if unknown_names.half_of(p) == half]
    people = sorted(people, key=lambda p: unknown_names.number(p.key))[:60]
    outcome = unknown_names.resolve(unknown_names.write_articles(people, "test"), small_index)
    score = b_cubed(outcome.gold, outcome.ids)
    assert score.n_mentions > 600
    assert score.precision >= 0.98
    assert score.f1 >= 0.95


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"en": ["Sadyr Zhanarov"]}, {"en": ["Sanjar Zhanarov"]}),
        (
            {"en": ["Sadyr Zhanarov"], "hi": ["सादिर ज़ानारोव"]},
            {"en": ["Sanjar Zhanarov"], "tr": ["Sancar Janarov"]},
        ),
        ({"en": ["Ivan Petrescu"]}, {"en": ["Ivana Petrescu"], "hi": ["इवाना पेत्रेस्कु"]}),
    ],
)
def test_namesakes_stay_two(
    unknown_names: ModuleType,
    small_index: Index,
    one: dict[str, list[str]],
    other: dict[str, list[str]],
) -> None:
    people = [unknown_names.Person("p0", one), unknown_names.Person("p1", other)]
    outcome = unknown_names.resolve(unknown_names.write_articles(people, "two"), small_index)
    assert set(outcome.gold.values()) == {"p0", "p1"}
    assert b_cubed(outcome.gold, outcome.ids) == (1.0, 1.0, 1.0, len(outcome.gold))


def test_the_same_man_in_three_scripts_of_news(
    unknown_names: ModuleType, small_index: Index
) -> None:
    forms = {
        "en": ["Adylbek Kasymaliev"],
        "tr": ["Adılbek Kasımaliyev"],
        "hi": ["अदिलबेक कासिमालिएव"],
        "ro": ["Adîlbek Kasîmaliev"],
    }
    people = [unknown_names.Person("p0", forms)]
    outcome = unknown_names.resolve(unknown_names.write_articles(people, "one"), small_index)
    assert {place[0][:2] for place in outcome.gold} == {"en", "hi", "ro", "tr"}
    assert len(set(outcome.ids.values())) == 1
