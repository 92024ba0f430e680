"""Pairs as the base model's chat template writes them: their tokens, and if they survive it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError

from agents.errors import TrainingError, WeightsError
from agents.findings import Finding, Level, finding

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from training.pair_set import PairSet

SIDES = ("chosen", "rejected")
MOST_TRUNCATED = 0.2
"""Share of pairs that may be too long; beyond it `max_length` does not fit the set."""
MOST_RENDERED = 8
"""Examples that are rendered, each of other roles."""
BATCH = 1000
"""Texts that are tokenized at once."""


def load_tokenizer(base: Path | str) -> "PreTrainedTokenizerBase":
    """The tokenizer of a folder of plain weights or of a transformers model; no weights.

    Raises:
        WeightsError: There is none.
    """
    from transformers import AutoTokenizer  # takes seconds

    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"The base model {base} has no tokenizer that can be loaded: {error}.",
            "Set training.base_model to 'embedded' or to a complete model folder.",
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def token_lengths(
    tokenizer: "PreTrainedTokenizerBase", rows: Sequence[Mapping[str, Any]]
) -> tuple[int, ...]:
    """Tokens of each row's prompt with the longer of its answers.

    Raises:
        TrainingError: The tokenizer has no chat template, or it refuses a row.
    """
    if not tokenizer.chat_template:
        raise TrainingError("The base model has no chat template: it takes no conversations.")
    texts = [_rendered(tokenizer, row, side) for row in rows for side in SIDES]
    counts: list[int] = []
    for start in range(0, len(texts), BATCH):
        tokens: Any = tokenizer(texts[start : start + BATCH], add_special_tokens=False)
        counts += map(len, tokens["input_ids"])
    return tuple(map(max, counts[::2], counts[1::2]))


def roles_and_template(pairs: "PairSet") -> Finding:
    """Whether prompts are conversations that end with the user, and the template renders them.

    Of one example of every sequence of roles: the prompt's tokens begin those of prompt and answer
    (so that the loss falls on the answer alone), the answer can be read again from its tokens, and
    a special token ends it (or the tuned model would never stop).
    """
    check = "template"
    roles = [tuple(turn["role"] for turn in row["prompt"]) for row in pairs.rows]
    told = [
        f"{pairs.name(i)}: the roles are {', '.join(found)}"
        for i, found in enumerate(roles)
        if not _is_conversation(found)
    ]
    if told:
        bound = "system or none, then user, and assistant and user in turn"
        return finding(check, "fail", f"{len(told)} prompts are out of order ({bound})", told)
    if pairs.tokenizer is None:
        return finding(check, "warn", "roles in order; template not measured: no tokenizer")
    if pairs.preflight.fault:
        return finding(check, "fail", pairs.preflight.fault)
    examples = {found: i for i, found in reversed(list(enumerate(roles)))}
    for i in sorted(examples.values())[:MOST_RENDERED]:
        told += [
            f"{pairs.name(i)}, {side}: {fault}"
            for side in SIDES
            if (fault := _fault(pairs.tokenizer, pairs.rows[i], side))
        ]
    figure = f"roles in order; examples rendered: {min(len(examples), MOST_RENDERED)}"
    return finding(check, "fail" if told else "ok", figure, told)


def truncation(pairs: "PairSet") -> Finding:
    """The share of pairs that `max_length` would cut, which training sets aside."""
    check, report = "truncation", pairs.preflight
    if report.fault:
        return finding(check, "warn", f"not measured: {report.fault}")
    share = len(report.too_long) / report.total
    level: Level = "fail" if share > MOST_TRUNCATED else "warn" if share else "ok"
    figure = (
        f"{len(report.too_long)} of {report.total} pairs ({share:.1%}) are longer than"
        f" {report.max_length} tokens (at most {MOST_TRUNCATED:.0%})"
    )
    told = [f"{pairs.name(i)}: {report.lengths[i]} tokens" for i in report.too_long]
    return finding(check, level, figure, told)


def _is_conversation(roles: Sequence[str]) -> bool:
    turns = roles[1:] if roles[0] == "system" else roles
    return len(turns) % 2 == 1 and all(
        role == ("user" if n % 2 == 0 else "assistant") for n, role in enumerate(turns)
    )


def _rendered(tokenizer: "PreTrainedTokenizerBase", row: Mapping[str, Any], side: str) -> str:
    try:
        return str(tokenizer.apply_chat_template(row["prompt"] + row[side], tokenize=False))
    except (TemplateError, TypeError, ValueError) as error:
        raise TrainingError(
            f"The base model's chat template refuses the pair at line {row['line']}: {error}."
        ) from error


def _fault(tokenizer: "PreTrainedTokenizerBase", row: Mapping[str, Any], side: str) -> str | None:
    """What is wrong with the tokens of one example."""
    template: Any = tokenizer.apply_chat_template
    begun: list[int] = template(row["prompt"], add_generation_prompt=True, return_dict=False)
    whole: list[int] = template(row["prompt"] + row[side], return_dict=False)
    if whole[: len(begun)] != begun:
        return "the prompt's tokens are no prefix of those of prompt and answer"
    answer = whole[len(begun) :]
    special = set(tokenizer.all_special_ids)
    ends = [n for n, token in enumerate(answer) if token in special]
    if not ends:
        return "no special token ends the answer"
    read: Any = tokenizer.decode(answer[: ends[-1]], skip_special_tokens=True)
    if _spaced(row[side][0]["content"]) not in _spaced(str(read)):
        return "the answer cannot be read again from its tokens"
    return None


def _spaced(text: str) -> str:
    """Templates may trim, and tokenizers join spaces."""
    return " ".join(text.split())
