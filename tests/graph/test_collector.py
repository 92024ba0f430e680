"""A collector gets every span; one that is not there, or silent, costs a run nothing."""

import logging
import time
from collections.abc import Iterator

import pytest

from agents.errors import ConfigError, EndpointError
from graph.tracing import collector
from graph.tracing.collector import Collector, Outbox, headers_in
from graph.tracing.otlp import readable
from tests.graph.receiver import Receiver, receiving
from tests.graph.spans import a_span

SPANS = [readable(a_span(number), "0af7651916cd43dd8448eb211c80319c") for number in range(1, 1001)]
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def test_everything_arrives_once_with_headers(receiver: Receiver) -> None:
    there = Collector(f"{receiver.url}/", {"x-token": "abc"})
    there.send(SPANS[:3])
    there.close()
    assert [s.span_id.hex() for s in receiver.spans] == [f"{n:016x}" for n in (1, 2, 3)]
    assert receiver.paths == ["/v1/traces"]
    assert receiver.headers[0]["x-token"] == "abc"
    assert receiver.headers[0]["Content-Type"] == "application/x-protobuf"


def test_a_whole_address_stays_as_it_is(receiver: Receiver) -> None:
    Collector(f"{receiver.url}/api/public/otel/v1/traces", {}).send(SPANS[:1])
    assert receiver.paths == ["/api/public/otel/v1/traces"]


def test_what_a_collector_does_not_take_is_told_in_one_line(receiver: Receiver) -> None:
    receiver.status = 401
    with pytest.raises(EndpointError, match=rf"{receiver.url}/v1/traces answers 401: "):
        Collector(receiver.url, {}).send(SPANS[:1])
    receiver.status, receiver.refused = 200, 2
    with pytest.raises(EndpointError, match=r"took 1 of 3 spans\.$"):
        Collector(receiver.url, {}).send(SPANS[:3])
    with pytest.raises(EndpointError, match=rf"{NOBODY}/v1/traces cannot be reached: .+\.$"):
        Collector(NOBODY, {}).send(SPANS[:1])


def test_a_busy_collector_is_asked_again(receiver: Receiver) -> None:
    receiver.busy = 2
    Collector(receiver.url, {}).send(SPANS[:3], (0.01, 0.01))
    assert len(receiver.paths) == 3
    assert len(receiver.spans) == 3
    receiver.busy = 3
    with pytest.raises(EndpointError, match="answers 503"):
        Collector(receiver.url, {}).send(SPANS[:3], (0.01, 0.01))
    receiver.busy, receiver.status = 0, 400
    with pytest.raises(EndpointError, match="answers 400"):
        Collector(receiver.url, {}).send(SPANS[:3], (9.0,))


def test_an_outbox_sends_all_of_it_by_its_end(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = Outbox(Collector(receiver.url, {}))
    for span in SPANS:
        outbox.put(span)
    outbox.close()
    assert len({s.span_id for s in receiver.spans}) == len(receiver.spans) == len(SPANS)
    assert caplog.records == []


def test_nobody_there_is_told_once_and_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    started = time.monotonic()
    outbox = Outbox(Collector(NOBODY, {}))
    for span in SPANS:
        outbox.put(span)
    put = time.monotonic() - started
    outbox.close()
    assert put < 2
    assert time.monotonic() - started < 8
    (said,) = [r for r in caplog.records if r.name.startswith(("graph", "opentelemetry"))]
    assert said.getMessage().startswith(f"1000 of 1000 spans were not sent: {NOBODY}/v1/traces ")
    assert f"gravity trace export --to {NOBODY}/v1/traces" in said.getMessage()
    assert said.exc_info is None


def test_a_silent_collector_is_waited_for_once(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "TIMEOUT_S", 0.5)
    receiver.silent_s = 3.0
    outbox = Outbox(Collector(receiver.url, {}))
    for span in SPANS:
        outbox.put(span)
    started = time.monotonic()
    outbox.close()
    assert time.monotonic() - started < 2.5, "two batches wait, and one time-out is over"
    assert len([r for r in caplog.records if "were not sent" in r.getMessage()]) == 1


def test_a_collector_that_comes_back_gets_the_rest(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "PAUSE_S", 0.0)
    monkeypatch.setattr(collector, "PAUSES_S", ())
    outbox = Outbox(Collector(receiver.url, {}))
    receiver.status = 503
    outbox.export(SPANS[:10])
    receiver.status = 200
    for span in SPANS[10:20]:
        outbox.put(span)
    outbox.close()
    assert len(receiver.spans) == 10


def test_headers_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADERS", " Authorization=Basic%20YW5h , x-project = one=1 ,")
    assert headers_in("HEADERS") == {"Authorization": "Basic YW5h", "x-project": "one=1"}
    monkeypatch.delenv("HEADERS")
    assert headers_in("HEADERS") == {}
    monkeypatch.setenv("HEADERS", "sesame")
    with pytest.raises(ConfigError, match="HEADERS holds no headers") as refused:
        headers_in("HEADERS")
    assert "sesame" not in str(refused.value), "it may be a secret"
