"""What earlier runs of this home tell of one to come: shares, calls and tokens; no forecast."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from agents.scenario_writer import AGENT as WRITER
from graph.forecasting.rehearsal import Odds
from graph.ledger import SPENT, Spend
from graph.settings import RunSettings
from graph.store import Store
from graph.tables import LedgerRow, PairRow, RunRow

ACCEPTED, ACCEPTED_OF_WRITTEN = 0.95, 0.7
"""Shares of pairs that the critic lets pass, of shipped and of written scenes, where nothing is
known: assumptions. The embedded judge passed all of 692 shipped ones; chat models are stricter."""
ADMITTED = 0.7
"""Share of scenes asked for that get into the pool, where nothing is known: an assumption."""
WEIGHT = 10
"""Each of these counts like so many observations beside those that were made here."""
SCENE = PairRow.record["scenario_id"].as_string()
OF_WRITTEN = SCENE.like("w-%")


@dataclass(frozen=True)
class Judged:
    """What the critic said of some pairs."""

    pairs: int = 0
    passed: int = 0
    """Those that were accepted or left to a person."""


@dataclass(frozen=True)
class History:
    """Runs with the same model, method and critic, taken together."""

    runs: int
    agents: dict[str, Spend]
    shipped: Judged
    """Pairs of scenes that shipped, or were invented whole."""
    of_written: Judged
    """Pairs of scenes that a writer wrote."""
    ordered: int
    """Scenes that the writer was asked for; none where another model wrote for this pool, too."""
    written: int
    """Of these, those that got into the pool."""

    @property
    def proposed(self) -> int:
        """Pairs that were judged, or invented."""
        return self.shipped.pairs + self.of_written.pairs

    @property
    def odds(self) -> Odds:
        """How likely things go well next time."""
        return Odds(
            accepted=_share(self.shipped.passed, self.shipped.pairs, ACCEPTED),
            accepted_of_written=_share(
                self.of_written.passed, self.of_written.pairs, ACCEPTED_OF_WRITTEN
            ),
            admitted=_share(self.written, self.ordered, ADMITTED),
        )

    def of(self, agent: str) -> Spend:
        """What one agent has asked."""
        return self.agents.get(agent, Spend())

    def for_each(self, agent: str, count: int, otherwise: float) -> float:
        """Answered calls of an agent for each of `count` things; `otherwise` without any."""
        answered = self.of(agent).answered
        return answered / count if answered and count else otherwise


def history(store: Store, settings: RunSettings, written: Collection[str]) -> History:
    """What the run database tells of runs like the one that the settings describe.

    Args:
        store: the run database.
        settings: the model, the method and the critic.
        written: ids of the scenes in the pool that a writer wrote.
    """
    with store.reading() as session:
        runs = list(session.scalars(select(RunRow)))
        like = [run.id for run in runs if _is_like(run, settings)]
        agents = _agents(session, like)
        others = [run.id for run in runs if run.model != settings.chat.model]
        alone = WRITER not in _agents(session, others)
        calls = agents.get(WRITER, Spend()).answered * alone
        return History(
            runs=len(like),
            agents=agents,
            shipped=_judged(session, like, ~OF_WRITTEN),
            of_written=_judged(session, like, OF_WRITTEN),
            ordered=calls * settings.synthesis.scenarios_per_call,
            written=len({*written, *_used(session)}) if calls else 0,
        )


def _is_like(run: RunRow, settings: RunSettings) -> bool:
    then, now = run.settings.get("settings", {}), settings.kept()
    method = then.get("synthesis", {}).get("method")
    same = run.model == settings.chat.model and method == settings.synthesis.method
    return same and (method == "naive" or then.get("critic") == now["critic"])


def _agents(session: Session, run_ids: Sequence[str]) -> dict[str, Spend]:
    query = select(LedgerRow.agent, *SPENT).where(LedgerRow.run_id.in_(run_ids))
    query = query.group_by(LedgerRow.agent)
    return {agent: Spend(*sums) for agent, *sums in session.execute(query)}


def _judged(session: Session, run_ids: Sequence[str], which: ColumnElement[bool]) -> Judged:
    """Without the pairs of books, which nobody judges."""
    query = (
        select(PairRow.status, func.count())
        .where(PairRow.run_id.in_(run_ids), PairRow.status != "proposed", which)
        .where(SCENE.not_like("books-%"))
        .group_by(PairRow.status)
    )
    counts = {status: count for status, count in session.execute(query)}
    return Judged(sum(counts.values()), counts.get("accepted", 0) + counts.get("review", 0))


def _used(session: Session) -> set[str]:
    """Written scenes that pairs were made of, whether the pool still has them or not."""
    return set(session.scalars(select(SCENE).where(OF_WRITTEN).distinct()))


def _share(count: int, of: int, otherwise: float) -> float:
    return (count + WEIGHT * otherwise) / (of + WEIGHT)
