"""What must not be seen beforehand: answers in prompts, and held-out scenes in training."""

from typing import TYPE_CHECKING

from agents import gates
from agents.errors import TrainingError
from agents.findings import Finding, Level, finding
from agents.settings import CriticSettings
from training.dataset import split
from training.nearness import SAME_SCENE, nearest
from training.rendering import SIDES

if TYPE_CHECKING:
    from training.pair_set import PairSet

SHARED_WORDS = CriticSettings().max_shared_words
"""Words in a row that the critic lets an answer share with what is told of the reader."""
MOST_COPYING = 0.05
"""Share of pairs that may copy more; beyond it the copying is what is learnt."""


def copied_spans(pairs: "PairSet") -> Finding:
    """Answers that repeat the system prompt, and chosen answers that stand whole in a prompt."""
    told: list[str] = []
    whole = copying = 0
    for i, row in enumerate(pairs.rows):
        name = pairs.name(i)
        portraits = [turn["content"] for turn in row["prompt"] if turn["role"] == "system"]
        chosen = gates.words(pairs.answers[i][0])
        prompt = f" {' '.join(w for turn in row['prompt'] for w in gates.words(turn['content']))} "
        if len(chosen) > SHARED_WORDS and f" {' '.join(chosen)} " in prompt:
            whole += 1
            told.insert(0, f"{name}, chosen: stands whole in the prompt")
            continue
        spans = [
            f"{name}, {side}: {copied}"
            for side, answer in zip(SIDES, pairs.answers[i], strict=True)
            if (copied := gates.copied_words(answer, portraits, SHARED_WORDS))
        ]
        copying += bool(spans)
        told += spans
    share = copying / len(pairs.rows)
    level: Level = "warn" if told else "ok"
    if whole or share > MOST_COPYING:
        level = "fail"
    figure = (
        f"{copying} of {len(pairs.rows)} pairs ({share:.1%}) share more than {SHARED_WORDS} words"
        f" in a row with the system prompt (at most {MOST_COPYING:.0%}), {whole} chosen answers"
        " stand in a prompt (none may)"
    )
    return finding("copied spans", level, figure, told)


def split_leakage(pairs: "PairSet") -> Finding:
    """Whether what is measured on was learnt from: a scenario, or a text, or one very like it."""
    check = "split"
    usable = list(pairs.preflight.usable)
    settings = pairs.settings
    try:
        learnt, held = split(pairs.dataset.select(usable), settings.holdout_share, settings.seed)
    except TrainingError as error:
        return finding(check, "fail", error.problem)
    rows = {row["line"]: i for i, row in enumerate(pairs.rows)}
    seen = _texts(pairs, [rows[line] for line in learnt["line"]])
    judged = _texts(pairs, [rows[line] for line in held["line"]])
    scenarios = set(learnt["scenario_id"])
    told = [
        f"{pairs.name(rows[line])}: its scenario is on both sides, in different groups"
        for line, scenario in zip(held["line"], held["scenario_id"], strict=True)
        if scenario in scenarios
    ]
    told += [
        f"{pairs.name(i)} is held out, and {pairs.name(seen[text])} asks or says the same"
        for text, i in judged.items()
        if text in seen
    ]
    identical = len(told)
    fresh = [text for text in judged if text not in seen]
    known = list(seen)
    for a, b, cosine in nearest(pairs.vectors(fresh), pairs.vectors(known)):
        one, other = pairs.name(judged[fresh[a]]), pairs.name(seen[known[b]])
        told.append(f"{one} is held out, and {other} is like it: {cosine:.2f}")
    figure = (
        f"{len(held)} of {len(usable)} pairs are held out: {identical} stand on both sides (none"
        f" may), {len(told) - identical} nearly, cosine from {SAME_SCENE:.2f}"
    )
    return finding(check, "fail" if identical else "warn" if told else "ok", figure, told)


def _texts(pairs: "PairSet", rows: list[int]) -> dict[str, int]:
    """What must not be on both sides, by the first row that has it."""
    return {text: i for i in reversed(rows) for text in pairs.matters(i)}
