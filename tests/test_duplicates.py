"""Near duplicates: what is one, what is none, and that the order does not matter."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.duplicates import near_duplicates, signature_of
from pipeline.run import run
from pipeline.settings import load
from pipeline.store.query import database

DAY, NEXT = date(2026, 3, 5), date(2026, 3, 6)
WORDS = [f"word{number}" for number in range(3000)]


def article(seed: int, n_words: int = 300) -> list[str]:
    return random.Random(seed).choices(WORDS, k=n_words)


def edited(words: Sequence[str], n_edits: int, seed: int) -> list[str]:
    result = list(words)
    for place in random.Random(seed).sample(range(len(words)), n_edits):
        result[place] = "edited"
    return result


def found(scratch: Path, *documents: tuple[date, str, str]) -> dict[str, str]:
    rows = [
        {"date": day, "doc_id": doc_id, "text": text, "starts": [0], "ends": [len(text)]}
        for day, doc_id, text in documents
    ]
    with database(scratch) as connection:
        table = near_duplicates(connection, [pa.Table.from_pylist(rows)], scratch)
    return dict(zip(*(column.to_pylist() for column in table.columns), strict=True))


def test_an_edited_copy_stands_behind_the_least_id_of_its_group(tmp_path: Path) -> None:
    first = article(1)
    assert found(
        tmp_path,
        (DAY, "c", " ".join(first)),
        (DAY, "a", " ".join(edited(first, 8, 1))),
        (DAY, "b", " ".join(first).upper()),
        (DAY, "d", " ".join(article(2))),
        (NEXT, "0", " ".join(first)),
    ) == {"b": "a", "c": "a"}


def test_texts_that_share_half_their_words_are_not_the_same(tmp_path: Path) -> None:
    first = article(1)
    half = first[:150] + article(2, 150)
    assert found(tmp_path, (DAY, "a", " ".join(first)), (DAY, "b", " ".join(half))) == {}


def test_only_the_given_parts_are_compared(tmp_path: Path) -> None:
    notice = " ".join(article(9, 400))
    rows = []
    for doc_id, seed in (("a", 1), ("b", 2)):
        own = " ".join(article(seed, 60))
        text = f"{own[:100]}{notice}{own[100:]}"
        starts, ends = [0, 100 + len(notice)], [100, len(text)]
        rows.append({"date": DAY, "doc_id": doc_id, "text": text, "starts": starts, "ends": ends})
    with database(tmp_path) as connection:
        assert not near_duplicates(connection, [pa.Table.from_pylist(rows)], tmp_path).num_rows
        for row in rows:
            row["starts"], row["ends"] = [0], [len(row["text"])]
        assert near_duplicates(connection, [pa.Table.from_pylist(rows)], tmp_path).num_rows


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_documents_does_not_matter(tmp_path: Path, seed: int) -> None:
    documents = [
        (DAY, f"{number}-{copy}", " ".join(edited(article(number), 10 * copy, copy)))
        for number in range(4)
        for copy in range(5)
    ]
    straight = found(tmp_path, *documents)
    assert len(straight) > 4
    random.Random(seed).shuffle(documents)
    assert found(tmp_path, *documents) == straight


@given(st.text(max_size=200))
def test_any_text_has_a_signature_of_one_length_or_no_words(text: str) -> None:
    signature = signature_of(text)
    assert len(signature) == (480 if text.split() else 0)
    assert signature_of(f" {text}\n") == signature


def test_a_text_without_words_has_no_double(tmp_path: Path) -> None:
    assert found(tmp_path, (DAY, "a", " \n"), (DAY, "b", "")) == {}


def test_a_story_is_counted_once_whichever_copy_came_first(
    root: Path, tmp_path: Path, engine: object
) -> None:
    story = [f"The minister said on day {day} that trade had grown a lot." for day in range(12)]
    met = "Maia Sandu met Emmanuel Macron in Paris."
    texts = {
        "copy": " ".join([met, *story]),
        "edited": " ".join([met, *story[:-1], "The minister said no more about it."]),
        "other": "Maia Sandu met Emmanuel Macron again, at a summit about trade in the south.",
    }
    settings = load(root / "exonym.toml")
    results = []
    for order in (["copy", "edited", "other"], ["other", "edited", "copy"]):
        out = tmp_path / order[0]
        for night, name in enumerate(order):
            line = json.dumps({"id": name, "text": texts[name], "date": DAY.isoformat()})
            (tmp_path / f"{name}.jsonl").write_text(line, "utf-8")
            run([str(tmp_path / f"{name}.jsonl")], out, date(2026, 3, 6 + night), settings)
        documents = pd.read_parquet(out / "documents").set_index("doc_id")
        results.append(documents["near_duplicate_of"].dropna().to_dict())
        assert len(results[-1]) == 1
        counted = pd.read_parquet(out / "daily_entities")
        counts = set(zip(counted["n_documents"], counted["n_stories"], strict=True))
        assert counts >= {(3, 2), (2, 1)}
        pairs = pd.read_parquet(out / "daily_pairs")
        assert (pairs["n_documents"].max(), pairs["n_stories"].max()) == (3, 2)
    assert results[0] == results[1]
