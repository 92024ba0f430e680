"""A tiny GGUF file becomes plain weights, once; what cannot be read is named."""

from pathlib import Path

import gguf
import numpy
import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from agents.errors import WeightsError
from training.base_model import plain_weights

TEMPLATE = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
WIDTH, HIDDEN, LAYERS = 32, 64, 2


@pytest.fixture
def tiny_gguf(tmp_path: Path) -> Path:
    """A random Llama, in the form and with the kind of tokenizer that SmolLM2 has."""
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "a", "b", "ab"]
    path = tmp_path / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3, 1, 1, 1])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(TEMPLATE)
    shapes = {"token_embd": (len(tokens), WIDTH), "output_norm": (WIDTH,)}
    for n in range(LAYERS):
        shapes |= {f"blk.{n}.{name}": (WIDTH,) for name in ("attn_norm", "ffn_norm")}
        shapes |= {f"blk.{n}.{name}": (WIDTH, WIDTH) for name in ("attn_q", "attn_output")}
        shapes |= {f"blk.{n}.{name}": (WIDTH // 2, WIDTH) for name in ("attn_k", "attn_v")}
        shapes |= {f"blk.{n}.{name}": (HIDDEN, WIDTH) for name in ("ffn_gate", "ffn_up")}
        shapes |= {f"blk.{n}.ffn_down": (WIDTH, HIDDEN)}
    random = numpy.random.default_rng(0)
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", random.normal(size=shape).astype(numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_gguf_becomes_plain_weights_once(
    tmp_path: Path, tiny_gguf: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = plain_weights(tiny_gguf, tmp_path / "cache")

    model = AutoModelForCausalLM.from_pretrained(folder)
    assert not hasattr(model.config, "quantization_config") and str(model.dtype) == "torch.float32"
    assert AutoTokenizer.from_pretrained(folder).chat_template == TEMPLATE
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [folder.name]
    assert not list(folder.glob("*.bin"))

    capfd.readouterr()
    tiny_gguf.unlink()
    assert plain_weights(tiny_gguf, tmp_path / "cache") == folder


@pytest.mark.parametrize("content", [None, b"", b"GGUF but not really", b"text" * 100])
def test_what_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.gguf"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(WeightsError, match=r"broken\.gguf"):
        plain_weights(path, tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*")) and not list(tmp_path.glob("cache/.*"))
