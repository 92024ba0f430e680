"""`gravity trace` over real runs: what it shows, finds, compares, writes and sends."""

import json
import sqlite3
from pathlib import Path

import pytest
from google.protobuf.json_format import Parse
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from graph.store import Store
from graph.tracing.traces import Span
from tests.commands.conftest import Gravity
from tests.graph.receiver import receiving
from tui.commands import trace

INVENTED = ("--readers", "sample", "--limit", "2", "--model", "scripted", "--method", "naive")


@pytest.fixture
def run(gravity: Gravity, gathered: Path) -> str:
    """A run with model calls, beside the two gathered ones."""
    gravity("synth", *INVENTED, "--run", "invented")
    return "invented"


def spans_of(store: Store, run: str, kind: str) -> list[Span]:
    return [span for span in store.spans(run) if span.kind == kind]


def test_list_has_a_line_for_each_reader(gravity: Gravity, store: Store, run: str) -> None:
    lines = gravity("trace", "list", run).out.splitlines()
    assert {line.split()[0] for line in lines} == {"us-maya", "us-walt"}
    assert all(line.split()[1] == "ok" for line in lines)
    rows = gravity("trace", "list", run, "--json").json
    calls = spans_of(store, run, "call")
    assert sum(row["calls"] for row in rows) == len(calls)
    assert sum(row["tokens_in"] for row in rows) == sum(c.tokens_in for c in calls)


def test_show_is_a_tree_down_to_the_calls(gravity: Gravity, store: Store, run: str) -> None:
    calls = spans_of(store, run, "call")
    tree = gravity("trace", "show", run).out
    assert tree.startswith(f"{run} · finished · {len(calls)} model calls")
    assert tree.count("naive_writer · ") == len(calls)
    assert "us-maya · " in tree
    assert "finish · " in tree
    assert "unfinished" not in tree
    assert len(gravity("trace", "show", run, "--full").out) > 2 * len(tree)
    spans = gravity("trace", "show", run, "--json").json
    assert len(spans) == len(store.spans(run))
    assert all(span["attributes"] is None for span in spans)
    one = gravity("trace", "show", run, "--reader", "us-maya", "--json", "--full").json
    assert {s["reader_id"] for s in one} == {"us-maya"}
    assert any("gen_ai.input.messages" in (s["attributes"] or {}) for s in one)
    only = gravity("trace", "show", run, "--reader", "us-maya").out
    assert "us-maya · " in only
    assert "us-walt" not in only


def test_show_of_one_span(gravity: Gravity, store: Store, run: str) -> None:
    call = spans_of(store, run, "call")[0]
    told = gravity("trace", "show", "--span", call.id[:9]).out
    assert told.startswith("call naive_writer · ")
    for line in (f"parent: {call.parent_id}", "node: invent", "gen_ai.request.model: scripted"):
        assert f"  {line}\n" in told
    assert f"assistant: {call.reply}" in told
    assert gravity("trace", "show", "--span", call.id, "--json").json["id"] == call.id
    assert "There is no span 'zz'" in gravity("trace", "show", "--span", "zz", code=2).err


def test_a_large_run_shows_its_readers_first(
    gravity: Gravity, store: Store, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "MOST_SPANS", 5)
    monkeypatch.setattr(trace, "MOST_READERS", 1)
    told = gravity("trace", "show", run).out
    assert f"2 readers, {len(store.spans(run))} spans" in told
    assert "… 1 more: gravity trace list invented" in told
    assert "gravity trace show invented --reader READER" in told
    assert "naive_writer" not in told
    one = gravity("trace", "show", run, "--reader", "us-maya").out
    assert one.count(" · ") >= 5
    left = len(store.spans(run, "us-maya")) - 5
    assert f"… {left} more spans: gravity trace filter invented --reader us-maya" in one


def test_what_a_killed_process_left_stands_under_unfinished(
    gravity: Gravity, store: Store, run: str, home: Path
) -> None:
    with sqlite3.connect(home / "gravity.db") as connection:
        connection.execute("DELETE FROM spans WHERE kind IN ('run', 'reader')")
        connection.execute("DELETE FROM spans WHERE kind = 'node' AND name = 'invent'")
    tree = gravity("trace", "show", run).out
    assert "us-maya · unfinished" in tree
    assert "invent · unfinished" in tree
    assert tree.count("naive_writer · ") == len(spans_of(store, run, "call"))
    lines = gravity("trace", "list", run).out.splitlines()
    assert all(line.split()[1] == "unfinished" for line in lines)


