"""Spans are told as the GenAI conventions of OpenTelemetry have it, on every road the same."""

import base64
import json

from google.protobuf.json_format import Parse
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status, TracesData

from graph.tracing.otlp import otlp_json, readable
from graph.tracing.traces import Span
from tests.graph.receiver import told
from tests.graph.spans import a_span, a_turn

TRACE = "0af7651916cd43dd8448eb211c80319c"


def on_the_wire(*spans: Span) -> list[WireSpan]:
    """As whoever reads a collector's file reads it: JSON with hexadecimal ids."""
    request = json.loads(otlp_json(spans, TRACE))
    for span in (s for r in request["resourceSpans"] for c in r["scopeSpans"] for s in c["spans"]):
        for name in {"traceId", "spanId", "parentSpanId"} & span.keys():
            assert len(span[name]) == (32 if name == "traceId" else 16)
            span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    data = Parse(json.dumps(request), TracesData())
    (of_resource,) = data.resource_spans
    assert {a.key: a.value.string_value for a in of_resource.resource.attributes} == {
        "service.name": "gravity"
    }
    return list(of_resource.scope_spans[0].spans)


def test_a_model_call() -> None:
    (call,) = on_the_wire(a_span(5, parent_id=f"{3:016x}", duration_s=1.5))
    assert (call.name, call.kind) == ("chat m", WireSpan.SPAN_KIND_CLIENT)
    assert (call.trace_id.hex(), call.span_id.hex()) == (TRACE, f"{5:016x}")
    assert call.parent_span_id.hex() == f"{3:016x}"
    assert call.end_time_unix_nano - call.start_time_unix_nano == 1_500_000_000
    assert call.status.code == Status.STATUS_CODE_UNSET
    attributes = told(call)
    prompt = json.loads(attributes.pop("gen_ai.input.messages"))
    reply = json.loads(attributes.pop("gen_ai.output.messages"))
    assert prompt == [a_turn("user", "Prompt 5.")]
    assert reply == [a_turn("assistant", "Reply 5.")]
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.agent.name": "scenario_writer",
        "gen_ai.output.type": "json",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
        "gravity.cost_usd": 0.25,
        "gravity.cached": False,
        "gravity.run.id": "one",
        "gravity.reader.id": "ana",
        "gravity.node": "write",
    }


def test_what_is_written_is_what_is_sent() -> None:
    spans = [
        a_span(1, "run", reader_id=None),
        a_span(2, parent_id=f"{1:016x}", error="gone", cached=True, reader_id="é"),
        a_span(3, started_at=1_790_000_000.123456, duration_s=0.001),
    ]
    (of_resource,) = encode_spans([readable(span, TRACE) for span in spans]).resource_spans
    sent = list(of_resource.scope_spans[0].spans)
    for span in sent:
        span.ClearField("flags")
    assert on_the_wire(*spans) == sent


def test_run_reader_and_node() -> None:
    run, reader, node = on_the_wire(
        a_span(1, "run", reader_id=None, name="one"), a_span(2, "reader"), a_span(3, "node")
    )
    assert [s.name for s in (run, reader, node)] == [
        "invoke_workflow synthesis",
        "reader",
        "invoke_agent write",
    ], "no reader's id is in a name"
    assert {s.kind for s in (run, reader, node)} == {WireSpan.SPAN_KIND_INTERNAL}
    assert run.parent_span_id == b""
    assert told(run)["gen_ai.operation.name"] == "invoke_workflow"
    assert told(reader) == {"gravity.run.id": "one", "gravity.reader.id": "ana"}
    assert told(node)["gen_ai.operation.name"] == "invoke_agent"
    assert told(node)["gen_ai.agent.name"] == told(node)["gravity.node"] == "write"


def test_an_error() -> None:
    span = a_span(
        1, "node", error="EndpointError: gone", attributes={"error.type": "EndpointError"}
    )
    (node,) = on_the_wire(span)
    assert (node.status.code, node.status.message) == (Status.STATUS_CODE_ERROR, span.error)
    assert told(node)["error.type"] == "EndpointError"


def test_ids_of_before_are_cut_alike() -> None:
    old = "0123456789abcdef" * 2
    parent, child = on_the_wire(a_span(1, "node", id=old), a_span(2, parent_id=old))
    assert child.parent_span_id == parent.span_id


def test_a_line_is_one_line_and_holds_nothing_that_a_terminal_obeys() -> None:
    nasty = "a\nb\x9b2J\u202e"
    line = otlp_json([a_span(1, reader_id=nasty)], TRACE)
    assert line.isascii()
    assert line.isprintable()
    (call,) = on_the_wire(a_span(1, reader_id=nasty))
    assert told(call)["gravity.reader.id"] == nasty
