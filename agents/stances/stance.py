"""A stance on a dimension with the words it rests on, and what every text backend can do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agents.records import Dimension, Evidence, Reader


@dataclass(frozen=True)
class Stance:
    """What one span of text says of where its writer stands."""

    dimension: str
    strength: float
    """From -1 (surely at the low pole) to 1 (surely at the high pole)."""
    evidence: Evidence


@dataclass(frozen=True)
class Reading:
    """All stances found in one reader's words."""

    stances: tuple[Stance, ...] = ()
    notices: tuple[str, ...] = ()
    """What had to be dropped, such as quotes that stand in no review."""


class StanceReader(Protocol):
    """Reads a reader's `about` and reviews for stances on dimensions."""

    @property
    def method(self) -> str:
        """How the profile names it as a source."""
        ...

    async def read(self, reader: Reader, axes: Sequence[Dimension]) -> Reading:
        """The stances on `axes`; every evidence span really stands in the reader's text.

        Raises:
            ModelError: the model behind it does not answer; nothing is concluded.
        """
        ...
