"""Settings are composed defaults < file < environment < flags, and wrong keys get a neighbour."""

import tomllib
from pathlib import Path

import pytest

from tests.commands.conftest import Gravity


def test_each_layer_goes_before_the_one_beneath(
    gravity: Gravity, monkeypatch: pytest.MonkeyPatch
) -> None:
    def temperature(*flags: str) -> float:
        return gravity(*flags, "config", "show", "--json").json["chat"]["temperature"]

    assert temperature() == 0.8
    Path("gravity.toml").write_text("[chat]\ntemperature = 0.1\nconcurrency = 3\n")
    assert temperature() == 0.1
    Path("other.toml").write_text("[chat]\ntemperature = 0.15\n")
    assert temperature("--config", "other.toml") == 0.15
    monkeypatch.setenv("GRAVITY__CHAT__TEMPERATURE", "0.2")
    assert temperature() == 0.2
    assert temperature("--set", "chat.temperature=0.3") == 0.3
    values = gravity("--set", "chat.max_tokens=7", "config", "show", "--json").json["chat"]
    assert (values["concurrency"], values["temperature"], values["max_tokens"]) == (3, 0.2, 7)


def test_a_quota_can_be_set_alone_in_any_layer(
    gravity: Gravity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAVITY__SYNTHESIS__QUOTAS__VALUE", "5")
    told = gravity("--set", "synthesis.quotas.belief=1", "config", "show", "--json")
    quotas = told.json["synthesis"]["quotas"]
    assert (quotas["value"], quotas["belief"]) == (5, 1)


def test_judges_are_one_name_or_several(gravity: Gravity, monkeypatch: pytest.MonkeyPatch) -> None:
    def judges(*flags: str) -> list[str]:
        return gravity(*flags, "config", "show", "--json").json["critic"]["judges"]

    assert judges() == ["embedded"]
    assert judges("--set", "critic.judges=chat") == ["chat"]
    assert judges("--set", "critic.judges=chat, embedded") == ["chat", "embedded"]
    assert judges("--set", 'critic.judges=["systemone"]') == ["systemone"]
    for wrong in ("oracle", "", "chat,chat"):
        told = gravity("--set", f"critic.judges={wrong}", "config", "show", code=2).err
        assert "critic.judges" in told or "named twice" in told
    monkeypatch.setenv("GRAVITY__CRITIC__JUDGES", "chat")
    told = gravity("config", "show", code=2).err
    assert "GRAVITY__" in told and "JSON" in told and "Traceback" not in told


def test_what_is_shown_is_toml_that_loads_again(gravity: Gravity, tmp_path: Path) -> None:
    odd = 'interface.reviewer="Zoë \\"Z\\" 😀 \\\\ \\u0001"'
    flags = ("--set", odd, "--set", "chat.base_url=http://127.0.0.1:1/v1")
    shown = gravity(*flags, "config", "show").out
    assert tomllib.loads(shown)["interface"]["reviewer"] == 'Zoë "Z" 😀 \\ \x01'
    (tmp_path / "kept.toml").write_text(shown, "utf-8")
    again = gravity("--config", str(tmp_path / "kept.toml"), "config", "show", "--json")
    assert again.json == gravity(*flags, "config", "show", "--json").json


def test_schema_tells_what_every_setting_is_for(gravity: Gravity) -> None:
    schema = gravity("config", "schema").json
    assert {"chat", "readers", "synthesis", "critic", "training"} <= set(schema["properties"])
    readers = schema["$defs"]["ReadersSettings"]["properties"]
    assert readers["min_age"]["description"].startswith("Years")


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [
        ("chat.modle", "chat.model"),
        ("synthesis.qoutas", "synthesis.quotas"),
        ("reader.min_age", "readers.min_age"),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest(
    gravity: Gravity, monkeypatch: pytest.MonkeyPatch, wrong: str, nearest: str
) -> None:
    section, key = wrong.split(".")

    def told(*words: str) -> str:
        told = gravity(*words, "config", "show", code=2)
        assert told.err.count("\n") == 1
        return told.err

    flag = told("--set", f"{wrong}=1")
    Path("wrong.toml").write_text(f"[{section}]\n{key} = 1\n")
    file = told("--config", "wrong.toml")
    monkeypatch.setenv(f"GRAVITY__{section}__{key}".upper(), "1")
    environment = told()
    for error in (flag, file, environment):
        assert nearest in error
        assert "no such setting" in error


def test_broken_toml(gravity: Gravity) -> None:
    Path("gravity.toml").write_text("[chat\n")
    assert "broken TOML" in gravity("config", "show", code=2).err
