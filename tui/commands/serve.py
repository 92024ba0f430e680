"""`gravity serve`: the base and tuned models behind an OpenAI-compatible API on loopback."""

from typing import Annotated

import typer

from tui.commands.options import invocation


def serve(
    context: typer.Context,
    adapter: Annotated[
        str | None, typer.Option(help="The tuned model; else the one trained last.")
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="Needs a token where it is not loopback.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="0 takes a free one.")] = None,
) -> None:
    """Serve `/v1/chat/completions` and `/v1/models` until Ctrl-C."""
    services = invocation(context).services(serving__host=host, serving__port=port)
    from serving.server import serve as serve_engine

    engine = services.engine(adapter or services.newest_adapter())
    names = ", ".join(engine.models)
    serve_engine(
        engine, services.settings.serving, lambda address: typer.echo(f"{address} serves {names}")
    )
