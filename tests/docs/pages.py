"""The hand-written pages and what stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent.parent
GENERATED: Final = {
    ROOT / "docs" / "tables.md",
    ROOT / "docs" / "reference" / "commands.md",
    ROOT / "docs" / "reference" / "settings.md",
}
WRITTEN: Final = [
    ROOT / "README.md",
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if path not in GENERATED),
]

_BLOCK: Final = re.compile(
    r"^(?:<!-- (?P<mark>[^>]*) -->\n+)?^```(?P<language>sh|python)\n(?P<code>.*?)^```$", re.M | re.S
)
_INLINE: Final = re.compile(r"`(?:\.venv/bin/)?(exonym [^`]+)`")
_FENCED: Final = re.compile(r"^```.*?^```$", re.M | re.S)


class Block(NamedTuple):
    """A fenced block of a page that a reader would run.

    ``mark`` is the comment above it: ``not run: REASON``, ``runs until stopped``, or empty.
    """

    page: str
    line: int
    language: str
    mark: str
    code: str


def name_of(path: Path) -> str:
    """Return the path of a page below the checkout."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path) -> Iterator[Block]:
    """Yield the blocks of shell and Python of a page, in order."""
    text = path.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("code")) + 1
        mark = found["mark"] or ""
        yield Block(name_of(path), line, found["language"], mark, found["code"])


def inline_commands(path: Path) -> list[str]:
    """Return the calls of ``exonym`` that stand in a page's prose and tables."""
    text = _FENCED.sub("", path.read_text(encoding="utf-8"))
    return [found.replace("\\|", "|") for found in _INLINE.findall(text)]
