"""The generated pages are as the code is, and nothing that a user can type is left undescribed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pipeline import commands_page, settings_page
from pipeline.ingest.records import ERRORS
from pipeline.resolve.methods import METHODS

from .pages import WRITTEN, inline_commands, name_of

COMMANDS = dict(commands_page.commands())
PROSE = "\n".join(path.read_text(encoding="utf-8") for path in WRITTEN)


def test_the_reference_of_commands_is_generated(root: Path) -> None:
    written = (root / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    assert written == commands_page.page(), "run `make docs`"


def test_the_reference_of_settings_is_generated(root: Path) -> None:
    written = (root / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    assert written == settings_page.page(), "run `make docs`"


@pytest.mark.parametrize("key", list(settings_page.keys()))
def test_every_setting_says_what_it_means(key: str) -> None:
    if key == "profiles":
        return
    variable = f"`EXONYM_{key.replace('.', '__').upper()}`"
    (row,) = [line for line in settings_page.page().splitlines() if variable in line]
    assert len(row.split("|")[-2].strip()) > 5


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme(name: str, root: Path) -> None:
    assert f"`{name}" in (root / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained_on_some_page(name: str) -> None:
    missing = [
        option
        for option in commands_page.options(COMMANDS[name])
        if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", PROSE)
    ]
    assert not missing


def test_every_way_of_joining_is_explained(root: Path) -> None:
    page = (root / "docs" / "explanation" / "matching.md").read_text(encoding="utf-8")
    assert [method for method in METHODS if f"\n| `{method}` | " not in page] == []


def test_every_reason_for_quarantine_has_its_meaning(root: Path) -> None:
    page = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [error for error in ERRORS if f"\n| `{error}` | " not in page] == []


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_a_page_names_no_command_or_option_that_is_not_there(path: Path) -> None:
    for call in inline_commands(path):
        words = re.sub(r"[\[\]]", " ", call).split()
        command = _command(words)
        if command is None:
            assert _is_group(words), call
            continue
        unknown = {word for word in words if word.startswith("--")} - {
            *commands_page.options(command),
            "--debug",
            "--help",
        }
        assert not unknown, call


def _command(words: list[str]) -> Any:
    return COMMANDS.get(" ".join(words[:2])) or COMMANDS.get(" ".join(words[:3]))


def _is_group(words: list[str]) -> bool:
    return len(words) == 2 and any(name.startswith(f"{' '.join(words)} ") for name in COMMANDS)
