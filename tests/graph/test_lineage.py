"""A pair is followed back to the reader's words and the calls that made it, and on to adapters."""

import asyncio
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agents.errors import NotFoundError
from agents.frameworks.catalogue import shipped_scenarios
from agents.records import Attribute, Scenario
from agents.verification import Verification
from graph.crew import Crew
from graph.tracing.lineage import Lineage, lineage_of, pair_called
from tests.graph.crew import begin, open_crew, work


@pytest.fixture(scope="module")
def _worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over a thin pool, judged by the chat model, and one of invented pairs."""
    home = tmp_path_factory.mktemp("lineage")
    with open_crew(home, judge="chat", review="all") as crew:
        begin(crew, "one", readers=3)
        asyncio.run(work(crew, "one", home))
    with open_crew(home, method="naive") as crew:
        begin(crew, "naive", readers=1)
        asyncio.run(work(crew, "naive", home))
    return home


@pytest.fixture
def crew(_worked: Path, tmp_path: Path) -> Iterator[Crew]:
    with open_crew(shutil.copytree(_worked, tmp_path / "home")) as crew:
        yield crew


def lineages(crew: Crew, run: str = "one") -> Iterator[Lineage]:
    for pair in crew.store.pairs(run):
        yield lineage_of(crew.store, pair, crew.pool.get, {})


def test_a_written_pair_leads_to_its_calls_and_its_parents(crew: Crew) -> None:
    found = next(one for one in lineages(crew) if one.origin == "written")
    assert found.scenario is not None
    assert found.scenario.id == found.pair.scenario_id
    assert [p.id for p in found.parents] == list(found.scenario.parents)
    assert found.parents
    (writer, *_) = found.written_in
    assert (writer.name, writer.node) == ("scenario_writer", "write")
    assert found.scenario.situation in writer.reply
    assert {call.name for call in found.judged_in} == {"pair_critic"}
    asked = [text for call in found.judged_in for role, text in call.turns if role == "user"]
    assert all(found.pair.chosen in text for text in asked)
    assert found.run.id == "one"


def test_a_shipped_scenario_is_found_without_the_pool(crew: Crew) -> None:
    shipped = {s.id: s for s in shipped_scenarios()}
    pair = next(p for p in crew.store.pairs("one") if p.scenario_id in shipped)

    def closed(_ids: Sequence[str]) -> list[Scenario]:
        raise AssertionError("a run at work keeps the pool to itself")

    found = lineage_of(crew.store, pair, closed, {})
    assert (found.origin, found.scenario) == ("shipped", shipped[pair.scenario_id])
    assert found.written_in == ()


def test_books_inventions_and_what_is_gone_are_told_apart(crew: Crew) -> None:
    books = next(one for one in lineages(crew) if one.pair.group)
    assert (books.origin, books.scenario, books.written_in) == ("books", None, ())
    assert books.attribute is not None
    invented = next(one for one in lineages(crew, "naive") if not one.pair.group)
    assert (invented.origin, invented.attribute) == ("invented", None)
    assert {call.name for call in invented.written_in} == {"naive_writer"}
    assert all(invented.pair.chosen in call.reply for call in invented.written_in)
    written = next(one for one in lineages(crew) if one.origin == "written")
    for answer, origin in (([], "gone"), (None, "unknown")):
        lost = lineage_of(crew.store, written.pair, lambda _ids, told=answer: told, {})
        assert (lost.origin, lost.scenario) == (origin, None)
        assert lost.written_in == written.written_in, "the trace knows it still"


def test_evidence_is_the_readers_own_words(crew: Crew) -> None:
    found = next(o for o in lineages(crew) if any(q.text for q in o.quotes))
    member = crew.store.reader("one", found.pair.reader_id)
    assert isinstance(found.attribute, Attribute)
    assert found.attribute.dimension == found.pair.dimension
    assert found.in_force
    for quote, evidence in zip(found.quotes, found.attribute.evidence, strict=True):
        text = " ".join((member.reader.text(quote.review_id) or "").split())
        assert quote.text in text
        assert quote.pole == evidence.pole


def test_what_the_reader_took_back_is_shown_as_such(crew: Crew) -> None:
    found = next(o for o in lineages(crew) if isinstance(o.attribute, Attribute))
    reader, item = found.pair.reader_id, found.pair.dimension
    said = Verification(reader_id=reader, item=item, action="remove", by=reader, at=4e9)
    crew.store.verify([said])
    after = lineage_of(crew.store, found.pair, crew.pool.get, {})
    crew.store.withdraw(reader, item)
    assert (after.in_force, after.attribute) == (False, found.attribute)


def test_people_and_adapters(crew: Crew) -> None:
    pair = crew.store.pairs("one", status="review")[0]
    crew.store.decide(pair.id, "edit", "eve", chosen="Something else.")
    crew.store.undo(pair.id, "eve")
    crew.store.decide(pair.id, "edit", "bob", "better so", chosen="I would stay at home tonight.")
    now = crew.store.pair(pair.id)
    adapters = {"tuned": ["x", pair.id], "other": ["x"]}
    found = lineage_of(crew.store, now, crew.pool.get, adapters)
    said = [(d.reviewer, d.action, d.undone_by) for d in found.decisions]
    assert ("eve", "edit", "eve") in said
    assert ("bob", "edit", None) in said
    assert found.adapters == ("tuned",)
    before = lineage_of(crew.store, pair, crew.pool.get, {})
    assert found.judged_in == before.judged_in, "found by the words before the edit"


def test_a_pair_is_called_by_the_beginning_of_its_id(crew: Crew) -> None:
    store, pair = crew.store, crew.store.pairs("one")[0]
    assert pair_called(store, pair.id) == pair_called(store, pair.id[:9]) == pair
    for more in ("", "-2"):
        crew.store.put_pairs([pair.model_copy(update={"id": f"zz-1{more}"})])
    assert pair_called(store, "zz-1").id == "zz-1", "a whole id is not ambiguous"
    with pytest.raises(NotFoundError, match=r"Several pairs begin with 'zz': zz-1, zz-1-2\."):
        pair_called(store, "zz")
    for unknown in ("nope", "%", "z_"):
        with pytest.raises(NotFoundError, match="There is no pair"):
            pair_called(store, unknown)
