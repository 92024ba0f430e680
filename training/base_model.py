"""Plain weights made once from a GGUF file, so that they can be trained; fetches nothing."""

import io
import shutil
import struct
import tempfile
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from agents.errors import WeightsError
from training.silence import quiet_libraries


def plain_weights(gguf: Path, cache: Path) -> Path:
    """The folder with `gguf` as float32 safetensors, tokenizer and chat template.

    The Trainer refuses a model marked as GGUF-quantised, so the weights are expanded and the mark
    is dropped. The first call takes half a minute on two cores; later ones return at once. The
    folder appears whole or not at all.

    Raises:
        WeightsError: `gguf` is missing or cannot be read.
    """
    target = cache / f"{gguf.stem}-float32"
    if target.is_dir():
        return target
    if not gguf.is_file():
        raise WeightsError(f"{gguf} is not there.", "Run `gravity models fetch` to fetch it again.")
    cache.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".plain-weights-", dir=cache))
    try:
        _expand(gguf, draft)
        if not target.is_dir():
            draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def _expand(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    # The bar of the GGUF reader knows no switch, so what it draws is caught.
    with quiet_libraries(), redirect_stderr(io.StringIO()):
        try:
            tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
            model: Any = AutoModelForCausalLM.from_pretrained(
                gguf.parent, gguf_file=gguf.name, dtype=torch.float32
            )
        except (OSError, ValueError, LookupError, RuntimeError, struct.error) as error:
            raise WeightsError(
                f"{gguf} cannot be read: {error}.", "Delete the file to have it fetched again."
            ) from error
        del model.config.quantization_config
        model.hf_quantizer = None
        model.is_quantized = False
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
