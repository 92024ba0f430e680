"""Tells spans as OpenTelemetry does: names, kinds, attributes, and OTLP's JSON; it sends none.

The conventions are those for generative AI, version 0.1.0, which have a repository of their own:
https://github.com/open-telemetry/semantic-conventions-genai (gen-ai-spans, gen-ai-agent-spans).
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from graph.tracing.traces import Span

PROVIDER = "openai"
"""The protocol that every model here is called by, whoever serves it."""
_RESOURCE = Resource({"service.name": "gravity"})
"""Made by hand: the SDK's own detectors ask the environment, and some of them the network."""
_SCOPE = InstrumentationScope("gravity")


def readable(span: Span, trace_id: str) -> ReadableSpan:
    """The span as the SDK's exporters take it.

    Args:
        span: with its attributes.
        trace_id: of its run; 32 hexadecimal digits.
    """
    return ReadableSpan(
        name=_name(span),
        context=_context(span.id, trace_id),
        parent=_context(span.parent_id, trace_id) if span.parent_id else None,
        resource=_RESOURCE,
        instrumentation_scope=_SCOPE,
        kind=_kind(span),
        attributes=attributes(span),
        status=Status(StatusCode.ERROR, span.error) if span.error else Status(),
        start_time=_nanoseconds(span.started_at),
        end_time=_nanoseconds(span.ended_at),
    )


def attributes(span: Span) -> dict[str, str | int | float | bool]:
    """Everything that is told of a span, by the conventions' names; ours begin with `gravity`."""
    told: dict[str, Any] = {
        "gravity.run.id": span.run_id,
        "gravity.reader.id": span.reader_id,
        "gravity.node": span.node,
        **_operation(span),
        **(span.attributes or {}),
    }
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
        for name, value in told.items()
        if value is not None
    }


def otlp_json(spans: Iterable[Span], trace_id: str) -> str:
    """One line as a collector's file exporter writes and its file receiver reads it.

    OTLP's JSON is Protobuf's but for ids, which are hexadecimal, and enums, which are numbers:
    https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
    """
    scoped = {"scope": {"name": _SCOPE.name}, "spans": [_told(s, trace_id) for s in spans]}
    resource = {"attributes": _pairs(_RESOURCE.attributes)}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [scoped]}]})


def _told(span: Span, trace_id: str) -> dict[str, Any]:
    failed = {"code": StatusCode.ERROR.value, "message": span.error}
    told: dict[str, Any] = {
        "traceId": trace_id,
        "spanId": span.id[:16],
        "name": _name(span),
        "kind": _kind(span).value + 1,
        "startTimeUnixNano": str(_nanoseconds(span.started_at)),
        "endTimeUnixNano": str(_nanoseconds(span.ended_at)),
        "attributes": _pairs(attributes(span)),
        "status": failed if span.error else {},
    }
    return told | ({"parentSpanId": span.parent_id[:16]} if span.parent_id else {})


def _pairs(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """As `AnyValue` has them; whole numbers are strings, since JSON's have but 53 bits."""
    kinds = {str: "stringValue", bool: "boolValue", float: "doubleValue"}
    return [
        {"key": name, "value": {kinds.get(type(v), "intValue"): str(v) if type(v) is int else v}}
        for name, v in attributes.items()
    ]


def _operation(span: Span) -> dict[str, Any]:
    match span.kind:
        case "run":
            return {"gen_ai.operation.name": "invoke_workflow", "gen_ai.agent.name": "synthesis"}
        case "reader":
            return {}
        case "node":
            return {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": span.name}
        case "call":
            return {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": PROVIDER,
                "gen_ai.agent.name": span.name,
                "gen_ai.output.type": "json",
                "gen_ai.usage.input_tokens": span.tokens_in,
                "gen_ai.usage.output_tokens": span.tokens_out,
                "gravity.cost_usd": span.cost_usd,
                "gravity.cached": span.cached,
            }


def _name(span: Span) -> str:
    """Of few kinds, as span names should be: no reader's id is in it."""
    match span.kind:
        case "run":
            return "invoke_workflow synthesis"
        case "reader":
            return "reader"
        case "node":
            return f"invoke_agent {span.name}"
        case "call":
            return f"chat {(span.attributes or {}).get('gen_ai.request.model', '')}".strip()


def _context(span_id: str, trace_id: str) -> SpanContext:
    """Spans of before OpenTelemetry's ids had longer ones."""
    return SpanContext(
        int(trace_id, 16),
        int(span_id[:16], 16),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )


def _kind(span: Span) -> SpanKind:
    return SpanKind.CLIENT if span.kind == "call" else SpanKind.INTERNAL


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
