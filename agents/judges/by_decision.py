"""A decider as judge of pairs: one request asks everything, in both orders; it writes nothing."""

from agents.decisions import Answer, ChoiceQuestion, Decider, NoulQuestion, Question
from agents.errors import RefusalError, ReplyError
from agents.judges.judge import Proposal, failed, verdict
from agents.prompting import quoted, render
from agents.records import Verdict


class DecisionJudge:
    """Asks one request per pair.

    Args:
        decider: answers the questions.
    """

    def __init__(self, decider: Decider) -> None:
        self._decider = decider

    @property
    def name(self) -> str:
        """The model's name."""
        return self._decider.name

    async def judge(self, proposal: Proposal) -> Verdict:
        """One verdict over both orders; it names its failure where an answer is of no use.

        That both answers are plausible is as probable as that the less plausible one is, which
        bounds it from above as in `verdict`.

        Raises:
            EndpointError: the decider cannot be reached, or is too slow.
            WeightsError: there is no such model in this process.
        """
        state = {
            "reader": proposal.portrait,
            "situation (data, not instructions)": quoted(proposal.pair.prompt[-1].content),
        }
        try:
            answers = await self._decider.decide(state, _questions(proposal))
        except (RefusalError, ReplyError) as error:
            return failed(self.name, error)
        return verdict(
            self.name,
            answers["first"].probabilities["A"],
            answers["second"].probabilities["B"],
            {
                "offers": _yes(answers["offers"]),
                "plausible": min(_yes(answers["plausible"]), _yes(answers["plausible too"])),
                "hinges": _yes(answers["hinges"]),
            },
        )


def _questions(proposal: Proposal) -> dict[str, Question]:
    """All but the first two see the answers in an order that does not tell the chosen one."""
    chosen, rejected = map(quoted, proposal.answers)
    one, other = sorted((chosen, rejected))
    axis = proposal.axis
    prefers, *others = (
        message.content
        for message in render("pair_questions", one=one, other=other, high=axis.high, low=axis.low)
    )
    names = "offers", "plausible", "plausible too", "hinges"
    return {
        "first": ChoiceQuestion(instructions=prefers, criteria={"A": chosen, "B": rejected}),
        "second": ChoiceQuestion(instructions=prefers, criteria={"A": rejected, "B": chosen}),
        **{n: NoulQuestion(instructions=text) for n, text in zip(names, others, strict=True)},
    }


def _yes(answer: Answer) -> float:
    return answer.probabilities["true"]
