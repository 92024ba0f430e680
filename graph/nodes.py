"""The nodes of the machine: each hands the state to one agent and notes what came of it."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from datetime import date
from functools import cache
from typing import Any, TypeVar, get_args

from langgraph.types import interrupt

from agents.errors import RefusalError, ReplyError
from agents.frameworks.catalogue import dimension
from agents.judges.judge import Proposal
from agents.naive import AGENT as NAIVE_WRITER
from agents.pair_critic import Judgement
from agents.pool_quality import flaws
from agents.portrait import portrait
from agents.records import (
    FACETS,
    Facet,
    Pair,
    PairStatus,
    Profile,
    Reader,
    Scenario,
    SensitiveTopic,
)
from agents.scenario_writer import AGENT as SCENARIO_WRITER
from agents.verification import supports
from graph import supply
from graph.crew import Crew
from graph.events import PairDecided
from graph.failures import Failure
from graph.pairing import invented_pair, scenario_pair
from graph.planning import lack, lost_to_failures, plan_round
from graph.state import Cell, State, lacking

Update = dict[str, Any]
T = TypeVar("T")


class Nodes:
    """The nodes, bound to their crew."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._store = crew.store
        self._readers = cache(lambda run_id: self._store.reader_count(run_id))
        self._read: dict[tuple[str, str], tuple[object, Reader, Profile]] = {}
        """Readers at work, as they were read when they last said something."""

    async def profile(self, state: State) -> Update:
        """Profile the reader with all their answers, unless a resumed run has done so.

        A profile is made anew where answers were given while it was made. Where the whole part is
        worked on again, the writer is not asked for what it has replied before.
        """
        run_id, reader_id = state["run_id"], state["reader_id"]
        while True:
            said = self._store.last_said(reader_id)
            member = self._store.reader(run_id, reader_id)
            if member.inferred:
                break
            made = await self._crew.profiler.profile(member.reader)
            if self._store.last_said(reader_id) == said:
                self._store.keep_profile(run_id, made)
                in_force = self._store.in_force(made)
                self._read[run_id, reader_id] = (date.today(), said), member.reader, in_force
                break
        pairs = self._store.pairs(run_id, reader_id=reader_id)
        used = [pair.scenario_id for pair in pairs if pair.status != "proposed"]
        before = self._store.spend(run_id, reader_id, SCENARIO_WRITER)
        asked = before.calls + before.saved_calls
        return {"round": 0, "asked": asked, "used": used, "failures": []}

    async def compare(self, state: State) -> Update:
        """Pair books that the reader liked with others, as far as the interest quota goes."""
        wanted = min(
            self._crew.settings.pairs_from_books, self._crew.settings.quotas.get("interest", 0)
        )
        reader, profile = self._known(state)
        asked = self._crew.settings.review == "all"
        known = set(self._store.pair_ids(state["run_id"], state["reader_id"]))
        made = await asyncio.to_thread(
            self._crew.books.make, state["run_id"], reader, profile, wanted
        )
        update = {"status": "review" if asked else "accepted"}
        fresh = [p.model_copy(update=update) for p in made if p.id not in known]
        self._put(fresh)
        return {"doubtful": self._waiting(state)}

    async def plan(self, state: State) -> Update:
        """Share the unmet quotas out over the dimensions that tell this reader apart."""
        pairs = self._store.pairs(state["run_id"], reader_id=state["reader_id"])
        round_number = state.get("round", 0) + 1
        cells, starved = plan_round(self._profile(state), pairs, self._crew.settings, round_number)
        fresh: Update = {"drawn": {}, "drafts": [], "avoid": {}, "criticism": {}}
        fresh |= {"rewrites": 0, "revisions": 0, "proposed": [], "passed": []}
        return fresh | {"round": round_number, "cells": cells, "starved": starved}

    async def draw(self, state: State) -> Update:
        """Take from the pool what this reader has not been given yet."""
        drawn = await self._draw(state, state.get("cells", []))
        return {"drawn": drawn, "used": [i for ids in drawn.values() for i in ids]}

    async def write(self, state: State) -> Update:
        """Have the writer propose scenarios for every cell that lacks some.

        For each dimension one reader's writer is at work at a time; whoever waited for it first
        looks at what it has left in the pool.
        """
        await asyncio.to_thread(self._crew.pool.retire, state.get("unfit", []))
        short = lacking(state)
        await self._crew.flights.begin(state["reader_id"], (cell["dimension"] for cell in short))
        fresh = await self._draw(state, short)
        drawn = {name: list(ids) for name, ids in state.get("drawn", {}).items()}
        for name, ids in fresh.items():
            drawn.setdefault(name, []).extend(ids)
        counter = "revisions" if state.get("criticism") else "rewrites"
        is_retry = bool(state.get("criticism") or state.get("avoid"))
        still_short = lacking({**state, "drawn": drawn})
        replies, fatal = await _all_of(self._write(state, cell) for cell in still_short)
        drafts = [draft for of_one, _ in replies for draft in of_one]
        if fatal:
            await self._crew.deduplicator.admit(drafts)
            raise fatal
        return {
            "drafts": [draft.model_dump(mode="json") for draft in drafts],
            "failures": [failure for _, failure in replies if failure],
            "drawn": drawn,
            "used": [i for ids in fresh.values() for i in ids],
            "avoid": {},
            "criticism": {},
            "unfit": [],
            "asked": state.get("asked", 0) + 1,
            counter: state.get(counter, 0) + is_retry,
        }

    async def deduplicate(self, state: State) -> Update:
        """Let new scenarios into the pool and the round; remember what the rest collided with."""
        drafts = [Scenario.model_validate(draft) for draft in state.get("drafts", [])]
        try:
            admission = await self._crew.deduplicator.admit(drafts)
        finally:
            self._crew.flights.end(state["reader_id"])
        drawn = {name: list(ids) for name, ids in state.get("drawn", {}).items()}
        room = {cell["dimension"]: cell["wanted"] for cell in lacking(state)}
        fresh: list[str] = []
        for scenario in admission.admitted:
            if room.get(scenario.dimension, 0) > 0 and scenario.id not in (*state["used"], *fresh):
                drawn.setdefault(scenario.dimension, []).append(scenario.id)
                room[scenario.dimension] -= 1
                fresh.append(scenario.id)
        avoid: dict[str, list[str]] = {}
        for scenario, neighbour in admission.collisions:
            avoid.setdefault(scenario.dimension, []).append(neighbour.scenario.situation)
        return {"drawn": drawn, "used": fresh, "drafts": [], "avoid": avoid}

    async def pair(self, state: State) -> Update:
        """Make a pair of every drawn scenario that is no pair yet and still suits the reader."""
        profile = self._profile(state)
        cells = {cell["dimension"]: cell for cell in state.get("cells", [])}
        ground = {i: cells[name] for name, ids in state.get("drawn", {}).items() for i in ids}
        known = set(self._store.pair_ids(state["run_id"], state["reader_id"]))
        made = [
            scenario_pair(state["run_id"], profile, scenario, ground[scenario.id])
            for scenario in self._crew.pool.get(list(ground))
        ]
        made = [p for p in made if p.id in known or supports(profile, p)]
        self._store.put_pairs([p for p in made if p.id not in known])
        judged = {*state.get("passed", []), *state.get("doubtful", [])}
        return {"proposed": [p.id for p in made if p.id not in judged]}

    async def criticise(self, state: State) -> Update:
        """Have every proposed pair judged; refuse, or send back, or let pass, or ask a person."""
        reader, profile = self._known(state)
        pairs = list(self._store.pairs_by_id(state.get("proposed", [])).values())
        scenarios = {s.id: s for s in self._crew.pool.get([p.scenario_id for p in pairs])}
        judged, fatal = await _all_of(
            self._criticise(pair, scenarios.get(pair.scenario_id), profile, reader.consent)
            for pair in pairs
        )
        by_people = self._store.pairs_by_id(list(self._put([pair for pair, _ in judged])))
        if fatal:
            raise fatal
        after: dict[PairStatus, list[str]] = {s: [] for s in get_args(PairStatus)}
        criticism: dict[str, str] = {}
        unfit: list[str] = []
        drawn = {name: list(ids) for name, ids in state.get("drawn", {}).items()}
        for pair, judgement in judged:
            pair = by_people.get(pair.id, pair)  # a killed process repeats this step; they do not
            after[pair.status].append(pair.id)
            if pair.status == "rejected":
                drawn = {n: [i for i in ids if i != pair.scenario_id] for n, ids in drawn.items()}
                scenario = scenarios.get(pair.scenario_id)
                if scenario and scenario.provenance == "written":
                    unfit.append(scenario.id)
                if judgement.outcome == "revise" and pair.id not in by_people:
                    criticism[pair.dimension] = judgement.reason
        return {
            "passed": state.get("passed", []) + after["proposed"],
            "doubtful": state.get("doubtful", []) + after["review"],
            "criticism": criticism,
            "unfit": unfit,
            "drawn": drawn,
            "proposed": [],
        }

    async def invent(self, state: State) -> Update:
        """The naive baseline: have pairs invented for what the quotas lack, and take them all."""
        profile, settings = self._profile(state), self._crew.settings
        pairs = self._store.pairs(state["run_id"], reader_id=state["reader_id"])
        short: dict[Facet, int] = {
            f: n for f in FACETS if (n := lack(profile, pairs, f, settings)) > 0
        }
        round_number = state.get("round", 0) + 1
        may_ask = round_number <= settings.rounds
        asked = short.items() if may_ask else ()
        replies, fatal = await _all_of(
            self._invent(state["run_id"], profile, f, n, round_number) for f, n in asked
        )
        made = [pair for of_one, _ in replies for pair in of_one]
        status: PairStatus = "review" if settings.review == "all" else "accepted"
        known = {p.id for p in pairs}
        fresh = {p.id: p.model_copy(update={"status": status}) for p in made if p.id not in known}
        self._put(fresh.values())
        if fatal:
            raise fatal
        left = {f: n - sum(p.facet == f for p in fresh.values()) for f, n in short.items()}
        why = f"after {min(round_number, settings.rounds)} rounds of inventing"
        return {
            "round": round_number,
            "failures": [failure for _, failure in replies if failure],
            "doubtful": self._waiting(state),
            "starved": {
                f: f"{why} {n} {'pair is' if n == 1 else 'pairs are'} lacking"
                for f, n in left.items()
                if n > 0
            },
        }

    async def publish(self, state: State) -> Update:
        """Accept what passed and retire what is unfit; doing so twice changes nothing.

        What the reader has corrected since the plan is refused.
        """
        await asyncio.to_thread(self._crew.pool.retire, state.get("unfit", []))
        profile = self._profile(state)
        corrected = {"status": "rejected", "reason": "the reader corrected their profile"}
        self._put(
            pair.model_copy(update={"status": "accepted"} if supports(profile, pair) else corrected)
            for pair in self._store.pairs_by_id(state.get("passed", [])).values()
            if pair.status == "proposed"
        )
        return {"passed": [], "unfit": []}

    async def review(self, state: State) -> Update:
        """Wait until people have decided on all; what they decide is applied to pairs at once."""
        while not self._store.take_up(state["run_id"], state["reader_id"]):
            interrupt({"reader_id": state["reader_id"], "pairs": state.get("doubtful", [])})
        return {"doubtful": []}

    async def finish(self, state: State) -> Update:
        """Note how this reader's part of the run ended."""
        failures = state["failures"]
        note = (
            f"; {len(failures)} writer calls failed, the last: {failures[-1]}" if failures else ""
        )
        spend = self._store.spend(state["run_id"], state["reader_id"])
        note += f"; spent on this reader so far: {spend}"
        starved = {facet: why + note for facet, why in state.get("starved", {}).items()}
        failed = self._lost(state, starved) if failures else 0
        self._store.end_reader(
            state["run_id"], state["reader_id"], "finished", starved=starved, failed=failed
        )
        self._read.pop((state["run_id"], state["reader_id"]), None)
        return {}

    # --- inside -------------------------------------------------------------------------------

    def _lost(self, state: State, starved: dict[str, str]) -> int:
        """How many pairs were lost to failures."""
        pairs = self._store.pairs(state["run_id"], reader_id=state["reader_id"])
        profile, failures = self._profile(state), state["failures"]
        return lost_to_failures(profile, pairs, starved, failures, self._crew.settings)

    def _waiting(self, state: State) -> list[str]:
        """The reader's pairs that wait for a person, those of a step that is repeated too."""
        return self._store.pair_ids(state["run_id"], state["reader_id"], "review")

    def _profile(self, state: State) -> Profile:
        return self._known(state)[1]

    def _known(self, state: State) -> tuple[Reader, Profile]:
        """The reader and their profile as in force now."""
        key = state["run_id"], state["reader_id"]
        said = date.today(), self._store.last_said(state["reader_id"])
        if key not in self._read or self._read[key][0] != said:
            member = self._store.reader(*key)
            assert member.profile is not None, "every road leads through the node `profile`"
            self._read[key] = said, member.reader, member.profile
        return self._read[key][1:]

    async def _draw(self, state: State, cells: Sequence[Cell]) -> dict[str, list[str]]:
        """Ids of scenes for each cell, by its dimension; none that the reader was given before."""
        profile, settings = self._profile(state), self._crew.settings
        readers = self._readers(state["run_id"])
        taken = set(state["used"])
        found: dict[str, list[str]] = {}
        for cell in cells:
            given = self._crew.pool, profile, cell, frozenset(taken), readers, settings
            found[cell["dimension"]] = await asyncio.to_thread(supply.drawn, *given)
            taken.update(found[cell["dimension"]])
        return found

    async def _write(self, state: State, cell: Cell) -> tuple[list[Scenario], str | None]:
        axis = dimension(cell["dimension"])
        given = self._crew.pool, state, cell, self._profile(state), self._crew.settings
        commission = await asyncio.to_thread(supply.order, *given)
        try:
            drafts = await self._crew.writer.write(commission)
        except (ReplyError, RefusalError) as error:
            self._note(state["run_id"], state["reader_id"], SCENARIO_WRITER, axis.name, error)
            return [], f"{axis.facet}: {axis.name}: {error}"
        found = {draft.id: flaws(draft) for draft in drafts}
        fit = [draft for draft in drafts if not found[draft.id]]
        first = next(iter(found.values()), ["nothing was written"])
        return fit, None if fit else f"{axis.facet}: {axis.name}: {first[0]}"

    async def _invent(
        self, run_id: str, profile: Profile, facet: Facet, count: int, repeat: int
    ) -> tuple[list[Pair], str | None]:
        try:
            drafts = await self._crew.naive.invent(portrait(profile, ""), facet, count, repeat)
        except (ReplyError, RefusalError) as error:
            self._note(run_id, profile.reader_id, NAIVE_WRITER, facet, error)
            return [], f"{facet}: {error}"
        return [invented_pair(run_id, profile, facet, draft) for draft in drafts], None

    async def _criticise(
        self,
        pair: Pair,
        scenario: Scenario | None,
        profile: Profile,
        consent: tuple[SensitiveTopic, ...],
    ) -> tuple[Pair, Judgement]:
        if scenario is None:
            gone = "its scenario was found unfit for another reader meanwhile"
            judgement = Judgement("reject", gone)
        else:
            told = portrait(profile, pair.dimension)
            proposal = Proposal(pair, scenario, told, consent)
            judgement = await self._crew.critic.criticise(proposal)
        for verdict in judgement.verdicts:
            if verdict.failure:
                where = pair.run_id, pair.reader_id, verdict.judge, pair.dimension
                failure = Failure(*where, verdict.failure, verdict.reason, verdict.raw)
                self._crew.recorder.failed(failure)
        review = self._crew.settings.review
        asked = review == "all" and judgement.outcome == "accept"
        if asked or (judgement.outcome == "doubtful" and review != "none"):
            status: PairStatus = "review"
        else:
            status = "proposed" if judgement.outcome == "accept" else "rejected"
        update = {"verdicts": judgement.verdicts, "status": status, "reason": judgement.reason}
        return pair.model_copy(update=update), judgement

    def _note(
        self, run_id: str, reader_id: str, agent: str, where: str, error: ReplyError | RefusalError
    ) -> None:
        """Keep what an agent's call came to, when all repairs and tries were in vain."""
        raw = error.raw if isinstance(error, ReplyError) else ""
        kind = "malformed" if isinstance(error, ReplyError) else "refused"
        failure = Failure(run_id, reader_id, agent, where, kind, str(error), raw)
        self._crew.recorder.failed(failure)

    def _put(self, pairs: Iterable[Pair]) -> set[str]:
        """Keep pairs and tell of those that are decided on; the ids of those people decided on."""
        listed = list(pairs)
        by_people = self._store.put_pairs(listed)
        for pair in listed:
            if pair.status != "proposed" and pair.id not in by_people:
                self._crew.recorder.tell(
                    PairDecided(pair.id, pair.reader_id, pair.facet, pair.status, pair.reason)
                )
        return by_people


async def _all_of(work: Iterable[Awaitable[T]]) -> tuple[list[T], BaseException | None]:
    """What comes of all `work`, and the first error; the others are paid for, and end."""
    done = await asyncio.gather(*work, return_exceptions=True)
    errors = [outcome for outcome in done if isinstance(outcome, BaseException)]
    return [d for d in done if not isinstance(d, BaseException)], next(iter(errors), None)
