"""What came to nothing is kept once with the raw reply, and written out at the end of a run."""

import json
from pathlib import Path

from agents.errors import RefusalError, ReplyError
from graph.failures import Failure, write_failures
from graph.store import Store
from tests.graph.crew import UnluckyChat, assert_adds_up, begin, open_crew, work

ONE = Failure("one", "ana", "scenario_writer", "openness", "malformed", "It rambles.", "Sure! «é»")


def test_the_same_failure_twice_is_one(tmp_path: Path):
    store = Store(tmp_path / "gravity.db")
    store.note_failure(ONE)
    store.note_failure(ONE)
    store.note_failure(Failure("two", "ana", "scenario_writer", "openness", "refused", "No."))
    assert store.failures("one") == [ONE]
    path = write_failures(store, "one", tmp_path)
    assert path == tmp_path / "runs" / "one" / "failures.jsonl"
    assert json.loads(path.read_text("utf-8"))["raw"] == "Sure! «é»"
    store.close()


def test_no_failure_no_file(tmp_path: Path):
    store = Store(tmp_path / "gravity.db")
    assert write_failures(store, "one", tmp_path) is None
    assert not (tmp_path / "runs").exists()
    store.close()


async def test_a_run_writes_what_its_writer_lost(tmp_path: Path):
    rambling = ReplyError("It rambles.", "Sure!")
    with open_crew(tmp_path, lambda told: UnluckyChat(told, rambling, good=0)) as crew:
        begin(crew, "one", readers=6)
        await work(crew, "one", tmp_path)
        lines = (tmp_path / "runs" / "one" / "failures.jsonl").read_text("utf-8").splitlines()
        failures = [json.loads(line) for line in lines]
        assert {f["raw"] for f in failures} == {"Sure!"}
        assert {f["kind"] for f in failures} == {"malformed"}
        assert {f["agent"] for f in failures} == {"scenario_writer"}
        assert all(f["reader_id"] and f["dimension"] for f in failures)
        assert crew.store.accounting("one").failed > 0


async def test_a_judge_that_declines_is_told_of(tmp_path: Path):
    no = RefusalError("It declines.")
    with open_crew(tmp_path, lambda told: UnluckyChat(told, no, good=0), judge="chat") as crew:
        begin(crew, "one", readers=1)
        await work(crew, "one", tmp_path)
        assert {(f.agent, f.kind, f.raw) for f in crew.store.failures("one")} >= {
            ("scripted", "refused", "")
        }


async def test_what_failed_is_put_back_and_the_rest_stays(tmp_path: Path):
    rambling = ReplyError("It rambles.", "Sure!")
    with open_crew(tmp_path, lambda told: UnluckyChat(told, rambling, good=0)) as crew:
        begin(crew, "one", readers=6)
        await work(crew, "one", tmp_path)
        before = crew.store.accounting("one")
        held = {p.id for p in crew.store.pairs("one", status="accepted")}
        assert before.failed > 0
        again = crew.store.with_losses("one")
        crew.store.put_back("one", again)
        assert crew.store.failures("one") == []
        assert 0 < len(again) <= 6
        assert crew.store.run("one").status == "stopped"
        assert crew.store.accounting("one").pending >= before.failed
    from graph.checkpoints import CHECKPOINTS, drop_threads

    drop_threads(tmp_path / CHECKPOINTS, "one", again)
    with open_crew(tmp_path) as crew:
        await work(crew, "one", tmp_path)
        after = crew.store.accounting("one")
        assert_adds_up(after)
        assert after.failed == 0 and after.accepted > before.accepted
        assert held <= {p.id for p in crew.store.pairs("one", status="accepted")}
        assert crew.store.with_losses("one") == []
