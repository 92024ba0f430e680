"""Stances by typed decisions: embeddings propose and a decider decides; neither writes."""

from collections.abc import Collection, Sequence

from agents.decisions import MOST_QUESTIONS, Answer, ChoiceQuestion, Decider
from agents.embeddings import Embedder
from agents.errors import RefusalError, ReplyError
from agents.prompting import quoted, render
from agents.records import Dimension, Pole, Reader
from agents.stances.by_embedding import EmbeddedStances
from agents.stances.excerpts import MOST_CHARS
from agents.stances.stance import Reading, Stance

STATE = (
    "Each question quotes a sentence from what one person wrote about themselves and about books."
)
"""What all questions share. A model without a decision head reads it anew for every question, so
the sentences stand in the questions: for 8 of them, 26 s instead of 154 s on two cores."""
LEAST_PROPOSED = 0.02
"""Strength in vector space from which a sentence is worth a question; chance gives each of the
some 175 poles 0.006. Of more than MOST_QUESTIONS the strongest are asked about."""


class DecisionStances:
    """Asks, in one request per reader, which pole each proposed sentence speaks of, or neither.

    Args:
        decider: answers the questions.
        embedder: proposes which sentence may speak of which dimension.
        max_sentences: of one reader that are looked at.
        languages: of what the embedder reads, none meaning all.
    """

    def __init__(
        self,
        decider: Decider,
        embedder: Embedder,
        max_sentences: int,
        languages: Collection[str] = (),
    ) -> None:
        self._decider = decider
        self._proposer = EmbeddedStances(embedder, max_sentences, LEAST_PROPOSED, languages)

    @property
    def method(self) -> str:
        """How the profile names it as a source."""
        return f"review text, decided by {self._decider.name}"

    async def read(self, reader: Reader, axes: Sequence[Dimension]) -> Reading:
        """The stances on `axes`; an unusable answer leaves none and is told.

        Raises:
            EndpointError: the decider cannot be reached, or is too slow.
        """
        reading = await self._proposer.read(reader, axes)
        candidates = _strongest(reading.stances)
        if not candidates:
            return Reading(notices=reading.notices)
        by_name = {axis.name: axis for axis in axes}
        proposed = {f"{n}, {c.dimension}": c for n, c in enumerate(candidates, 1)}
        questions = {
            name: _question(c.evidence.quote(reader), by_name[c.dimension])
            for name, c in proposed.items()
        }
        try:
            answers = await self._decider.decide(STATE, questions)
        except (RefusalError, ReplyError) as error:
            failure = f"{self._decider.name} read no stances: {error}"
            return Reading(notices=(*reading.notices, failure))
        decided = (_decided(c, answers[name]) for name, c in proposed.items())
        return Reading(tuple(stance for stance in decided if stance), reading.notices)


def _strongest(proposed: Sequence[Stance]) -> list[Stance]:
    """As many as one request may ask about, in their order."""
    ranked = sorted(range(len(proposed)), key=lambda i: -abs(proposed[i].strength))
    return [proposed[i] for i in sorted(ranked[:MOST_QUESTIONS])]


def _question(sentence: str, axis: Dimension) -> ChoiceQuestion:
    """For interests it asks about the book, since the profiler knows whether it was liked."""
    document = "stance_of_book" if axis.facet == "interest" else "stance_of_writer"
    criteria = {"high": axis.high, "low": axis.low, "neither": "nothing of the kind"}
    [message] = render(document, sentence=quoted(sentence, MOST_CHARS))
    return ChoiceQuestion(instructions=message.content, criteria=criteria)


def _decided(candidate: Stance, answer: Answer) -> Stance | None:
    """The candidate as it was decided; none where the sentence says nothing of the dimension."""
    high, low, neither = (answer.probabilities[option] for option in ("high", "low", "neither"))
    strength = high - low
    if neither >= max(high, low) or strength == 0:
        return None
    pole: Pole = "high" if strength > 0 else "low"
    evidence = candidate.evidence.model_copy(update={"pole": pole})
    return Stance(candidate.dimension, strength, evidence)
