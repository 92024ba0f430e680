"""A chat completion as OpenAI-compatible endpoints send it: what of it is read; it asks nobody."""

from typing import Any

from pydantic import BaseModel, Field

from agents.errors import RefusalError, ReplyError


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Said(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Said
    finish_reason: str | None = None
    logprobs: dict[str, Any] | None = None


class Completion(BaseModel):
    """One reply of a chat model; what else an endpoint tells is passed over."""

    choices: tuple[_Choice, ...] = Field(min_length=1)
    usage: _Usage | None = None

    @property
    def text(self) -> str:
        """What the model said."""
        return self.choices[0].message.content or ""

    @property
    def refusal(self) -> str | None:
        """Why it declined, where it did."""
        return self.choices[0].message.refusal

    @property
    def logprobs(self) -> dict[str, Any] | None:
        """Of its tokens, where they were asked for and are told."""
        return self.choices[0].logprobs

    @property
    def tokens(self) -> tuple[int, int]:
        """Of the prompt and of the reply, as far as they are told."""
        usage = self.usage or _Usage()
        return usage.prompt_tokens, usage.completion_tokens

    def require_whole(self, most_tokens: int) -> None:
        """Make sure that the model came to its end within so many tokens.

        Raises:
            ReplyError: the reply is cut off.
            RefusalError: the endpoint kept it back.
        """
        reason = self.choices[0].finish_reason
        if reason == "length":
            raise ReplyError(f"The reply is cut off after {most_tokens} tokens.", self.text)
        if reason == "content_filter":
            raise RefusalError("The endpoint filtered the reply.")


class _Delta(BaseModel):
    content: str | None = None


class _Added(BaseModel):
    delta: _Delta


class Piece(BaseModel):
    """A piece of a reply that is streamed."""

    choices: tuple[_Added, ...]

    @property
    def text(self) -> str:
        """What it adds to the reply."""
        return "".join(choice.delta.content or "" for choice in self.choices)
