import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.evaluate import (
    Mention,
    Score,
    align,
    b_cubed,
    confusions,
    exact_score,
    link_clusters,
    read_gold,
)


def mention(start: int, end: int, entity: str = "e", label: str = "PER") -> Mention:
    return Mention(start, end, "x" * (end - start), label, entity)


def test_exact_score_wants_span_and_label() -> None:
    gold = [mention(0, 5), mention(10, 15), mention(20, 25)]
    system = [mention(0, 5), mention(10, 15, label="LOC"), mention(20, 24), mention(30, 31)]
    score = exact_score(gold, system)
    assert score == Score(n_gold=3, n_system=4, n_right=1)
    assert score.precision == pytest.approx(0.25)
    assert score.recall == pytest.approx(1 / 3)
    assert score.f1 == pytest.approx(2 / 7)


def test_scores_of_nothing_are_zero() -> None:
    assert exact_score([], []).f1 == 0.0


def test_align_prefers_equal_spans_and_uses_each_once() -> None:
    gold = [mention(0, 10), mention(4, 8)]
    system = [mention(4, 8), mention(9, 12)]
    assert align(gold, system) == [(gold[1], system[0]), (gold[0], system[1])]


def test_b_cubed_of_the_paper() -> None:
    # Bagga and Baldwin 1998, section 3: twelve mentions; response one joins the two small chains.
    truth = dict.fromkeys(range(1, 6), "a") | dict.fromkeys((6, 7), "b")
    truth |= dict.fromkeys(range(8, 13), "c")
    response = dict.fromkeys(range(1, 6), "x") | dict.fromkeys(range(6, 13), "y")
    score = b_cubed({str(k): v for k, v in truth.items()}, {str(k): v for k, v in response.items()})
    assert score.precision == pytest.approx(0.7619, abs=1e-4)
    assert score.recall == 1.0
    assert score.n_mentions == 12


@given(st.dictionaries(st.integers(0, 50), st.sampled_from("abcd"), min_size=1))
def test_b_cubed_of_itself_is_one(clusters: dict[int, str]) -> None:
    renamed = {item: f"other {name}" for item, name in clusters.items()}
    assert b_cubed(clusters, renamed)[:3] == pytest.approx((1.0, 1.0, 1.0))


def test_missed_and_extra_mentions_are_singletons() -> None:
    gold = {"d": [mention(0, 5, "a"), mention(10, 15, "a")]}
    system = {"d": [mention(0, 5, "s"), mention(30, 35, "s")]}
    aligned, everything = link_clusters(gold, system)
    assert aligned == ({("d", 0, 5): "a"}, {("d", 0, 5): "s"})
    assert len(everything[0]) == 3
    assert b_cubed(*everything).f1 < 1.0


def test_confusions_lists_clusters_that_fall_apart() -> None:
    assert confusions({1: "a", 2: "a", 3: "b"}, {1: "s", 2: "t", 3: "t"}) == [("a", "s 1, t 1")]


@pytest.mark.parametrize("line", ["{", '{"doc": "a"}', '{"doc": "a", "mentions": [{}]}', "[]"])
def test_gold_of_another_shape_is_an_error(tmp_path: Path, line: str) -> None:
    path = tmp_path / "gold.jsonl"
    good = json.dumps({"doc": "a", "mentions": []})
    path.write_text(f"{good}\n{line}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="line 2"):
        read_gold(path)


def test_the_seeds_are_gold(shared: Path) -> None:
    gold = read_gold(shared / "gold" / "seeds.jsonl")
    assert len(gold) == 5
    for document, marks in gold.items():
        text = (shared / "gold" / "seeds" / document).read_text(encoding="utf-8")
        assert all(text[mark.start : mark.end] == mark.text for mark in marks)
