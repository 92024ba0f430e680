"""What several commands share: their options, and the way from flags to services."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tui.wiring import Services

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or `last`.")]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", help="embedded, scripted, or a model's name at the endpoint."),
]
PairsArgument = Annotated[
    str, typer.Argument(metavar="RUN|FILE", help="A run, or exported JSONL or Parquet.")
]
BaseUrlOption = Annotated[
    str | None, typer.Option("--base-url", help="An OpenAI-compatible endpoint.")
]
ReadersOption = Annotated[
    str | None,
    typer.Option("--readers", help="JSONL, CSV or Parquet of readers or reviews, or `sample`."),
]
BooksOption = Annotated[
    str | None,
    typer.Option("--books", help="Their books, likewise; `sample` beside sample readers."),
]

NEEDS_MENDING = 1
"""The exit code of a check that fails."""

_UNSAFE = re.compile(r"[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Invocation:
    """The options given before the command's name."""

    file: Path | None
    flags: dict[str, Any]

    def services(self, **flags: Any) -> "Services":
        """The services under these flags (`section__field`); those that are None say nothing."""
        from tui.settings import load_settings
        from tui.wiring import Services

        return Services(load_settings(self.file, self.flags | given(flags)))


def given(flags: dict[str, Any]) -> dict[str, Any]:
    """The flags that say something, by `section.field`."""
    return {k.replace("__", "."): v for k, v in flags.items() if v is not None}


def invocation(context: typer.Context) -> Invocation:
    """What the callback kept."""
    kept = context.find_root().obj
    assert isinstance(kept, Invocation)
    return kept


def pairs_file(services: "Services", pairs: str) -> tuple[Path, str]:
    """A file of pairs and what to name what is made of it; those of a run are exported first."""
    from graph.export import export_pairs

    file = Path(pairs)
    if file.is_file():
        return file, file.stem
    run_id = services.store.run(pairs).id
    folder = services.home / "exports" / run_id
    export_pairs(services.store, run_id, folder)
    return folder / "pairs.jsonl", run_id


def print_json(value: Any) -> None:
    """`value` on stdout; records, dataclasses and paths too."""
    typer.echo(escaped(json.dumps(value, indent=2, ensure_ascii=False, default=_plain)))


def escaped(text: str) -> str:
    """JSON that says the same and holds nothing that a terminal obeys.

    JSON escapes most control characters by itself; here the others.
    """
    return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    return str(value)


def default_books(readers: str | None, books: str | None) -> str | None:
    """Sample readers come with the sample books."""
    return "sample" if books is None and readers == "sample" else books
