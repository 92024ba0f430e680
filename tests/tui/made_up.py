"""Made-up runs, books and a scripted writer for the screens' tests; nothing here asserts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date

from textual.pilot import Pilot

from agents.records import (
    Attribute,
    Book,
    Contribution,
    Evidence,
    Interest,
    Message,
    Pair,
    PairStatus,
    Profile,
    Reader,
    Review,
    Verdict,
)
from graph.store import Store
from tui.app import GravityApp

RUN = "sample-01"
MakeApp = Callable[..., GravityApp]
HOSTILE = "[red]x[/red] \x1b[2Jwiped\x07 \u202egnp"
STATUSES: tuple[PairStatus, ...] = ("review", "accepted", "review", "rejected", "review")
SITUATIONS = (
    "A neighbour asks you to keep the keys of the shared workshop for a month while she is away.",
    "Your book circle must choose between a guided reading and an open evening without a plan.",
    "The library offers you a shift at the desk or a quiet hour among the old maps.",
    "A cousin wants to try a new recipe for the feast that your family has cooked for years.",
    "Two lectures begin at the same hour: one tells how bridges are built, one asks why.",
)
CHOSEN = (
    "I would take the keys and write a list of who comes, so that nothing is lost and everyone"
    " is welcome."
)
REJECTED = (
    "I would rather leave the keys with the office; my evenings are my own and I like them"
    " unplanned."
)
SYSTEM = (
    "You answer as this reader would.\n- reads most gladly: crime and suspense\n"
    "- keeps promises and plans ahead\n- returns gladly to proven favourites"
)


def make_pair(number: int, status: PairStatus, run_id: str = RUN, **changes: object) -> Pair:
    """Pair number `number` of a run."""
    pair = Pair(
        id=f"p{number:05}",
        run_id=run_id,
        reader_id=f"reader-{number % 3 + 1}",
        scenario_id=f"s{number}",
        facet="value",
        dimension="benevolence",
        pole="high",
        prompt=(
            Message(role="system", content=SYSTEM),
            Message(role="user", content=SITUATIONS[number % len(SITUATIONS)]),
        ),
        chosen=CHOSEN,
        rejected=REJECTED,
        verdicts=(
            Verdict(judge="critic", probability=0.58, reason="both fit; the first a little more"),
        ),
        status=status,
        reason="below the bar of 0.7" if status == "review" else "",
    )
    return pair.model_copy(update=changes)


def make_reader(number: int) -> Reader:
    """Reader number `number`, with two reviews."""
    text = "I planned the whole weekend around this book, and it kept every promise it made."
    return Reader(
        id=f"reader-{number}",
        age=30 + number,
        gender="woman",
        country="BR",
        locale="pt-BR",
        reviews=(
            Review(id="v1", book_id="b01", rating=5, text=text),
            Review(id="v2", book_id="b02", rating=2, text="Too loose for me."),
        ),
    )


def make_profile(reader: Reader) -> Profile:
    """A profile with evidence in the first review."""
    text = reader.reviews[0].text
    spoken = Evidence(
        review_id="v1",
        start=0,
        end=text.index(","),
        statement_id="conscientiousness-h1",
        pole="high",
    )
    return Profile(
        reader_id=reader.id,
        age=reader.age,
        gender=reader.gender,
        country=reader.country,
        locale=reader.locale,
        interests=(
            Interest(cluster="mystery", label="Crime and suspense", share=0.46, source="stated"),
            Interest(
                cluster="literary",
                label="Literary and contemporary",
                share=0.31,
                source="inferred_behaviour",
            ),
            Interest(cluster="lives", label="History", share=0.12, source="inferred_behaviour"),
        ),
        attributes=(
            Attribute(
                facet="personality",
                dimension="conscientiousness",
                score=63.2,
                sd=5.1,
                source="inferred_text",
                sources=(
                    Contribution(source="inferred_text", method="embedded", share=0.8),
                    Contribution(source="inferred_behaviour", method="liked books", share=0.2),
                ),
                evidence=(spoken,),
                expires_on=date(2099, 1, 1),
            ),
            Attribute(
                facet="personality",
                dimension="orderliness",
                score=58.0,
                sd=9.0,
                source="inferred_text",
            ),
            Attribute(
                facet="personality",
                dimension="openness",
                score=41.0,
                sd=8.4,
                source="questionnaire",
            ),
            Attribute(
                facet="value", dimension="benevolence", score=55.0, sd=9.6, source="inferred_text"
            ),
            Attribute(
                facet="belief",
                dimension="religious_values",
                score=54.0,
                sd=9.6,
                source="inferred_text",
                sensitive="religion",
            ),
            Attribute(
                facet="belief",
                dimension="individualism",
                score=48.9,
                sd=9.9,
                source="national_prior",
            ),
            Attribute(facet="interest", dimension="pace", score=50.0, sd=10.0, source="default"),
        ),
    )


def fill(store: Store) -> None:
    """One run of three readers and five pairs; the third reader has no profile."""
    readers = [make_reader(number) for number in (1, 2, 3)]
    store.begin_run(RUN, "scripted", {}, readers, 4, ["line 7: no id", "line 9: not JSON"])
    for reader in readers[:2]:
        store.keep_profile(RUN, make_profile(reader))
    store.put_pairs([make_pair(number, status) for number, status in enumerate(STATUSES)])
    store.end_reader(RUN, "reader-1", "waiting")
    store.end_reader(RUN, "reader-2", "finished", {"belief": "the pool is thin at both poles"})
    store.end_reader(RUN, "reader-3", "failed", error="The endpoint stays silent past 60 s.")
    store.set_run_status(RUN, "waiting")


class ScriptedWriter:
    """Says its lines word by word; waits for `go` before each where there is one."""

    def __init__(self, lines: dict[str, str], go: asyncio.Semaphore | None = None) -> None:
        self._lines = lines
        self._go = go

    @property
    def models(self) -> Sequence[str]:
        return list(self._lines)

    async def stream(self, messages: Sequence[Message], model: str) -> AsyncIterator[str]:
        for word in self._lines[model].split(" "):
            if self._go:
                await self._go.acquire()
            yield word + " "

    async def close(self) -> None: ...


LINES = {
    "base": "A gripping tale of a keeper and a prize from the Sorbonne in 1871.",
    "tuned:gravity": "Thirty-one years of crossings, written down with care: a book for whoever "
    "keeps a promise.",
}
BOOKS = (
    Book(
        id="b01",
        title="The Ferry Keeper's Ledger",
        author="Ana Lídia Fontoura",
        genres=("Literary Fiction", "Family Saga"),
        description="For thirty-one years Raimundo Sales has written down every passenger who "
        "crossed the Tapajós on his ferry: names, cargo, weather, who was crying.",
    ),
    Book(id="b02", title="Nine Windows", author="T. Bankesi", genres=("Short Stories",)),
)


async def settled(pilot: Pilot[None], *keys: str, wait: bool = True) -> None:
    """Press `keys`, each when all work of the one before is done."""
    for key in ("", *keys):
        if key:
            await pilot.press(key)
        for _ in range(3):
            await pilot.pause()
            if wait:
                await pilot.app.workers.wait_for_complete()
        await pilot.pause()


def picture(app: GravityApp) -> str:
    """What stands on the screen, line by line."""
    return "\n".join(
        "".join(segment.text for segment in line) for line in app.screen._compositor.render_strips()
    )
