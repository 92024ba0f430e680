# %% [markdown]
"""Decides on pairs from Python, cell by cell: gather, look, approve or reject, go on, export.

Open it as a notebook (VS Code, Spyder, Jupytext), or run it as it is.
"""

# %% What is wanted
import asyncio
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console
from rich.table import Table

from agents.settings import ChatSettings
from graph.books import read_books
from graph.events import PairsWaiting
from graph.export import export_pairs
from graph.readers import read_readers
from graph.settings import RunSettings, SynthesisSettings
from graph.store import Store
from graph.synthesis import synthesise

RUN, ME = "notebook", "eve"
settings = RunSettings(
    chat=ChatSettings(model="scripted"),
    synthesis=SynthesisSettings(review="all", quotas={"value": 2, "personality": 2}),
)
readers = read_readers("sample", settings.readers, print, limit=2)
books = read_books("sample", print)
store = Store(settings.home / "gravity.db")


# %% Gather until the run ends, or waits for a person
async def gather() -> None:
    """Work on the run as far as that goes without a person."""
    async for event in synthesise(settings, readers, books, RUN):
        if isinstance(event, PairsWaiting):
            print(f"{event.reader_id}: {len(event.pair_ids)} pairs wait")


def go_on() -> None:
    """The same in a thread, since a notebook has a loop of its own at work."""
    ThreadPoolExecutor(1).submit(asyncio.run, gather()).result()
    print(store.accounting(RUN))


go_on()

# %% Look at what waits
table = Table("pair", "reader", "dimension", "right", "chosen", title="Waiting for a person")
for pair_id in store.waiting(RUN, ME):
    pair = store.pair(pair_id)
    right = f"{pair.probability:.2f}" if pair.probability is not None else "?"
    table.add_row(pair.id[:8], pair.reader_id, pair.dimension, right, pair.chosen[:60])
Console(width=120).print(table)

# %% Decide; what was rejected is replaced when the run goes on, and the new pairs wait in turn
while waiting := store.waiting(RUN, ME):
    for pair in map(store.pair, waiting):
        if pair.probability is None or pair.probability < 0.9:
            store.decide(pair.id, "reject", ME, "too doubtful for me")
        else:
            store.decide(pair.id, "approve", ME)
    go_on()

# %% Who decided what
for decision in store.trail(RUN):
    print(decision.pair_id[:8], decision.action, decision.reviewer, decision.reason)

# %% Export for training
folder = settings.home / "exports" / RUN
print(export_pairs(store, RUN, folder), "pairs in", folder)
