"""What counts of past news do to the links of one document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.knowledge.index import Index
from pipeline.resolve.document import settle
from pipeline.resolve.past import BESIDE, COUNTED, NONE, STORIES, Past, surname_of

AMINA, JUNA = "exonym:amina-bolat", "exonym:juna-bolat"
KEYS = (
    AMINA,
    JUNA,
    "exonym:petru-varga",
    "geonames-admin1:US.GA",
    "iso:GE",
    "iso:RU",
    "geonames:4180439",
)
DOCUMENTS = {
    "a": ("en", "[[Bolat|PER]] met [[Petru Varga|PER]] in [[Georgia|LOC]]."),
    "b": ("en", "[[Moscow|LOC]] waits for [[Bolat|PER]]."),
    "c": ("ro", "[[Amina Bolat|PER]] a plecat din [[Rusia|LOC]]. [[Bolat|PER]] tace."),
    "d": ("tr", "[[Georgia|LOC]] ve [[Atlanta|LOC]]. [[Varga|PER]] sustu."),
}


def past_of(rows: Mapping[tuple[str | None, str | None], int]) -> Past:
    columns = [[k for k, _ in rows], [o for _, o in rows], list(rows.values())]
    return Past.of(pa.table(columns, schema=COUNTED))


def links(
    documents: Mapping[str, tuple[str, str]], mark: Callable[..., Any], index: Index, past: Past
) -> dict[tuple[str, int], tuple[str | None, str, float]]:
    """Return key, method and score of every mention."""
    marked = mark(documents)
    table = settle(marked.documents, marked.segments, marked.mentions.to_pylist(), index, past=past)
    return {
        (row["doc_id"], row["start"]): (
            row["knowledge_key"],
            row["link_method"],
            row["link_score"],
        )
        for row in table.to_pylist()
    }


counts = st.dictionaries(
    st.one_of(
        st.tuples(st.sampled_from(KEYS), st.none()),
        st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS)).filter(lambda p: p[0] < p[1]),
        st.tuples(st.none(), st.sampled_from(("bolat", "varga"))),
    ),
    st.integers(1, 200),
).map(lambda rows: {(None, None): 1000, **rows})

few = settings(
    deadline=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@few
@given(rows=counts, order=st.permutations(sorted(DOCUMENTS)), left_out=st.sampled_from("abcd"))
def test_a_document_depends_on_itself_and_the_past_alone(
    rows: Any, order: list[str], left_out: str, mark: Callable[..., Any], small_index: Index
) -> None:
    past = past_of(rows)
    shuffled = past_of(dict(sorted(rows.items(), key=str, reverse=True)))
    whole = links(DOCUMENTS, mark, small_index, past)
    part = {doc_id: DOCUMENTS[doc_id] for doc_id in order if doc_id != left_out}
    found = links(part, mark, small_index, shuffled)
    assert found == {place: whole[place] for place in found}


@few
@given(rows=counts)
def test_what_past_news_does_not_decide_is_as_without_it(
    rows: Any, mark: Callable[..., Any], small_index: Index
) -> None:
    before = links(DOCUMENTS, mark, small_index, NONE)
    after = links(DOCUMENTS, mark, small_index, past_of(rows))
    for place, link in after.items():
        if link[1] == "news":
            assert link[0] not in (None, before[place][0])
        else:
            assert link == before[place]


@few
@given(rows=counts)
def test_what_it_decided_it_decides_again(
    rows: Any, mark: Callable[..., Any], small_index: Index
) -> None:
    first = links(DOCUMENTS, mark, small_index, past_of(rows))
    decided = {place: key for place, (key, method, _) in first.items() if method == "news" and key}
    again = links(DOCUMENTS, mark, small_index, Past(settled=decided))
    assert {place: link[:2] for place, link in again.items()} == {
        place: link[:2] for place, link in first.items()
    }


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ({}, None),
        ({(AMINA, None): 30}, AMINA),
        ({(JUNA, None): 30, (AMINA, None): 2}, JUNA),
        ({(JUNA, None): 30, (AMINA, None): 20}, None),
        ({(JUNA, None): 2}, None),
        ({(JUNA, None): 30, (None, "bolat"): 40}, None),
        ({(JUNA, None): 20, (AMINA, None): 20, (AMINA, "exonym:petru-varga"): 15}, AMINA),
    ],
)
def test_two_of_one_surname(
    rows: Any, expected: str | None, mark: Callable[..., Any], small_index: Index
) -> None:
    past = past_of({(None, None): 1000, ("exonym:petru-varga", None): 40, **rows})
    document = {"a": DOCUMENTS["a"]}
    key, method, _ = links(document, mark, small_index, past)["a", 0]
    assert key == expected
    assert (method == "news") == (expected is not None)


def test_a_country_and_a_state_of_one_name(mark: Callable[..., Any], small_index: Index) -> None:
    document = {"a": ("en", "[[Georgia|LOC]] votes today.")}
    before = links(document, mark, small_index, NONE)["a", 0]
    often = past_of({(None, None): 1000, ("geonames-admin1:US.GA", None): 400})
    assert links(document, mark, small_index, past_of({(None, None): 9})) == {("a", 0): before}
    assert before[0] == "iso:GE"
    # The prior of a country is far above a state's: past news alone does not turn it.
    assert links(document, mark, small_index, often)["a", 0] == before


def test_features_are_shares_and_shrink() -> None:
    past = past_of({(None, None): 100, (AMINA, None): 6, (JUNA, None): 2, (AMINA, "iso:RU"): 4})
    news = past.evidence([AMINA, JUNA], ["bolat"], ["iso:RU"])
    assert news[AMINA][STORIES] == pytest.approx(6 / 10)
    assert news[JUNA] == {STORIES: pytest.approx(2 / 10)}
    assert BESIDE not in news[AMINA]  # how rare Russia is was not counted
    past = past_of({(None, None): 100, (AMINA, None): 6, ("iso:RU", None): 100})
    assert past.weight("iso:RU") == 0.0
    assert past.weight(AMINA) == pytest.approx(0.611, abs=1e-3)
    assert past.evidence([JUNA], [], []) == {}


def test_surnames_of_keys() -> None:
    assert surname_of("bela varga") == "varga"
    assert surname_of("varga") is None
    assert surname_of("justice ministry@RU") is None
