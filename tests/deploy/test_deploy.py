"""What can be checked of deploy/ without installing it."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main

from pipeline.cli import app
from pipeline.settings import Settings


@pytest.fixture
def deploy(root: Path) -> Path:
    return root / "deploy"


def unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(path.read_text("utf-8"))
    return parser


def check_command(line: str) -> None:
    """Check a line that calls exonym: its command and options must exist."""
    words = shlex.split(line)
    place = next(number for number, word in enumerate(words) if word.endswith("bin/exonym"))
    command, *arguments = words[place + 1 :]
    known = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    options = {option for parameter in known.params for option in parameter.opts}
    assert {word for word in arguments if word.startswith("--")} <= options


def check_variables(text: str) -> None:
    variables = set(re.findall(r"\bEXONYM_([A-Z_]+)=", text))
    assert variables
    assert {name.lower() for name in variables} <= set(Settings.model_fields)


def test_systemd_units_fit_each_other(deploy: Path) -> None:
    service, timer = unit(deploy / "exonym.service"), unit(deploy / "exonym.timer")
    check_command(service["Service"]["ExecStart"])
    check_variables((deploy / "exonym.service").read_text("utf-8"))
    assert service["Service"]["Type"] == "oneshot"
    # SIGTERM must reach the run alone, and 143 is how it says that it was stopped.
    assert service["Service"]["KillMode"] == "mixed"
    assert service["Service"]["SuccessExitStatus"] == "143"
    assert timer["Install"]["WantedBy"] == "timers.target"


def test_systemd_finds_nothing_wrong(deploy: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    units = [str(deploy / name) for name in ("exonym.service", "exonym.timer")]
    found = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )
    complaints = [line for line in found.stderr.splitlines() if "exonym" in line]
    # The programme lies where the units say on the machine they are installed on.
    assert [line for line in complaints if "is not executable" not in line] == []


def test_the_crontab_line(deploy: Path) -> None:
    lines = (deploy / "crontab").read_text("utf-8").splitlines()
    (line,) = [line for line in lines if re.match(r"[\d*]", line)]
    minute, hour, *_, command = line.split(maxsplit=5)
    assert (int(minute), int(hour)) == (0, 2)
    assert "%" not in command, "cron takes % for the end of the line"
    check_command(command.partition(">>")[0])
    check_variables(command)


def test_the_dockerfile_copies_what_is_there(deploy: Path, root: Path) -> None:
    text = (deploy / "Dockerfile").read_text("utf-8").replace("\\\n", "")
    check_variables(text)
    for line in text.splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            *sources, _ = line.split()[1:]
            assert all((root / source).exists() for source in sources), line
    entry = re.findall(r"^(?:ENTRYPOINT|CMD) (\[.*\])$", text, re.MULTILINE)
    check_command(" ".join(re.findall(r'"([^"]*)"', " ".join(entry))))
