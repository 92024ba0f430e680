"""The machine for LangGraph's own tools, which find it by langgraph.json; it runs no server."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from graph.books import SAMPLE, read_books
from graph.build import Machine, build_graph, unmanned
from graph.claims import claim
from graph.readers import read_readers
from tui.profiling import known_source
from tui.settings import load_settings
from tui.wiring import Services

if TYPE_CHECKING:
    from langgraph_sdk.runtime import ServerRuntime

    from agents.records import Book

RUN = "dev"
"""What these tools work on: `{"run_id": "dev", "reader_id": "us-maya"}`."""


@asynccontextmanager
async def synthesis_graph(runtime: "ServerRuntime[None]") -> AsyncGenerator[Machine]:
    """The machine, at work on the run `dev` under the settings found here; unmanned to be shown.

    The run is begun over the sample readers, unless `gravity synth --run dev` has begun it over
    others. Its pairs and traces are kept as those of any run, the threads by LangGraph's server.

    Raises:
        LockedError: another process works on the run.
    """
    if runtime.execution_runtime is None:
        yield unmanned()
        return
    services = Services(load_settings(None))
    store = services.store
    with claim(services.home, RUN):
        if not store.has_run(RUN):
            readers = read_readers(SAMPLE, services.settings.readers, lambda _notice: None)
            services.begin_run(RUN, readers, {"readers": SAMPLE, "books": SAMPLE})
        try:
            async with services.crew(_books(services), RUN) as crew:
                yield build_graph(crew)
        finally:
            store.settle(RUN)
            store.close()


def _books(services: Services) -> "Mapping[str, Book]":
    source = known_source(services.store.run_settings(RUN)["source"].get("books"))
    return read_books(source, lambda _notice: None) if source else {}
