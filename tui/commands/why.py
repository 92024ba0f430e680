"""`gravity why`: where a pair comes from, back to the reader's own words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tui.commands.options import JsonFlag, invocation, print_json
from tui.widgets.plain import plain_line

if TYPE_CHECKING:
    from agents.records import Scenario
    from tui.wiring import Services


def why(
    context: typer.Context,
    pair: Annotated[
        str, typer.Argument(metavar="PAIR", help="A pair's id, or as much as no other begins with.")
    ],
    as_json: JsonFlag = False,
) -> None:
    """Scenario, profile, evidence, judges, people, run and adapters of one pair."""
    from graph.tracing.lineage import lineage_of, pair_called
    from tui.widgets.lineage_text import lineage_tree

    services = invocation(context).services()
    store = services.store
    asked = pair_called(store, pair)
    trained = {card.name: card.pair_ids for card in services.adapters.list()}
    found = lineage_of(store, asked, lambda ids: _in_pool(services, asked.run_id, ids), trained)
    if as_json:
        print_json(found)
        return
    from rich.console import Console

    Console(highlight=False).print(lineage_tree(found))


def _in_pool(services: "Services", run_id: str, ids: Sequence[str]) -> "list[Scenario] | None":
    """Of these scenarios those in the pool, by the run's own embedder; nothing if it is shut."""
    from agents.errors import ConfigError, LockedError, WeightsError
    from tui.settings import compose
    from tui.wiring import Services

    kept = services.store.run_settings(run_id).get("settings", {})
    told = {f"{s}.{key}": v for s in ("chat", "embedding") for key, v in kept.get(s, {}).items()}
    try:
        with Services(compose({}, told | {"home": services.home})).pool() as pool:
            return pool.get(ids)
    except (ConfigError, LockedError, WeightsError) as error:
        typer.echo(f"The scenario cannot be looked up: {plain_line(str(error), 1000)}", err=True)
        return None
