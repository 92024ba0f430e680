"""The graph's sections of gravity.toml, and all that a run goes by; values only."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.records import Facet
from agents.settings import (
    Address,
    ChatSettings,
    CriticSettings,
    DeduplicatorSettings,
    EmbeddingSettings,
    ProfilerSettings,
    Section,
    SystemOneSettings,
)


class ReadersSettings(Section):
    """What is taken in from files of readers."""

    min_age: int = Field(default=18, ge=0)
    """Years; younger readers are set aside and get no profile."""
    max_review_chars: int = Field(default=20_000, ge=1)
    """A longer review is cut to this many characters."""


class SynthesisSettings(Section):
    """How many pairs are gathered for each reader, and how hard the graph tries."""

    method: Literal["gravity", "naive"] = "gravity"
    """`naive` is the baseline to compare with: the model invents prompt and both answers from the
    profile alone; nothing is planned, drawn, deduplicated or criticised."""
    quotas: dict[Facet, int] = {"interest": 3, "value": 3, "belief": 3, "personality": 3}
    """Pairs wanted of each reader by facet."""
    min_departure: float = Field(default=0.1, ge=0)
    """A dimension is planned only where the reader stands off the middle by this many of the
    attribute's own standard deviations; nothing is paired on a dimension nobody knows of."""
    exploration: float = Field(default=0.25, ge=0)
    """How often less certain dimensions go before surer ones: the temperature of the choice, in
    standard deviations of departure; 0 always takes the surest."""
    pairs_from_books: int = Field(default=1, ge=0)
    """Pairs of the interest quota that are made of a liked and another book, without a model."""
    readers_per_scenario: int = Field(default=6, ge=2)
    """Readers that are to share a scene while the pool has more: fewer spread the scenes wider,
    more find each scene its twin."""
    rounds: int = Field(default=4, ge=1)
    """Plans made for one reader before an unmet quota is declared starved."""
    rewrites: int = Field(default=2, ge=0)
    """Times in a round that the writer is sent back because of duplicates."""
    revisions: int = Field(default=1, ge=0)
    """Times in a round that the writer is sent back on the critic's word."""
    scenarios_per_call: int = Field(default=5, ge=1, le=8)
    """Scenarios asked of the writer in one call, at least as many as the cell lacks."""
    tailored_share: float = Field(default=0.3, ge=0, le=1)
    """Share of written scenes that are set in the reader's country and touch on an interest of
    theirs; the others are neutral."""
    readers_at_once: int = Field(default=32, ge=1)
    """Readers worked on at the same time; with 1, the same run gives the same pairs again."""
    max_cost_usd: float | None = Field(default=None, ge=0)
    """What a run may cost in all; calls in flight count with the most that they may cost."""
    review: Literal["all", "doubtful", "none"] = "none"
    """Which pairs a person must decide on; with `none` doubtful pairs are refused."""
    reviewers: int = Field(default=1, ge=1, le=5)
    """How many different people must decide on such a pair, none seeing what others said before
    they have; the majority counts, and one further person decides where they are divided evenly."""


Texts = Literal["full", "redacted", "none"]
"""What a span keeps of prompts and replies: all; all but what is personal; nothing."""


class TracingSettings(Section):
    """What the traces and failures of a run hold, and who gets them beside the run database.

    Secrets are masked in all of them.
    """

    texts: Texts = "full"
    """Prompts and replies in the run database: `redacted` masks e-mail addresses, telephone numbers
    and readers' own words; `none` keeps no text, and `gravity why` then knows no writer's call."""
    otlp_endpoint: Address = None
    """An OpenTelemetry collector that takes OTLP over HTTP, such as http://127.0.0.1:4318."""
    otlp_texts: Texts = "none"
    """The same for what is sent there."""
    otlp_headers_env: str = "OTEL_EXPORTER_OTLP_HEADERS"
    """The environment variable that holds headers to send along: `name=value,name=value`."""


class RunSettings(BaseModel):
    """Everything that a run goes by: the sections of the agents and of the graph."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    home: Path = Path(".gravity")
    """The folder of the run database, checkpoints, pool, exports and adapters."""
    chat: ChatSettings = ChatSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    systemone: SystemOneSettings = SystemOneSettings()
    readers: ReadersSettings = ReadersSettings()
    profiler: ProfilerSettings = ProfilerSettings()
    synthesis: SynthesisSettings = SynthesisSettings()
    deduplicator: DeduplicatorSettings = DeduplicatorSettings()
    critic: CriticSettings = CriticSettings()
    tracing: TracingSettings = TracingSettings()

    def kept(self) -> dict[str, Any]:
        """What a run keeps of them, as JSON."""
        return self.model_dump(mode="json", include=set(RunSettings.model_fields) - {"home"})
