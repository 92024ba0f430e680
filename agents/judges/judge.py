"""What judges are asked and what they answer with; it judges nothing itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from agents.errors import RefusalError, ReplyError
from agents.frameworks.catalogue import dimension
from agents.records import Dimension, Pair, Scenario, SensitiveTopic, Verdict

Criterion = Literal["prefers", "offers", "plausible", "hinges"]
CRITERIA: dict[Criterion, str] = {
    "prefers": "the reader would not prefer the chosen answer",
    "offers": "the situation does not offer both answers",
    "plausible": "one of the answers is not plausible for anybody",
    "hinges": "the pair does not hinge on its dimension",
}
"""What is wrong where the answer to a question is no, in words that a writer can act on."""


@dataclass(frozen=True)
class Proposal:
    """A pair as it is put to the critic."""

    pair: Pair
    scenario: Scenario
    portrait: str
    """What is told of the reader, a line for each trait."""
    consent: tuple[SensitiveTopic, ...] = ()
    """Sensitive topics that the reader agreed to."""

    @property
    def axis(self) -> Dimension:
        """The dimension that the pair is to hinge on."""
        return dimension(self.scenario.dimension)

    @property
    def answers(self) -> tuple[str, str]:
        """The chosen one, then the rejected one."""
        return self.pair.chosen, self.pair.rejected


class Judge(Protocol):
    """Whoever can say how probable it is that a pair is right."""

    @property
    def name(self) -> str:
        """As verdicts and calibrations tell it."""
        ...

    async def judge(self, proposal: Proposal) -> Verdict:
        """One verdict over both orders; it names its failure where a reply is of no use.

        Raises:
            EndpointError: the judge cannot be reached.
        """
        ...


def verdict(
    judge: str, forward: float, backward: float, others: Mapping[Criterion, float], reason: str = ""
) -> Verdict:
    """The verdict of a judge that answered typed questions.

    The probability is that of the least probable answer, which bounds from above that all of them
    hold (Fréchet). A preference that changes with the order is a tie.

    Args:
        judge: its name.
        forward: that the chosen answer is preferred, where it comes first.
        backward: the same where it comes second.
        others: the other criteria.
        reason: in the judge's own words; without any the weakest criterion speaks.
    """
    prefers = (forward + backward) / 2
    criteria: dict[Criterion, float] = {"prefers": prefers, **others}
    weakest = min(criteria, key=lambda name: criteria[name])
    flipped = (forward - 0.5) * (backward - 0.5) < 0
    return Verdict(
        judge=judge,
        probability=criteria[weakest],
        flipped=flipped,
        criteria={**criteria, "chosen_first": forward, "chosen_second": backward},
        reason=reason
        or ("the preference changes with the order" if flipped else CRITERIA[weakest]),
    )


def failed(judge: str, error: RefusalError | ReplyError) -> Verdict:
    """The verdict of a judge whose reply is of no use: named, and never a silent yes."""
    failure = "refused" if isinstance(error, RefusalError) else "malformed"
    raw = error.raw if isinstance(error, ReplyError) else ""
    return Verdict(judge=judge, failure=failure, reason=str(error), raw=raw)
