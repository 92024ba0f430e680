"""What readers will ask of the pool and of the agents, in counts; it knows no tokens, no money."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from agents.errors import ModelError
from agents.frameworks.catalogue import dimension
from agents.judges.by_chat import AGENT as JUDGE
from agents.judges.by_chat import ChatJudge
from agents.judges.judge import Proposal
from agents.meter import Meter
from agents.naive import AGENT as NAIVE_WRITER
from agents.naive import NaiveWriter
from agents.portrait import portrait
from agents.records import Profile
from agents.scenario_writer import ScenarioWriter
from graph import supply
from graph.forecasting.bounds import most_asked
from graph.forecasting.members import Member
from graph.forecasting.ranges import NOTHING, Range
from graph.forecasting.rehearsal import Odds, Rehearsal
from graph.pairing import scenario_pair
from graph.planning import plan_round
from graph.settings import RunSettings
from graph.state import Cell, State, first_state

if TYPE_CHECKING:
    from agents.pool import Pool  # with ChromaDB, which takes seconds


@dataclass(frozen=True)
class Demand:
    """Of all readers of a run."""

    orders: Range = NOTHING
    """To the writer; at least those to which no reply is kept."""
    scenes: Range = NOTHING
    """That are ordered."""
    proposals: Range = NOTHING
    """Pairs that are put to the critic; at least those whose scenes are at hand."""
    judged: float = 0.0
    """Pairs of the first round of which a chat judge's reply is kept."""
    inventions: Range = NOTHING
    """Orders to the naive baseline's writer; kept replies not counted."""
    lacking: dict[str, int] = field(default_factory=dict[str, int])
    """Scenes that the pool lacks as it is now, by dimension, most first."""
    unknown: int = 0
    """Pairs that are not planned, since nothing is known of their reader there."""


class Survey(Protocol):
    """Looks at readers one by one."""

    async def look_at(self, member: Member) -> None:
        """Add one reader."""
        ...

    def demand(self) -> Demand:
        """Of all readers; those that were not looked at are like the others."""
        ...


class NaiveSurvey:
    """Of a run of the naive baseline: a call for each facet, or in each round one.

    Args:
        settings: everything that the run goes by.
        readers: how many there are in all.
        meter: is asked what the models would be asked.
    """

    def __init__(self, settings: RunSettings, readers: int, meter: Meter) -> None:
        self._settings, self._readers, self._meter = settings.synthesis, readers, meter
        self._writer = NaiveWriter(meter)
        self._looked_at = 0

    async def look_at(self, member: Member) -> None:
        """Add one reader."""
        self._looked_at += 1
        told = portrait(member.profile, "")
        for facet, count in member.lacks(member.profile, self._settings).items():
            if count > 0:
                with suppress(ModelError):
                    await self._writer.invent(told, facet, count, repeat=1)

    def demand(self) -> Demand:
        """Of all readers."""
        metered, share = self._meter.metered[NAIVE_WRITER], self._readers / (self._looked_at or 1)
        most = metered.questions * self._settings.rounds
        return Demand(inventions=Range(metered.declined, metered.declined, most).times(share))


