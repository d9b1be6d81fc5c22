"""The sample: whole, marked as invented, and what `make sample` reads."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.detect.segments import segments_of
from pipeline.schemas import LANGUAGES

SAMPLE = Path(__file__).parent.parent / "data" / "sample"
FILES = sorted(SAMPLE.glob("*.jsonl"))


def articles(*files: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


def test_there_is_a_file_for_each_of_thirty_days() -> None:
    first = date(2025, 10, 1)
    assert [file.stem for file in FILES] == [
        str(first + timedelta(days=number)) for number in range(30)
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_articles_are_of_their_day_and_marked(file: Path) -> None:
    for article in articles(file):
        assert article["date"] == file.stem
        assert article["note"] == "invented for Exonym's sample"
        assert 55 <= len(f"{article['title']} {article['text']}".split()) <= 200, article["id"]


def test_ids_and_texts_come_once() -> None:
    everything = articles(*FILES)
    for field in ("id", "title", "text"):
        assert Counter(article[field] for article in everything).most_common(1)[0][1] == 1


def test_no_language_is_short_of_articles() -> None:
    counts = Counter(article["lang"] for article in articles(*FILES))
    assert counts.keys() == set(LANGUAGES)
    assert min(counts.values()) >= 50
    assert counts.total() >= 280


def test_articles_are_in_the_language_they_claim() -> None:
    for article in articles(*FILES):
        found = {segment.verdict.lang for segment in segments_of(article["text"], None)}
        assert found == {article["lang"]}, article["id"]
