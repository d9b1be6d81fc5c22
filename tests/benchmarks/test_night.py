"""What the measured nights are summed up as."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def night() -> ModuleType:
    folder = Path(__file__).resolve().parents[2] / "benchmarks"
    sys.path.insert(0, str(folder))
    try:
        specification = importlib.util.spec_from_file_location(
            "benchmark_night", folder / "night.py"
        )
        assert specification is not None
        assert specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        sys.modules[specification.name] = module
        specification.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    return module


@pytest.mark.parametrize("power", [0.9, 1.0, 2.0])
def test_the_exponent_of_a_power_is_found(night: ModuleType, power: float) -> None:
    sizes = [100.0, 1000.0, 10_000.0]
    assert night.exponent(sizes, [3 * size**power for size in sizes]) == pytest.approx(power)


def test_tables_have_a_cell_for_every_column(night: ModuleType) -> None:
    cpu = dict.fromkeys((*night.STAGES, night.REST), 1.0) | {"recognise": 4.0}
    measured = [
        night.Night(n, n * 50, n * 3, 2, 9.0, cpu, 300.0, 700.0, n * 900, n * 300, 5.0)
        for n in (100, 1000)
    ]
    assert measured[0].without_models == 5.0
    for lines in (night.speed_table(measured), night.size_table(measured)):
        assert len({line.count("|") for line in lines}) == 1
        assert len(lines) == 4
    assert night.speed_table(measured)[-1].endswith("| 10,000 | 5,556 |")
    (growth,) = night.growth_lines(measured)
    assert "all 0.00" in growth


def test_samples_are_read_by_name_and_label(night: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "exonym.prom"
    file.write_text(
        "# TYPE exonym_run_words gauge\nexonym_run_words 12.0\n"
        "# TYPE exonym_run_stage_seconds gauge\n"
        'exonym_run_stage_seconds{stage="detect"} 0.5\n',
        encoding="utf-8",
    )
    found = night.metrics(file)
    assert found == {
        ("exonym_run_words", ""): 12.0,
        ("exonym_run_stage_seconds", "detect"): 0.5,
    }
