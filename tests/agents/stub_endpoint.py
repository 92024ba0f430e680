"""A tiny server on loopback for chat and System One: it answers what a test wrote down, in turn."""

import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One reply of the server."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    delay_s: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def completion(
    content: str | None, finish: str = "stop", refusal: str | None = None, logprobs: object = None
) -> Answer:
    """A chat completion that cost 100 tokens in and 20 out; `logprobs` are a list of tokens."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    choice = {"index": 0, "finish_reason": finish, "message": message}
    if logprobs is not None:
        choice["logprobs"] = {"content": logprobs, "refusal": None}
    body = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
    return Answer(body=json.dumps(body).encode())


def token(text: str, probability: float = 1.0, **others: float) -> dict[str, Any]:
    """A token of a reply, with the probabilities of `others` that could have stood there."""
    told = {text: probability, **others}
    listed = [{"token": t, "logprob": math.log(p), "bytes": None} for t, p in told.items()]
    return {**listed[0], "top_logprobs": listed}


def failure(status: int, message: str) -> Answer:
    """An error as OpenAI words it."""
    return Answer(status, json.dumps({"error": {"message": message}}).encode())


def pieces(*texts: str) -> Answer:
    """A completion as a stream of server-sent events."""
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunks = [
        head | {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
        for text in texts
    ]
    chunks.append(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks] + ["data: [DONE]\n\n"]
    return Answer(body="".join(events).encode(), kind="text/event-stream")


def decisions(answers: object) -> Answer:
    """A System One reply."""
    usage = {"input_tokens": 10, "output_tokens": 0}
    return Answer(body=json.dumps({"model": "m", "answers": answers, "usage": usage}).encode())


@dataclass
class Stub:
    """The server; the last of its `answers` stands for all that follow.

    An answer may be a function of the body that was sent.
    """

    answers: list[Answer | Callable[[Any], Answer]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    most_at_once: int = 0
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> "Stub":
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None: ...

            def do_GET(self) -> None:
                self._reply(stub.next(self.headers["authorization"], None))

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = json.loads(self.rfile.read(length))
                self._reply(stub.next(self.headers["authorization"], body))

            def _reply(self, answer: Answer) -> None:
                with stub._lock:
                    stub._at_once += 1
                    stub.most_at_once = max(stub.most_at_once, stub._at_once)
                time.sleep(answer.delay_s)
                with stub._lock:
                    stub._at_once -= 1
                try:
                    self.send_response(answer.status)
                    self.send_header("content-type", answer.kind)
                    self.send_header("content-length", str(len(answer.body)))
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer.body)
                except ConnectionError:
                    self.close_connection = True  # the client gave up, as a time-out test wants

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def next(self, key: str | None, body: dict[str, Any] | None) -> Answer:
        with self._lock:
            self.keys.append(key)
            if body is not None:
                self.asked.append(body)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            return answer if isinstance(answer, Answer) else answer(body)
