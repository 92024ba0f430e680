"""How well a model agrees with held-out pairs; measures, never trains."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch

from training.events import HeldOut

if TYPE_CHECKING:
    from peft import PeftModel

Batch = dict[str, Any]


class HeldOutPairs:
    """Held-out pairs with the base model's log-likelihoods of their answers, computed once.

    The reward margin of a pair is DPO's implicit one (arXiv:2305.18290, section 4):
    `beta * ((log p(chosen) - log p0(chosen)) - (log p(rejected) - log p0(rejected)))`, p the tuned
    and p0 the base model. Before training p equals p0 and every margin is exactly zero. TRL counts
    such a tie as lost, which shows an untrained adapter at accuracy 0; here
    `accuracy = (pairs with margin > 0 + half the pairs with margin == 0) / pairs`, that is 0.5.
    """

    def __init__(
        self,
        model: "PeftModel",
        collate: Callable[[list[Batch]], Batch],
        rows: Iterable[Batch],
        beta: float,
    ) -> None:
        self._model = model
        self._beta = beta
        self._batches = [collate([row]) for row in rows]
        self._tokens = torch.stack([b["completion_mask"].sum(dim=-1) for b in self._batches])
        with model.disable_adapter():
            self._base = self._log_likelihoods()

    def before(self) -> HeldOut:
        """The figures of the untrained adapter, which answers as the base does."""
        return self._compare(self._base)

    def after(self) -> HeldOut:
        """The figures of the model as it now is, adapter on."""
        return self._compare(self._log_likelihoods())

    def _compare(self, tuned: torch.Tensor) -> HeldOut:
        moved = tuned - self._base
        margins = self._beta * (moved[:, 0] - moved[:, 1])
        wins = (margins > 0).double() + 0.5 * (margins == 0).double()
        per_token = tuned / self._tokens
        return HeldOut(
            pairs=len(self._batches),
            accuracy=wins.mean().item(),
            margin=margins.mean().item(),
            likelier=(per_token[:, 0] > per_token[:, 1]).double().mean().item(),
        )

    @torch.no_grad()
    def _log_likelihoods(self) -> torch.Tensor:
        """Nats, of shape (pairs, 2): the chosen and the rejected answer of each pair."""
        self._model.eval()
        return torch.stack([self._answers(batch) for batch in self._batches])

    def _answers(self, batch: Batch) -> torch.Tensor:
        device = self._model.device
        ids = batch["input_ids"].to(device)
        logits = self._model(
            input_ids=ids, attention_mask=batch["attention_mask"].to(device)
        ).logits
        losses = torch.nn.functional.cross_entropy(
            logits[:, :-1].float().transpose(1, 2), ids[:, 1:], reduction="none"
        )
        return -(losses.cpu() * batch["completion_mask"][:, 1:]).sum(dim=-1).double()
