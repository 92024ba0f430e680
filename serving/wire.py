"""The shapes of the OpenAI chat API that travel over the wire; answers nothing."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from serving.sampling import Usage


def _joined(content: Any) -> Any:
    """Text parts as one string; any other part is left to be refused."""
    if isinstance(content, list) and all(
        isinstance(part, dict) and part.get("type") == "text" for part in content
    ):
        return "".join(str(part.get("text", "")) for part in content)
    return content


class WireMessage(BaseModel):
    """One turn, its content a string or a list of text parts."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, BeforeValidator(_joined)]


class StreamOptions(BaseModel):
    """What a stream tells beside the text."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """The body of `POST /v1/chat/completions`; what is not understood is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")

    model: str
    messages: list[WireMessage] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    seed: int | None = None
    n: Literal[1] = 1
    user: str | None = None
    """Accepted and unused, as `metadata` and `store` are."""
    metadata: dict[str, Any] | None = None
    store: bool | None = None


def usage(spent: Usage) -> dict[str, int]:
    """Token counts as clients expect them."""
    return {
        "prompt_tokens": spent.prompt_tokens,
        "completion_tokens": spent.completion_tokens,
        "total_tokens": spent.prompt_tokens + spent.completion_tokens,
    }


def error(
    message: str, kind: str, code: str | None = None, param: str | None = None
) -> dict[str, Any]:
    """The body of every error."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


class Reply:
    """One chat completion under one id, as a whole or in chunks."""

    def __init__(self, id: str, created: int, model: str) -> None:
        self._head = {"id": id, "created": created, "model": model}

    def whole(self, text: str, spent: Usage) -> dict[str, Any]:
        """The body of an answer that is not streamed."""
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": spent.finish_reason}
        return self._body("chat.completion", choices=[choice], usage=usage(spent))

    def chunk(self, delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
        """One piece of a stream."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return self._body("chat.completion.chunk", choices=[choice])

    def spent(self, spent: Usage) -> dict[str, Any]:
        """The chunk that ends a stream which asked for its usage."""
        return self._body("chat.completion.chunk", choices=[], usage=usage(spent))

    def _body(self, kind: str, **rest: Any) -> dict[str, Any]:
        return {**self._head, "object": kind, **rest}
