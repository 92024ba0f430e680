"""The command `gravity`: global options, the list of commands, and errors in one line each.

Exit codes: 0 done · 1 something is to be mended (doctor) · 2 wrong input, option or name ·
3 the model · 4 disk or database · 5 training · 130 stopped by Ctrl-C.
"""

import errno
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from agents.errors import GravityError, InputError, StorageError
from tui.commands import (
    config,
    critic,
    describe,
    doctor,
    forget,
    frameworks,
    models,
    pairs,
    pool,
    profile,
    review,
    runs,
    screens,
    serve,
    synth,
    trace,
    train,
    why,
)
from tui.commands.options import Invocation

STOPPED = 130

app = typer.Typer(
    name="gravity",
    help="Personalise language models without human annotation: readers in, preference pairs, a"
    " tuned model and personalised book descriptions out.",
    epilog="Exit codes: 0 done, 1 something is to be mended, 2 wrong input or option, 3 the model,"
    " 4 disk or database, 5 training, 130 stopped.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("doctor")(doctor.doctor)
app.add_typer(profile.app, name="profile")
app.add_typer(frameworks.app, name="frameworks")
app.command("forget")(forget.forget)
app.command("synth")(synth.synth)
app.add_typer(pool.app, name="pool")
app.add_typer(pairs.app, name="pairs")
app.add_typer(review.app, name="review")
app.add_typer(critic.app, name="critic")
app.command("train")(train.train)
app.command("describe")(describe.describe)
app.command("serve")(serve.serve)
app.add_typer(runs.app, name="runs")
app.add_typer(trace.app, name="trace")
app.command("why")(why.why)
app.command("tui")(screens.screens)
app.add_typer(models.app, name="models")
app.add_typer(config.app, name="config")


@app.callback()
def gravity(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Option("--config", help="A gravity.toml; else the one here, if any.")
    ] = None,
    home: Annotated[
        Path | None, typer.Option("--home", help="Folder of runs, pool and adapters.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any setting: critic.accept_from=0.6."),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log to stderr.")] = False,
) -> None:
    """Keep the global options for the command."""
    from tui.settings import parse_flag

    logging.basicConfig(
        level=logging.INFO if verbose else logging.ERROR,
        format="%(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    flags = dict(parse_flag(flag) for flag in settings or [])
    context.obj = Invocation(file, flags | ({"home": home} if home else {}))


def main() -> None:
    """Run `gravity`; a user's mistake ends in one line, never in a traceback."""
    try:
        _require_text(sys.argv[1:])
        app()
    except GravityError as error:
        _fail(error)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _fail(StorageError("The disk is full.", "Free some space, then run the same again."))
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        sys.exit(STOPPED)


def _require_text(words: Sequence[str]) -> None:
    """Bytes that are no UTF-8 come as halves of characters, which no file and no database takes."""
    for word in words:
        if any("\ud800" <= character <= "\udfff" for character in word):
            raise InputError(f"{word!a} is not UTF-8 text.", "Set a UTF-8 locale.")


def _fail(error: GravityError) -> None:
    from tui.widgets.plain import plain_line

    typer.echo(f"gravity: {plain_line(str(error), 1000)}", err=True)
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
