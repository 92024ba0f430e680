"""The OpenAI-compatible API over an engine; holds no model itself."""

import json
import secrets
import time
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from agents.errors import GravityError, InputError, NotFoundError
from agents.records import Message
from serving.engine import Engine, Generation
from serving.wire import ChatRequest, Reply, error

CLIENT_GONE = 499
"""What nginx calls a request whose client hung up; nobody reads it."""


def create_app(engine: Engine, token: str | None = None) -> FastAPI:
    """The API; where `token` is given, every call but `/healthz` must bear it."""

    def authorise(authorization: Annotated[str, Header()] = "") -> None:
        expected = f"Bearer {token}"
        if token and not secrets.compare_digest(authorization.encode(), expected.encode()):
            raise HTTPException(401, "This server asks for a bearer token, and this is not it.")

    app = FastAPI(title="Gravity", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(StarletteHTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _bad_body)
    app.add_exception_handler(GravityError, _gravity_error)
    started = int(time.time())

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/v1/models", dependencies=[Depends(authorise)])
    async def models() -> dict[str, Any]:
        data = [
            {"id": name, "object": "model", "created": started, "owned_by": "gravity"}
            for name in engine.models
        ]
        return {"object": "list", "data": data}

    @app.post("/v1/chat/completions", dependencies=[Depends(authorise)], response_model=None)
    async def chat(body: ChatRequest, request: Request) -> dict[str, Any] | Response:
        generation = engine.stream(
            [
                Message(role="system" if m.role == "developer" else m.role, content=m.content)
                for m in body.messages
            ],
            body.model,
            max_new_tokens=body.max_completion_tokens or body.max_tokens,
            temperature=body.temperature,
            seed=body.seed,
        )
        reply = Reply(f"chatcmpl-{uuid.uuid4().hex}", int(time.time()), body.model)
        pieces = aiter(generation)
        # Whatever is wrong with the request shows before the first word, while a status can tell.
        first = await anext(pieces, "")
        if body.stream:
            counts = bool(body.stream_options and body.stream_options.include_usage)
            events = _events(reply, generation, first, pieces, counts)
            return StreamingResponse(events, media_type="text/event-stream")
        text = first
        async for piece in pieces:
            text += piece
            if await request.is_disconnected():
                generation.stop()
                return Response(status_code=CLIENT_GONE)
        assert generation.usage is not None
        return reply.whole(text, generation.usage)

    return app


async def _events(
    reply: Reply, generation: Generation, first: str, rest: AsyncIterator[str], counts: bool
) -> AsyncIterator[str]:
    yield _event(reply.chunk({"role": "assistant", "content": first}))
    async for piece in rest:
        yield _event(reply.chunk({"content": piece}))
    assert generation.usage is not None
    yield _event(reply.chunk({}, generation.usage.finish_reason))
    if counts:
        yield _event(reply.spent(generation.usage))
    yield "data: [DONE]\n\n"


def _event(body: dict[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


async def _http_error(request: Request, problem: Any) -> JSONResponse:
    unauthorised = problem.status_code == 401
    kind = "authentication_error" if unauthorised else "invalid_request_error"
    code = "invalid_api_key" if unauthorised else None
    headers = {"WWW-Authenticate": "Bearer"} if unauthorised else None
    return JSONResponse(error(str(problem.detail), kind, code), problem.status_code, headers)


async def _bad_body(request: Request, problem: Any) -> JSONResponse:
    first = problem.errors()[0]
    malformed = first["type"] == "json_invalid"
    field = "" if malformed else ".".join(str(part) for part in first["loc"][1:])
    said = "is not supported here" if first["type"] == "extra_forbidden" else first["msg"]
    message = f"{field or 'body'}: {said}"
    return JSONResponse(error(message, "invalid_request_error", None, field or None), 400)


async def _gravity_error(request: Request, problem: Any) -> JSONResponse:
    if isinstance(problem, NotFoundError):
        body = error(str(problem), "invalid_request_error", "model_not_found", "model")
        return JSONResponse(body, 404)
    if isinstance(problem, InputError):
        return JSONResponse(error(str(problem), "invalid_request_error", None, "messages"), 400)
    return JSONResponse(error(str(problem), "server_error"), 503)
