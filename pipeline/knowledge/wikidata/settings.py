"""What to look for in a dump: classes, properties and languages, from a TOML file."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.knowledge.files import KnowledgeError

SHIPPED: Final = Path(__file__).with_name("settings.toml")

_ITEM: Final = r"Q[1-9]\d*"
_PROPERTY: Final = r"P[1-9]\d*"


class Classes(BaseModel):
    """The classes whose instances, and those of their subclasses, are of each label."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    PER: list[str] = Field(default=[])
    LOC: list[str] = Field(default=[])
    ORG: list[str] = Field(default=[])

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """The classes by label, in the order that settles ties."""
        return {"PER": tuple(self.PER), "LOC": tuple(self.LOC), "ORG": tuple(self.ORG)}


class Properties(BaseModel):
    """Wikidata's properties by what they are used for here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    instance_of: str = Field(pattern=_PROPERTY)
    subclass_of: str = Field(pattern=_PROPERTY)
    country_code: str = Field(pattern=_PROPERTY)
    geonames: str = Field(pattern=_PROPERTY)
    population: str = Field(pattern=_PROPERTY)
    countries: list[str]


class Languages(BaseModel):
    """The dump's language codes by column of the knowledge files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: list[str]
    hi: list[str]
    ro: list[str]
    tr: list[str]
    vi: list[str]
    any: list[str]


class ImportSettings(BaseModel):
    """All settings of an import."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    least_sitelinks: int = Field(ge=0)
    classes: Classes
    properties: Properties
    languages: Languages

    def fingerprint(self) -> str:
        """Return a SHA-256 in hex that changes with every setting."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load(path: Path | None = None) -> ImportSettings:
    """Read the settings from ``path``, else the shipped ones.

    Raises :class:`pipeline.knowledge.files.KnowledgeError` when the file cannot be used.
    """
    file = path or SHIPPED
    try:
        values: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        return ImportSettings.model_validate(values)
    except OSError as error:
        raise KnowledgeError(f"cannot read {file}: {error.strerror}; check --classes") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"{file} is not valid TOML: {error}; correct that line") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise KnowledgeError(
            f"{file}: '{key}': {first['msg']}; compare it with {SHIPPED}"
        ) from None
