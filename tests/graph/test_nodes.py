"""Nodes alone: what readers say meanwhile counts; nothing written is lost or doubled."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from agents.chat import Reply
from agents.errors import EndpointError
from agents.profiler import Profiler
from agents.records import Message, Profile, Reader
from agents.scenario_writer import ScenarioDrafts
from agents.scripted import ScriptedChat
from agents.verification import Verification, supports
from graph.answers import SHORT, AnswerSheet
from graph.crew import Crew
from graph.nodes import Nodes
from graph.state import State, first_state, lacking
from tests.graph.crew import UnluckyChat, begin, open_crew
from tests.graph.spans import a_call


async def test_answers_given_while_a_profile_is_made_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_crew(tmp_path) as crew:
        begin(crew, "one", readers=1)
        (member,) = crew.store.readers("one")
        answers = dict.fromkeys(("openness-h1", "openness-h2", "openness-h3"), 5)
        sheet = AnswerSheet(reader_id=member.reader.id, instrument=SHORT, answers=answers)
        untold = [sheet]
        make = Profiler.profile

        async def answering(profiler: Profiler, reader: Reader) -> Profile:
            made = await make(profiler, reader)
            crew.store.keep_sheets(untold)
            untold.clear()
            return made

        monkeypatch.setattr(Profiler, "profile", answering)
        await Nodes(crew).profile(first_state("one", sheet.reader_id))
        kept = crew.store.reader("one", sheet.reader_id)
        assert kept.inferred == await make(crew.profiler, kept.reader)
        assert kept.inferred != await make(crew.profiler, member.reader)


@pytest.mark.parametrize("planned", [False, True])
async def test_what_a_reader_corrects_midway_is_neither_paired_nor_published(
    tmp_path: Path, planned: bool
) -> None:
    """`planned`: the correction comes when the round is planned and no pair is made yet."""
    with open_crew(tmp_path, review="none") as crew:
        begin(crew, "one", readers=1)
        (reader,) = crew.store.readers("one")
        nodes = Nodes(crew)
        state = first_state("one", reader.reader.id)
        for node in (nodes.profile, nodes.plan, nodes.draw):
            state |= await node(state)  # pyright: ignore
        if not planned:
            for node in (nodes.pair, nodes.criticise):
                state |= await node(state)  # pyright: ignore
        before = crew.store.pairs("one")
        passed = [p for p in before if p.status == "proposed"]
        axis = state["cells"][0]["dimension"] if planned else passed[0].dimension
        profile = crew.store.reader("one", reader.reader.id).profile
        attribute = profile and profile.attribute(axis)
        assert attribute
        score = 65 if attribute.pole == "low" else 35
        word = {"reader_id": reader.reader.id, "item": axis, "action": "correct", "score": score}
        crew.store.verify([Verification.model_validate(word | {"by": "eve", "at": 1})])
        for node in (nodes.pair, nodes.criticise, nodes.publish)[0 if planned else 2 :]:
            state |= await node(state)  # pyright: ignore
        after = crew.store.pairs("one")
        profile = crew.store.reader("one", reader.reader.id).profile
        assert profile
        accepted = [p for p in after if p.status == "accepted"]
        assert accepted and all(supports(profile, pair) for pair in accepted)
        if planned:
            assert axis not in {p.dimension for p in after}
        else:
            refused = [p for p in after if p.reason == "the reader corrected their profile"]
            assert axis in {p.dimension for p in refused}
            assert {p.id for p in (*refused, *accepted)} == {p.id for p in passed}


class Repeating(ScriptedChat):
    """Gives the first draft of every reply as often as there are drafts."""

    async def ask(
        self,
        agent: str,
        messages: Sequence[Message],
        reply: type[Reply],
        most_repairs: int | None = None,
        repeat: int = 0,
    ) -> Reply:
        answer = await super().ask(agent, messages, reply, most_repairs, repeat)
        if isinstance(answer, ScenarioDrafts):
            answer.scenarios[1:] = answer.scenarios[:1] * (len(answer.scenarios) - 1)
        return answer


async def test_a_scene_that_is_written_twice_fills_one_place(tmp_path: Path) -> None:
    with open_crew(tmp_path, Repeating) as crew:
        begin(crew, "one", readers=1)
        state = await state_before_writing(crew)
        state |= await Nodes(crew).write(state)  # pyright: ignore
        written = [draft["id"] for draft in state["drafts"]]
        assert len(written) > len(set(written)) > 0
        state |= await Nodes(crew).deduplicate(state)  # pyright: ignore
        drawn = state["drawn"]["imagination"]
        assert len(set(drawn)) == len(drawn) > 0
        assert lacking(state), "the writer is asked for the others"


async def test_what_was_written_before_an_endpoint_failed_is_in_the_pool(tmp_path: Path) -> None:
    gone = EndpointError("The endpoint is gone.")
    with open_crew(tmp_path, lambda told: UnluckyChat(told, gone, good=1)) as crew:
        begin(crew, "one", readers=1)
        state = await state_before_writing(crew)
        state["cells"].append({**state["cells"][0], "dimension": "intellect"})
        before = len(crew.pool)
        with pytest.raises(EndpointError, match="is gone"):
            await Nodes(crew).write(state)
        assert len(crew.pool) > before


async def state_before_writing(crew: Crew) -> State:
    """A reader's state in which a dimension wants more scenes than the pool has."""
    (reader,) = crew.store.readers("one")
    state = first_state("one", reader.reader.id)
    nodes = Nodes(crew)
    state |= await nodes.profile(state)  # pyright: ignore
    state |= await nodes.plan(state)  # pyright: ignore
    return state | State(
        cells=[{**state["cells"][0], "dimension": "imagination", "wanted": 5}], drawn={}
    )


async def test_worked_on_again_the_writer_is_asked_anew(tmp_path: Path) -> None:
    with open_crew(tmp_path) as crew:
        begin(crew, "one", readers=2)
        ana, bob = (member.reader.id for member in crew.store.readers("one"))
        nodes = Nodes(crew)
        assert (await nodes.profile(first_state("one", ana)))["asked"] == 0
        with crew.recorder.reader("one", ana):
            for cached in (False, True):
                crew.recorder.on_call(a_call(cached=cached))
            crew.recorder.on_call(a_call(error="cut off"))
            crew.recorder.on_call(a_call(agent="pair_critic"))
        assert (await nodes.profile(first_state("one", ana)))["asked"] == 3
        assert (await nodes.profile(first_state("one", bob)))["asked"] == 0
