"""Print ``docs/reference/commands.md``: ``python -m pipeline.commands_page``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import typer.main

from pipeline.cli import app

_HEAD: Final = """\
# Commands

Generated from `pipeline/cli.py` by `make docs`. `exonym COMMAND --help` prints the same.
`--debug`, anywhere, shows the traceback of an error.
"""

_EXIT_CODES: Final = """\
## Exit codes

| code | meaning |
| --- | --- |
| 0 | published, or nothing new to do |
| 1 | failed; nothing was published |
| 2 | wrong usage, settings or source |
| 3 | another run holds the output folder |
| 4 | a publish gate held the night back |
| 130 | stopped by Ctrl-C; the next run resumes |
| 143 | stopped by SIGTERM; the next run resumes |
"""

_WIDE: Final = 10_000
"""Columns of a usage line, so that none is broken."""


_TYPE: Final = re.compile(r" <[^>]*>$")


def page() -> str:
    """Return the page in Markdown."""
    sections = ("\n".join(_section(name, command)) for name, command in commands())
    return "\n".join([_HEAD, *sections, _EXIT_CODES])


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command by its full name (``exonym models add``), in the order of the help."""
    yield from _below("exonym", typer.main.get_command(app))


def options(command: Any) -> list[str]:
    """Return the options of a command, without ``--help``."""
    given = (option for parameter in command.params for option in parameter.opts)
    return [option for option in given if option.startswith("--")]


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child_name, child in children.items():
        yield from _below(f"{name} {child_name}", child)


def _section(name: str, command: Any) -> Iterator[str]:
    context = command.make_context(
        name, [], resilient_parsing=True, terminal_width=_WIDE, max_content_width=_WIDE
    )
    yield f"## {name}\n"
    yield f"    {command.get_usage(context).removeprefix('Usage: ')}\n"
    yield f"{_sentence(command.help)}\n"
    yield "| argument, option | meaning |"
    yield "| --- | --- |"
    for parameter in command.params:
        term, meaning = parameter.get_help_record(context)
        # The type stands behind a name that says more than it: RUN <str>.
        term = _TYPE.sub("", term) if parameter.metavar else term
        yield f"| `{_in_cell(term)}` | {_in_cell(meaning)} |"
    yield ""


def _sentence(text: str) -> str:
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text.strip())


def _in_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
