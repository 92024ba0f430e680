"""Composes every room's section into one configuration and says where an unknown key should go.

Defaults < gravity.toml < environment (GRAVITY__SECTION__FIELD) < flags.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from agents.errors import ConfigError, first_fault
from agents.settings import Section
from graph.settings import RunSettings
from serving.settings import ServingSettings
from training.settings import TrainingSettings

PREFIX = "GRAVITY__"
DEFAULT_FILE = Path("gravity.toml")


class InterfaceSettings(Section):
    """The terminal UI."""

    theme: Literal["dark", "light"] = "dark"
    reviewer: str = Field(default_factory=lambda: os.environ.get("USER", "reviewer"))
    """The name that is kept with every decision."""


class Settings(RunSettings, BaseSettings):
    """All of gravity.toml."""

    model_config = SettingsConfigDict(
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        use_attribute_docstrings=True,
        nested_model_default_partial_update=True,
    )

    training: TrainingSettings = TrainingSettings()
    serving: ServingSettings = ServingSettings()
    interface: InterfaceSettings = InterfaceSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then the file (or a run's own settings)."""
        assert isinstance(init_settings, InitSettingsSource)
        given = dict(init_settings.init_kwargs)
        beneath = given.pop("_beneath", {})
        flags = InitSettingsSource(settings_cls, given)
        return flags, env_settings, InitSettingsSource(settings_cls, beneath)


def load_settings(file: Path | None, flags: Mapping[str, Any] | None = None) -> Settings:
    """The configuration from `file` (gravity.toml here, if there is one), environment and flags.

    Args:
        file: a TOML file that must exist; none takes ./gravity.toml where it exists.
        flags: values by `section.field`.

    Raises:
        ConfigError: an unknown key, with the nearest known one, or an unusable value.
    """
    return compose(_file_values(file), flags or {})


def said(file: Path | None, flags: Mapping[str, Any]) -> set[str]:
    """The settings, as `section.field`, that the file, the environment or a flag speak of."""
    names = {name.removeprefix(PREFIX).lower() for name in os.environ if name.startswith(PREFIX)}
    keys = {*flags, *(name.replace("__", ".") for name in names)}
    for section, fields in _file_values(file).items():
        keys |= (
            {f"{section}.{field}" for field in fields} if isinstance(fields, dict) else {section}
        )
    return {".".join(key.split(".")[:2]) for key in keys}


def compose(beneath: Mapping[str, Any], flags: Mapping[str, Any]) -> Settings:
    """Settings with `flags` over the environment over `beneath`.

    Raises:
        ConfigError: an unknown key, with the nearest known one, or an unusable value.
    """
    known = known_keys()
    for name in os.environ:
        key = name.removeprefix(PREFIX).lower().replace("__", ".")
        if name.startswith(PREFIX) and not _is_known(key, known):
            raise ConfigError(f"{name}: no such setting.", _nearest(key, known))
    try:
        return Settings(**_nested(flags), _beneath=dict(beneath))  # pyright: ignore[reportCallIssue]
    except SettingsError as error:
        raise ConfigError(
            f"The environment ({PREFIX}…): {error}.",
            """Lists are written as JSON there, such as '["embedded", "chat"]'.""",
        ) from error
    except ValidationError as error:
        key, fault = first_fault(error)
        first = error.errors(include_url=False)[0]
        if first["type"] == "extra_forbidden":
            raise ConfigError(f"{key}: no such setting.", _nearest(key, known)) from error
        given = str(first["input"])[:60]
        raise ConfigError(
            f"{key}: {fault} (given: {given}).", "`gravity config schema` tells more."
        ) from error


def known_keys() -> list[str]:
    """Every setting as `section.field`."""
    keys: list[str] = []
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            keys += [f"{name}.{inner}" for inner in section.model_fields]
        else:
            keys.append(name)
    return keys


def _is_known(key: str, known: list[str]) -> bool:
    """Also what lies inside a setting (a quota), or a whole section as JSON."""
    return any(key == k or key.startswith(f"{k}.") or k.startswith(f"{key}.") for k in known)


def _nearest(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
    return f"Did you mean {near[0]}?" if near else "`gravity config show` lists all."


def _file_values(file: Path | None) -> dict[str, Any]:
    path = file or DEFAULT_FILE
    if file is None and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: broken TOML: {error}.") from error


def parse_flag(flag: str) -> tuple[str, Any]:
    """`section.field=value` as key and value, the value as TOML would read it.

    Raises:
        ConfigError: there is no equals sign.
    """
    key, separator, text = flag.partition("=")
    if not separator:
        raise ConfigError(f"--set {flag}: no '='.", "Write --set section.field=value.")
    try:
        return key, tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return key, text


def _nested(flags: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in flags.items():
        *sections, name = key.split(".")
        place = values
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    return values
