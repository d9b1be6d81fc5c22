from __future__ import annotations

import csv
import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.dates import input_date, publication_date

NIGHT = datetime.date(2025, 11, 26)
SEEDS = Path("../shared/gold/seeds")


def _cases() -> list[dict[str, str]]:
    path = Path(__file__).with_name("publication_lines.tsv")
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize("case", _cases(), ids=lambda case: f"{case['lang']} {case['case']}")
def test_publication_lines(case: dict[str, str]) -> None:
    expected = datetime.date.fromisoformat(case["date"]) if case["date"] else None
    assert publication_date(case["text"].replace("\\n", "\n"), NIGHT) == expected


def test_the_table_covers_five_languages_and_both_answers() -> None:
    cases = _cases()
    assert len(cases) >= 60
    for lang in ("en", "hi", "ro", "tr", "vi"):
        found = [bool(case["date"]) for case in cases if case["lang"] == lang]
        assert found.count(True) >= 5
        assert found.count(False) >= 5


@pytest.mark.skipif(not SEEDS.is_dir(), reason="../shared is not here")
def test_the_real_articles() -> None:
    found = {
        path.name[:3]: publication_date(path.read_text(encoding="utf-8"), NIGHT)
        for path in SEEDS.glob("*.txt")
    }
    assert found == {"000": None, "001": NIGHT, "002": NIGHT, "003": None, "004": NIGHT}


@pytest.mark.parametrize(
    ("given_date", "lang", "expected"),
    [
        ("2025-11-25", None, "2025-11-25"),
        ("2025-11-25T23:59:00-08:00", None, "2025-11-25"),
        ("2025-11-25 10:00:00", None, "2025-11-25"),
        ("2025-11-25T10:00:00Z", None, "2025-11-25"),
        ("Tue, 25 Nov 2025 13:32:00 +0200", None, "2025-11-25"),
        ("Tue, 25 Nov 2025 13:32:00 GMT", None, "2025-11-25"),
        ("25.11.2025", None, "2025-11-25"),
        ("11/25/2025", None, "2025-11-25"),
        ("25 noiembrie 2025", "ro", "2025-11-25"),
        ("25 Kasım 2025 14:41", "tr", "2025-11-25"),
        ("२५ नवंबर २०२५", "hi", "2025-11-25"),
        ("ngày 25 tháng 11 năm 2025", "vi", "2025-11-25"),
        ("05/11/2025", "vi", "2025-11-05"),
        ("05/11/2025", "en", None),
        ("2025-11-27", None, None),
        ("2025-13-45", None, None),
        ("yesterday", "en", None),
        ("November 2025", "en", None),
        ("24 November 2025 to 25 November 2025", "en", None),
        ("1764150000", None, None),
        ("0001-01-01", None, None),
        ("0001-01-01T00:00:00", None, None),
        ("1899-12-31", None, None),
        ("", None, None),
    ],
)
def test_input_dates(given_date: str, lang: str | None, expected: str | None) -> None:
    found = input_date(given_date, lang, NIGHT)
    assert (found.isoformat() if found else None) == expected


@given(st.text())
def test_any_text_has_a_date_not_after_the_night_or_none(text: str) -> None:
    for date in (input_date(text, None, NIGHT), publication_date(text, NIGHT)):
        assert date is None or date <= NIGHT
