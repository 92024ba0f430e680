"""A chat model as judge of pairs: asked in both orders, weighed by its tokens or by votes."""

import re
from collections.abc import Sequence
from typing import Literal, get_args

from pydantic import BaseModel, Field

from agents.chat import Chat, Token
from agents.decisions import TOLERANCE
from agents.errors import RefusalError, ReplyError
from agents.judges.judge import Criterion, Proposal, failed, verdict
from agents.prompting import quoted, render
from agents.records import Verdict

AGENT = "pair_critic"
"""As traces tell it, and its prompt's name."""
LEAST_MASS = 0.5
"""Probability that the options must have together: a model that would rather have said something
else has not answered the question."""
MOST_REASON_CHARS = 300

Letter = Literal["A", "B"]
YesNo = Literal["yes", "no"]


class Opinion(BaseModel):
    """A judge's answers on one pair in one order."""

    preferred: Letter
    offers_both: YesNo
    both_plausible: YesNo
    hinges: YesNo
    reason: str = Field(json_schema_extra={"maxLength": MOST_REASON_CHARS})
    """Comes last: after it, the answers' tokens would only tell that they agree with it, and a
    model that has argued for one side is sure of it. A longer one is cut and is no error."""


FIELDS: dict[Criterion, str] = {
    "prefers": "preferred",
    "offers": "offers_both",
    "plausible": "both_plausible",
    "hinges": "hinges",
}


class ChatJudge:
    """Asks a chat model all questions at once, and again with the answers in the other order.

    Args:
        chat: the model to ask.
        votes: replies for each order, 1 or more, where the endpoint tells no log-probabilities.
            They differ only where `chat.temperature` is not 0.
    """

    def __init__(self, chat: Chat, votes: int) -> None:
        self._chat = chat
        self._votes = votes

    @property
    def name(self) -> str:
        """The model's name."""
        return self._chat.name

    async def judge(self, proposal: Proposal) -> Verdict:
        """One verdict over both orders; it names its failure where a reply is of no use.

        The orders are asked one after the other, so that a refusal costs one call; many pairs are
        judged at a time.

        Raises:
            EndpointError: the model cannot be reached.
            KeyMissingError: it wants a key.
        """
        chosen, rejected = proposal.answers
        try:
            forward, reason = await self._ask(proposal, chosen, rejected)
            backward, _ = await self._ask(proposal, rejected, chosen)
        except (RefusalError, ReplyError) as error:
            return failed(self.name, error)
        first, second = forward.pop("prefers"), 1 - backward.pop("prefers")
        others: dict[Criterion, float] = {
            name: (forward[name] + backward[name]) / 2 for name in forward
        }
        told = verdict(self.name, first, second, others)
        return told if told.flipped or not reason else told.model_copy(update={"reason": reason})

    async def _ask(self, proposal: Proposal, a: str, b: str) -> tuple[dict[Criterion, float], str]:
        """How probable `A` is, and `yes` to the other questions; and the model's reason."""
        messages = render(
            AGENT,
            portrait=proposal.portrait,
            situation=quoted(proposal.pair.prompt[-1].content),
            a=quoted(a),
            b=quoted(b),
            high=proposal.axis.high,
            low=proposal.axis.low,
        )
        weighed = await self._chat.weigh(AGENT, messages, Opinion)
        first, reason = weighed.reply, " ".join(weighed.reply.reason.split())[:MOST_REASON_CHARS]
        if weighed.tokens:
            return {n: _by_tokens(weighed.tokens, f, first) for n, f in FIELDS.items()}, reason
        more = [
            await self._chat.ask(AGENT, messages, Opinion, repeat=vote)
            for vote in range(1, self._votes)
        ]
        return {n: _by_votes([first, *more], f) for n, f in FIELDS.items()}, reason


def _by_votes(votes: Sequence[Opinion], field: str) -> float:
    """How probable the first option of `field` is, by Laplace's rule of succession."""
    agreeing = sum(getattr(vote, field) == _options(field)[0] for vote in votes)
    return (agreeing + 1) / (len(votes) + 2)


def _by_tokens(tokens: Sequence[Token], field: str, told: Opinion) -> float:
    """How probable the first option of `field` is, by what could stand where its value begins.

    An option that is not listed there is given as much as it may have: what the listed ones leave,
    and no more than the least of them.

    Raises:
        ReplyError: the tokens do not tell it.
    """
    deciding = _deciding(tokens, field, getattr(told, field))
    listed = deciding.probabilities if deciding else {}
    if not listed:
        raise ReplyError(f"The tokens of the reply do not spell its field {field!r}.")
    total = sum(listed.values())
    if total > 1 + TOLERANCE:
        raise ReplyError(f"Field {field!r}: the probabilities sum to {total:.3f}, more than one.")
    options = _options(field)
    mass = dict.fromkeys(options, 0.0)
    for text, probability in listed.items():
        if option := _begun(text, options):
            mass[option] += probability
    if sum(mass.values()) < LEAST_MASS:
        share = f"{sum(mass.values()):.2f}"
        raise ReplyError(f"Field {field!r}: {' and '.join(options)} have {share} of the mass.")
    unlisted = min(*listed.values(), max(0.0, 1 - total))
    first, second = (mass[option] or unlisted for option in options)
    return first / (first + second)


def _options(field: str) -> tuple[str, ...]:
    return get_args(Opinion.model_fields[field].annotation)


def _deciding(tokens: Sequence[Token], field: str, value: str) -> Token | None:
    """The token that holds the first character of the value of `field`, behind its quote mark."""
    text = "".join(token.token for token in tokens)
    found = re.search(rf'"{field}"\s*:\s*"(?={value}")', text)
    end = 0
    for token in tokens:
        end += len(token.token)
        if found and end > found.end():
            return token
    return None


def _begun(text: str, options: Sequence[str]) -> str | None:
    """The one option that a token begins, whatever quote marks and white space it carries."""
    value, closed, _ = text.lstrip(' \t\r\n":').partition('"')
    begun = [o for o in options if value and (o == value if closed else o.startswith(value))]
    return begun[0] if len(begun) == 1 else None
