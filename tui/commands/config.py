"""`gravity config`: what is configured, and what could be."""

import typer

from tui.commands.options import JsonFlag, invocation, print_json

app = typer.Typer(help="Show the configuration and its schema.", no_args_is_help=True)


@app.command()
def show(context: typer.Context, as_json: JsonFlag = False) -> None:
    """The configuration in force: defaults < gravity.toml < GRAVITY__… < flags."""
    settings = invocation(context).services().settings
    values = settings.model_dump(mode="json")
    if as_json:
        print_json(values)
        return
    for name, value in values.items():
        if not isinstance(value, dict):
            typer.echo(f"{name} = {_toml(value)}")
    for name, section in values.items():
        if isinstance(section, dict):
            typer.echo(f"\n[{name}]")
            for key, value in section.items():
                unset = "# " if value is None else ""
                typer.echo(f"{unset}{key} = {_toml(value)}")


@app.command()
def schema() -> None:
    """The JSON Schema of gravity.toml."""
    from tui.settings import Settings

    print_json(Settings.model_json_schema())


def _toml(value: object) -> str:
    import json

    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }"
    return '""' if value is None else json.dumps(value, ensure_ascii=False)
