"""Gathers pairs from a plain script: settings in code, typed events, the account at the end.

python examples/plain_script.py [READERS BOOKS]: two files, or nothing for the bundled sample.
The same again takes up a run that was stopped; there is nothing left to do for a finished one.
"""

import asyncio
import sys

from agents.errors import GravityError
from agents.settings import ChatSettings
from graph.books import rated_books, read_books
from graph.events import PairDecided, ReaderEnded, RunBegan, RunEnded
from graph.readers import read_readers
from graph.settings import RunSettings, SynthesisSettings
from graph.synthesis import synthesise

SETTINGS = RunSettings(
    chat=ChatSettings(model="scripted"),  # or a model's name, and base_url="http://…/v1"
    synthesis=SynthesisSettings(quotas={"interest": 1, "value": 2, "personality": 2}),
)


async def gather(readers_file: str = "sample", books_file: str = "sample") -> None:
    """Work on the run `plain-script` and tell how it goes."""
    readers = read_readers(readers_file, SETTINGS.readers, print, limit=3)
    books = read_books(books_file, print, rated_books(readers))
    accepted = 0
    async for event in synthesise(SETTINGS, readers, books, "plain-script"):
        match event:
            case RunBegan():
                verb = "going on with" if event.resumed else "beginning"
                print(f"{verb} {event.run_id}: {event.requested} pairs of {event.readers} readers")
            case PairDecided(status="accepted"):
                accepted += 1
            case ReaderEnded():
                print(f"  {event.reader_id} {event.status}, {accepted} pairs accepted so far")
                for facet, reason in event.starved.items():
                    print(f"    {facet}: {reason}")
            case RunEnded(summary):
                print(f"{summary.id} {summary.status}. {summary.accounting}\n{summary.spend}")
            case _:
                pass


if __name__ == "__main__":
    try:
        asyncio.run(gather(*sys.argv[1:]))
    except GravityError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
