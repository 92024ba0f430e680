"""The scenario writer: what a model is told, and what comes of its reply."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agents.errors import ReplyError
from agents.frameworks.catalogue import dimension, shipped_scenarios
from agents.pool import Pool
from agents.records import Scenario
from agents.scenario_writer import Commission, ScenarioDraft, ScenarioDrafts, ScenarioWriter
from agents.scripted import ScriptedEmbedder

AXIS = dimension("openness")
DRAFT = {
    "situation": "Your cousin proposes a train ride to a town that neither of you has ever"
    " seen.  What do you say?",
    "high": "Gladly, and let us get off wherever the platform looks the least like ours.",
    "low": "Let us rather have supper at our usual place, where the soup is always right.",
}
OTHER = DRAFT | {
    "situation": "A colleague leaves a strange green fruit on your desk with no note at all. What"
    " do you do with it?"
}


@pytest.fixture
def pool(tmp_path: Path, scripted: ScriptedEmbedder) -> Iterator[Pool]:
    pool = Pool(tmp_path, scripted)
    yield pool
    pool.close()


def commission(count: int = 1, **told: Any) -> Commission:
    return Commission(dimension=told.pop("dimension", AXIS), count=count, **told)


async def test_the_nearest_of_the_pool_are_earlier_turns_in_the_shape_of_the_reply(dictated, pool):
    pool.load(shipped_scenarios())
    chat = dictated({"scenarios": [DRAFT]})
    [written] = await ScenarioWriter(chat, pool).write(commission())
    [(agent, turns)] = chat.asked
    assert agent == "scenario_writer"
    assert [t.role for t in turns] == ["system", *["user", "assistant"] * 3, "user"]
    shown = [ScenarioDrafts.model_validate_json(t.content).scenarios[0] for t in turns[2:-1:2]]
    parents = pool.get(written.parents)
    assert [s.situation for s in shown] == [p.situation for p in parents]
    assert {dimension(p.dimension).parent or p.dimension for p in parents} == {"openness"}
    assert all(pole in turns[-1].content for pole in (AXIS.high, AXIS.low))


async def test_what_the_pool_has_nearby_is_told_as_to_be_avoided(dictated, pool):
    pool.load(shipped_scenarios())
    chat = dictated({"scenarios": [DRAFT]})
    [written] = await ScenarioWriter(chat, pool).write(commission(avoid=("A lake?",)))
    *earlier, last = (turn.content for turn in chat.asked[0][1])
    assert "- «A lake?»\n" in last
    assert last.count("- «") == 5
    assert not any(p.situation in last for p in pool.get(written.parents)), "examples are shown"
    assert not any("A lake?" in turn for turn in earlier)


async def test_what_is_written_belongs_to_the_cell_with_a_stable_identity(dictated, pool):
    async def one(draft: dict[str, str], **told: Any) -> Scenario:
        chat = dictated({"scenarios": [draft]})
        [written] = await ScenarioWriter(chat, pool).write(commission(**told))
        return written

    first, again = await one(DRAFT), await one(DRAFT, criticism="too long")
    other, moved = await one(OTHER), await one(DRAFT, dimension=dimension("pace"))
    assert first.id == again.id
    assert len({first.id, other.id, moved.id}) == 3
    assert (first.facet, first.dimension, first.provenance) == (
        "personality",
        "openness",
        "written",
    )
    assert "seen. What" in first.situation, "runs of blanks are one"
    assert (await one(DRAFT | {"domain": "nature"})).domain == "nature"


async def test_count_criticism_setting_and_domains_reach_the_last_turn(dictated, pool):
    chat = dictated({"scenarios": [DRAFT, OTHER, DRAFT]})
    told = {"country": "BR", "interest": "mystery", "domains": ("nature", "food")}
    written = await ScenarioWriter(chat, pool).write(commission(2, criticism="too long", **told))
    last = chat.asked[0][1][-1].content
    assert "Write 2 new situations set in Brazil, lived by somebody who reads mystery." in last
    assert "Parts of life to take them from: nature, food\n" in last
    assert "The last attempt was refused: too long\n" in last
    assert len(written) == 2, "more than was asked for is not taken"
    assert {s.culture for s in written} == {"BR"}


async def test_what_is_not_said_leaves_no_trace(dictated, pool):
    chat = dictated({"scenarios": [DRAFT]})
    await ScenarioWriter(chat, pool).write(commission())
    last = chat.asked[0][1][-1].content
    for words in ("Keep away", "refused", "set in", "lived by", "Parts of life"):
        assert words not in last


async def test_a_failure_of_the_model_is_passed_on_with_its_raw_reply(dictated, pool):
    with pytest.raises(ReplyError, match="no good") as failed:
        await ScenarioWriter(dictated(ReplyError("no good", "{half")), pool).write(commission())
    assert failed.value.raw == "{half"


@pytest.mark.parametrize(
    "change",
    [
        {"situation": DRAFT["situation"].replace("?", ".")},
        {"situation": "Too short?"},
        {"high": "Yes."},
        {"low": "word " * 60},
    ],
)
def test_a_draft_out_of_shape_is_refused(change: dict[str, str]):
    with pytest.raises(ValidationError):
        ScenarioDraft.model_validate(DRAFT | change)
