"""`gravity frameworks`: the psychological and cultural frameworks, and where countries stand."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tui.commands.options import JsonFlag, print_json

if TYPE_CHECKING:
    from agents.frameworks.framework import Framework

app = typer.Typer(help="Show the frameworks that profiles rest on.", no_args_is_help=True)


@app.command("list")
def list_frameworks(as_json: JsonFlag = False) -> None:
    """All frameworks with what they hold, their edition and their licence."""
    from agents.frameworks.catalogue import frameworks
    from tui.widgets.framework_text import summary

    if as_json:
        print_json([_counted(framework) for framework in frameworks().values()])
        return
    typer.echo("\n\n".join(summary(framework) for framework in frameworks().values()))


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `frameworks list` has it.")],
    country: Annotated[
        str | None, typer.Option(help="Where it stands: a code or name, e.g. BR, BRA or Brazil.")
    ] = None,
    dimension: Annotated[str | None, typer.Option(help="Only this one, with its parts.")] = None,
    statements: Annotated[
        bool, typer.Option("--statements", help="The seed statements of each pole too.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Print a framework: its dimensions and poles, its circle or map, or one country's place."""
    from agents.errors import ConfigError
    from agents.frameworks.catalogue import framework
    from tui.widgets.framework_text import told

    if country and dimension:
        raise ConfigError("--country and --dimension exclude each other.", "Give one of them.")
    found = framework(name)
    if country:
        _show_country(found, country, as_json)
    elif dimension:
        _show_dimension(found, dimension, as_json)
    elif as_json:
        print_json(found)
    else:
        typer.echo(told(found, statements))


def _show_dimension(framework: "Framework", name: str, as_json: bool) -> None:
    from agents.frameworks.catalogue import dimension
    from tui.widgets.framework_text import told_dimension

    axis = dimension(name)
    if axis.framework != framework.name:
        from agents.errors import NotFoundError

        raise NotFoundError(
            f"{name!r} is a dimension of {axis.framework}, not of {framework.name}.",
            f"gravity frameworks show {axis.framework} --dimension {name}",
        )
    if as_json:
        print_json(axis)
        return
    typer.echo(told_dimension(framework, axis))


def _show_country(framework: "Framework", given: str, as_json: bool) -> None:
    from agents.errors import NotFoundError
    from agents.frameworks.catalogue import frameworks
    from graph.countries import alpha2, nearest
    from tui.widgets.framework_text import told_country

    code = alpha2(given)
    if code is None:
        near = nearest(given)
        raise NotFoundError(
            f"There is no country {given!r}.", f"Did you mean {near}?" if near else ""
        )
    if not framework.knows_countries:
        others = ", ".join(name for name, f in frameworks().items() if f.knows_countries)
        raise NotFoundError(f"{framework.name} ships no figures by country.", f"Try: {others}.")
    if as_json:
        print_json(_figures(framework, code))
        return
    typer.echo(told_country(framework, code))


def _figures(framework: "Framework", code: str) -> dict[str, Any]:
    from agents.frameworks.framework import CAUTION
    from agents.frameworks.hofstede import Hofstede
    from agents.frameworks.wvs import WorldValues

    found: dict[str, Any] = {"country": code, "caution": CAUTION}
    if isinstance(framework, WorldValues):
        return found | {"edition": framework.edition, "point": framework.point(code)}
    if framework.national:
        row = framework.country(code)
        scored = {a.code: a.name for a in framework.dimensions if a.code}
        scores = {scored[c]: score for c, score in row.scores.items()} if row else {}
        found |= {"edition": framework.national.edition, "scores": scores}
    if isinstance(framework, Hofstede):
        found["regions"] = framework.regions_of(code)
    return found


def _counted(framework: "Framework") -> dict[str, Any]:
    sensitive = [a.name for a in framework.dimensions if a.sensitive]
    return {
        "name": framework.name,
        "label": framework.label,
        "what": framework.what,
        "facet": framework.facet,
        "dimensions": len(framework.dimensions),
        "statements": sum(len(a.statements) for a in framework.dimensions),
        "sensitive_dimensions": sensitive,
        "edition": framework.edition,
        "source": framework.source,
        "licence": framework.licence,
    }
