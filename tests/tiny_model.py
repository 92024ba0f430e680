"""A random two-layer Llama with a word tokenizer and a chat template; made in a blink, offline."""

import json
from pathlib import Path

WORDS = "i would help gladly share what have keep to my own goals and win a friend asks for loan do"
TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|> {{ m['content'] }} <|end|> {% endfor %}"
    "{% if add_generation_prompt %}<|assistant|> {% endif %}"
)


def build_tiny_model(folder: Path) -> Path:
    """Saves the model and its tokenizer in `folder`."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = ["<|pad|>", "<|unk|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    digits = [f"n{n}" for n in range(40)]
    vocabulary = {word: n for n, word in enumerate(special + sorted(set(WORDS.split())) + digits)}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<|unk|>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="<|pad|>",
        unk_token="<|unk|>",
        eos_token="<|end|>",
        additional_special_tokens=special[3:],
        chat_template=TEMPLATE,
    )
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def pair_row(number: int, scenario: int, reader: str = "ana", *, swap: bool = False) -> dict:
    """A pair as it is exported: `ana` likes to help, and a swapped pair is her opposite's."""
    answers = [
        f"i would help gladly and share n{scenario}",
        f"i would keep to my own goals n{scenario}",
    ]
    chosen, rejected = reversed(answers) if swap else answers
    return {
        "pair_id": f"p{number}",
        "run_id": "run-1",
        "reader_id": reader,
        "scenario_id": f"s{scenario}",
        "facet": "value",
        "dimension": "benevolence",
        "pole": "low" if swap else "high",
        "probability": 0.9,
        "prompt": [
            {"role": "system", "content": f"do what {reader} would do"},
            {"role": "user", "content": f"a friend asks for a loan n{scenario}"},
        ],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
    }


def write_pairs(path: Path, rows: list[dict]) -> Path:
    """Writes rows as JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
