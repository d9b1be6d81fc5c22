"""Every command of the README and of docs/ is run, in a copy of the checkout.

A fenced block of ``sh`` or ``python`` is run as it stands, a page's blocks one after the other, and
those of Python that follow each other in one session. The
articles of ``data/raw`` are published before, but for the README and the tutorial, which begin with
that. A comment above a block makes an exception: ``<!-- not run: REASON -->``, which shows as a
skipped test, or ``<!-- runs until stopped -->``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from pipeline.knowledge.build import ensure

from .pages import ROOT, WRITTEN, Block, blocks, name_of

NOT_RUN = "not run: "
UNTIL_STOPPED = "runs until stopped"
FROM_NOTHING = {"README.md", "docs/tutorial.md"}

PAGES = {name_of(path): list(blocks(path)) for path in WRITTEN}
EXCEPTIONS = [
    pytest.param(block, id=f"{block.page}:{block.line}")
    for page in PAGES.values()
    for block in page
    if block.mark.startswith(NOT_RUN)
]
SECONDS = 400
WEIGHTS = 2**20
"""Bytes from which a model's file is linked and not copied."""


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is under version control, as a fresh clone would have it, with its .venv."""
    copy = tmp_path_factory.mktemp("docs") / "exonym"
    for name in _files():
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).stat().st_size > WEIGHTS and "knowledge" not in name:
            target.symlink_to(ROOT / name)
        else:
            shutil.copy2(ROOT / name, target)
    # Built from the files beside it; the copy saves each page the time. Not while others build it.
    knowledge = ROOT / "models" / "knowledge"
    ensure(knowledge)
    index = copy / "models" / "knowledge" / "index"
    shutil.copytree(knowledge / "index", index, dirs_exist_ok=True)
    environment = copy / ".venv"
    environment.mkdir()
    for part in Path(sys.prefix).iterdir():
        (environment / part.name).symlink_to(part)
    # For make: set up, and later than the lock.
    (environment / ".ready").unlink(missing_ok=True)
    (environment / ".ready").touch()
    return copy


@pytest.fixture(scope="session")
def published_checkout(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after the first run."""
    copy = tmp_path_factory.mktemp("docs-published") / "exonym"
    shutil.copytree(checkout, copy, symlinks=True)
    _run(Block("", 0, "sh", "", "exonym run --date 2025-11-26"), copy)
    return copy


@pytest.fixture
def copy(page: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A checkout of one's own, as a page expects to find it."""
    begun = "checkout" if page in FROM_NOTHING else "published_checkout"
    folder = tmp_path / "exonym"
    shutil.copytree(request.getfixturevalue(begun), folder, symlinks=True)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("page", [name for name, found in PAGES.items() if found])
def test_every_command_of_a_page_works(page: str, copy: Path) -> None:
    for block in _sessions(PAGES[page]):
        if block.mark == UNTIL_STOPPED:
            _start_and_stop(block, copy)
        elif not block.mark.startswith(NOT_RUN):
            _run(block, copy)


@pytest.mark.parametrize("block", EXCEPTIONS)
def test_exceptions_are_seen(block: Block) -> None:
    pytest.skip(f"{block.page}:{block.line} {block.mark}")


@pytest.mark.parametrize("page", PAGES)
def test_marks_are_spelled_right(page: str) -> None:
    for block in PAGES[page]:
        assert block.mark in ("", UNTIL_STOPPED) or block.mark.startswith(NOT_RUN), block


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_commands_stand_in_blocks_that_are_run(path: Path) -> None:
    indented = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith(("    exonym ", "    make ", "    python ", "    pip "))
    ]
    assert not indented


def _sessions(found: list[Block]) -> Iterator[Block]:
    """Yield the blocks, those of Python that follow each other as one: they share their names."""
    for is_python, group in groupby(found, key=lambda block: block.language == "python"):
        if is_python:
            first, *others = group
            yield first._replace(code="\n".join([first.code, *(block.code for block in others)]))
        else:
            yield from group


def _files() -> list[str]:
    """Return what git would put into a commit; without git, everything but what is built."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("needs git to tell the checkout's files from what was built")
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def _environment(copy: Path) -> dict[str, str]:
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("EXONYM_")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(copy),
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "120",
    }


def _command(block: Block) -> list[str]:
    if block.language == "python":
        return [sys.executable, "-c", block.code]
    return ["bash", "-eu", "-o", "pipefail", "-c", block.code]


def _run(block: Block, copy: Path) -> None:
    told = subprocess.run(
        _command(block),
        cwd=copy,
        env=_environment(copy),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    where = f"{block.page}:{block.line}"
    assert told.returncode == 0, f"{where}\n{block.code}\n{told.stdout[-2000:]}\n{told.stderr}"


def _start_and_stop(block: Block, copy: Path) -> None:
    """Run a command that serves until it is stopped; it has to say where, then stop when asked."""
    with subprocess.Popen(
        _command(block),
        cwd=copy,
        env=_environment(copy),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        # Not SIGINT, which is ignored where the tests run in the background of a shell.
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert "http://" in first, f"{block.page}:{block.line}\n{block.code}"
