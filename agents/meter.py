"""A chat model that is never asked: it repeats kept replies, and counts what it would be asked."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agents.chat import Kept, Recall, Reply, Weighed
from agents.errors import RefusalError
from agents.question import LOGPROBS, Question
from agents.records import Message
from agents.settings import ChatSettings

BYTES_OF_A_TOKEN = 4.0
"""Of English prose and JSON: a rule of thumb, for the tokenisers of current models."""
BYTES_OF_A_NAME = 40.0
"""Of a text that a schema sets no bounds to, such as a name or a short quote."""


@dataclass
class Metered:
    """What one agent would ask."""

    questions: int = 0
    kept: int = 0
    """Of these, those whose reply is kept."""
    prompt_bytes: int = 0
    reply_bytes: float = 0.0
    """Of replies half way between the shortest and the longest that fit the schema."""

    @property
    def declined(self) -> int:
        """Questions whose reply is not kept."""
        return self.questions - self.kept

    @property
    def tokens_in(self) -> float:
        """Of one prompt, about."""
        return self.prompt_bytes / BYTES_OF_A_TOKEN / max(self.questions, 1)

    @property
    def tokens_out(self) -> float:
        """Of one reply, about."""
        return self.reply_bytes / BYTES_OF_A_TOKEN / max(self.questions, 1)


class Meter:
    """Declines every question whose reply is not kept, so that agents go on as after a refusal.

    Args:
        settings: of the model that would be asked.
        recall: finds kept replies.
    """

    def __init__(self, settings: ChatSettings, recall: Recall) -> None:
        self._settings = settings
        self._recall = recall
        self.metered: defaultdict[str, Metered] = defaultdict(Metered)
        """By agent."""
        self.first_usd: float | None = None
        """What the cheapest of the questions may cost at most; none where all replies are kept."""

    @property
    def name(self) -> str:
        """The model's name."""
        return self._settings.model

    @property
    def declined(self) -> int:
        """Questions whose reply was not kept."""
        return sum(metered.declined for metered in self.metered.values())

    async def ask(
        self,
        agent: str,
        messages: Sequence[Message],
        reply: type[Reply],
        most_repairs: int | None = None,
        repeat: int = 0,
    ) -> Reply:
        """The kept reply.

        Raises:
            RefusalError: there is none.
        """
        question = Question(agent, tuple(messages), reply, repeat)
        kept = self._noted(question, question)
        if kept is None:
            raise RefusalError("Nothing is asked in a dry run.")
        return question.fitting(kept.text, None)

    async def weigh(
        self, agent: str, messages: Sequence[Message], reply: type[Reply]
    ) -> Weighed[Reply]:
        """Nothing; it counts whether a reply is kept, with probabilities or without.

        Raises:
            RefusalError: always.
        """
        question = Question(agent, tuple(messages), reply)
        self._noted(question, replace(question, wanted=LOGPROBS), question)
        raise RefusalError("Nothing is weighed in a dry run.")

    async def drain(self) -> None:
        """Nothing is in flight."""

    async def close(self) -> None:
        """Nothing to let go of."""

    def _noted(self, question: Question[Any], *forms: Question[Any]) -> Kept | None:
        """Count a question; the kept reply to any of its forms."""
        keys = (form.key(self._settings) for form in forms)
        kept = next((found for key in keys if (found := self._recall(key))), None)
        metered = self.metered[question.agent]
        metered.questions += 1
        metered.kept += kept is not None
        metered.prompt_bytes += sum(len(turn.content.encode()) for turn in question.turns)
        schema = question.format["json_schema"]["schema"]
        metered.reply_bytes += _typical_bytes(schema, schema.get("$defs", {}))
        if kept is None:
            usd = question.dearest(self._settings)
            self.first_usd = usd if self.first_usd is None else min(self.first_usd, usd)
        return kept


def _typical_bytes(part: Mapping[str, Any], known: Mapping[str, Any]) -> float:
    """Bytes of a JSON value of this schema: texts of middle length, lists as long as asked for."""
    match part:
        case {"$ref": str(name)}:
            return _typical_bytes(known[name.rpartition("/")[2]], known)
        case {"enum": options}:
            return 2 + sum(map(len, options)) / len(options)
        case {"properties": fields}:
            return 2 + sum(len(n) + 6 + _typical_bytes(f, known) for n, f in fields.items())
        case {"items": item, **bounds}:
            most = bounds.get("maxItems", bounds.get("minItems", 1))
            return 2 + most * (2 + _typical_bytes(item, known))
        case {"type": "string", "pattern": str(pattern)}:
            lengths = [int(n) for n in re.findall(r"\d+", pattern.rpartition("{")[2])]
            return 2 + sum(lengths) / max(len(lengths), 1)
        case {"type": "string", "maxLength": int(most), **bounds}:
            return 2 + (bounds.get("minLength", 0) + most) / 2
        case {"type": "string"}:
            return 2 + BYTES_OF_A_NAME
        case _:
            return 4.0
