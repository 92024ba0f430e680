"""The commands that only look: profile, pairs, runs, models, doctor; and describe, train."""

import json
import shutil
from pathlib import Path

import pytest
from datasets import load_dataset

from graph.store import Store
from tests.commands.conftest import Gravity
from tests.tiny_model import build_tiny_model, pair_row, write_pairs
from tui.commands.screens import known_books
from tui.settings import load_settings
from tui.wiring import Services

SCRIPTED = ("--set", "embedding.model=scripted")

# --- profile ----------------------------------------------------------------------------------


def test_profile_of_a_file(gravity: Gravity) -> None:
    words = ("profile", "show", "us-maya", "--readers", "sample", "--model", "scripted")
    told = gravity(*words)
    assert told.out.startswith("us-maya: 34 years, female, US, en-US; ")
    assert "Interests" in told.out
    assert "rated 5: The Surveyor's Second Map" in told.out, "evidence is named"
    profile = gravity(*words, "--json").json
    assert profile["reader_id"] == "us-maya"
    for attribute in profile["attributes"]:
        assert {"dimension", "score", "sd", "source", "evidence"} <= set(attribute)


def test_profile_of_a_run_is_the_one_that_was_kept(gravity: Gravity, store: Store) -> None:
    kept = store.reader("done", "us-maya").profile
    assert kept is not None
    told = gravity("profile", "show", "us-maya", "--run", "done", "--json")
    assert told.json == kept.model_dump(mode="json")
    assert "no reader 'nope'" in gravity("profile", "show", "nope", "--run", "done", code=2).err


# --- pairs ------------------------------------------------------------------------------------


def test_pairs_are_listed_and_shown(gravity: Gravity, store: Store) -> None:
    accepted = store.pairs("done", status="accepted")
    lines = gravity("pairs", "list", "done", "--status", "accepted").out.splitlines()
    assert [line.split()[0] for line in lines] == [p.id for p in accepted]
    one = gravity("pairs", "list", "done", "--reader", "us-maya", "--limit", "1", "--json").json
    assert len(one) == 1
    assert one[0]["reader_id"] == "us-maya"
    assert len(gravity("pairs", "list").out.splitlines()) == store.run("asks").proposals
    pair = next(p for p in accepted if p.verdicts)
    shown = gravity("pairs", "show", pair.id).out
    assert f"chosen:   {pair.chosen}" in shown
    assert f"rejected: {pair.rejected}" in shown
    assert "embedded: 0." in shown
    assert gravity("pairs", "show", pair.id, "--json").json == pair.model_dump(mode="json")


def test_pairs_are_exported(gravity: Gravity, store: Store, home: Path, tmp_path: Path) -> None:
    accepted = {p.id for p in store.pairs("done", status="accepted")}
    told = gravity("pairs", "export", "done")
    assert f"{len(accepted)} accepted pairs of done in {home / 'exports' / 'done'}" in told.out
    assert "requested 24 = accepted" in told.out
    out = tmp_path / "elsewhere"
    told = gravity("pairs", "export", "done", "--out", str(out), "--json")
    assert (told.json["pairs"], told.json["folder"]) == (len(accepted), str(out))
    rows = load_dataset(str(out), split="train", cache_dir=str(tmp_path / "datasets"))
    assert {row["pair_id"] for row in rows} == accepted
    assert "no accepted pair" in gravity("pairs", "export", "asks", code=2).err


# --- runs -------------------------------------------------------------------------------------