def test_filter_finds_by_what_spans_are(gravity: Gravity, store: Store, run: str) -> None:
    calls = spans_of(store, run, "call")

    def ids(*words: str) -> list[str]:
        return [
            line.split()[0] for line in gravity("trace", "filter", run, *words).out.splitlines()
        ]

    assert ids("--agent", "naive_writer", "--limit", "500") == [c.id for c in calls]
    by_time = sorted(spans_of(store, run, "node"), key=lambda s: -s.duration_s)
    assert ids("--kind", "node", "--sort", "duration", "--limit", "3") == [
        s.id for s in by_time[:3]
    ]
    assert ids("--node", "finish", "--reader", "us-walt", "--status", "ok")
    assert ids("--status", "error") == ids("--min-cost", "1") == ids("--min-duration", "999") == []
    words = " ".join(calls[0].reply.split()[3:6])
    assert calls[0].id in ids("--text", words.upper(), "--limit", "500")
    more = gravity("trace", "filter", run, "--limit", "1")
    assert f"… {len(store.spans(run)) - 1} more" in more.err
    rows = gravity(
        "trace", "filter", run, "--kind", "call", "--limit", "2", "--full", "--json"
    ).json
    assert [row["id"] for row in rows] == [c.id for c in calls[:2]]
    assert rows[0]["attributes"] == calls[0].attributes
    assert f"assistant: {calls[0].reply[:40]}" in gravity("trace", "filter", run, "--full").out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("filter", "--status", "bad"), "one of ok, error"),
        (("filter", "--kind", "bad"), "one of run, reader, node, call"),
        (("filter", "--sort", "bad"), "one of started, cost, duration"),
        (("export", "--format", "bad"), "one of otlp, jsonl"),
        (("export", "--texts", "bad"), "one of full, redacted, none"),
        (("show", "nope"), "There is no run 'nope'. `gravity runs list` names them."),
        (("show", "--reader", "nope"), "has no reader 'nope'"),
        (("diff", "done", "nope"), "There is no run 'nope'."),
        (("export", "--out", "/nowhere/x"), "/nowhere/x cannot be written"),
        (
            ("export", "--to", "http://127.0.0.1:9"),
            "http://127.0.0.1:9/v1/traces cannot be reached",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(
    gravity: Gravity, gathered: Path, words: tuple[str, ...], told: str
) -> None:
    code = {"--out": 4, "--to": 3}.get(words[1], 2)
    assert told in gravity("trace", *words, code=code).err


def test_diff_sets_two_runs_side_by_side(gravity: Gravity, store: Store, run: str) -> None:
    told = gravity("trace", "diff", "done", run).out
    blocks = {b.split()[0]: b.splitlines() for b in told.replace("\n  ", "\t").splitlines()}
    finish = [line.split() for line in blocks["finish"][0].split("\t")]
    assert finish[0][:3] == ["finish", "count", "errors"]
    assert [line[:2] for line in finish[1:]] == [["done", "2"], [run, "2"], ["difference", "+0"]]
    assert f"+{len(spans_of(store, run, 'call'))} " in told
    steps = gravity("trace", "diff", "done", run, "--json").json["steps"]
    invented = next(s for s in steps if s["agent"] == "naive_writer")
    assert (invented["node"], invented["first"]) == ("invent", None)
    assert invented["second"]["count"] == len(spans_of(store, run, "call"))


def test_export_is_read_by_what_reads_otlp(
    gravity: Gravity, store: Store, run: str, tmp_path: Path
) -> None:
    kept = store.spans(run)
    out = tmp_path / "spans.json"
    told = gravity("trace", "export", run, "--out", str(out), "--texts", "full")
    assert told.out == f"{len(kept)} spans of invented in {out}\n"
    sent = [
        span
        for line in out.read_text("utf-8").splitlines()
        for resource in Parse(line, TracesData()).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert len(sent) == len(kept)
    assert "gen_ai.input.messages" in out.read_text("utf-8")
    assert [p.name for p in tmp_path.glob(".*")] == [], "no draft is left"
    assert "gen_ai.input.messages" not in gravity("trace", "export", run).out, "that is asked for"


def test_export_as_plain_lines(gravity: Gravity, store: Store, run: str) -> None:
    told = gravity("trace", "export", run, "--format", "jsonl", "--texts", "full").out
    rows = [json.loads(line) for line in told.splitlines()]
    assert [row["id"] for row in rows] == [span.id for span in store.spans(run)]
    assert {row["trace_id"] for row in rows} == {store.trace_id(run)}
    assert "gen_ai.input.messages" in json.dumps(rows)


def test_export_to_a_collector(gravity: Gravity, store: Store, run: str) -> None:
    with receiving() as receiver:
        told = gravity("trace", "export", run, "--to", receiver.url, "--json").json
        assert told == {
            "run": run,
            "spans": len(store.spans(run)),
            "to": f"{receiver.url}/v1/traces",
        }
        assert {s.span_id.hex() for s in receiver.spans} == {s.id for s in store.spans(run)}
        receiver.status = 400
        assert "answers 400" in gravity("trace", "export", run, "--to", receiver.url, code=3).err
