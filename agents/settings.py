"""The agents' sections of gravity.toml; values only."""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator


class Section(BaseModel):
    """A closed, frozen section of the configuration, documented by its field docstrings."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def web_address(address: str | None) -> str | None:
    """An address that may stand in errors and traces, which those that hold a password may not.

    Raises:
        ValueError: it is none.
    """
    if address is None:
        return None
    if not re.fullmatch(r"https?://[^\s@/]+(/\S*)?", address):
        raise ValueError("begin it with http:// or https://, and leave name and password out")
    port = urlsplit(address).netloc.rpartition("]")[2].partition(":")[2]
    if port and not port.isdecimal():
        raise ValueError(f"its port is no number: {port}")
    return address


Address = Annotated[str | None, AfterValidator(web_address)]


class ChatSettings(Section):
    """The model that writes scenarios, judges pairs and describes books."""

    model: str = "embedded"
    """`embedded` (SmolLM2-135M-Instruct, in process), `scripted` (deterministic, no weights), or
    the name of a model at `base_url`."""
    base_url: Address = None
    """Any OpenAI-compatible endpoint, such as http://127.0.0.1:8000/v1; none means OpenAI's."""
    api_key_env: str = "OPENAI_API_KEY"
    """The environment variable that holds the key; the key itself is never written to a file."""
    timeout_s: float = Field(default=60.0, gt=0)
    """Seconds to wait for one reply."""
    patience_s: float = Field(default=300.0, ge=0)
    """Seconds without any good reply, after there were some, until a run is stopped (resumably)."""
    concurrency: int = Field(default=64, ge=1)
    """Calls in flight at most; as many as the endpoint bears are found out by trying."""
    temperature: float = Field(default=0.8, ge=0, le=2)
    max_tokens: int = Field(default=2000, ge=1)
    """Tokens of one reply at most."""
    repairs: int = Field(default=1, ge=0, le=3)
    """How often a reply that does not fit its schema is sent back with the error."""
    price_in_usd: float = Field(default=0.0, ge=0)
    """Price of a million prompt tokens."""
    price_out_usd: float = Field(default=0.0, ge=0)
    """Price of a million reply tokens."""

    def cost_usd(self, tokens_in: float, tokens_out: float) -> float:
        """What so many tokens cost."""
        return (tokens_in * self.price_in_usd + tokens_out * self.price_out_usd) / 1e6


class EmbeddingSettings(Section):
    """The model that turns text into vectors."""

    model: str | None = None
    """`embedded` (all-MiniLM-L6-v2), `scripted`, or any sentence-transformers name or path; unset
    means `scripted` beside the scripted chat model and `embedded` otherwise."""
    languages: tuple[str, ...] = ("en",)
    """ISO 639-1 codes of what that model reads; reviews in other languages give no stances. Empty
    means all: set it so beside a multilingual model."""


class SystemOneSettings(Section):
    """A model that answers typed questions with probabilities, and writes nothing."""

    url: Address = None
    """A System One server such as http://127.0.0.1:8000, which answers POST /v1/systemone; unset
    loads `model` into this process with transformers."""
    model: str | None = None
    """As the server calls it; without a server a folder, or a name that transformers knows."""
    timeout_s: float = Field(default=600.0, gt=0)
    """Seconds to wait for all answers of one request, 64 at most."""
    concurrency: int = Field(default=8, ge=1)
    """Requests in flight to the server at most."""
    patience_s: float = Field(default=300.0, ge=0)
    """Seconds without any reply, after there were some, until a run is stopped (resumably)."""


class ProfilerSettings(Section):
    """How profiles are inferred, and how long they last."""

    text: Literal["embedded", "chat", "systemone", "none"] = "embedded"
    """Who reads the reviews: `embedded` classifies sentences in vector space; `chat` sends excerpts
    to the chat model; `systemone` asks the model of that section; `none` leaves them unread."""
    max_sentences: int = Field(default=120, ge=1)
    """Sentences of one reader that are read at most, the most informative ones."""
    national_prior: bool = True
    """Whether a country's average is shown, at its share of the variance, where nothing is known of
    the person; any word, rating or answer of theirs sets it aside, and no text is built on it."""
    half_life_days: int = Field(default=1095, ge=1)
    """After so many days a rating speaks half as loudly."""
    expire_after_days: int | None = Field(default=None, ge=1)
    """Inferred attributes lapse after so many days; unset keeps them."""


class DeduplicatorSettings(Section):
    """When two scenarios count as the same."""

    duplicate_from: float = Field(default=0.7, gt=0, le=1)
    """Probability that two scenarios of a cell put the same choice, from which the later one is
    refused. `make bench-pool` prints precision and recall."""
    distinct_below: float = Field(default=0.3, ge=0, le=1)
    """Probability below which they do not; between the two the chat model is asked where
    `critic.judges` has `chat`, and the odds decide otherwise."""
    same_scene_at: float = Field(default=0.95, gt=0, le=1)
    """Cosine of two situations, of whatever cells, from which the scene itself is repeated."""


class CriticSettings(Section):
    """What the critic lets pass.

    Where nothing else is said, thresholds were chosen on the shipped pool, which passes, and on
    pairs with planted flaws that are not those of `make bench-critic`.
    """

    judges: tuple[Literal["embedded", "chat", "systemone"], ...] = Field(
        default=("embedded",), min_length=1
    )
    """Who judges; several are a panel. `embedded` needs no language model, `chat` asks the chat
    model, `systemone` the model of that section."""
    accept_from: float = Field(default=0.5, ge=0, le=1)
    """Mean probability that a pair is right from which it is accepted."""
    reject_below: float = Field(default=0.4, ge=0, le=1)
    """Probability below which it is refused; between the two a person is asked."""
    votes: int = Field(default=5, ge=1, le=50)
    """Replies of the chat model for each order where its endpoint tells no log-probabilities."""
    max_length_ratio: float = Field(default=1.5, ge=1)
    """The longer answer by the shorter, in characters."""
    max_overlap: float = Field(default=0.8, gt=0, le=1)
    """Words in common, in their order, from which the two answers are nearly identical."""
    max_shared_words: int = Field(default=6, ge=2)
    """Words in a row that an answer may share with the portrait or a seed statement."""
    max_copied_share: float = Field(default=0.74, gt=0, le=1)
    """Of the words of one of these, in runs of two or more, that an answer may repeat."""

    @field_validator("judges", mode="before")
    @classmethod
    def _one_or_more(cls, judges: object) -> object:
        return [name.strip() for name in judges.split(",")] if isinstance(judges, str) else judges

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.reject_below > self.accept_from:
            raise ValueError("reject_below must not be above accept_from")
        if len(set(self.judges)) < len(self.judges):
            raise ValueError("judges: one is named twice")
        return self
