from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.recognise.calibration import Calibration, log_odds


@given(st.floats(0, 1))
def test_without_calibration_a_score_stays(score: float) -> None:
    assert Calibration().apply(score) == pytest.approx(score, abs=2e-6)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 5), st.floats(-3, 3))
def test_the_order_of_scores_stays(one: float, other: float, slope: float, offset: float) -> None:
    calibration = Calibration(slope, offset)
    low, high = sorted((one, other))
    assert 0 <= calibration.apply(low) <= calibration.apply(high) <= 1


def test_platt_scaling() -> None:
    assert log_odds(0.75) == pytest.approx(math.log(3))
    assert Calibration(2, math.log(2)).apply(0.75) == pytest.approx(18 / 19)


def test_a_file_comes_back(tmp_path: Path) -> None:
    Calibration(0.5, -1.25).save(tmp_path / "calibration.json")
    assert Calibration.from_file(tmp_path / "calibration.json") == Calibration(0.5, -1.25)
    assert Calibration.from_file(tmp_path / "absent.json") == Calibration()