def test_runs(gravity: Gravity, store: Store) -> None:
    lines = gravity("runs", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == ["asks", "done"]
    assert "waiting" in lines[0]
    assert [run["id"] for run in gravity("runs", "list", "--json").json] == ["asks", "done"]
    shown = gravity("runs", "show", "done").out
    assert str(store.accounting("done")) in shown
    for reader in store.readers("done"):
        assert reader.reader.id in shown
        assert all(reason in shown for reason in reader.starved.values())
    whole = gravity("runs", "show", "--json").json
    assert whole["run"]["id"] == "asks"
    assert [r["status"] for r in whole["readers"]] == [r.status for r in store.readers("asks")]
    assert "waiting" in {r["status"] for r in whole["readers"]}


def test_no_runs_yet(gravity: Gravity) -> None:
    assert gravity("runs", "list").out.startswith("No runs yet.")


# --- models, doctor, describe, train ----------------------------------------------------------


def test_models(gravity: Gravity, gathered: Path) -> None:
    assert gravity("models", "list").out.count("not here: gravity models fetch") == 2
    told = gravity("models", "list", "--json").json
    assert [m["present"] for m in told["embedded"]] == [False, False]
    assert told["adapters"] == []


def test_doctor(gravity: Gravity, gathered: Path) -> None:
    told = gravity("doctor", "--model", "scripted")
    names = ["Python", "Disk", "Memory", "GPU", "Weights", "Endpoint", "Database", "Chroma"]
    assert [line.split()[1] for line in told.out.splitlines()] == names
    checks = {c["name"]: c for c in gravity("doctor", "--model", "scripted", "--json").json}
    assert checks["Weights"]["state"] == "warn"
    assert "gravity models fetch" in checks["Weights"]["cure"]
    assert checks["Database"]["found"].endswith("2 runs")
    assert checks["Chroma"]["state"] == "ok"


def test_doctor_finds_what_is_to_be_mended(gravity: Gravity, home: Path) -> None:
    words = ("--set", "embedding.model=scripted", "doctor", "--json")
    checks = {c["name"]: c for c in gravity(*words, code=1).json}
    assert checks["Weights"]["state"] == "fail"
    shutil.rmtree(home)
    home.mkdir()
    (home / "gravity.db").write_bytes(b"shopping list " * 100)
    nobody = ("--model", "m", "--base-url", "http://127.0.0.1:9/v1")
    checks = {c["name"]: c for c in gravity(*words, *nobody, code=1).json}
    assert checks["Endpoint"]["state"] == "fail"
    assert checks["Database"]["state"] == "fail"


def test_describe(gravity: Gravity, store: Store) -> None:
    words = ("describe", "--book", "b08", "--reader", "us-maya", "--reader", "us-walt")
    words += ("--model", "scripted", "--run", "done")
    told = gravity(*words)
    assert "The Surveyor's Second Map by" in told.out
    assert "for us-maya" in told.out
    assert "for us-walt" in told.out
    assert "because: " in told.out
    assert told.err.count("describing for") == 2
    again = gravity(*words, "--json")
    assert "describing" not in again.err, "what was made before is reused"
    assert [d["reader_id"] for d in again.json] == ["us-maya", "us-walt"]
    assert all(d["faithful"] for d in again.json)


def test_describe_from_files_by_title(gravity: Gravity) -> None:
    words = ("describe", "--book", "the surveyor's second map", "--reader", "us-maya")
    told = gravity(*words, "--readers", "sample", "--model", "scripted", "--json")
    assert [d["book_id"] for d in told.json] == ["b08"]


def test_describe_needs_a_catalogue(gravity: Gravity, tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text(json.dumps({"id": "ana"}))
    words = ("describe", "--book", "b", "--reader", "ana", "--readers", str(tmp_path / "r.jsonl"))
    assert "--books" in gravity(*words, code=2).err


def test_train_on_a_run(gravity: Gravity, gathered: Path, tmp_path: Path) -> None:
    base = build_tiny_model(tmp_path / "tiny")
    words = ("--set", f"training.base_model={base}", *SCRIPTED, "train", "done", "--max-steps", "1")
    words += ("--despite-audit",)  # the tiny tokenizer cannot spell every word
    card = gravity(*words, "--json").json
    assert card["name"] == "done"
    again = gravity(*words)
    assert "reused" in again.err
    assert "done" in gravity("models", "list").out


def test_train_on_a_run_without_accepted_pairs(gravity: Gravity, gathered: Path) -> None:
    assert "no accepted pair" in gravity(*SCRIPTED, "train", "asks", code=2).err


@pytest.mark.parametrize("content", ["", "not json\n", '{"prompt": 3}\n'])
def test_train_on_a_file_of_no_use(gravity: Gravity, tmp_path: Path, content: str) -> None:
    base = build_tiny_model(tmp_path / "tiny")
    (tmp_path / "pairs.jsonl").write_text(content)
    words = (
        "--set",
        f"training.base_model={base}",
        *SCRIPTED,
        "train",
        str(tmp_path / "pairs.jsonl"),
    )
    told = gravity(*words, code=2)
    assert told.err.splitlines()[-1].startswith("gravity: ")


def test_train_on_too_few_pairs(gravity: Gravity, tmp_path: Path) -> None:
    base = build_tiny_model(tmp_path / "tiny")
    pairs = write_pairs(tmp_path / "pairs.jsonl", [pair_row(0, 0)])
    words = ("--set", f"training.base_model={base}", *SCRIPTED, "train", str(pairs))
    assert gravity(*words, code=5).err.splitlines()[-1].startswith("gravity: ")


def test_the_screens_know_the_books_of_every_run_once(home: Path, store: Store) -> None:
    ids = [book.id for book in known_books(Services(load_settings(None, {"home": home})))]
    assert len(ids) == len(set(ids)) == 60
    assert store.runs(), "a run over the same sample books is there"
