"""What is counted of a night, and when a figure holds it back."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipeline.gates import EVERY_LANGUAGE, Counts, count, moved
from pipeline.settings import GateSettings

BOUNDS = GateSettings(
    runs=4,
    first_runs=2,
    documents=10,
    mentions_per_document=0.5,
    undetermined=0.1,
    unlinked=0.15,
    quarantined=0.1,
)
USUAL = Counts(100, 100, 800, 200, 1000, 50)


def documents(**langs: str) -> pa.Table:
    return pa.table({"doc_id": list(langs), "lang": list(langs.values())})


def segments(*rows: tuple[str, int, int, str]) -> pa.Table:
    names = ("doc_id", "start", "end", "lang")
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def mentions(*rows: tuple[str, str]) -> pa.Table:
    names = ("doc_id", "link_method")
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def test_counts_by_the_language_of_the_document() -> None:
    shards = [
        (
            documents(a="tr", b="en", broken="tr"),
            segments(("a", 0, 90, "tr"), ("a", 90, 100, "und"), ("b", 0, 50, "en")),
            mentions(("a", "alias"), ("a", "minted"), ("b", "registry")),
        ),
        (documents(c="tr"), segments(("c", 0, 10, "tr")), mentions(("c", "similar"))),
    ]
    assert count(shards, {"broken", "broken before it had a language"}, 3) == {
        "en": Counts(1, 1, 1, 1, 50, 0),
        "tr": Counts(3, 2, 3, 1, 110, 10),
        EVERY_LANGUAGE: Counts(8, 3, 4, 2, 160, 10),
    }


def test_figures_without_a_whole_are_not_told() -> None:
    assert Counts().figures == {}
    assert Counts(2, 0).figures == {"quarantined": 1.0}


@pytest.mark.parametrize(
    ("tonight", "figure"),
    [
        (Counts(100, 100, 399, 100, 1000, 50), "mentions_per_document"),
        (Counts(100, 100, 1201, 300, 1000, 50), "mentions_per_document"),
        (Counts(100, 100, 800, 200, 1000, 151), "undetermined"),
        (Counts(100, 100, 800, 321, 1000, 50), "unlinked"),
        (Counts(100, 100, 800, 79, 1000, 50), "unlinked"),
        (Counts(100, 89, 712, 178, 1000, 50), "quarantined"),
    ],
)
def test_names_the_one_figure_that_moved(tonight: Counts, figure: str) -> None:
    found = moved({"tr": tonight}, [{"tr": USUAL}] * 3, BOUNDS)
    assert [(move.lang, move.figure) for move in found] == [("tr", figure)]
    assert found[0].tonight == tonight.figures[figure]
    assert found[0].usual == USUAL.figures[figure]
    assert f"tr {figure}" in str(found[0])


@pytest.mark.parametrize(
    "tonight",
    [
        Counts(100, 100, 401, 100, 1000, 50),
        Counts(100, 100, 1199, 300, 1000, 50),
        Counts(100, 100, 800, 200, 1000, 149),
        Counts(100, 91, 728, 182, 1000, 50),
    ],
)
def test_lets_pass_what_is_within_bounds(tonight: Counts) -> None:
    assert moved({"tr": tonight}, [{"tr": USUAL}] * 3, BOUNDS) == []


def test_less_quarantine_than_usual_passes() -> None:
    bad = Counts(100, 50, 400, 100, 1000, 50)
    assert moved({"tr": USUAL}, [{"tr": bad}] * 3, BOUNDS) == []


def test_no_gate_on_the_first_nights_nor_on_few_documents() -> None:
    strange = Counts(100, 100, 0, 0, 1000, 1000)
    few = Counts(9, 9, 0, 0, 90, 90)
    assert moved({"tr": strange}, [{"tr": USUAL}], BOUNDS) == []
    assert moved({"tr": strange}, [{"tr": USUAL}, {"tr": few}, {"en": USUAL}], BOUNDS) == []
    assert moved({"tr": few}, [{"tr": USUAL}] * 3, BOUNDS) == []
    assert moved({"tr": strange}, [{"tr": USUAL}] * 2, BOUNDS) != []


def test_just_so_many_documents_are_enough_tonight_and_then() -> None:
    usual, strange = Counts(10, 10, 80, 20, 100, 5), Counts(10, 10, 0, 0, 100, 100)
    assert moved({"tr": strange}, [{"tr": usual}] * 2, BOUNDS) != []


def test_only_the_last_runs_count_and_one_outlier_does_not() -> None:
    before = [{"tr": Counts(100, 100, 80, 20, 1000, 50)}] * 9 + [{"tr": USUAL}] * 3
    assert moved({"tr": USUAL}, before, BOUNDS) == []
    assert moved({"tr": USUAL}, before[:-3], BOUNDS) != []
