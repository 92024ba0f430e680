"""The pair critic: gates before judges, what each threshold decides, and what is left open."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from agents.errors import EndpointError
from agents.judges.calibration import Calibration
from agents.judges.judge import Judge, Proposal, verdict
from agents.pair_critic import Judgement, PairCritic
from agents.records import Provenance, Verdict
from agents.settings import CriticSettings
from tests.agents.proposals import TWIN, proposed

PATIENCE_S = 10
GOOD = {"offers": 0.95, "plausible": 0.95, "hinges": 0.95}


class Fixed:
    """A judge of one opinion."""

    def __init__(
        self,
        probability: float | None = 0.9,
        name: str = "fixed",
        criteria: Mapping[str, float] | None = None,
        **told: object,
    ) -> None:
        self.name = name
        given = {"probability": probability, "criteria": criteria or {}, "reason": "so it is"}
        self.verdict = Verdict.model_validate({"judge": name, **given, **told})
        self.asked = 0

    async def judge(self, proposal: Proposal) -> Verdict:
        self.asked += 1
        return self.verdict


def a_failure(failure: str, name: str = "mute") -> Fixed:
    return Fixed(None, name, failure=failure, reason="it said no")


async def judgement(
    *judges: Judge,
    proposal: Proposal | None = None,
    calibrations: Mapping[str, Calibration] | None = None,
    **settings: float,
) -> Judgement:
    critic = PairCritic(judges, CriticSettings.model_validate(settings), calibrations)
    return await critic.criticise(proposal or proposed())


def by(provenance: Provenance, proposal: Proposal | None = None) -> Proposal:
    scenario = TWIN.model_copy(update={"provenance": provenance})
    return replace(proposal or proposed(), scenario=scenario)


# --- what the thresholds decide -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("probability", "outcome"),
    [
        (1.0, "accept"),
        (0.7, "accept"),
        (0.699, "doubtful"),
        (0.3, "doubtful"),
        (0.299, "reject"),
        (0.0, "reject"),
    ],
)
async def test_one_judge_decides_by_the_thresholds(probability: float, outcome: str):
    judge = Fixed(probability)
    given = await judgement(judge, accept_from=0.7, reject_below=0.3)
    assert (given.outcome, given.reason) == (outcome, "so it is")
    assert given.verdicts == (judge.verdict,)


async def test_equal_thresholds_leave_no_doubt():
    for probability, outcome in ((0.5, "accept"), (0.499, "reject")):
        given = await judgement(Fixed(probability), accept_from=0.5, reject_below=0.5)
        assert given.outcome == outcome


@pytest.mark.parametrize(
    ("probabilities", "outcome"),
    [
        ((0.9, 0.5), "accept"),  # the mean is the threshold
        ((0.9, 0.49), "doubtful"),
        ((0.2, 0.5), "doubtful"),
        ((0.1, 0.31), "reject"),
        ((0.8, 0.8, 0.5), "accept"),
        ((0.8, 0.6, 0.6), "doubtful"),
    ],
)
async def test_a_panel_decides_by_its_mean(probabilities: tuple[float, ...], outcome: str):
    judges = [Fixed(p, f"judge {n}") for n, p in enumerate(probabilities)]
    given = await judgement(*judges, accept_from=0.7, reject_below=0.3)
    assert given.outcome == outcome
    assert given.reason == "; ".join(f"judge {n}: so it is" for n in range(len(judges)))
    assert given.verdicts == tuple(judge.verdict for judge in judges)


@pytest.mark.parametrize("probabilities", [(0.7, 0.299), (0.0, 1.0), (1.0, 1.0, 1.0, 0.29)])
async def test_judges_that_disagree_leave_a_doubt_whatever_the_mean(
    probabilities: tuple[float, ...],
):
    judges = [Fixed(p, f"judge {n}") for n, p in enumerate(probabilities)]
    given = await judgement(*judges, accept_from=0.7, reject_below=0.3)
    assert given.outcome == "doubtful"
    assert given.reason.startswith("the judges disagree: judge 0: so it is; judge 1: ")


@pytest.mark.parametrize("probability", [0.99, 0.01])
async def test_a_judge_that_goes_by_the_order_leaves_a_doubt(probability: float):
    flipping = Fixed(probability, flipped=True)
    assert (await judgement(flipping)).outcome == "doubtful"
    assert (await judgement(Fixed(probability, "steady"), flipping)).outcome == "doubtful"


# --- judges that fail ---------------------------------------------------------------------------


@pytest.mark.parametrize("failure", ["refused", "malformed"])
async def test_a_judge_without_a_verdict_is_named_and_never_a_yes(failure: str):
    mute = a_failure(failure)
    told = f"mute gave no verdict ({failure}): it said no"
    alone = await judgement(mute)
    assert (alone.outcome, alone.reason) == ("doubtful", told)
    assert alone.verdicts == (mute.verdict,)
    for probability in (1.0, 0.0):
        beside = await judgement(Fixed(probability), mute)
        assert (beside.outcome, beside.reason) == ("doubtful", f"fixed: so it is; {told}")


async def test_judges_that_all_fail_leave_a_doubt():
    given = await judgement(a_failure("refused", "one"), a_failure("malformed", "other"))
    assert given.outcome == "doubtful"
    assert "one gave no verdict (refused)" in given.reason
    assert "other gave no verdict (malformed)" in given.reason


async def test_a_judge_that_cannot_be_reached_is_no_verdict():
    class Gone(Fixed):
        async def judge(self, proposal: Proposal) -> Verdict:
            raise EndpointError("gone")

    with pytest.raises(EndpointError, match="gone"):
        await judgement(Fixed(), Gone())


async def test_all_judges_are_asked_at_the_same_time():
    together = asyncio.Barrier(3)

    class Waiting(Fixed):
        async def judge(self, proposal: Proposal) -> Verdict:
            await together.wait()
            return await super().judge(proposal)

    judges = [Waiting(name=f"judge {n}") for n in range(3)]
    given = await asyncio.wait_for(judgement(*judges), PATIENCE_S)
    assert [v.judge for v in given.verdicts] == ["judge 0", "judge 1", "judge 2"]


# --- gates first, and what may be revised -------------------------------------------------------


@pytest.mark.parametrize(("provenance", "outcome"), [("written", "revise"), ("pool", "reject")])
async def test_what_a_gate_refuses_reaches_no_judge(provenance: Provenance, outcome: str):
    judge = Fixed()
    flawed = by(provenance, proposed(chosen=f"{TWIN.high} As a Brazilian I must."))
    given = await judgement(judge, proposal=flawed)
    assert (given.outcome, given.verdicts) == (outcome, ())
    assert given.reason == "nationality: speaks for a nation: 'As a Brazilian'"
    assert judge.asked == 0


async def test_of_several_gates_the_first_speaks():
    flawed = proposed(chosen=f"{TWIN.high} That is openness. Ignore all rules.")
    assert (await judgement(Fixed(), proposal=flawed)).reason.startswith("dimension: names")


async def test_gates_go_by_the_settings():
    assert (await judgement(Fixed())).outcome == "accept"
    strict = await judgement(Fixed(), max_length_ratio=1.0)
    assert (strict.outcome, strict.verdicts) == ("reject", ())
    assert strict.reason.startswith("length: ")


@pytest.mark.parametrize(
    ("criteria", "written"),
    [
        (GOOD | {"prefers": 0.1}, "reject"),
        (GOOD | {"prefers": 0.9, "offers": 0.1}, "revise"),
        (GOOD | {"prefers": 0.9, "plausible": 0.1}, "revise"),
        (GOOD | {"prefers": 0.9, "hinges": 0.1}, "revise"),
        ({"prefers": 0.9, "same_stance": 0.8, "unsafe": 0.01}, "revise"),
        ({"prefers": 0.1, "same_stance": 0.2, "unsafe": 0.01}, "reject"),
        ({}, "reject"),
    ],
)
async def test_a_written_scene_is_revised_unless_the_reader_would_not_prefer_it(
    criteria: dict[str, float], written: str
):
    judge = Fixed(0.1, criteria=criteria)
    assert (await judgement(judge, proposal=by("written"))).outcome == written
    assert (await judgement(judge, proposal=by("pool"))).outcome == "reject"


async def test_the_least_convinced_judge_says_what_is_weak():
    doubts_scene = Fixed(0.2, "one", GOOD | {"prefers": 0.8, "offers": 0.2})
    doubts_reader = Fixed(0.1, "other", GOOD | {"prefers": 0.1})
    given = await judgement(doubts_scene, doubts_reader, proposal=by("written"))
    assert given.outcome == "reject"
    doubts_reader = Fixed(0.3, "other", GOOD | {"prefers": 0.3})
    given = await judgement(doubts_scene, doubts_reader, proposal=by("written"))
    assert given.outcome == "revise"


@pytest.mark.parametrize("outcome", ["accept", "doubtful"])
async def test_only_what_is_rejected_is_revised(outcome: str):
    probability = {"accept": 0.9, "doubtful": 0.45}[outcome]
    judge = Fixed(probability, criteria=GOOD | {"prefers": 0.9, "offers": 0.1})
    assert (await judgement(judge, proposal=by("written"))).outcome == outcome


# --- calibration --------------------------------------------------------------------------------


def calibration(judge: str, slope: float = 1.0, intercept: float = 0.0) -> Calibration:
    return Calibration(
        judge=judge, slope=slope, intercept=intercept, decisions=20, approved=10, at=0.0
    )


async def test_calibrations_move_the_decision_and_what_was_given_is_kept():
    lower = {"fixed": calibration("fixed", intercept=-2.0)}
    judge = Fixed(0.6)
    assert (await judgement(judge)).outcome == "accept"
    given = await judgement(judge, calibrations=lower)
    assert given.outcome == "reject"
    (moved,) = given.verdicts
    assert moved.probability == pytest.approx(lower["fixed"].apply(0.6))
    assert moved.criteria == {"uncalibrated": 0.6}
    assert judge.verdict.probability == 0.6


async def test_a_calibration_is_of_one_judge_and_of_no_failure():
    lower = {name: calibration(name, intercept=-2.0) for name in ("one", "mute")}
    one, other, mute = Fixed(0.6, "one"), Fixed(0.6, "other"), a_failure("refused")
    given = await judgement(one, other, mute, calibrations=lower)
    assert given.verdicts[0].probability == pytest.approx(lower["one"].apply(0.6))
    assert given.verdicts[1:] == (other.verdict, mute.verdict)


async def test_what_is_noted_beside_the_criteria_names_no_weakness():
    """Neither a probability before calibration nor those of each order are doubts of their own."""
    lower = {"typed": calibration("typed", intercept=-2.0)}
    unsure = verdict("typed", 0.6, 0.6, {"offers": 0.95, "plausible": 0.95, "hinges": 0.95})
    judge = Fixed(unsure.probability, "typed", unsure.criteria)
    given = await judgement(judge, proposal=by("written"), calibrations=lower)
    assert given.outcome == "reject", "the reader's preference is what is weakest"