class GravitySurvey:
    """Of a run of the machine: the first round as it is, the likely course, and the worst case.

    Args:
        pool: as it is now.
        settings: everything that the run goes by.
        readers: how many there are in all.
        odds: of the critic and the writer, for what is likely.
        written: scenes of the pool that a writer wrote, which may be retired at any time.
        meter: is asked what the models would be asked.
    """

    def __init__(
        self,
        pool: "Pool",
        settings: RunSettings,
        readers: int,
        odds: Odds,
        written: Collection[str],
        meter: Meter,
    ) -> None:
        self._pool, self._readers, self._meter = pool, readers, meter
        self._settings = settings.synthesis
        self._gone = frozenset(written)
        self._asks_chat = "chat" in settings.critic.judges
        self._judge = ChatJudge(meter, settings.critic.votes)
        self._writer = ScenarioWriter(meter, pool)
        self._rehearsal = Rehearsal(pool, settings.synthesis, readers, odds, written)
        self._paid: dict[str, bool] = {}
        self._lacking: dict[str, int] = {}
        self._drawn = self._unknown = self._worst_orders = self._worst_proposals = 0
        self._course = [(0, 0, 0)]
        """Orders, scenes and proposals of the likely course, after each reader."""

    async def look_at(self, member: Member) -> None:
        """Add one reader."""
        for cell, ids in self._first_round(member, member.bare):
            self._drawn += len(ids)
            if self._asks_chat:
                await self._judged(member, cell, ids)
            if missing := cell["wanted"] - len(ids):
                await self._ordered(member.bare, {**cell, "wanted": missing})
        self._look_ahead(member)
        wanted = member.lacks(member.profile, self._settings)
        gone = self._gone | member.used
        most = most_asked(self._pool, member.profile, wanted, gone, self._settings, member.is_read)
        self._worst_orders += most.orders
        self._worst_proposals += most.proposals

    def demand(self) -> Demand:
        """Of all readers."""
        looked_at = len(self._course) - 1
        share = self._readers / max(looked_at, 1)
        orders, scenes, proposals = (
            _continued(course, self._readers) for course in zip(*self._course, strict=True)
        )
        least = sum(paid for name, paid in self._paid.items() if not self._has_short_part(name))
        each = max((self._settings.scenarios_per_call, *self._settings.quotas.values()))
        most = self._worst_orders * share
        return Demand(
            orders=Range(least, orders, most),
            scenes=Range(least * self._settings.scenarios_per_call, scenes, most * each),
            proposals=Range(self._drawn * share, proposals, self._worst_proposals * share),
            judged=self._meter.metered[JUDGE].kept * share,
            lacking=dict(sorted(self._lacking.items(), key=lambda item: -item[1])),
            unknown=round(self._unknown * share),
        )

    def _first_round(self, member: Member, profile: Profile) -> list[tuple[Cell, list[str]]]:
        """The first plan, and what the pool has for it."""
        taken = set(member.used)
        found: list[tuple[Cell, list[str]]] = []
        for cell in plan_round(profile, member.pairs, self._settings, 1)[0]:
            ids = supply.drawn(self._pool, profile, cell, taken, self._readers, self._settings)
            taken.update(ids)
            found.append((cell, ids))
        return found

    async def _judged(self, member: Member, cell: Cell, ids: list[str]) -> None:
        for scenario in self._pool.get(ids):
            pair = scenario_pair("", member.bare, scenario, cell)
            told = portrait(member.bare, cell["dimension"])
            await self._judge.judge(Proposal(pair, scenario, told, member.reader.consent))

    async def _ordered(self, profile: Profile, cell: Cell) -> None:
        """Note whether any reader's order for the dimension was answered before."""
        declined = self._meter.declined
        with suppress(ModelError):
            state: State = {**first_state("", profile.reader_id), "round": 1}
            order = supply.order(self._pool, state, cell, profile, self._settings)
            await self._writer.write(order)
        name, paid = cell["dimension"], self._meter.declined > declined
        self._paid[name] = self._paid.get(name, True) and paid

    def _look_ahead(self, member: Member) -> None:
        wanted = member.lacks(member.profile, self._settings)
        planned = 0
        for cell, ids in self._first_round(member, member.profile):
            planned += cell["wanted"]
            if missing := cell["wanted"] - len(ids):
                name = cell["dimension"]
                self._lacking[name] = max(missing, self._lacking.get(name, 0))
        self._unknown += sum(n for n in wanted.values() if n > 0) - planned
        self._rehearsal.play(member.profile, wanted, member.used)
        played = self._rehearsal
        self._course.append((played.calls, played.drafts, played.proposals))

    def _has_short_part(self, name: str) -> bool:
        """Whether what is written for a part of a dimension serves it, too."""
        return any(dimension(other).parent == name for other in self._paid)


def _continued(course: tuple[int, ...], readers: int) -> float:
    """Where a growing count ends, if the rest of the readers add to it like the later half.

    Args:
        course: the count before the first reader, and after each that was looked at.
        readers: how many there are in all.
    """
    looked_at = len(course) - 1
    middle = looked_at // 2
    later = (course[-1] - course[middle]) / max(looked_at - middle, 1)
    return course[-1] + later * (readers - looked_at)
