"""Spans and model calls made up for the tests of traces; nothing here asserts."""

from typing import Any

from agents.records import Message, ModelCall
from graph.tracing.traces import Kind, Span


def a_call(reply: str = "Yes.", error: str | None = None, **changes: Any) -> ModelCall:
    call = ModelCall(
        agent="scenario_writer",
        model="m",
        prompt=(Message(role="user", content="Write."),),
        reply=reply,
        tokens_in=7,
        tokens_out=3,
        duration_s=0.5,
        cost_usd=0.25,
        error=error,
    )
    return call.model_copy(update=changes)


def a_turn(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def a_span(number: int, kind: Kind = "call", **changes: Any) -> Span:
    """Span number `number` of the run `one`, a second after the one before."""
    told: dict[str, Any] = {
        "id": f"{number:016x}",
        "parent_id": None,
        "run_id": "one",
        "reader_id": "ana",
        "kind": kind,
        "name": {"call": "scenario_writer", "reader": "ana"}.get(kind, "write"),
        "node": "write" if kind in ("call", "node") else None,
        "started_at": 1_790_000_000.0 + number,
        "duration_s": 0.5,
    }
    if kind == "call":
        told |= {"tokens_in": 10, "tokens_out": 5, "cost_usd": 0.25}
        told["attributes"] = {
            "gen_ai.request.model": "m",
            "gen_ai.input.messages": [a_turn("user", f"Prompt {number}.")],
            "gen_ai.output.messages": [a_turn("assistant", f"Reply {number}.")],
        }
    return Span(**told | changes)
