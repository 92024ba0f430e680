"""The loaded base model with its adapters, and how it writes; blocks, so the engine threads it."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError
from peft import PeftModel
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    StoppingCriteria,
    StoppingCriteriaList,
    TextStreamer,
)
from transformers.utils import logging

from agents.errors import InputError, WeightsError
from agents.records import Message
from serving.sampling import Sampling, Usage

REPETITION_PENALTY = 1.1
"""Divides the logits of tokens already seen (Keskar et al. 2019, arXiv:1909.05858); without it a
model of 135M parameters falls into loops."""


class Weights:
    """A base model with any number of LoRA adapters beside it.

    Raises:
        WeightsError: The base or an adapter cannot be loaded.
    """

    def __init__(self, base: Path | str, adapters: Mapping[str, Path]) -> None:
        cuda = torch.cuda.is_available()
        bf16 = cuda and torch.cuda.is_bf16_supported()
        logging.disable_progress_bar()  # stderr belongs to whoever runs the engine
        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(base)
            self.model: Any = AutoModelForCausalLM.from_pretrained(
                base, dtype=torch.bfloat16 if bf16 else torch.float32, use_safetensors=True
            )
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"The base model {base} cannot be loaded: {error}.",
                "Run `gravity models fetch`, or name a complete model folder.",
            ) from error
        # Torch forbids dots in the names of modules, so adapters are numbered inside the model.
        self._keys = {name: f"adapter_{n}" for n, name in enumerate(adapters)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of peft, about names in transformers
            for name, folder in adapters.items():
                self._add(name, folder)
        self.model.to("cuda" if cuda else "cpu").eval()

    def generate(
        self,
        messages: Sequence[Message],
        adapter: str | None,
        sampling: Sampling,
        write: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> Usage:
        """Writes an answer piece by piece; the same sampling gives the same answer.

        Raises:
            InputError: The conversation does not fit the model.
        """
        prompt = self._prompt(messages, sampling.max_new_tokens).to(self.model.device)
        self._switch(adapter)
        drawn = {"temperature": sampling.temperature} if sampling.temperature > 0 else {}
        with torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(sampling.seed)
            output = self.model.generate(
                input_ids=prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=sampling.max_new_tokens,
                do_sample=bool(drawn),
                **drawn,
                repetition_penalty=REPETITION_PENALTY,
                pad_token_id=self.tokenizer.pad_token_id or self.tokenizer.eos_token_id,
                streamer=_Writer(self.tokenizer, write),
                stopping_criteria=StoppingCriteriaList([_Stop(stopped)]),
            )
        answer = output[0, prompt.shape[1] :]
        full = len(answer) == sampling.max_new_tokens and answer[-1] not in self._ends
        return Usage(prompt.shape[1], len(answer), "length" if full else "stop")

    def _add(self, name: str, folder: Path) -> None:
        cure = "Serve it with the base it was trained from, or train it again."
        if not (folder / "adapter_model.safetensors").is_file():
            raise WeightsError(f"The adapter {name!r} in {folder} has no weights.", cure)
        try:
            if isinstance(self.model, PeftModel):
                self.model.load_adapter(folder, adapter_name=self._keys[name])
            else:
                self.model = PeftModel.from_pretrained(
                    self.model, folder, adapter_name=self._keys[name]
                )
        except (OSError, ValueError, RuntimeError) as error:
            raise WeightsError(
                f"The adapter {name!r} in {folder} does not load on this base model: {error}.", cure
            ) from error

    def _switch(self, adapter: str | None) -> None:
        if adapter is not None:
            self.model.set_adapter(self._keys[adapter])
            self.model.base_model.enable_adapter_layers()
        elif self._keys:
            self.model.base_model.disable_adapter_layers()

    def _prompt(self, messages: Sequence[Message], max_new_tokens: int) -> torch.Tensor:
        try:
            ids = self.tokenizer.apply_chat_template(
                [message.model_dump() for message in messages],
                add_generation_prompt=True,
                return_dict=False,
                return_tensors="pt",
            )
        except (TemplateError, ValueError) as error:
            raise InputError(f"The model's chat template refuses this: {error}.") from error
        window = self.model.config.max_position_embeddings
        if ids.shape[1] + max_new_tokens > window:
            raise InputError(
                f"{ids.shape[1]} tokens and an answer of {max_new_tokens} exceed the model's "
                f"{window}.",
                "Shorten the messages or lower max_tokens.",
            )
        return ids

    @property
    def _ends(self) -> list[int]:
        ends = self.model.generation_config.eos_token_id
        return ends if isinstance(ends, list) else [ends]


class _Writer(TextStreamer):
    """Hands finished words on instead of printing them."""

    def __init__(self, tokenizer: Any, write: Callable[[str], None]) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self._write = write

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        if text:
            self._write(text)


class _Stop(StoppingCriteria):
    """Ends the generation of every sequence once `stopped` says so."""

    def __init__(self, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> Any:
        return torch.full((len(input_ids),), self._stopped(), device=input_ids.device)
