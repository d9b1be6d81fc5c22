"""What people decided about entities and names: the file ``overrides.toml``, read and checked.

Five kinds of decision, each an array of tables with ``who`` decided and ``why``. What they do to
ids is in :mod:`pipeline.resolve.registry`, what they do to mentions in
:mod:`pipeline.resolve.rulings`.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.errors import UsageError

_Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
_Language = Literal["hi", "ro", "tr", "en", "vi"]


class Override(BaseModel):
    """What every decision says besides its content."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)

    who: _Text
    why: _Text

    @property
    def cause(self) -> str:
        """The decision in a line, for people."""
        return f"{type(self).__name__.lower()} in overrides.toml: {self.why} ({self.who})"


class Same(Override):
    """The entities are one."""

    ids: Annotated[tuple[_Text, ...], Field(min_length=2)]


class Different(Override):
    """The entities are never one; or what bears ``names`` is another than the entity ``id``."""

    ids: Annotated[tuple[_Text, ...], Field(min_length=2)] | None = None
    id: _Text | None = None
    names: Annotated[tuple[_Text, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Different:
        if (self.ids is None) == (self.id is None) or (self.id is None) != (self.names is None):
            raise ValueError("give either 'ids', or 'id' and 'names'")
        return self


class Alias(Override):
    """The name, in ``lang`` or in every language, means the entity."""

    id: _Text
    name: _Text
    lang: _Language | None = None


class Rename(Override):
    """The entity is shown under the name: in one language, or internationally."""

    id: _Text
    name: _Text
    lang: _Language | None = None


class Ignore(Override):
    """The name, or whatever the entity names, is none and leaves all tables."""

    id: _Text | None = None
    name: _Text | None = None
    lang: _Language | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Ignore:
        if (self.id is None) == (self.name is None) or (self.id is not None and self.lang):
            raise ValueError("give either 'id', or 'name' and perhaps 'lang'")
        return self


class Overrides(BaseModel):
    """All decisions, in the order of the file. Empty where nobody decided anything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    same: tuple[Same, ...] = ()
    different: tuple[Different, ...] = ()
    alias: tuple[Alias, ...] = ()
    rename: tuple[Rename, ...] = ()
    ignore: tuple[Ignore, ...] = ()

    def fingerprint(self) -> str:
        """Return a hash (64 hex digits) of the decisions, whatever their order."""
        return hashlib.sha256("\n".join(sorted(self.rows())).encode()).hexdigest()

    def rows(self) -> list[str]:
        """Return each decision as a line of JSON, which :func:`from_rows` reads."""
        return [
            json.dumps(
                {"kind": kind, **override.model_dump(exclude_none=True)},
                ensure_ascii=False,
                sort_keys=True,
            )
            for kind in KINDS
            for override in getattr(self, kind)
        ]

    def ids(self) -> Iterator[tuple[str, str]]:
        """Yield each id that a decision names, with where it stands (``same 1``)."""
        for kind in KINDS:
            for number, override in enumerate(getattr(self, kind), start=1):
                for entity_id in _ids_of(override):
                    yield entity_id, f"{kind} {number}"


KINDS: Final = tuple(Overrides.model_fields)


def _ids_of(override: Override) -> tuple[str, ...]:
    several = getattr(override, "ids", None) or ()
    one = getattr(override, "id", None)
    return (*several, one) if one else tuple(several)


def from_rows(rows: Iterable[str]) -> Overrides:
    """Return the decisions that :meth:`Overrides.rows` wrote."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        content = json.loads(row)
        found.setdefault(content.pop("kind"), []).append(content)
    return Overrides(**{kind: tuple(items) for kind, items in found.items()})


def load(path: Path) -> Overrides | None:
    """Read the decisions in ``path``; None where there is no such file.

    Raises:
        UsageError: the file cannot be read, is not TOML, or decisions are incomplete or contradict
            each other; in one line with the decision's kind and number.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}; make it readable") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}; correct that line") from None
    try:
        overrides = Overrides(**values)
    except ValidationError as error:
        raise UsageError(f"{path}, {_complaint(error)}") from None
    _refuse_contradictions(overrides, path)
    return overrides


def _complaint(error: ValidationError) -> str:
    """Return the first error as ``same 2: 'why' is missing …``."""
    # An unknown key explains the missing one it was meant to be.
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    kind, *rest = first["loc"]
    if kind not in KINDS:
        return f"'{kind}' is no kind of decision; use one of: {', '.join(KINDS)}"
    if not rest:
        return f"'{kind}' is a table; write [[{kind}]] above each decision"
    where = f"{kind} {int(rest[0]) + 1}"
    key = rest[1] if len(rest) > 1 else None
    if first["type"] == "extra_forbidden":
        return f"{where}: '{key}' is no key of it; see docs/how-to/correct.md"
    if first["type"] == "missing":
        return f"{where}: '{key}' is missing; every decision says who decided it, what and why"
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: '{key}': {message}; correct it" if key else f"{where}: {message}"


def _refuse_contradictions(overrides: Overrides, path: Path) -> None:
    heirs = merged(overrides)
    for number, different in enumerate(overrides.different, start=1):
        ends = [heirs.get(entity_id, entity_id) for entity_id in different.ids or ()]
        if len(set(ends)) < len(ends):
            raise UsageError(
                f"{path}, different {number}: a 'same' makes these one; take one of the two out"
            )
    _refuse_twice(
        path,
        "alias",
        [((a.name, a.lang), a.id) for a in overrides.alias],
        "the name is given to two entities; keep one",
    )
    _refuse_twice(
        path,
        "rename",
        [((r.id, r.lang), r.name) for r in overrides.rename],
        "the entity gets two names; keep one",
    )
    aliases = {(a.name, a.lang) for a in overrides.alias}
    for number, ignored in enumerate(overrides.ignore, start=1):
        if (ignored.name, ignored.lang) in aliases:
            raise UsageError(
                f"{path}, ignore {number}: an 'alias' gives that name to an entity; keep one"
            )


def _refuse_twice(path: Path, kind: str, pairs: list[tuple[Any, str]], complaint: str) -> None:
    seen: dict[Any, str] = {}
    for number, (subject, value) in enumerate(pairs, start=1):
        if seen.setdefault(subject, value) != value:
            raise UsageError(f"{path}, {kind} {number}: {complaint}")


def merged(overrides: Overrides) -> Mapping[str, str]:
    """Return for each id in a ``same`` the least id of all that it is one with."""
    least: dict[str, str] = {}
    for same in overrides.same:
        together = {least.get(entity_id, entity_id) for entity_id in same.ids} | set(same.ids)
        together |= {one for one, other in least.items() if other in together}
        least.update(dict.fromkeys(together, min(together)))
    return least
