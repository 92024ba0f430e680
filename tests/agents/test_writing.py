"""The scenario writer and the deduplicator: what a model is told, and what comes of its reply."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from agents.deduplicator import Deduplicator
from agents.errors import ReplyError
from agents.frameworks.catalogue import dimension, shipped_scenarios
from agents.pool import Pool
from agents.scenario_writer import ScenarioDraft, ScenarioDrafts, ScenarioWriter
from agents.scripted import ScriptedEmbedder
from agents.settings import DeduplicatorSettings

AXIS = dimension("openness")
EXAMPLES = [s for s in shipped_scenarios() if s.facet == "personality"][:4]
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


async def test_examples_are_earlier_turns_in_the_shape_of_the_reply(dictated):
    chat = dictated({"scenarios": [DRAFT]})
    [written] = await ScenarioWriter(chat).write(AXIS, EXAMPLES, 1)
    [(agent, turns)] = chat.asked
    assert agent == "scenario_writer"
    assert [t.role for t in turns] == ["system", *["user", "assistant"] * 3, "user"]
    shown = [ScenarioDrafts.model_validate_json(t.content).scenarios[0] for t in turns[2:-1:2]]
    assert [s.situation for s in shown] == [e.situation for e in EXAMPLES[:3]]
    assert written.parents == tuple(e.id for e in EXAMPLES[:3])
    assert all(pole in turns[-1].content for pole in (AXIS.high, AXIS.low))


async def test_what_is_written_belongs_to_the_cell_with_a_stable_identity(dictated):
    [one] = await ScenarioWriter(dictated({"scenarios": [DRAFT]})).write(AXIS, [], 1)
    [again] = await ScenarioWriter(dictated({"scenarios": [DRAFT]})).write(AXIS, EXAMPLES, 1)
    [other] = await ScenarioWriter(dictated({"scenarios": [OTHER]})).write(AXIS, [], 1)
    elsewhere = dimension("pace")
    [moved] = await ScenarioWriter(dictated({"scenarios": [DRAFT]})).write(elsewhere, [], 1)
    assert one.id == again.id
    assert len({one.id, other.id, moved.id}) == 3
    assert (one.facet, one.dimension, one.provenance) == ("personality", "openness", "written")
    assert "seen. What" in one.situation, "runs of blanks are one"


async def test_avoid_criticism_count_and_setting_reach_the_last_turn_alone(dictated):
    chat = dictated({"scenarios": [DRAFT, OTHER, DRAFT]})
    written = await ScenarioWriter(chat).write(
        AXIS, EXAMPLES, 2, setting="Brazil", avoid=["A lake?", "A gate?"], criticism="too long"
    )
    *earlier, last = (turn.content for turn in chat.asked[0][1])
    assert "Write 2 new situations set in Brazil." in last
    assert "Keep away from these situations:\n- A lake?\n- A gate?\n" in last
    assert "The last attempt was refused: too long\n" in last
    assert not any("A lake?" in turn or "too long" in turn for turn in earlier)
    assert len(written) == 2, "more than was asked for is not taken"


async def test_no_avoid_and_no_criticism_leave_no_trace(dictated):
    chat = dictated({"scenarios": [DRAFT]})
    await ScenarioWriter(chat).write(AXIS, [], 1)
    last = chat.asked[0][1][-1].content
    assert "Keep away" not in last and "refused" not in last and "set in" not in last


async def test_a_failure_of_the_model_is_passed_on(dictated):
    with pytest.raises(ReplyError, match="no good"):
        await ScenarioWriter(dictated(ReplyError("no good"))).write(AXIS, [], 1)


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


async def test_the_deduplicator_admits_the_new_and_tells_what_to_avoid(
    tmp_path: Path, scripted: ScriptedEmbedder, dictated
):
    pool = Pool(tmp_path, scripted)
    gate = Deduplicator(pool, DeduplicatorSettings(duplicate_at=0.85))
    near = DRAFT | {"situation": DRAFT["situation"].replace("ride", "trip")}
    reply = {"scenarios": [DRAFT, near, OTHER]}
    written = await ScenarioWriter(dictated(reply)).write(AXIS, [], 3)
    admission = await gate.admit(written)
    assert admission.admitted == (written[0], written[2])
    [(refused, neighbour)] = admission.collisions
    assert (refused, neighbour.scenario) == (written[1], written[0])
    assert [n.scenario.situation for _, n in admission.collisions] == [written[0].situation]
    assert len(pool) == 2

    again = await gate.admit(written)
    assert again.admitted == admission.admitted, "a repeated step is admitted again"
    assert len(pool) == 2
    nothing = await gate.admit([])
    assert nothing.admitted == nothing.collisions == ()
    pool.close()


async def test_how_near_is_too_near_is_a_setting(
    tmp_path: Path, scripted: ScriptedEmbedder, dictated
):
    pool = Pool(tmp_path, scripted)
    near = DRAFT | {"situation": DRAFT["situation"].replace("ride", "trip")}
    written = await ScenarioWriter(dictated({"scenarios": [DRAFT, near]})).write(AXIS, [], 2)
    admission = await Deduplicator(pool, DeduplicatorSettings(duplicate_at=0.999)).admit(written)
    assert admission.admitted == tuple(written)
    pool.close()
