"""Plays readers' parts of a run through on dice: no model is asked, and the pool stays as it is."""

import random
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.cells import Place
from agents.records import Facet, Profile
from graph import supply
from graph.pairing import digest
from graph.planning import plan_round, scene_dimensions
from graph.settings import SynthesisSettings
from graph.state import Cell, State, first_state

if TYPE_CHECKING:
    from agents.pool import Pool  # with ChromaDB, which takes seconds

AGES = (18, 99)
"""Of whoever may live a written scene, in years, as `Scenario` has them."""


@dataclass(frozen=True)
class Odds:
    """How likely things go well."""

    accepted: float
    """That the critic lets a pair of a shipped scene pass."""
    accepted_of_written: float
    """The same of a scene that a writer wrote."""
    admitted: float
    """That a scene the writer was asked for gets into the pool."""


class Rehearsal:
    """Readers one after the other; scenes that are written for one serve those after them.

    Args:
        pool: where scenes are drawn; what would be written is only thought of.
        settings: quotas, rounds, rewrites and revisions.
        readers: of the whole run, over whom scenes are spread.
        odds: of the critic and of the writer.
        written: scenes of the pool that a writer wrote.
    """

    def __init__(
        self,
        pool: "Pool",
        settings: SynthesisSettings,
        readers: int,
        odds: Odds,
        written: Collection[str],
    ) -> None:
        self._pool = pool
        self._settings = settings
        self._readers = readers
        self._odds = odds
        self._of_writers = set(written)
        self._retired: set[str] = set()
        self._fresh: defaultdict[str, list[Place]] = defaultdict(list)
        """What is written in this rehearsal, by dimension."""
        self.calls = 0
        """Of the writer."""
        self.drafts = 0
        """Scenes it was asked for."""
        self.proposals = 0
        """Pairs that were put to the critic."""

    def play(self, profile: Profile, wanted: Mapping[Facet, int], used: Collection[str]) -> None:
        """One reader's part.

        Args:
            profile: of the reader.
            wanted: pairs by facet.
            used: scenes they were given before.
        """
        left, taken = dict(wanted), set(used)
        for number in range(1, self._settings.rounds + 1):
            quotas = self._settings.model_copy(update={"quotas": left})
            cells, _ = plan_round(profile, (), quotas, number)
            if not cells:
                return
            self._round(profile, cells, number, left, taken)

    def _round(
        self,
        profile: Profile,
        cells: list[Cell],
        number: int,
        left: dict[Facet, int],
        taken: set[str],
    ) -> None:
        """Supply the cells and judge their pairs, again where a written scene is refused."""
        for _ in range(1 + self._settings.revisions):
            refused: set[str] = set()
            short: list[Cell] = []
            for cell in cells:
                ids = self._supplied(profile, cell, number, taken)
                lost = {i for i in ids if not self._passes(profile.reader_id, i)}
                self.proposals += len(ids)
                left[cell["facet"]] -= len(ids) - len(lost)
                refused |= lost
                if still := cell["wanted"] - len(ids) + len(lost):
                    short.append({**cell, "wanted": still})
            cells, unfit = short, refused & self._of_writers
            self._retired |= unfit
            if not unfit:
                return

    def _passes(self, reader_id: str, scene: str) -> bool:
        odds = self._odds
        by_writer = scene in self._of_writers
        return _happens(odds.accepted_of_written if by_writer else odds.accepted, reader_id, scene)

    def _supplied(self, profile: Profile, cell: Cell, number: int, taken: set[str]) -> list[str]:
        """Scenes for a cell, of the pool or written.

        The writer is sent back where too little got in, and not where nothing did: as duplicates
        are sent back, and flawed drafts are not.
        """
        pool, settings, wanted = self._pool, self._settings, cell["wanted"]
        gone = taken | self._retired
        ids = supply.drawn(pool, profile, cell, gone, self._readers, settings)
        for name in scene_dimensions(profile, cell["dimension"], settings.min_departure):
            suited = (p for p in self._fresh[name] if p.suits(profile.country, profile.age))
            ids += [place.scenario_id for place in suited if place.scenario_id not in gone]
        for _ in range(1 + settings.rewrites):
            if len(ids) >= wanted:
                break
            admitted = self._write(profile, {**cell, "wanted": wanted - len(ids)}, number)
            if not admitted:
                break
            ids += admitted
        taken.update(ids[:wanted])
        return ids[:wanted]

    def _write(self, profile: Profile, cell: Cell, number: int) -> list[str]:
        """Ids of the scenes that one call of the writer gets into the pool."""
        state: State = {**first_state("", profile.reader_id), "round": number}
        commission = supply.order(self._pool, state, cell, profile, self._settings)
        name = cell["dimension"]
        ids = [f"{name} {self.drafts + n}" for n in range(commission.count)]
        self.calls += 1
        self.drafts += commission.count
        admitted = [i for i in ids if _happens(self._odds.admitted, i)]
        self._fresh[name] += [Place(i, commission.country, AGES, "community") for i in admitted]
        self._of_writers.update(admitted)
        return admitted


def _happens(odds: float, *what: str) -> bool:
    """A throw of the dice that comes out the same for the same event."""
    return random.Random(digest(*what)).random() < odds
