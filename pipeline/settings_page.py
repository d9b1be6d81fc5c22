"""Print ``docs/reference/settings.md``: ``python -m pipeline.settings_page``.

Names and types come from :mod:`pipeline.settings`; values and what they mean from the shipped file,
where each key has its comment.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel

from pipeline.settings import DEFAULT_FILE, ROOT, Settings

_HEAD: Final = f"""\
# Settings

Generated from `{DEFAULT_FILE}` and `pipeline/settings.py` by `make docs`. A command reads
`{DEFAULT_FILE}` in the folder from which it is called, else the shipped one; `--config FILE` names
another. The variable goes before the file; an unknown key or variable is an error.
"""

_PROFILES: Final = """\
Which engine and model reads which language: `hi`, `ro`, `tr`, `en`, `vi`, and `und` for text in no
known language, as `onnx:NAME`, `spacy:NAME_OR_PATH` or `stanza:NAME_OR_PATH`. `profile` chooses one
of them.
"""

_KEY: Final = re.compile(r"(?P<key>\w+) = (?P<value>\"[^\"]*\"|[^#]+?)\s*(?:# (?P<meaning>.*))?")


@dataclass
class _Part:
    """A table of the file: the comment above it, and value and comment of each key, as written."""

    above: str = ""
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)


def page() -> str:
    """Return the page in Markdown."""
    parts = _parts((ROOT / DEFAULT_FILE).read_text(encoding="utf-8"))
    return "\n".join([_HEAD, *_lines(parts)])


def keys(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    """Yield every key, those of a table as ``table.key``; ``profiles`` without its own."""
    for name, field_ in model.model_fields.items():
        table = field_.annotation
        if isinstance(table, type) and issubclass(table, BaseModel):
            yield from keys(table, f"{name}.")
        else:
            yield prefix + name


def _parts(text: str) -> Mapping[str, _Part]:
    """Cut the shipped file at its tables; the keys before the first are under the empty name."""
    name, above = "", []
    parts = {name: _Part()}
    for line in text.splitlines():
        if line.startswith("#"):
            above.append(line.removeprefix("#").strip())
        elif line.startswith("["):
            name = line.strip("[]")
            parts[name] = _Part(" ".join(above))
        elif found := _KEY.fullmatch(line):
            parts[name].keys[found["key"]] = (found["value"], found["meaning"] or "")
        if not line.startswith("#"):
            above = []
    return parts


def _lines(parts: Mapping[str, _Part]) -> Iterator[str]:
    tables = {table: part for table, part in parts.items() if not table.startswith("profiles.")}
    for table, part in tables.items():
        yield f"## {table or 'General'}\n"
        if part.above:
            yield f"{part.above}\n"
        yield "| key | variable | shipped | meaning |"
        yield "| --- | --- | --- | --- |"
        for key in keys():
            if key.rpartition(".")[0] == table and key != "profiles":
                yield _row(key, part)
        yield ""
    yield "## profiles\n"
    yield _PROFILES
    routes = tomllib.loads((ROOT / DEFAULT_FILE).read_text(encoding="utf-8"))["profiles"]
    languages = list(next(iter(routes.values())))
    yield f"| profile | {' | '.join(languages)} | |"
    yield f"| --- | {' | '.join('---' for _ in languages)} | --- |"
    for profile, routing in routes.items():
        values = " | ".join(f"`{routing[lang]}`" for lang in languages)
        yield f"| `{profile}` | {values} | {parts[f'profiles.{profile}'].above} |"


def _row(key: str, part: _Part) -> str:
    name = key.rpartition(".")[2]
    variable = f"EXONYM_{key.replace('.', '__').upper()}"
    value, meaning = part.keys.get(name, ("", ""))
    meaning = meaning or _field(key).description or ""
    return f"| `{name}` | `{variable}` | {f'`{value}`' if value else ''} | {_in_cell(meaning)} |"


def _field(key: str) -> Any:
    *tables, name = key.split(".")
    model: Any = Settings
    for table in tables:
        model = model.model_fields[table].annotation
    return model.model_fields[name]


def _in_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
