"""What pairs depend on is told apart from how fast and for how much they are made."""

from pathlib import Path

import pytest

from agents.errors import ConfigError
from agents.settings import ChatSettings, CriticSettings
from graph.fingerprint import INDIFFERENT, changes, depends_on, require_same
from graph.settings import RunSettings, SynthesisSettings


def test_the_same_settings_have_not_changed():
    assert changes(RunSettings().kept(), RunSettings().kept()) == []
    require_same("one", RunSettings().kept(), RunSettings(home=Path("elsewhere")))


def test_how_fast_and_for_how_much_makes_no_other_pairs():
    chat = ChatSettings(concurrency=3, timeout_s=5, patience_s=1, price_in_usd=2.0)
    now = RunSettings(chat=chat, synthesis=SynthesisSettings(readers_at_once=1, max_cost_usd=3))
    assert changes(RunSettings().kept(), now.kept()) == []


def test_what_makes_other_pairs_is_named_with_both_values():
    chat = ChatSettings(model="m", base_url="http://127.0.0.1:1/v1")
    now = RunSettings(chat=chat, critic=CriticSettings(judges=("embedded", "chat")))
    assert [str(change) for change in changes(RunSettings().kept(), now.kept())] == [
        'chat.model: "embedded" → "m"',
        'chat.base_url: unset → "http://127.0.0.1:1/v1"',
        'critic.judges: ["embedded"] → ["embedded", "chat"]',
    ]
    with pytest.raises(ConfigError, match=r'one was begun under other settings: chat\.model: "emb'):
        require_same("one", RunSettings().kept(), now)


def test_a_setting_that_was_not_known_then_has_not_changed():
    then = RunSettings().kept()
    del then["chat"]["repairs"], then["critic"]
    assert changes(then, RunSettings().kept()) == []


def test_what_is_indifferent_is_a_setting():
    kept = RunSettings().kept()
    for key in INDIFFERENT:
        section, _, name = key.partition(".")
        assert name in kept[section]
        assert not depends_on(key)
    assert depends_on("chat.model")
    assert not depends_on("training.epochs") and not depends_on("home")
