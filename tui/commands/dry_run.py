"""`gravity synth --dry-run`: tells what a run, or the rest of one, would cost; begins nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from tui.commands.options import print_json

if TYPE_CHECKING:
    from agents.records import Book, Reader
    from graph.forecasting.forecast import Forecast
    from tui.wiring import Services


def tell_cost(
    services: "Services",
    readers: "Sequence[Reader]",
    books: "Mapping[str, Book]",
    run_id: str,
    source: Mapping[str, Any],
    as_json: bool,
) -> None:
    """Print the forecast of a run over these readers.

    Args:
        services: under the settings that the run would go by.
        readers: of a new run, or those with whom to go on.
        books: the catalogue by id.
        run_id: of the run, begun or not.
        source: where its readers and books are.
        as_json: for scripts.
    """
    from tui.widgets.forecast_text import has_prices, notes, told_forecast

    forecast = asyncio.run(_forecast(services, readers, books, run_id))
    spent = services.store.spend(run_id).cost_usd
    told = [*_likenesses(services, source, run_id), *notes(forecast, services.settings, spent)]
    if as_json:
        each = {"calls_per_pair": forecast.calls_per_pair, "notes": told}
        print_json({**forecast.__dict__, **each})
        return
    typer.echo(told_forecast(forecast, told, has_prices(services.settings)))


async def _forecast(
    services: "Services",
    readers: "Sequence[Reader]",
    books: "Mapping[str, Book]",
    run_id: str,
) -> "Forecast":
    from graph.forecasting.forecast import forecast
    from tui.progress import counting

    typer.echo("loading models …", err=True)
    with counting("readers looked at") as tell, services.pool() as pool:
        return await forecast(services, pool, readers, books, run_id, tell)


def _likenesses(services: "Services", source: Mapping[str, Any], run_id: str) -> list[str]:
    """That other runs were made from the same source under the same settings."""
    from graph.fingerprint import changes

    store, now = services.store, services.settings.kept()
    told: list[str] = []
    for run in store.runs():
        then = store.run_settings(run.id)
        if run.id != run_id and then["source"] == source and not changes(then["settings"], now):
            told.append(f"{run.id} was the same ({run.status}): {run.spend}.")
    return told
