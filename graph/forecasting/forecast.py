"""What a run will ask of models, and what that costs, told before it begins; no model is asked."""

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from agents.deduplicator import AGENT as REFEREE
from agents.deduplicator import ChatReferee
from agents.errors import ModelError
from agents.frameworks.catalogue import dimension, shipped_scenarios
from agents.judges.by_chat import AGENT as JUDGE
from agents.judges.by_chat import ChatJudge
from agents.judges.judge import Proposal
from agents.meter import Meter
from agents.naive import AGENT as NAIVE_WRITER
from agents.pool import Pool
from agents.portrait import portrait
from agents.records import Book, Profile, Reader
from agents.scenario_writer import AGENT as WRITER
from agents.scenario_writer import Commission, ScenarioWriter
from agents.stances.by_chat import AGENT as STANCE_READER
from agents.stances.by_chat import MOST_REPAIRS
from agents.witness import AGENT as DECIDER
from graph.forecasting.demand import Demand, GravitySurvey, NaiveSurvey, Survey
from graph.forecasting.history import History, history
from graph.forecasting.members import Reception, has_text
from graph.forecasting.ranges import NOTHING, Range
from graph.forecasting.rehearsal import Odds
from graph.pairing import scenario_pair
from graph.services import RunServices
from graph.settings import RunSettings
from graph.state import Cell

MOST_LOOKED_AT = 200
"""Readers that are looked at; of more, so many are chosen at random."""
"""Stands for all agents that ask a System One model, whose calls have no price."""
ORDERS = 2
"""In which a chat judge is asked about a pair; more calls of each order are votes."""
REFEREED, MOST_REFEREED = 0.2, 3
"""Questions to the referee for each ordered scene, where nothing is known, and at most: assumed,
though more neighbours may be in doubt."""


@dataclass(frozen=True)
class AgentForecast:
    """What one agent will ask, and what that costs."""

    agent: str
    calls: Range
    tokens_in: Range
    tokens_out: Range
    cost_usd: Range


@dataclass(frozen=True)
class Forecast:
    """What a run, or the rest of one, will ask and cost."""

    readers: int
    looked_at: int
    """Readers that it rests on."""
    requested: int
    """Pairs."""
    unknown: int
    """Of these, those that are not planned, since nothing is known of their reader there."""
    agents: tuple[AgentForecast, ...]
    total: AgentForecast
    lacking: dict[str, int]
    """Scenes that the pool lacks as it is now, by dimension, most first."""
    first_call_usd: float | None
    """What the cheapest call that may come first costs at most; none where none need come."""
    kept: int
    """Replies that were looked up, are kept, and will cost nothing."""
    odds: Odds
    """What is supposed of the critic and the writer in the likely figures."""
    earlier_runs: int
    """Runs with the same model, method and critic that these were drawn from."""

    @property
    def calls_per_pair(self) -> Range:
        """Calls for each requested pair."""
        return self.total.calls.times(1 / max(self.requested, 1))


async def forecast(
    services: RunServices,
    pool: Pool,
    readers: Sequence[Reader],
    books: Mapping[str, Book],
    run_id: str,
    tell: Callable[[int, str], None] = lambda _count, _note: None,
) -> Forecast:
    """Forecast a run over `readers`, or what is left of one that has begun.

    Args:
        services: the parts of a run.
        pool: the candidate pool as it is now.
        readers: all of a new run, or those with whom to go on.
        books: the catalogue by id.
        run_id: of the run, begun or not.
        tell: takes how many readers were looked at, and the last one's id.
    """
    settings, meter = services.settings, Meter(services.settings.chat, services.store.kept_reply)
    written = {s.id for s in pool.scenarios() if s.provenance == "written"}
    past = history(services.store, settings, written)
    count = len(readers)
    survey: Survey = GravitySurvey(pool, settings, count, past.odds, written, meter)
    if settings.synthesis.method == "naive":
        survey = NaiveSurvey(settings, count, meter)
    reception = Reception(services, readers, books, meter, run_id)
    sample = random.Random(run_id).sample(readers, min(count, MOST_LOOKED_AT))
    for looked_at, reader in enumerate(sample, 1):
        await survey.look_at(await reception.meet(reader))
        tell(looked_at, reader.id)
    demand = survey.demand()
    kept, first_call_usd = sum(m.kept for m in meter.metered.values()), meter.first_usd
    share = count / max(len(sample), 1)
    unread = meter.metered[STANCE_READER].declined * share
    calls = _calls(settings, past, demand, unread, sum(map(has_text, readers)))
    await _show_examples(meter, pool, settings)
    agents = tuple(_priced(agent, calls[agent], settings, past, meter) for agent in calls)
    return Forecast(
        readers=count,
        looked_at=len(sample),
        requested=count * sum(settings.synthesis.quotas.values()),
        unknown=demand.unknown,
        agents=agents,
        total=_sum(agents),
        lacking=demand.lacking,
        first_call_usd=first_call_usd,
        kept=kept,
        odds=past.odds,
        earlier_runs=past.runs,
    )


