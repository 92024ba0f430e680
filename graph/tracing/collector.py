"""Sends spans to an OpenTelemetry collector, by OTLP over HTTP; what it cannot send it counts.

HTTP with Protobuf, and not gRPC, is what all collectors take: OpenTelemetry's own and Phoenix both,
hosted ones such as Langfuse, LangSmith and Grafana Cloud nothing else.
"""

import logging
import os
import time
from collections.abc import Sequence
from urllib.parse import unquote

import httpx2
from google.protobuf.message import DecodeError
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from agents.errors import ConfigError, EndpointError

PATH = "/v1/traces"
PROTOBUF = "application/x-protobuf"
TIMEOUT_S = 5.0
"""For one batch; at its end a run waits no longer for a collector that is silent."""
PAUSE_S = 30.0
"""For which nothing more is tried after a batch was not taken."""
BUSY = (429, 502, 503, 504)
"""Statuses after which the same may be sent again: https://opentelemetry.io/docs/specs/otlp/."""
PAUSES_S = (0.5, 1.0)
"""Before a batch of a run is sent again to a collector that is busy."""
LONGEST_PAUSE_S = 5.0
MOST_WAITING = 2048
"""Spans that wait to be sent; further ones are left out, and counted."""
BATCH = 512
DELAY_S = 2.0
"""For which spans are gathered into a batch."""


class Collector:
    """A receiver of OTLP; `/v1/traces` is added to an address that does not end so."""

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        self.url = address if address.endswith(PATH) else f"{address.rstrip('/')}{PATH}"
        self._http = httpx2.Client(timeout=TIMEOUT_S, headers=headers | {"Content-Type": PROTOBUF})

    def send(self, spans: Sequence[ReadableSpan], pauses_s: Sequence[float] = ()) -> None:
        """Deliver some spans; the same again doubles none, for ids stay.

        Args:
            spans: a few hundred.
            pauses_s: how long to wait before each further try, where the collector is only busy;
                longer, where it says so.

        Raises:
            EndpointError: it is not there, or does not take them all.
        """
        body = encode_spans(spans).SerializeToString()
        for pause_s in (*pauses_s, None):
            try:
                return self._post(body, len(spans))
            except EndpointError as error:
                if pause_s is None or not error.passing:
                    raise
                time.sleep(min(max(pause_s, error.retry_after_s or 0.0), LONGEST_PAUSE_S))

    def _post(self, body: bytes, count: int) -> None:
        try:
            answer = self._http.post(self.url, content=body)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise EndpointError(f"{self.url} cannot be reached: {error or 'no answer'}.") from error
        if not answer.is_success:
            words = " ".join(answer.text.split())[:200]
            raise EndpointError(
                f"{self.url} answers {answer.status_code}: {words}",
                passing=answer.status_code in BUSY,
                retry_after_s=_seconds(answer.headers.get("Retry-After", "")),
            )
        refused = _refused(answer)
        if refused:
            raise EndpointError(f"{self.url} took {count - refused} of {count} spans.")

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()


class Outbox(SpanExporter):
    """Sends spans in batches from a thread of its own, so that nobody waits for a collector."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._taken = self._sent = 0
        self._problem = "too many at once"
        self._quiet_until = 0.0
        self._batches = BatchSpanProcessor(
            self,
            max_queue_size=MOST_WAITING,
            schedule_delay_millis=DELAY_S * 1000,
            max_export_batch_size=BATCH,
            export_timeout_millis=TIMEOUT_S * 1000,
        )

    def put(self, span: ReadableSpan) -> None:
        """Have a span sent soon."""
        self._taken += 1
        self._batches.on_end(span)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch, unless the last one was refused a moment ago; called by the thread."""
        if time.monotonic() < self._quiet_until:
            return SpanExportResult.FAILURE
        try:
            self._collector.send(spans, PAUSES_S)
        except EndpointError as error:
            self._problem = error.problem
            self._quiet_until = time.monotonic() + PAUSE_S
            return SpanExportResult.FAILURE
        self._sent += len(spans)
        return SpanExportResult.SUCCESS

    def close(self) -> None:
        """Send what waits, and say once what was not sent."""
        self._batches.shutdown()
        self._collector.close()
        if self._sent < self._taken:
            logging.getLogger(__name__).error(
                "%d of %d spans were not sent: %s `gravity trace export --to %s` sends them all.",
                self._taken - self._sent,
                self._taken,
                self._problem,
                self._collector.url,
            )


def headers_in(variable: str) -> dict[str, str]:
    """The headers in an environment variable: `name=value,name=value`, as OpenTelemetry has them.

    Raises:
        ConfigError: they are not of this form.
    """
    headers: dict[str, str] = {}
    for part in filter(None, map(str.strip, os.environ.get(variable, "").split(","))):
        name, equals, value = part.partition("=")
        if not (equals and name.strip()):
            raise ConfigError(
                f"The environment variable {variable} holds no headers.",
                "Write name=value,name=value.",
            )
        headers[name.strip()] = unquote(value.strip())
    return headers


def _refused(answer: httpx2.Response) -> int:
    """How many spans a collector says it did not take; some answer in no form of OTLP's."""
    if answer.headers.get("Content-Type") != PROTOBUF:
        return 0
    try:
        told = ExportTraceServiceResponse.FromString(answer.content)
    except DecodeError:
        return 0
    return told.partial_success.rejected_spans


def _seconds(text: str) -> float | None:
    """A `Retry-After` in seconds; the other form, a date, says nothing here."""
    return float(text) if text.isdecimal() else None
