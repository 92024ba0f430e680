"""Whether the critic can be trusted: flaws, order, length, calibration: `make bench-critic`.

Run as `python -m benchmarks.critic`. The pairs are of authors whose phrasing nothing was fitted to
and no threshold chosen on; nothing is tuned here, and nothing asserted. `--llm N` also asks the
embedded language model about the first N pairs by lot, which takes some ten seconds for each.
"""

import argparse
import asyncio
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

from sklearn.metrics import roc_auc_score

from agents import weights
from agents.embeddings import Embedder, RememberingEmbedder, SentenceEmbedder
from agents.frameworks.catalogue import dimension, shipped_scenarios
from agents.gatekeeper import refusals
from agents.judges.by_chat import ChatJudge
from agents.judges.by_embedding import EmbeddedJudge
from agents.judges.examples import Example, Flaw
from agents.judges.judge import Judge, Proposal
from agents.judges.reliability import Reliability, measure, wilson
from agents.pair_critic import Outcome, PairCritic
from agents.records import Message, Pair, Pole, Scenario, Verdict
from agents.settings import ChatSettings, CriticSettings
from graph.services import open_chat
from tui.widgets.reliability import diagram

PLANTED = Path(__file__).parent / "data" / "flawed_pairs.jsonl"
FLAWS: tuple[Flaw, ...] = get_args(Flaw)
SETTINGS = CriticSettings()
SPEED_PAIRS, SPEED_SCENES = 4800, 559
"""Pairs that a run over 400 readers asks for, and the scenes they were drawn from in one."""


@dataclass(frozen=True)
class Planted:
    """A pair, and what is wrong with it."""

    kind: str
    author: str
    proposal: Proposal


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % interval."""

    share: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, hits: Sequence[bool]) -> "Rate":
        """Of what is true."""
        return cls(sum(hits) / len(hits), *wilson(sum(hits), len(hits)), len(hits))

    def __str__(self) -> str:
        return f"{self.share:.3f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True)
class Caught:
    """What a critic did with the planted pairs."""

    critic: str
    recall: Rate
    """Of all flawed pairs, those not accepted."""
    false_rejection: Rate
    """Of all sound pairs, those not accepted: a person's time counts as a rejection."""
    refused: Rate
    """Of all sound pairs, those refused outright."""
    kinds: dict[str, Rate]
    """Recall by flaw."""
    to_a_person: dict[str, float]
    """Share sent to a person, of sound and of flawed pairs."""


@dataclass(frozen=True)
class Fairness:
    """What sways a judge that must not be swayed."""

    judge: str
    pairs: int
    unusable: int
    """Pairs on which it gave no verdict."""
    flips: float
    """Share of sound pairs on which the order of the answers changes the preference."""
    longer: Rate
    """Of sound pairs, those where the longer answer is preferred."""
    longer_in_errors: Rate
    """The same where the preference is wrong."""
    right: Rate
    """Of sound pairs, those whose chosen answer is preferred."""
    swapped_auc: float
    """Of telling sound pairs from the same with their answers swapped."""


@dataclass(frozen=True)
class Speed:
    """Pairs a second on this machine, the whole critic, all at once."""

    what: str
    pairs: int
    texts: int
    """Different ones among them."""
    pairs_a_second: float


@dataclass(frozen=True)
class Measured:
    """Everything."""

    caught: list[Caught]
    fairness: list[Fairness]
    calibration: dict[str, Reliability]
    speed: list[Speed]


def planted() -> list[Planted]:
    """Every pair; a sound scene makes two, one for each pole."""
    text = PLANTED.read_text("utf-8")
    examples = [Example.model_validate_json(line) for line in text.splitlines() if line]
    return [pair for n, example in enumerate(examples) for pair in _pairs(n, example)]


def _pairs(number: int, example: Example) -> Iterator[Planted]:
    high, low = example.chosen, example.rejected
    if example.pole == "low":
        high, low = low, high
    scene = Scenario(
        id=f"planted-{number}",
        facet=dimension(example.dimension).facet,
        dimension=example.dimension,
        situation=example.situation,
        high=high,
        low=low,
    )
    poles: tuple[Pole, ...] = ("high", "low") if example.kind == "sound" else (example.pole,)
    for pole in poles:
        yield Planted(example.kind, example.author, proposal(scene, pole))


def proposal(scene: Scenario, pole: Pole) -> Proposal:
    """The scene as a pair for a reader of `pole`, who agreed to what the dimension is about."""
    axis = dimension(scene.dimension)
    told = f"- {axis.pole(pole)}"
    pair = Pair(
        id=f"{scene.id}-{pole}",
        run_id="bench",
        reader_id=pole,
        scenario_id=scene.id,
        facet=scene.facet,
        dimension=scene.dimension,
        pole=pole,
        prompt=(
            Message(role="system", content=told),
            Message(role="user", content=scene.situation),
        ),
        chosen=scene.answer(pole),
        rejected=scene.answer("low" if pole == "high" else "high"),
    )
    return Proposal(pair, scene, told, (axis.sensitive,) if axis.sensitive else ())


