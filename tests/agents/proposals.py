"""A pair as judges are asked about it, from a shipped twin."""

from agents.frameworks.catalogue import shipped_scenarios
from agents.judges.judge import Proposal
from agents.records import Message, Pair

TWIN = next(s for s in shipped_scenarios() if s.id == "openness-01")
PORTRAIT = "- seeks out unfamiliar ideas, art and places"


def proposed(chosen: str = TWIN.high, rejected: str = TWIN.low, situation: str = "") -> Proposal:
    pair = Pair(
        id="p",
        run_id="run",
        reader_id="r",
        scenario_id=TWIN.id,
        facet=TWIN.facet,
        dimension=TWIN.dimension,
        pole="high",
        prompt=(Message(role="user", content=situation or TWIN.situation),),
        chosen=chosen,
        rejected=rejected,
    )
    return Proposal(pair, TWIN, PORTRAIT)
