"""The nodes of the machine: each hands the state to one agent and notes what came of it."""

import asyncio
import hashlib
import random
from dataclasses import dataclass
from typing import Any, get_args

from iso3166 import countries_by_alpha2
from langgraph.types import interrupt

from agents.deduplicator import Deduplicator
from agents.errors import RefusalError, ReplyError
from agents.frameworks.catalogue import dimension
from agents.pair_critic import Judgement, PairCritic
from agents.pool import Pool
from agents.portrait import portrait
from agents.profiler import Profiler
from agents.prompting import render
from agents.records import Pair, PairStatus, Profile, Scenario
from agents.scenario_writer import ScenarioWriter
from agents.verification import supports
from graph.events import PairDecided
from graph.planning import lost_to_failures, plan_round
from graph.recorder import Recorder
from graph.settings import SynthesisSettings
from graph.state import Cell, State, lacking
from graph.store import Store

Update = dict[str, Any]


@dataclass(frozen=True)
class Crew:
    """Everyone and everything the nodes work with."""

    profiler: Profiler
    writer: ScenarioWriter
    deduplicator: Deduplicator
    critic: PairCritic
    pool: Pool
    store: Store
    recorder: Recorder
    settings: SynthesisSettings


class Nodes:
    """The nodes, bound to their crew."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._store = crew.store

    async def profile(self, state: State) -> Update:
        """Profile the reader with all their answers, unless a resumed run has done so.

        A profile is made anew where answers were given while it was made.
        """
        member = self._store.reader(state["run_id"], state["reader_id"])
        while member.inferred is None:
            asked = member.reader
            made = await self._crew.profiler.profile(asked)
            member = self._store.reader(state["run_id"], state["reader_id"])
            if member.reader == asked:
                self._store.keep_profile(state["run_id"], made)
                break
        return {"round": 0, "used": [], "failures": []}

    async def plan(self, state: State) -> Update:
        """Share the unmet quotas out over the dimensions that tell this reader apart."""
        pairs = self._store.pairs(state["run_id"], reader_id=state["reader_id"])
        round_number = state.get("round", 0) + 1
        cells, starved = plan_round(self._profile(state), pairs, self._crew.settings, round_number)
        fresh: Update = {"drawn": {}, "drafts": [], "avoid": {}, "criticism": {}}
        fresh |= {"rewrites": 0, "revisions": 0, "proposed": [], "passed": [], "doubtful": []}
        return fresh | {"round": round_number, "cells": cells, "starved": starved}

    async def draw(self, state: State) -> Update:
        """Take from the pool what this reader has not been given yet."""
        country, taken = self._profile(state).country, set(state["used"])
        drawn = {
            cell["dimension"]: await asyncio.to_thread(
                self._crew.pool.draw, cell["dimension"], country, taken, cell["wanted"]
            )
            for cell in state.get("cells", [])
        }
        ids = {name: [s.id for s in scenarios] for name, scenarios in drawn.items()}
        return {"drawn": ids, "used": [i for some in ids.values() for i in some]}

    async def write(self, state: State) -> Update:
        """Have the writer propose scenarios for every cell that lacks some."""
        self._crew.pool.retire(state.get("unfit", []))
        counter = "revisions" if state.get("criticism") else "rewrites"
        is_retry = bool(state.get("criticism") or state.get("avoid"))
        replies = await asyncio.gather(*(self._write(state, cell) for cell in lacking(state)))
        return {
            "drafts": [s.model_dump(mode="json") for drafts, _ in replies for s in drafts],
            "failures": [failure for _, failure in replies if failure],
            "avoid": {},
            "criticism": {},
            "unfit": [],
            counter: state.get(counter, 0) + is_retry,
        }

    async def deduplicate(self, state: State) -> Update:
        """Let new scenarios into the pool and the round; remember what the rest collided with."""
        drafts = [Scenario.model_validate(draft) for draft in state.get("drafts", [])]
        admission = await self._crew.deduplicator.admit(drafts)
        drawn = {name: list(ids) for name, ids in state.get("drawn", {}).items()}
        room = {cell["dimension"]: cell["wanted"] for cell in lacking(state)}
        fresh: list[str] = []
        for scenario in admission.admitted:
            if room.get(scenario.dimension, 0) > 0 and scenario.id not in state["used"]:
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
        poles = {cell["dimension"]: cell for cell in state.get("cells", [])}
        ids = [i for some in state.get("drawn", {}).values() for i in some]
        known = {p.id for p in self._store.pairs(state["run_id"], reader_id=state["reader_id"])}
        made = [
            _pair(state["run_id"], profile, scenario, poles[scenario.dimension])
            for scenario in self._crew.pool.get(ids)
        ]
        made = [p for p in made if p.id in known or supports(profile, p)]
        self._store.put_pairs([p for p in made if p.id not in known])
        judged = {*state.get("passed", []), *state.get("doubtful", [])}
        return {"proposed": [p.id for p in made if p.id not in judged]}

    async def criticise(self, state: State) -> Update:
        """Have every proposed pair judged; refuse, or send back, or let pass, or ask a person."""
        profile = self._profile(state)
        pairs = [self._store.pair(pair_id) for pair_id in state.get("proposed", [])]
        scenarios = {s.id: s for s in self._crew.pool.get([p.scenario_id for p in pairs])}
        judged = await asyncio.gather(
            *(self._criticise(pair, scenarios.get(pair.scenario_id), profile) for pair in pairs)
        )
        after: dict[PairStatus, list[str]] = {s: [] for s in get_args(PairStatus)}
        criticism: dict[str, str] = {}
        unfit: list[str] = []
        drawn = {name: list(ids) for name, ids in state.get("drawn", {}).items()}
        for pair, judgement in judged:
            after[pair.status].append(pair.id)
            if pair.status == "rejected":
                drawn[pair.dimension].remove(pair.scenario_id)
                scenario = scenarios.get(pair.scenario_id)
                if scenario and scenario.provenance == "written":
                    unfit.append(scenario.id)
                if judgement.outcome == "revise":
                    criticism[pair.dimension] = judgement.reason
        return {
            "passed": state.get("passed", []) + after["proposed"],
            "doubtful": state.get("doubtful", []) + after["review"],
            "criticism": criticism,
            "unfit": unfit,
            "drawn": drawn,
            "proposed": [],
        }

    async def publish(self, state: State) -> Update:
        """Accept what passed and retire what is unfit; doing so twice changes nothing.

        What the reader has corrected since the plan is refused.
        """
        self._crew.pool.retire(state.get("unfit", []))
        profile = self._profile(state)
        for pair_id in state.get("passed", []):
            pair = self._store.pair(pair_id)
            if pair.status != "proposed":
                continue
            if supports(profile, pair):
                self._put(pair.model_copy(update={"status": "accepted"}))
            else:
                update = {"status": "rejected", "reason": "the reader corrected their profile"}
                self._put(pair.model_copy(update=update))
        return {"passed": [], "unfit": []}

    async def review(self, state: State) -> Update:
        """Wait for a person; decisions are applied to the pairs as they are made."""
        interrupt({"reader_id": state["reader_id"], "pairs": state.get("doubtful", [])})
        return {"doubtful": []}

    async def finish(self, state: State) -> Update:
        """Note how this reader's part of the run ended."""
        failures = state["failures"]
        note = (
            f"; {len(failures)} writer calls failed, the last: {failures[-1]}" if failures else ""
        )
        starved = {facet: why + note for facet, why in state.get("starved", {}).items()}
        pairs = self._store.pairs(state["run_id"], reader_id=state["reader_id"])
        profile = self._profile(state)
        failed = lost_to_failures(profile, pairs, starved, failures, self._crew.settings)
        self._store.end_reader(
            state["run_id"], state["reader_id"], "finished", starved=starved, failed=failed
        )
        return {}

    # --- inside -------------------------------------------------------------------------------

    def _profile(self, state: State) -> Profile:
        profile = self._store.reader(state["run_id"], state["reader_id"]).profile
        assert profile is not None, "every road leads through the node `profile`"
        return profile

    async def _write(self, state: State, cell: Cell) -> tuple[list[Scenario], str | None]:
        axis, country = dimension(cell["dimension"]), self._profile(state).country
        dice = random.Random(_digest(state["reader_id"], axis.name, str(state.get("round"))))
        local = country if dice.random() < self._crew.settings.country_share else None
        examples = self._crew.pool.draw(axis.name, country, (), 3)
        avoid = state.get("avoid", {}).get(axis.name, [])
        try:
            written = await self._crew.writer.write(
                axis,
                examples,
                max(cell["wanted"], self._crew.settings.scenarios_per_call),
                setting=countries_by_alpha2[local].apolitical_name if local else None,
                avoid=avoid,
                criticism=state.get("criticism", {}).get(axis.name, ""),
            )
        except (ReplyError, RefusalError) as error:
            return [], f"{axis.name}: {error}"
        return [s.model_copy(update={"culture": local}) for s in written], None

    async def _criticise(
        self, pair: Pair, scenario: Scenario | None, profile: Profile
    ) -> tuple[Pair, Judgement]:
        judgement = await self._judge(pair, scenario, profile)
        if self._store.is_decided(pair.id):  # a killed process repeats this step; a person does not
            return self._store.pair(pair.id), Judgement("reject", "a person has decided meanwhile")
        review = self._crew.settings.review
        asked = review == "all" and judgement.outcome == "accept"
        if asked or (judgement.outcome == "doubtful" and review != "none"):
            status: PairStatus = "review"
        else:
            status = "proposed" if judgement.outcome == "accept" else "rejected"
        update = {"verdicts": judgement.verdicts, "status": status, "reason": judgement.reason}
        judged = pair.model_copy(update=update)
        self._put(judged)
        return judged, judgement

    async def _judge(self, pair: Pair, scenario: Scenario | None, profile: Profile) -> Judgement:
        if scenario is None:
            return Judgement("reject", "its scenario was found unfit for another reader meanwhile")
        told = portrait(profile, pair.dimension)
        try:
            return await self._crew.critic.criticise(pair, scenario, told)
        except (ReplyError, RefusalError) as error:
            return Judgement("doubtful", f"the judge gave no verdict: {error}")

    def _put(self, pair: Pair) -> None:
        self._store.put_pairs([pair])
        if pair.status != "proposed":
            self._crew.recorder.tell(
                PairDecided(pair.id, pair.reader_id, pair.facet, pair.status, pair.reason)
            )


def _pair(run_id: str, profile: Profile, scenario: Scenario, cell: Cell) -> Pair:
    pole = cell["pole"]
    return Pair(
        id=_digest(run_id, profile.reader_id, scenario.id),
        run_id=run_id,
        reader_id=profile.reader_id,
        scenario_id=scenario.id,
        facet=scenario.facet,
        dimension=scenario.dimension,
        pole=pole,
        prompt=render(
            "answer",
            portrait=portrait(profile, scenario.dimension),
            situation=scenario.situation,
        ),
        chosen=scenario.answer(pole),
        rejected=scenario.answer("low" if pole == "high" else "high"),
    )


def _digest(*parts: str) -> str:
    """The same parts give the same id, so that a repeated step doubles nothing."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
