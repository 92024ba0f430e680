"""Makes foreign text harmless for a terminal: what a reader, book or model wrote, as it reads."""

import re

_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links and the like
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # colours, cursor, erasing
    r"|\x1b[ -/]*[0-~]?"
)
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def plain(text: str) -> str:
    """`text` without escape sequences, control characters and turns of writing direction.

    Line ends stay; markup stays as the characters it is made of.
    """
    text = re.sub(r"\r\n?|[\u2028\u2029]", "\n", _ESCAPES.sub("", text)).replace("\t", " ")
    return _INVISIBLE.sub("", text)


def plain_line(text: str, limit: int = 400) -> str:
    """The same on one line, cut at `limit` characters."""
    return " ".join(plain(text[: 2 * limit]).split())[:limit]
