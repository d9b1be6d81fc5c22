"""The notebooks run, and are kept with outputs that are whole and small."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_BYTES = 500_000

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def charts(notebook: Any) -> list[str]:
    found = [output.get("data", {}).get("image/svg+xml") for output in outputs(notebook)]
    return [chart for chart in found if chart]


@each
@pytest.mark.timeout(600)
def test_the_notebook_runs(
    path: Path, published_sample: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TABLES", str(published_sample))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]))
    notebook = nbformat.read(path, as_version=4)
    kept = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(FOLDER)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    assert len(charts(notebook)) == len(charts(kept))


@each
def test_it_is_kept_with_its_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert path.stat().st_size < MOST_BYTES
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    assert all(output.output_type != "error" for output in outputs(notebook))


def test_charts_name_people_in_their_scripts() -> None:
    notebook = nbformat.read(FOLDER / "one_entity.ipynb", as_version=4)
    spellings = charts(notebook)[0]
    for name in ("Sadyr Japarov", "Sadır Caparov", "जापारोव"):
        assert name in spellings
    assert "Noto Sans Devanagari" in spellings


def test_notebooks_say_nothing_of_the_machine_they_ran_on() -> None:
    for path in NOTEBOOKS:
        text = path.read_text(encoding="utf-8")
        assert "/home/" not in text
        assert str(FOLDER.parent.parent) + "/" not in text


def test_the_page_names_every_notebook() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"[{path.stem}]({path.name})" in page for path in NOTEBOOKS)
