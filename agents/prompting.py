"""Prompts are documents: `prompts/NAME.md`, rendered strictly into messages."""

import re
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import cast

from agents.records import Message, Role

_HEADING = re.compile(r"^# (system|user|assistant)\n", re.MULTILINE)


def render(name: str, **fields: str) -> tuple[Message, ...]:
    """Fill `prompts/NAME.md`, whose `# system` and `# user` headings begin the messages.

    Raises:
        ValueError: a field of the document is missing, or a given one is not used in it.
    """
    text = _document(name)
    wanted = {field for _, field, _, _ in Formatter().parse(text) if field is not None}
    if wanted != fields.keys():
        raise ValueError(f"prompts/{name}.md wants {sorted(wanted)}, was given {sorted(fields)}")
    parts = _HEADING.split(text)[1:]
    return tuple(
        Message(role=cast(Role, role), content=body.format(**fields).strip())
        for role, body in zip(parts[::2], parts[1::2], strict=True)
    )


def quoted(text: str, limit: int = 2000) -> str:
    """A person's or a publisher's words as data: one line, fenced, cut at `limit` characters."""
    line = " ".join(text.split())[:limit]
    return "«" + line.replace("«", "'").replace("»", "'") + "»"


@cache
def _document(name: str) -> str:
    return files("agents").joinpath("prompts", f"{name}.md").read_text("utf-8")
