"""Turns the trainer's log into events; draws nothing."""

import math
import time
from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback

from agents.errors import TrainingError
from training.events import StepDone, TrainingEvent

OnEvent = Callable[[TrainingEvent], None]


class Progress(TrainerCallback):
    """Tells of every step, and stops a training that has left the numbers."""

    def __init__(self, on_event: OnEvent, first_step: int) -> None:
        self._on_event = on_event
        self._first_step = first_step
        self._began = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Starts the clock from which the remaining time is reckoned."""
        self._began = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Saves no checkpoint of the last step: resumed from it, the trainer would do one more."""
        if state.global_step >= state.max_steps:
            control.should_save = False

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """One event for each step, with the figures of its batch.

        Raises:
            TrainingError: The loss is no longer a number.
        """
        if not logs or "loss" not in logs:
            return
        if not math.isfinite(logs["loss"]):
            raise TrainingError(
                f"The loss is no longer a number at step {state.global_step}.",
                "Lower the learning_rate.",
            )
        untrained = state.global_step == 1  # p equals p0: a tie, which TRL counts as lost
        done = state.global_step - self._first_step + 1
        per_step = (time.monotonic() - self._began) / done
        self._on_event(
            StepDone(
                step=state.global_step,
                total=state.max_steps,
                loss=logs["loss"],
                reward_accuracy=0.5 if untrained else logs["rewards/accuracies"],
                margin=0.0 if untrained else logs["rewards/margins"],
                seconds_left=per_step * (state.max_steps - state.global_step),
            )
        )
