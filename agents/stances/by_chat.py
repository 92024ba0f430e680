"""Stances by a chat model: one question per reader; what it cannot quote does not count."""

from collections.abc import Sequence

from pydantic import BaseModel, Field

from agents import gates
from agents.chat import Chat
from agents.errors import RefusalError, ReplyError
from agents.prompting import quoted, render
from agents.records import Dimension, Evidence, Message, Pole, Reader
from agents.stances.excerpts import Excerpt, excerpts, most_informative
from agents.stances.stance import Reading, Stance

AGENT = "stance_reader"
MOST_EXCERPT_CHARS = 12_000
"""Some 3,000 tokens: beside the dimensions and the reply, the prompt keeps within 8,192."""
MOST_REPAIRS = 1
"""Of one reply, so that a reader costs at most two calls."""
MOST_STANCES = 12
"""Asked for in one reply: with their quotes they keep within the default `chat.max_tokens`."""

_QUOTE_MARKS = str.maketrans(dict.fromkeys('"“”„‟«»‹›‘’‚‛`´', "'"))


class FoundStance(BaseModel):
    """One stance as the model tells it; whether it holds is checked by `ChatStances`."""

    dimension: str
    pole: str = Field(json_schema_extra={"enum": ["high", "low"]})
    certainty: float = Field(ge=0, le=1, allow_inf_nan=False)
    review: int
    quote: str


class FoundStances(BaseModel):
    """The reply of the model; more stances than were asked for are no error."""

    stances: list[FoundStance] = Field(json_schema_extra={"maxItems": MOST_STANCES})


class ChatStances:
    """Shows a chat model the dimensions and the most informative passages.

    The strength of a stance is the model's own certainty, towards the pole it names.

    Args:
        chat: the model to ask.
        most_sentences: of one reader; fewer where they exceed MOST_EXCERPT_CHARS.
    """

    def __init__(self, chat: Chat, most_sentences: int) -> None:
        self._chat = chat
        self._most_sentences = most_sentences

    @property
    def method(self) -> str:
        """How the profile names it as a source."""
        return f"review text, read by {self._chat.name}"

    async def read(self, reader: Reader, axes: Sequence[Dimension]) -> Reading:
        """The stances on `axes`; an unusable or refused reply leaves none and is told.

        Raises:
            EndpointError: the model cannot be reached.
            KeyMissingError: it wants a key.
        """
        passages = _passages(reader, _shortened(excerpts(reader), self._most_sentences))
        if not passages or not axes:
            return Reading()
        reviews = list(dict.fromkeys(passage.review_id for passage in passages))
        try:
            prompt = _prompt(passages, reviews, axes)
            reply = await self._chat.ask(AGENT, prompt, FoundStances, MOST_REPAIRS)
        except ReplyError as error:
            return Reading(notices=(f"{self._chat.name} read no stances: {error}",))
        except RefusalError as error:
            cure = "if the prompt is too long for chat.model, lower profiler.max_sentences"
            return Reading(notices=(f"{self._chat.name} read no stances: {error} ({cure})",))
        numbered = {
            number: [passage for passage in passages if passage.review_id == review]
            for number, review in enumerate(reviews, 1)
        }
        return _checked(reply.stances, numbered, {axis.name for axis in axes})


def _checked(
    told: Sequence[FoundStance], reviews: dict[int, list[Excerpt]], known: set[str]
) -> Reading:
    """What holds of the reply: known dimensions and poles, and words that stand in the review."""
    stances: dict[tuple[str, str, int, int], Stance] = {}
    unknown = invented = 0
    for found in told:
        if found.dimension not in known or found.pole not in ("high", "low"):
            unknown += 1
            continue
        evidence = _evidence(found.quote, found.pole, reviews.get(found.review, []))
        if evidence is None:
            invented += 1
            continue
        strength = found.certainty if found.pole == "high" else -found.certainty
        key = found.dimension, evidence.review_id, evidence.start, evidence.end
        if strength:
            stances.setdefault(key, Stance(found.dimension, strength, evidence))
    notices: list[str] = []
    if invented:
        told_of = "quote stands" if invented == 1 else "quotes stand"
        notices.append(f"{invented} {told_of} in no review and {_dropped(invented)}")
    if unknown:
        told_of = "stance has" if unknown == 1 else "stances have"
        notices.append(f"{unknown} {told_of} an unknown dimension or pole and {_dropped(unknown)}")
    return Reading(tuple(stances.values()), tuple(notices))


def _dropped(count: int) -> str:
    return "was dropped" if count == 1 else "were dropped"


def _evidence(quote: str, pole: Pole, passages: Sequence[Excerpt]) -> Evidence | None:
    """Where the words of `quote` stand, whatever its quote marks and white space are."""
    wanted = _plain(quote)[0].strip(" '")
    if not gates.words(wanted):
        return None
    for passage in passages:
        text, places = _plain(passage.text)
        at = text.find(wanted)
        if at >= 0:
            start, last = places[at], places[at + len(wanted) - 1]
            return Evidence(
                review_id=passage.review_id,
                start=passage.start + start,
                end=passage.start + last + 1,
                pole=pole,
            )
    return None


def _plain(text: str) -> tuple[str, list[int]]:
    """The text with one kind of quote mark and single spaces, and where each character stood."""
    places = [
        place
        for place, character in enumerate(text)
        if not (character.isspace() and place and text[place - 1].isspace())
    ]
    marked = text.translate(_QUOTE_MARKS)
    return "".join(" " if marked[p].isspace() else marked[p] for p in places), places


def _shortened(found: Sequence[Excerpt], most: int) -> list[Excerpt]:
    """The most informative excerpts, as many as MOST_EXCERPT_CHARS hold."""
    picked = most_informative(found, most)
    while (chars := sum(len(excerpt.text) for excerpt in picked)) > MOST_EXCERPT_CHARS:
        picked = most_informative(found, len(picked) * MOST_EXCERPT_CHARS // chars)
    return picked


def _passages(reader: Reader, found: Sequence[Excerpt]) -> list[Excerpt]:
    """The excerpts, with neighbours joined, so that a quote may reach over a full stop."""
    passages: list[Excerpt] = []
    for excerpt in found:
        text = reader.text(excerpt.review_id) or ""
        last = passages[-1] if passages else None
        beside = last is not None and last.review_id == excerpt.review_id
        if last and beside and not text[last.end : excerpt.start].strip():
            start, end = last.start, excerpt.end
            passages[-1] = Excerpt(excerpt.review_id, start, end, text[start:end])
        else:
            passages.append(excerpt)
    return passages


def _prompt(
    passages: Sequence[Excerpt], reviews: Sequence[str], axes: Sequence[Dimension]
) -> tuple[Message, ...]:
    """For interests it asks about the book, since the profiler knows whether it was liked."""
    blocks = [
        "\n".join(
            [f"Review {number}:"]
            + [quoted(p.text, MOST_EXCERPT_CHARS) for p in passages if p.review_id == review]
        )
        for number, review in enumerate(reviews, 1)
    ]
    return render(
        "stances",
        writer=_listed([axis for axis in axes if axis.facet != "interest"]),
        book=_listed([axis for axis in axes if axis.facet == "interest"]),
        excerpts="\n\n".join(blocks),
        most=str(MOST_STANCES),
    )


def _listed(axes: Sequence[Dimension]) -> str:
    return "\n".join(f"- {axis.name}: {axis.high} / {axis.low}" for axis in axes) or "(none)"