def _calls(
    settings: RunSettings, past: History, demand: Demand, unread: float, texts: int
) -> dict[str, Range]:
    """Calls by agent, of those that may make any; at most every reply is repaired.

    Args:
        settings: who asks what.
        past: how many calls it took.
        demand: what is to be written and judged.
        unread: readers whose text a chat model would have to read.
        texts: readers who wrote anything.
    """
    critic, repaired = settings.critic, 1 + settings.chat.repairs
    decided = Range(0, texts, texts) if settings.profiler.text == DECIDER else NOTHING
    asked = {
        STANCE_READER: Range(unread, unread, unread * min(repaired, 1 + MOST_REPAIRS)),
        WRITER: demand.orders.times(1, 1, repaired),
        NAIVE_WRITER: demand.inventions.times(1, 1, repaired),
    }
    if "chat" in critic.judges:
        doubts = past.for_each(REFEREE, past.ordered, REFEREED)
        asked[REFEREE] = demand.scenes.times(0, doubts, MOST_REFEREED * repaired)
        new = Range(
            max(0.0, demand.proposals.least - demand.judged),
            max(0.0, demand.proposals.likely - demand.judged),
            demand.proposals.most,
        )
        each = past.for_each(JUDGE, past.proposed, ORDERS)
        asked[JUDGE] = new.times(ORDERS, each, ORDERS * (1 + critic.votes * repaired))
    if DECIDER in critic.judges:
        decided += demand.proposals
    tried = {agent: calls.times(1, past.of(agent).tries, 1) for agent, calls in asked.items()}
    return {agent: calls for agent, calls in (*tried.items(), (DECIDER, decided)) if calls.most}


def _priced(
    agent: str, calls: Range, settings: RunSettings, past: History, meter: Meter
) -> AgentForecast:
    """An agent's calls with their tokens, as many as in the past, or as its prompts have."""
    before, now = past.of(agent), meter.metered[agent]
    tokens_in, tokens_out = now.tokens_in, now.tokens_out
    if before.calls:
        tokens_in, tokens_out = before.tokens_in / before.calls, before.tokens_out / before.calls
    return AgentForecast(
        agent,
        calls,
        calls.times(tokens_in),
        calls.times(tokens_out),
        calls.times(settings.chat.cost_usd(tokens_in, tokens_out)),
    )


async def _show_examples(meter: Meter, pool: Pool, settings: RunSettings) -> None:
    """Let the meter see a prompt of each agent that may have shown none yet."""
    one, other, *_ = shipped_scenarios()
    order = Commission(dimension(one.dimension), settings.synthesis.scenarios_per_call)
    with suppress(ModelError):
        await ScenarioWriter(meter, pool).write(order)
    with suppress(ModelError):
        await ChatReferee(meter).same(one, other)
    cell = Cell(facet=one.facet, dimension=one.dimension, pole="high", wanted=1)
    anybody = Profile(reader_id="")
    pair = scenario_pair("", anybody, one, cell)
    await ChatJudge(meter, settings.critic.votes).judge(Proposal(pair, one, portrait(anybody, "")))


def _sum(agents: Sequence[AgentForecast]) -> AgentForecast:
    total = AgentForecast("in all", NOTHING, NOTHING, NOTHING, NOTHING)
    for a in agents:
        total = AgentForecast(
            total.agent,
            total.calls + a.calls,
            total.tokens_in + a.tokens_in,
            total.tokens_out + a.tokens_out,
            total.cost_usd + a.cost_usd,
        )
    return total
