"""The articles that nights are measured on."""

from __future__ import annotations

import importlib.util
import json
import sys
from itertools import islice
from pathlib import Path
from types import ModuleType

import pytest

from pipeline.schemas import LANGUAGES


@pytest.fixture(scope="module")
def articles(root: Path, shared: Path) -> ModuleType:
    path = root / "benchmarks/articles.py"
    specification = importlib.util.spec_from_file_location("benchmark_articles", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    monkeypatch.chdir(root)


def test_a_longer_run_begins_with_a_shorter_one(articles: ModuleType) -> None:
    few = list(islice(articles.articles(seed=7), 10))
    assert list(islice(articles.articles(seed=7), 20))[:10] == few
    assert list(islice(articles.articles(seed=8), 10)) != few


def test_no_two_articles_begin_alike(articles: ModuleType) -> None:
    size = 50
    pairs = {articles._pair(number, 3, size) for number in range(size * (size - 1))}
    assert len(pairs) == size * (size - 1)
    assert all(first != second for first, second in pairs)
    with pytest.raises(ValueError, match="no more than 2450"):
        articles._pair(size * (size - 1), 3, size)


def test_files_hold_what_the_pipeline_reads(articles: ModuleType, tmp_path: Path) -> None:
    words = articles.write(tmp_path, 50, seed=1, median_words=200)
    (file,) = tmp_path.iterdir()
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows[:5]] == [f"{lang}-0" for lang in LANGUAGES]
    assert len({row["text"] for row in rows}) == 50
    lengths = sorted(len(row["text"].split()) for row in rows)
    assert lengths[0] < 150 < 300 < lengths[-1]
    assert 150 * 50 < words < 450 * 50
