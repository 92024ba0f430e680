"""The scripted model: deterministic, of the right shape, and faulty now and then on purpose."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.describer import Describer, invented_names
from agents.errors import ReplyError
from agents.frameworks.catalogue import dimension, dimensions, shipped_scenarios
from agents.judges.by_chat import Opinion
from agents.pool import Pool
from agents.prompting import render
from agents.records import Book, Message, ModelCall, Profile, Reader, Review
from agents.scenario_writer import Commission, ScenarioWriter
from agents.scripted import ScriptedChat, ScriptedEmbedder
from agents.stances.by_chat import ChatStances


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    pool = Pool(tmp_path, ScriptedEmbedder())
    pool.load(shipped_scenarios())
    yield pool
    pool.close()


async def test_equal_prompts_get_equal_replies_and_every_call_is_told(pool: Pool):
    calls: list[ModelCall] = []
    writer = ScenarioWriter(ScriptedChat(calls.append), pool)
    asked = Commission(dimension("pace"), count=4)
    first = await writer.write(asked)
    assert len(first) == 4
    assert await writer.write(asked) == first
    assert await writer.write(replace(asked, criticism="too long")) != first
    assert [c.agent for c in calls] == ["scenario_writer"] * 3
    assert calls[0].model_copy() == calls[1]
    assert calls[0].tokens_in > 0 and calls[0].tokens_out > 0 and calls[0].cost_usd == 0


async def test_some_drafts_repeat_an_example_and_some_are_lopsided(pool: Pool):
    writer = ScenarioWriter(ScriptedChat(lambda _call: None), pool)
    known = {s.situation for s in shipped_scenarios()}
    drafts = [
        s
        for n in range(20)
        for s in await writer.write(Commission(dimension("pace"), count=8, criticism=str(n)))
    ]
    copied = sum(s.situation in known for s in drafts)
    lopsided = sum(len(s.high) > 1.5 * len(s.low) for s in drafts)
    assert 5 < copied < 45
    assert 5 < lopsided < 45


async def test_the_judge_goes_by_shared_words_in_either_order():
    async def preferred(a: str, b: str) -> str:
        messages = render(
            "pair_critic",
            portrait="- loves tea",
            situation="«Tea?»",
            a=f"«{a}»",
            b=f"«{b}»",
            high="drinks",
            low="does not",
        )
        chat = ScriptedChat(lambda _call: None)
        return (await chat.ask("pair_critic", messages, Opinion)).preferred

    assert await preferred("loves tea", "hates coffee") == "A"
    assert await preferred("hates coffee", "loves tea") == "B"


async def test_it_reads_the_same_stances_every_time_and_misquotes_some():
    text = " ".join(f"I found {n} plums in sack number {n}." for n in range(40))
    axes = list(dimensions().values())
    stances = ChatStances(ScriptedChat(lambda _call: None), 120)
    found, notices = 0, 0
    for n in range(12):
        review = Review(id="a", book_id="x", rating=5, text=f"This is book number {n}. {text}")
        reader = Reader(id="r", reviews=(review,))
        reading = await stances.read(reader, axes)
        assert await stances.read(reader, axes) == reading
        found, notices = found + len(reading.stances), notices + len(reading.notices)
        assert all(s.evidence.quote(reader).startswith(("I f", "This")) for s in reading.stances)
    assert 45 < found < 72 and 2 < notices < 12


async def test_an_unknown_shape_is_a_reply_error():
    with pytest.raises(ReplyError, match="knows no Message"):
        await ScriptedChat(lambda _call: None).ask("x", [], Message)


async def test_its_descriptions_are_faithful():
    book = Book(id="b", title="Tea", description="Ida drinks tea. So does Bo! Then it rains.")
    describer = Describer(ScriptedChat(lambda _call: None))
    description = await describer.describe(Profile(reader_id="r"), book, "scripted")
    assert description.text == "Ida drinks tea. So does Bo!"
    assert description.faithful and invented_names(description.text, book) == []


def test_vectors_are_unit_and_near_where_words_are_shared():
    rows = ScriptedEmbedder().embed(["a boat on a lake", "the lake has a boat", "xyz", "", "火星"])
    assert rows.shape == (5, 256) and rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(5), abs=1e-6)
    assert rows[0] @ rows[1] > rows[0] @ rows[2]
    assert (rows == ScriptedEmbedder().embed(
        ["a boat on a lake", "the lake has a boat", "xyz", "", "火星"]
    )).all()  # fmt: skip
    assert ScriptedEmbedder().embed([]).shape == (0, 256)
