"""Reading the invented pages that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest


class Row(NamedTuple):
    """A line of a page, or the credit at its end, with what is expected of it."""

    start: int
    end: int
    kind: str
    lang: str


class Page(NamedTuple):
    text: str
    rows: list[Row]


def read_page(path: Path) -> Page:
    """Read a page: a row is kind, language and text; `+` before the kind continues the line."""
    text, rows = "", []
    for row in path.read_text(encoding="utf-8").splitlines():
        kind, lang, line = row.split("\t")
        if text:
            text += " " if kind.startswith("+") else "\n\n"
        rows.append(Row(len(text), len(text) + len(line), kind.removeprefix("+"), lang))
        text += line
    return Page(text, rows)


PAGES = sorted(Path(__file__).with_name("pages").glob("*.tsv"))


@pytest.fixture(params=PAGES, ids=lambda path: path.stem)
def page(request: pytest.FixtureRequest) -> Page:
    return read_page(request.param)


@pytest.fixture
def pages() -> list[Page]:
    return [read_page(path) for path in PAGES]


@pytest.fixture
def page_named() -> Callable[[str], Page]:
    return lambda name: read_page(Path(__file__).with_name("pages") / f"{name}.tsv")
