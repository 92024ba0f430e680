"""Fixtures for the screens' tests: a store with a made-up run, and apps over it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from agents.describer import Describer
from agents.records import Book
from graph.store import Store
from tests.tui.made_up import BOOKS, LINES, MakeApp, ScriptedWriter, fill
from tui.app import GravityApp


@pytest.fixture(autouse=True)
def _fixed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures must not depend on the hour or the place."""
    monkeypatch.setattr("graph.store.time", SimpleNamespace(time=lambda: 1_795_000_000.0))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def empty_store(tmp_path: Path):
    store = Store(tmp_path / "runs.db")
    yield store
    store.close()


@pytest.fixture
def store(empty_store: Store) -> Store:
    fill(empty_store)
    return empty_store


@pytest.fixture
def make_app() -> MakeApp:
    def make(
        store: Store,
        lines: dict[str, str] | None = None,
        go: asyncio.Semaphore | None = None,
        books: Sequence[Book] = BOOKS,
        theme: str = "dark",
        renew: Callable[[str], object] = lambda reader_id: None,
    ) -> GravityApp:
        return GravityApp(
            store,
            lambda: books,
            lambda: Describer(ScriptedWriter(lines or LINES, go)),
            renew,
            reviewer="ada",
            theme=theme,  # pyright: ignore[reportArgumentType]
        )

    return make
