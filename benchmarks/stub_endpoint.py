"""An OpenAI-compatible endpoint of known latency, capacity and faults, in a process of its own.

`python -m benchmarks.stub_endpoint --port 0 --latency 0.3 --in-flight 64` prints one line of JSON
with its `url` as soon as it listens, and serves until it is ended. It answers what
`benchmarks.stub_replies` says, `--latency` seconds after it took a call up, and takes up at most
`--in-flight` calls at a time: its capacity is in-flight / latency calls a second. GET /stats tells
what became of the calls since the start or the last POST /reset.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aiohttp import web

from benchmarks.stub_faults import Dice, Fault, Outage, outage_of, shares_of
from benchmarks.stub_figures import Figures
from benchmarks.stub_replies import Asked, Author, asked_of, tokens

ROOT = Path(__file__).parents[1]
MODEL = "stub"
MOST_BODY_BYTES = 2**24
CHARACTERS_OF_A_TOKEN = 4
REFUSAL = "I cannot help with that."


@dataclass(frozen=True)
class Terms:
    """How the endpoint serves."""

    latency_s: float = 0.3
    in_flight: int = 64
    over: Literal["queue", "429"] = "queue"
    """What becomes of a call when as many are in flight: it waits its turn, or is refused."""
    retry_after_s: float = 1.0
    """What every 429 says; a fraction is told as such, which not every client understands."""
    outage: Outage | None = None


class Endpoint:
    """Answers chat completions on these terms."""

    def __init__(self, terms: Terms, dice: Dice, author: Author) -> None:
        self._terms = terms
        self._dice = dice
        self._author = author
        self._figures = Figures()
        self._places = asyncio.Semaphore(terms.in_flight)

    def app(self) -> web.Application:
        """The routes."""
        app = web.Application(client_max_size=MOST_BODY_BYTES)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/stats", self._stats)
        app.router.add_post("/reset", self._reset)
        return app

    async def _models(self, _request: web.Request) -> web.Response:
        listed = [{"id": MODEL, "object": "model", "created": 0, "owned_by": "gravity"}]
        return web.json_response({"object": "list", "data": listed})

    async def _stats(self, _request: web.Request) -> web.Response:
        return web.json_response(self._figures.told(self._terms.in_flight))

    async def _reset(self, _request: web.Request) -> web.Response:
        in_flight = self._figures.in_flight
        self._figures = Figures()
        self._figures.take_up(in_flight)
        self._dice.reset()
        return web.json_response({})

    async def _complete(self, request: web.Request) -> web.Response:
        try:
            outcome, response = await self._outcome(request, self._dice.throw())
        except asyncio.CancelledError:
            self._figures.ended("gone")
            raise
        self._figures.ended(outcome)
        if outcome == "timeout":
            await asyncio.Event().wait()
        if outcome == "outage" and request.transport:
            request.transport.abort()
        return response

    async def _outcome(self, request: web.Request, fault: Fault | None) -> tuple[str, web.Response]:
        if self._is_out():
            return "outage", web.Response()
        if fault == "500":
            return fault, _error(500, "The stub fails.")
        if fault == "429" or (self._terms.over == "429" and self._places.locked()):
            wait = {"Retry-After": f"{self._terms.retry_after_s:g}"}
            return fault or "over", _error(429, "The stub is busy.", wait)
        async with self._place():
            loop = asyncio.get_running_loop()
            until = loop.time() + self._terms.latency_s
            try:
                body = await request.json()
                asked = asked_of(body)
                text = await self._author.reply(asked)
            except (LookupError, TypeError, AttributeError, ValueError) as error:
                return "400", _error(400, f"The stub does not understand this: {error!r}.")
            answer = json.dumps(_completion(asked, body, text, fault)).encode()
            await asyncio.sleep(until - loop.time())
        if self._is_out():
            return "outage", web.Response()
        return fault or "ok", web.Response(body=answer, content_type="application/json")

    @asynccontextmanager
    async def _place(self) -> AsyncGenerator[None]:
        async with self._places:
            self._figures.take_up(1)
            try:
                yield
            finally:
                self._figures.take_up(-1)

    def _is_out(self) -> bool:
        since_first_s = self._figures.since_first_s()
        return self._terms.outage is not None and self._terms.outage.covers(since_first_s)


def _completion(
    asked: Asked, body: Mapping[str, Any], text: str, fault: Fault | None
) -> dict[str, Any]:
    half, finish, refusal, told = len(text) // 2, "stop", None, text
    match fault:
        case "malformed":
            told = text[half:]
        case "truncated":
            told, finish = text[:half], "length"
        case "refusal":
            told, refusal = None, REFUSAL
        case _:
            pass
    choice: dict[str, Any] = {
        "index": 0,
        "finish_reason": finish,
        "message": {"role": "assistant", "content": told, "refusal": refusal},
    }
    if body.get("logprobs"):
        choice["logprobs"] = {"content": tokens(told or ""), "refusal": None}
    tokens_in = sum(len(content) for _, content in asked.turns) // CHARACTERS_OF_A_TOKEN
    tokens_out = len(told or REFUSAL) // CHARACTERS_OF_A_TOKEN
    return {
        "id": "stub",
        "object": "chat.completion",
        "created": 0,
        "model": body.get("model", MODEL),
        "choices": [choice],
        "usage": {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        },
    }


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    told = {"error": {"message": message, "type": "stub", "code": status}}
    return web.json_response(told, status=status, headers=headers)


@contextmanager
def running(*arguments: str) -> Generator[str]:
    """The address of a stub in a process of its own, begun with these arguments and ended here."""
    command = [sys.executable, "-m", "benchmarks.stub_endpoint", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


async def serve(endpoint: Endpoint, port: int) -> None:
    """Listen on loopback, print where, and go on until cancelled; 0 takes any free port."""
    runner = web.AppRunner(endpoint.app(), access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    print(json.dumps({"url": f"http://127.0.0.1:{runner.addresses[0][1]}"}), flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stub_endpoint", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--latency", type=float, default=Terms.latency_s, metavar="SECONDS")
    parser.add_argument("--in-flight", type=int, default=Terms.in_flight, metavar="CALLS")
    parser.add_argument("--over", choices=("queue", "429"), default=Terms.over)
    parser.add_argument("--retry-after", type=float, default=Terms.retry_after_s, metavar="SECONDS")
    parser.add_argument("--faults", default="", help="429=0.2,500=0.05,timeout=0.05,…")
    parser.add_argument("--outage", default="", metavar="START,SECONDS")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument("--passing", type=float, default=0.9, help="share of pairs")
    parser.add_argument("--vary", action="store_true", help="the same prompt gets other replies")
    told = parser.parse_args()
    try:
        outage = outage_of(told.outage) if told.outage else None
        dice = Dice(shares_of(told.faults), told.seed)
    except ValueError as error:
        parser.error(str(error))
    terms = Terms(told.latency, told.in_flight, told.over, told.retry_after, outage)
    endpoint = Endpoint(terms, dice, Author(told.passing, told.vary))
    asyncio.run(serve(endpoint, told.port))


if __name__ == "__main__":
    main()
