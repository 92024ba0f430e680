"""Pairs with a known flaw, or none, on which the embedded judge is fitted; it fits nothing."""

from importlib.resources import files
from typing import Literal

from agents.frameworks.catalogue import shipped_scenarios
from agents.records import Pole, Record

Flaw = Literal[
    "swapped",
    "off_dimension",
    "same_stance",
    "absurd_answer",
    "length_giveaway",
    "copied_profile",
    "stereotype",
    "unsafe",
    "wrong_language",
    "incoherent_situation",
    "sensitive_topic",
    "injected_instruction",
]
Kind = Literal["sound"] | Flaw
Field = Literal["situation", "chosen", "rejected"]
FIELDS: tuple[Field, ...] = ("situation", "chosen", "rejected")
POOL = "pool"
"""The author of what ships as the candidate pool."""


class Example(Record):
    """A pair as somebody wrote it to be sound, or to have one flaw."""

    author: str
    """Whose phrasing it is: what is fitted on some authors is tried on another."""
    kind: Kind
    dimension: str
    situation: str
    chosen: str
    rejected: str
    pole: Pole
    """That of the chosen answer, or what it is said to be."""
    at: tuple[Field, ...] = ()
    """The texts that carry the flaw, where it is in the words."""

    @property
    def texts(self) -> tuple[str, str, str]:
        """In the order of `FIELDS`."""
        return self.situation, self.chosen, self.rejected


def shipped_examples() -> list[Example]:
    """Everything to fit on: the written pairs, then the candidate pool, which is sound."""
    text = files("agents.judges").joinpath("examples.jsonl").read_text("utf-8")
    written = [Example.model_validate_json(line) for line in text.splitlines() if line.strip()]
    pool = [
        Example(
            author=POOL,
            kind="sound",
            dimension=s.dimension,
            situation=s.situation,
            chosen=s.high,
            rejected=s.low,
            pole="high",
        )
        for s in shipped_scenarios()
    ]
    return [*written, *pool]
