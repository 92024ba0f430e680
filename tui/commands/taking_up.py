"""Settles under which settings a known run goes on: its own, or those that are in force now."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tui.commands.options import Invocation

if TYPE_CHECKING:
    from graph.fingerprint import Change
    from graph.store import Store
    from tui.wiring import Services

ChangedOption = Annotated[
    str | None,
    typer.Option(
        "--settings",
        metavar="KEPT|NEW",
        help="Where the configuration has changed since the run began: go on with its own"
        " settings, or with the new ones. Without it you are asked.",
    ),
]


def settled(
    asked: Invocation,
    flags: Mapping[str, Any],
    run_id: str,
    changed: str | None,
    keep: bool = True,
) -> "Services":
    """The services for going on with a run.

    What the file, the environment or flags say now and pairs do not depend on (such as how many
    calls are in flight) counts from now on; for the rest the person decides. The run keeps what
    is settled, unless `keep` is false.

    Raises:
        LockedError: another process works on the run.
        ConfigError: the settings have changed and nobody can be asked, or another version of
            gravity began the run.
    """
    from agents.errors import ConfigError
    from graph.claims import claim
    from graph.fingerprint import changes, depends_on
    from tui.settings import compose, known_keys, said
    from tui.wiring import Services

    if changed not in (None, "kept", "new"):
        raise typer.BadParameter("kept or new.", param_hint="--settings")
    services = asked.services(**{key.replace(".", "__"): value for key, value in flags.items()})
    store = services.store
    kept = store.run_settings(run_id)["settings"]
    known = known_keys()
    for section, fields in kept.items():
        if strange := [key for field in fields if (key := f"{section}.{field}") not in known]:
            raise ConfigError(
                f"{run_id} was begun by another version of gravity, which knew {strange[0]}.",
                "Resume it with that one, or begin another with --new.",
            )
    now = services.settings.kept()
    values = {name: dict(fields) for name, fields in kept.items()}
    new = {name: dict(fields) for name, fields in kept.items()}
    for key in said(asked.file, {**asked.flags, **flags}):
        section, _, field = key.partition(".")
        if field in now.get(section, {}):
            new.setdefault(section, {})[field] = now[section][field]
            if not depends_on(key):
                values.setdefault(section, {})[field] = now[section][field]
    differing = changes(kept, new)
    if differing and _chosen(run_id, differing, changed) == "new":
        values = new
    if keep and values != kept:
        with claim(services.home, run_id):
            store.change_settings(run_id, values)
    chosen = {f"{name}.{key}": v for name, fields in values.items() for key, v in fields.items()}
    return Services(compose({}, {"home": services.home, **chosen}))


def require_method(store: "Store", run_id: str, method: str | None) -> None:
    """Make sure that a known run is one of this method, where one is named.

    Raises:
        ConfigError: it is not.
    """
    from agents.errors import ConfigError

    begun_with = store.run(run_id).method
    if method not in (None, begun_with):
        raise ConfigError(f"{run_id} was begun with --method {begun_with}.", "Name another --run.")


def _chosen(run_id: str, differing: "list[Change]", changed: str | None) -> str:
    from agents.errors import ConfigError
    from tui.widgets.plain import plain_line

    told = "\n".join(f"  {plain_line(str(change))}" for change in differing)
    typer.echo(f"The configuration has changed since {run_id} began:\n{told}", err=True)
    if changed:
        return changed
    if not sys.stdin.isatty():
        raise ConfigError(
            f"{run_id}: the configuration has changed since it began.",
            "Say --settings kept to go on as it began, or --settings new.",
        )
    answer = typer.prompt(
        "Go on with the run's own settings (k) or with the new ones (n)?", err=True
    )
    if answer.strip().lower()[:1] not in ("k", "n"):
        raise ConfigError(f"{run_id} stays as it is.", "Answer k or n, or say --settings.")
    return "new" if answer.strip().lower()[0] == "n" else "kept"
