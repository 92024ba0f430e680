"""What training tells while it runs, as typed records; nothing here trains or draws."""

from typing import Literal

from pydantic import Field

from agents.findings import Finding
from agents.records import Record


class HeldOut(Record):
    """How well a model agrees with pairs whose groups it never trained on."""

    pairs: int
    """Pairs measured."""
    accuracy: float = Field(ge=0, le=1)
    """Share of pairs with a positive reward margin; a margin of exactly zero counts half."""
    margin: float
    """Mean reward margin in nats: beta times how far the preference moved from the base model."""
    likelier: float = Field(ge=0, le=1)
    """Share of pairs where the model finds the chosen answer likelier, per token."""


class PairsChecked(Record):
    """The pairs were sifted and audited; `lines` say what was set aside and why."""

    usable: int
    set_aside: int
    lines: tuple[str, ...]
    findings: tuple[Finding, ...]
    """Of the audit, without what the lines say."""


class TrainingStarted(Record):
    """The model is loaded and the first step begins."""

    pairs: int
    """Pairs trained on."""
    held_out: int
    """Pairs measured on, of other groups: scenarios, or shelves of books."""
    twin_share: float
    flip_rate: float | None
    """Share of labels that the loss takes to be wrong; none where it heeds no doubt."""
    unjudged: int
    """Pairs trained on without a probability, which count as certain."""
    steps: int
    first_step: int
    """1, or more where an interrupted training goes on."""
    device: str


class StepDone(Record):
    """One optimizer step, measured on its own batch before the update."""

    step: int
    total: int
    loss: float
    """Nats; 0.693 (log 2) says that nothing is learnt yet."""
    reward_accuracy: float
    margin: float
    seconds_left: float


class Evaluated(Record):
    """The held-out pairs were measured, before or after training."""

    when: Literal["before", "after"]
    figures: HeldOut


class TrainingFinished(Record):
    """The adapter is saved."""

    name: str
    steps: int
    seconds: float
    """Wall time of this run, loading and measuring included."""


TrainingEvent = PairsChecked | TrainingStarted | StepDone | Evaluated | TrainingFinished
