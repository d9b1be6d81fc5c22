"""Settings: one TOML file, every key also an environment variable, unknown keys refused."""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from pipeline.errors import UsageError
from pipeline.schemas import LANGUAGES, UNDETERMINED

ROOT: Final = Path(__file__).resolve().parent.parent
"""The checkout: where ``models/`` and the default ``exonym.toml`` lie."""

DEFAULT_FILE: Final = "exonym.toml"


class IngestSettings(BaseModel):
    """Bounds on what is read; whatever exceeds one goes to quarantine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document_bytes: int = Field(gt=0)
    unpacked_bytes: int = Field(gt=0)
    payload_bytes: int = Field(ge=0)


class LimitSettings(BaseModel):
    """What one document may take in one stage; see :mod:`pipeline.isolation`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document_seconds: float = Field(gt=0)
    document_memory_mb: int = Field(gt=0)


class GateSettings(BaseModel):
    """How far tonight's figures may be from those of the last runs; see :mod:`pipeline.gates`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    runs: int = Field(ge=1)
    first_runs: int = Field(ge=1)
    documents: int = Field(ge=1)
    mentions_per_document: float = Field(gt=0)
    undetermined: float = Field(gt=0)
    unlinked: float = Field(gt=0)
    quarantined: float = Field(gt=0)


class Settings(BaseSettings):
    """All settings of a command."""

    model_config = SettingsConfigDict(
        env_prefix="EXONYM_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    profile: str
    workers: int = Field(ge=1)
    shard_documents: int = Field(ge=1)
    executor: Literal["local", "dask", "inline"]
    scheduler: str = ""
    log: Literal["text", "json"]
    metrics_file: str
    keep_runs: int = Field(ge=1)
    past_days: int = Field(default=30, ge=0)
    ingest: IngestSettings
    limits: LimitSettings
    gates: GateSettings
    profiles: dict[str, dict[str, str]]
    models: Path = ROOT / "models"
    """Folder of the models and of `knowledge/`; by default the checkout's."""
    overrides: Path = Path("overrides.toml")
    """What people decided, where there is such a file."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file."""
        return env_settings, init_settings

    @property
    def routing(self) -> dict[str, str]:
        """The chosen profile: language code to ``engine:model``."""
        return self.profiles[self.profile]

    @property
    def knowledge(self) -> Path:
        """The folder of readable knowledge files."""
        return self.models / "knowledge"

    def fingerprint(self) -> str:
        """Return a hash (64 hex digits) of the settings that change results.

        Paths, workers, shard size, kept runs and gates are left out: they never change a table.
        So are limits: what they set aside depends on the machine.
        """
        decisive = {
            "routing": self.routing,
            "ingest": self.ingest.model_dump(),
            "past_days": self.past_days,
        }
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def load(path: Path | None = None) -> Settings:
    """Read the settings from ``path``, else ``./exonym.toml``, else the shipped file.

    Raises:
        UsageError: the file is missing, is not TOML, or holds an unknown key or a wrong value.
    """
    file = path or _default_file()
    try:
        values: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read settings {file}: {error.strerror}; check --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is not valid TOML: {error}; correct that line") from None
    _refuse_unknown_variables()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        # An unknown key explains the missing one it was meant to be.
        first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        key = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"setting '{key}': {first['msg']}; see {file}") from None
    return _checked(settings, file)


def _refuse_unknown_variables() -> None:
    prefix = str(Settings.model_config["env_prefix"])
    for variable in os.environ:
        key = variable.removeprefix(prefix).split("__")[0].lower()
        if variable.startswith(prefix) and key not in Settings.model_fields:
            raise UsageError(f"environment variable {variable} is no setting; unset or correct it")


def _default_file() -> Path:
    here = Path(DEFAULT_FILE)
    return here if here.is_file() else ROOT / DEFAULT_FILE


def _checked(settings: Settings, file: Path) -> Settings:
    if settings.profile not in settings.profiles:
        known = ", ".join(sorted(settings.profiles))
        raise UsageError(f"profile '{settings.profile}' is not in {file}; it has: {known}")
    missing = {*LANGUAGES, UNDETERMINED} - set(settings.routing)
    if missing:
        raise UsageError(
            f"profile '{settings.profile}' in {file} routes no engine for: "
            f"{', '.join(sorted(missing))}"
        )
    return settings