def caught(critic: str, pairs: Sequence[Planted], outcomes: Sequence[Outcome]) -> Caught:
    """The share of each kind that is not accepted."""
    passed = [outcome == "accept" for outcome in outcomes]
    by_kind: dict[str, list[bool]] = defaultdict(list)
    doubts: dict[str, list[bool]] = defaultdict(list)
    refused: list[bool] = []
    for pair, outcome, accepted in zip(pairs, outcomes, passed, strict=True):
        by_kind[pair.kind].append(not accepted)
        doubts["sound" if pair.kind == "sound" else "flawed"].append(outcome == "doubtful")
        if pair.kind == "sound":
            refused.append(outcome in ("reject", "revise"))
    flawed = [hit for kind in FLAWS for hit in by_kind.get(kind, [])]
    return Caught(
        critic,
        Rate.of(flawed),
        Rate.of(by_kind["sound"]),
        Rate.of(refused),
        {kind: Rate.of(by_kind[kind]) for kind in FLAWS if by_kind.get(kind)},
        {of: sum(hits) / len(hits) for of, hits in doubts.items()},
    )


async def outcomes_of(judges: Sequence[Judge], proposals: Sequence[Proposal]) -> list[Outcome]:
    """What becomes of pairs under gates and judges."""
    critic = PairCritic(judges, SETTINGS)
    found = await asyncio.gather(*(critic.criticise(p) for p in proposals))
    return [judgement.outcome for judgement in found]


def outcomes_of_gates(pairs: Sequence[Planted]) -> list[Outcome]:
    """What becomes of pairs under the gates alone."""
    return ["reject" if refusals(p.proposal, SETTINGS) else "accept" for p in pairs]


def outcomes_of_verdicts(verdicts: Sequence[Verdict]) -> list[Outcome]:
    """What becomes of pairs under one judge without gates; no verdict and a flip are doubts."""
    critic = PairCritic((), SETTINGS)
    return [critic.decide([verdict])[0] for verdict in verdicts]


def fairness(judge: str, pairs: Sequence[Planted], verdicts: Sequence[Verdict]) -> Fairness:
    """What order and length do to the preferences on sound pairs."""
    sound = [(p, v) for p, v in zip(pairs, verdicts, strict=True) if p.kind == "sound"]
    told = [(p, v) for p, v in sound if v.probability is not None]
    prefers = [v.criteria["prefers"] for _, v in told]
    longer = [
        (len(p.proposal.pair.chosen) > len(p.proposal.pair.rejected)) == (chosen > 0.5)
        for (p, _), chosen in zip(told, prefers, strict=True)
    ]
    wrong = [is_longer for is_longer, p in zip(longer, prefers, strict=True) if p <= 0.5]
    return Fairness(
        judge,
        len(told),
        len(sound) - len(told),
        sum(v.flipped for _, v in told) / len(told),
        Rate.of(longer),
        Rate.of(wrong or [False]),
        Rate.of([p > 0.5 for p in prefers]),
        float(roc_auc_score([1] * len(told) + [0] * len(told), prefers + [1 - p for p in prefers])),
    )


def calibration(
    embedder: Embedder, pairs: Sequence[Planted], gated: Sequence[Outcome]
) -> dict[str, Reliability]:
    """Whether probabilities hold, of what the gates let through.

    Under the odds that hold there; under those assumed by default; and of the preference alone,
    over sound pairs and the same with their answers swapped.
    """
    kept = [p for p, outcome in zip(pairs, gated, strict=True) if outcome == "accept"]
    right = [p.kind == "sound" for p in kept]
    proposals = [p.proposal for p in kept]
    share = sum(right) / len(right)
    told = EmbeddedJudge(embedder, share).estimate(proposals)
    default = EmbeddedJudge(embedder).estimate(proposals)
    prefers = [v.criteria["prefers"] for v, sound in zip(default, right, strict=True) if sound]
    outcomes = [True] * len(prefers) + [False] * len(prefers)
    return {
        f"right, where {share:.2f} of pairs are sound": _measured(told, right),
        "right, as assumed by default": _measured(default, right),
        "preferred": measure(prefers + [1 - p for p in prefers], outcomes),
    }


def _measured(verdicts: Sequence[Verdict], right: Sequence[bool]) -> Reliability:
    return measure([v.probability or 0.0 for v in verdicts], right)


