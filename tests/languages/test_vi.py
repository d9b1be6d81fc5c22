from __future__ import annotations

import pytest

from pipeline.languages.vi import are_marked_otherwise


@pytest.mark.parametrize(
    ("one", "other", "otherwise"),
    [
        ("Nguyễn Xuân Sơn", "Nguyễn Xuân Son", True),
        ("Nguyễn Xuân Sơn", "Nguyen Xuan Son", False),
        ("Hòa Bình", "Hoà Bình", False),
        ("Lý Sơn", "Lí Sơn", False),
        ("Đà Nẵng", "Dà Nẵng", True),
        ("Bun-ga-ri", "Bungari", False),
        ("Bà Rịa – Vũng Tàu", "bà rịa vũng tàu", False),
    ],
)
def test_marks(one: str, other: str, otherwise: bool) -> None:
    assert are_marked_otherwise(one, other) is otherwise
    assert are_marked_otherwise(other, one) is otherwise
