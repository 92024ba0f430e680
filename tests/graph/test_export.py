"""Accepted pairs leave as JSONL and Parquet that `datasets` reads, with a card."""

from pathlib import Path

import pytest
from datasets import Dataset, load_dataset

from agents.errors import NotFoundError, StorageError
from agents.records import Attribute, Message, Pair, Pole, Profile, Reader, Verdict
from agents.verification import Verification
from graph.export import SCHEMA, export_pairs, twin_share
from graph.store import Store
from tests.graph.crew import begin, open_crew, work


def a_pair(number: int, scenario: str, pole: Pole, reader: str = "ana") -> Pair:
    return Pair(
        id=f"p{number}",
        run_id="one",
        reader_id=reader,
        scenario_id=scenario,
        facet="belief",
        dimension="individualism",
        pole=pole,
        prompt=(Message(role="user", content="¿Qué haces?"),),
        chosen=f"{pole} 日本 {number}",
        rejected="no",
        verdicts=(Verdict(judge="a", probability=0.5), Verdict(judge="b", probability=1)),
        status="accepted",
    )


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path / "gravity.db")
    store.begin_run("one", "m", {}, [Reader(id="ana"), Reader(id="bob")], 2, [])
    yield store
    store.close()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)


async def test_a_run_leaves_as_a_dataset(tmp_path: Path) -> None:
    with open_crew(tmp_path / "home") as crew:
        begin(crew, "one", readers=4)
        await work(crew, "one", tmp_path / "home")
        accepted = {p.id: p for p in crew.store.pairs("one", status="accepted")}
        assert export_pairs(crew.store, "one", tmp_path / "out") == len(accepted)
    out = tmp_path / "out"
    ways = {
        "folder": load_dataset(str(out), split="train"),
        "jsonl": load_dataset("json", data_files=str(out / "pairs.jsonl"), split="train"),
        "parquet": load_dataset("parquet", data_files=str(out / "pairs.parquet"), split="train"),
    }
    for rows in ways.values():
        assert isinstance(rows, Dataset)
        assert rows.column_names == SCHEMA.names
        assert {row["pair_id"] for row in rows} == set(accepted)
        for row in rows:
            pair = accepted[row["pair_id"]]
            assert row["prompt"] == [turn.model_dump() for turn in pair.prompt]
            assert row["chosen"] == [{"role": "assistant", "content": pair.chosen}]
            assert row["rejected"] == [{"role": "assistant", "content": pair.rejected}]
            assert (row["reader_id"], row["pole"]) == (pair.reader_id, pair.pole)
            assert row["group"] == (pair.group or pair.scenario_id)
            if pair.verdicts:
                assert 0.55 <= row["probability"] <= 1
            else:
                assert (row["probability"], row["group"][:6]) == (None, "shelf-"), "by ratings"
    card = (out / "README.md").read_text()
    assert f"{len(accepted)} pairs in TRL's" in card
    assert f"{twin_share(accepted.values()):.0%} of the pairs have their twin" in card


def test_texts_and_means_survive(store: Store, tmp_path: Path) -> None:
    store.put_pairs([a_pair(1, "s1", "high"), a_pair(2, "s1", "low", "bob")])
    export_pairs(store, "one", tmp_path / "deep" / "out")
    rows = load_dataset(str(tmp_path / "deep" / "out"), split="train")
    assert rows[0]["chosen"][0]["content"] == "high 日本 1"
    assert rows[0]["probability"] == 0.75
    card = (tmp_path / "deep" / "out" / "README.md").read_text()
    assert "2 pairs" in card
    assert "synthesised by Gravity,\nfor 2 readers over 1 scenarios. 100% of the pairs" in card
    assert "| belief | 2 |" in card


def test_exporting_again_replaces(store: Store, tmp_path: Path) -> None:
    store.put_pairs([a_pair(1, "s1", "high"), a_pair(2, "s2", "low")])
    assert export_pairs(store, "one", tmp_path / "out") == 2
    store.decide("p2", "reject", "eve", overrule=True)
    assert export_pairs(store, "one", tmp_path / "out") == 1
    assert len((tmp_path / "out" / "pairs.jsonl").read_text().splitlines()) == 1


def test_pairs_that_their_reader_has_contradicted_stay_here(store: Store, tmp_path: Path) -> None:
    known = Attribute(
        facet="belief", dimension="individualism", score=60, sd=8, source="inferred_text"
    )
    store.keep_profile("one", Profile(reader_id="ana", attributes=(known,)))
    store.put_pairs([a_pair(1, "s1", "high"), a_pair(2, "s1", "low", "bob")])
    assert export_pairs(store, "one", tmp_path / "out") == 2
    assert "0 accepted pairs were left out" in (tmp_path / "out" / "README.md").read_text()
    word = {"reader_id": "ana", "item": "individualism", "by": "ana", "at": 1}
    store.verify([Verification.model_validate(word | {"action": "correct", "score": 35})])
    assert export_pairs(store, "one", tmp_path / "out") == 1, "bob has no profile to contradict"
    assert "p1" not in (tmp_path / "out" / "pairs.jsonl").read_text()
    assert "1 accepted pairs were left out" in (tmp_path / "out" / "README.md").read_text()
    store.decide("p2", "reject", "eve", overrule=True)
    with pytest.raises(NotFoundError, match="None of the 1 accepted pairs of run 'one'"):
        export_pairs(store, "one", tmp_path / "out")


def test_share_of_twins() -> None:
    assert twin_share([]) == 0
    lone = [a_pair(1, "s1", "high"), a_pair(2, "s2", "high")]
    assert twin_share(lone) == 0
    assert twin_share([*lone, a_pair(3, "s1", "high")]) == 0, "the same pole is no twin"
    assert twin_share([*lone, a_pair(3, "s1", "low")]) == pytest.approx(2 / 3)


def test_nothing_to_export(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no accepted pair"):
        export_pairs(store, "one", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(store: Store, tmp_path: Path) -> None:
    store.put_pairs([a_pair(1, "s1", "high")])
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError, match="cannot be written"):
        export_pairs(store, "one", tmp_path / "out")
