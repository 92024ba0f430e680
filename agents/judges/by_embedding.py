"""Judges pairs in vector space; it needs no language model, and knows no order of answers."""

import asyncio
from collections.abc import Sequence

from agents.embeddings import Embedder
from agents.judges.embedded_model import FLAWS, EmbeddedModel, Estimate
from agents.judges.examples import Flaw
from agents.judges.judge import CRITERIA, Proposal
from agents.records import Verdict

SOUND_SHARE = 0.8
"""Of the pairs that reach a judge, as it assumes before it looks at one: a working assumption, for
pairs of which two in three are a checked scene's."""
SLIGHT = 0.2
"""A likeliest fault of no more than this is not worth telling."""
NO_FAULT = "no fault stands out"
REASONS: dict[Flaw, str] = {
    "off_dimension": CRITERIA["hinges"],
    "same_stance": "both answers take the same stance",
    "absurd_answer": CRITERIA["plausible"],
    "incoherent_situation": CRITERIA["offers"],
    "unsafe": "an answer may hurt somebody",
}


class EmbeddedJudge:
    """Estimates all pairs that are put to it at the same time together.

    Args:
        embedder: turns texts into vectors; the first pair loads or fits the model for it.
        sound_share: of all pairs, as assumed before looking at one.
    """

    name = "embedded"

    def __init__(self, embedder: Embedder, sound_share: float = SOUND_SHARE) -> None:
        self._embedder = embedder
        self._odds = sound_share / (1 - sound_share)
        self._model: EmbeddedModel | None = None
        self._waiting: list[tuple[Proposal, asyncio.Future[Verdict]]] = []
        self._one_at_a_time = asyncio.Lock()

    async def judge(self, proposal: Proposal) -> Verdict:
        """One verdict; equal for both orders by construction.

        Raises:
            StorageError: the user's cache cannot be written.
        """
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.append((proposal, future))
        async with self._one_at_a_time:
            await asyncio.sleep(0)  # whoever asks at the same time joins this batch
            if not future.done():
                batch, self._waiting = self._waiting, []
                try:
                    verdicts = await asyncio.to_thread(self.estimate, [p for p, _ in batch])
                except BaseException:
                    self._waiting += [waiting for waiting in batch if waiting[1] is not future]
                    raise
                for (_, waiting), verdict in zip(batch, verdicts, strict=True):
                    if not waiting.done():
                        waiting.set_result(verdict)
        return await future

    def estimate(self, proposals: Sequence[Proposal]) -> list[Verdict]:
        """A verdict on each of many pairs."""
        if self._model is None:
            self._model = EmbeddedModel.of(self._embedder)
        found = self._model.estimate(
            self._embedder,
            [(p.scenario.situation, *p.answers) for p in proposals],
            [p.scenario.dimension for p in proposals],
            [p.pair.pole for p in proposals],
        )
        return [self._verdict(found, row) for row in range(len(proposals))]

    def _verdict(self, found: Estimate, row: int) -> Verdict:
        probability = float(found.probability[row])
        odds = self._odds * probability / (1 - probability)
        prefers = float(found.prefers[row])
        flaws = dict(zip(FLAWS, found.flaws[row].tolist(), strict=True))
        worst = max(flaws, key=lambda flaw: flaws[flaw])
        doubt = max(1 - prefers, flaws[worst])
        likeliest = CRITERIA["prefers"] if 1 - prefers == doubt else REASONS[worst]
        return Verdict(
            judge=self.name,
            probability=odds / (1 + odds),
            criteria={"prefers": prefers, **flaws},
            reason=f"the likeliest fault is that {likeliest}" if doubt > SLIGHT else NO_FAULT,
        )