def speeds(make: Callable[[], Embedder], pairs: Sequence[Planted]) -> Iterator[Speed]:
    """Of pairs of which each is new, and of pairs as the readers of a run share scenes.

    What is estimated of shipped scenes ships with the model; scenes that were written are embedded.
    """
    dice = random.Random(7)
    scenes = dice.sample(list(shipped_scenarios()), SPEED_SCENES)
    poles: tuple[Pole, Pole] = ("high", "low")
    written = [s.model_copy(update={"situation": f"One day. {s.situation}"}) for s in scenes]
    sets = {
        "planted, each scene new": [p.proposal for p in pairs],
        "as in a run, written scenes": _drawn(dice, written, poles),
        "as in a run, shipped scenes": _drawn(dice, scenes, poles),
    }
    for what, proposals in sets.items():
        judge = EmbeddedJudge(make())
        judge.estimate(proposals[:1])
        began = time.perf_counter()
        asyncio.run(outcomes_of([judge], proposals))
        seconds = time.perf_counter() - began
        texts = {text for p in proposals for text in (p.scenario.situation, *p.answers)}
        yield Speed(what, len(proposals), len(texts), len(proposals) / seconds)


def _drawn(
    dice: random.Random, scenes: Sequence[Scenario], poles: Sequence[Pole]
) -> list[Proposal]:
    return [proposal(dice.choice(scenes), dice.choice(poles)) for _ in range(SPEED_PAIRS)]


async def embedded_llm(pairs: Sequence[Planted]) -> list[Verdict]:
    """The verdicts of the embedded language model."""
    async with open_chat(ChatSettings(max_tokens=200), lambda _call: None) as chat:
        judge = ChatJudge(chat, SETTINGS.votes)
        return list(await asyncio.gather(*(judge.judge(p.proposal) for p in pairs)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.critic", description=__doc__)
    parser.add_argument("--llm", type=int, default=0, metavar="N", help="pairs for the LLM alone")
    parser.add_argument("--no-speed", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    def make() -> Embedder:
        folder = weights.require(weights.EMBEDDING)
        return RememberingEmbedder(SentenceEmbedder(folder, weights.EMBEDDING.name))

    embedder, pairs = make(), planted()
    judge = EmbeddedJudge(embedder)
    verdicts = judge.estimate([p.proposal for p in pairs])
    gated = outcomes_of_gates(pairs)
    proposals = [p.proposal for p in pairs]
    found = Measured(
        [
            caught("gates and embedded judge", pairs, asyncio.run(outcomes_of([judge], proposals))),
            caught("embedded judge alone", pairs, outcomes_of_verdicts(verdicts)),
            caught("gates alone", pairs, gated),
        ],
        [fairness("embedded", pairs, verdicts)],
        calibration(embedder, pairs, gated),
        [] if options.no_speed else list(speeds(make, pairs)),
    )
    if options.llm:
        few = random.Random(7).sample(pairs, min(options.llm, len(pairs)))
        said = asyncio.run(embedded_llm(few))
        found.caught.append(caught("embedded LLM alone", few, outcomes_of_verdicts(said)))
        found.fairness.append(fairness("embedded LLM", few, said))
    print(json.dumps(asdict(found), indent=2) if options.json else told(pairs, found))


def told(pairs: Sequence[Planted], found: Measured) -> str:
    """The tables."""
    sound = sum(p.kind == "sound" for p in pairs)
    lines = [f"{len(pairs)} pairs: {sound} sound, {len(pairs) - sound} with a planted flaw", ""]
    every = found.caught
    lines.append("not accepted, with 95 % intervals (sound pairs: lower is better)")
    for name, rates in (
        ("all flawed", [c.recall for c in every]),
        ("all sound", [c.false_rejection for c in every]),
        ("  refused outright", [c.refused for c in every]),
    ):
        lines.append(f"{name:<22}" + "".join(f"{rate!s:<22}" for rate in rates))
    for kind in FLAWS:
        lines.append(f"{kind:<22}" + "".join(f"{c.kinds.get(kind, '–')!s:<22}" for c in every))
    lines.insert(3, " " * 22 + "".join(f"{c.critic[:21]:<22}" for c in every))
    lines += ["", "to a person: " + "; ".join(f"{c.critic}: {c.to_a_person}" for c in every), ""]
    for f in found.fairness:
        lines.append(
            f"{f.judge}: {f.pairs} sound pairs, {f.unusable} without a verdict; flips"
            f" {f.flips:.3f}; longer preferred {f.longer}, in errors {f.longer_in_errors}; right"
            f" {f.right}; AUC of swapped {f.swapped_auc:.3f}"
        )
    for name, measured in found.calibration.items():
        error, brier = measured.expected_error, measured.brier
        lines += ["", f"{name}: expected calibration error {error:.3f}, Brier {brier:.3f}"]
        lines += diagram(measured.bins, "right")
    for s in found.speed:
        rate = f"{s.pairs_a_second:.0f} pairs/s"
        lines.append(f"{s.what}: {s.pairs} pairs, {s.texts} texts: {rate}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
