"""How one answer is drawn, and what it took; draws nothing itself."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Sampling:
    """How one answer is drawn."""

    max_new_tokens: int
    temperature: float
    seed: int


@dataclass(frozen=True)
class Usage:
    """What one answer took."""

    prompt_tokens: int
    completion_tokens: int
    finish_reason: Literal["stop", "length"]
