"""What of the settings a run's pairs depend on, and what has changed of it since a run began."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.errors import ConfigError
from graph.settings import RunSettings

INDIFFERENT = {
    "chat.api_key_env",
    "chat.timeout_s",
    "chat.patience_s",
    "chat.concurrency",
    "chat.price_in_usd",
    "chat.price_out_usd",
    "systemone.timeout_s",
    "systemone.concurrency",
    "systemone.patience_s",
    "synthesis.readers_at_once",
    "synthesis.max_cost_usd",
}
"""How fast, how patiently and for how much: pairs do not depend on these."""


@dataclass(frozen=True)
class Change:
    """A setting that is not as it was when the run began."""

    key: str
    then: Any
    now: Any

    def __str__(self) -> str:
        return f"{self.key}: {_told(self.then)} → {_told(self.now)}"


def changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """What differs between two sets of settings of all that pairs depend on.

    Args:
        then: values by section, as a run keeps them; what it does not name was not known then.
        now: values by section.
    """
    before, after = _decisive(then), _decisive(now)
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return [Change(key, before.get(key), after.get(key)) for key in keys if key in before]


def require_same(run_id: str, then: Mapping[str, Any], now: RunSettings) -> None:
    """Nothing, where the settings would give the same pairs as those the run was begun with.

    Raises:
        ConfigError: they would not; it says what has changed.
    """
    changed = changes(then, now.kept())
    if changed:
        raise ConfigError(
            f"{run_id} was begun under other settings: {'; '.join(map(str, changed))}.",
            "Take up the run with those, or begin another.",
        )


def depends_on(key: str) -> bool:
    """Whether pairs depend on the setting `section.field`."""
    section = key.partition(".")[0]
    known = section in RunSettings.model_fields and section not in ("home", "tracing")
    return known and key not in INDIFFERENT


def _decisive(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for section, fields in values.items()
        for name, value in fields.items()
        if depends_on(key := f"{section}.{name}")
    }


def _told(value: Any) -> str:
    return "unset" if value is None else json.dumps(value, ensure_ascii=False)
