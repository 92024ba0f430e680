"""Takes secrets, and where wanted what is personal, out of what is kept or sent."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from graph.failures import Failure
from graph.settings import RunSettings, Texts
from graph.tracing.traces import PROMPT, REPLY, Span

SECRET, EMAIL, PHONE, WORDS = "[secret]", "[e-mail]", "[phone]", "[words]"
LEAST_SECRET = 8
"""Characters of a known secret; what is shorter is a placeholder such as `none`."""
LEAST_DIGITS = 9
"""Of a number that is taken for a telephone's; years and prices have fewer."""
MOST_OF_ERROR = 500
"""Characters of an error that are kept."""
_SENT_ALONG = re.compile(r"(?<=Bearer )[\w.~+/=-]{8,}|(?<=://)[^\s/@]+:[^\s/@]+(?=@)")
"""With a request, or in an address."""
_KEY = re.compile(
    r"\b(?:sk|pk|hf|gh[opsu]|github_pat|glpat|xox[abprs]|lsv2_[ps]t)[-_][\w-]{16,}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bAIza[\w-]{30,}|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    r"|(?<![\w/-])(?=[\w-]*[0-9])(?=[\w-]*[A-Za-z])[\w-]{40,}"
)
SHORTEST_KEY = 19
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.-])[+(]?\d[\d ().-]{6,}\d(?!\w)")
_QUOTED = re.compile(r"«[^»]*»")
_CITED = re.compile(r'("quote"\s*:\s*)"(?:[^"\\]|\\.)*"')
"""Where an agent repeats a reader's words in its reply."""
_TEXTS = (PROMPT, REPLY)


class Redactor:
    """Knows secrets by their look, and those of `secrets` by heart."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known = sorted((s for s in secrets if len(s) >= LEAST_SECRET), key=len, reverse=True)

    def span(self, span: Span, texts: Texts) -> Span:
        """The span without secrets; and `redacted` without what is personal, or `none` at all."""
        told = span.attributes
        if told and texts == "none":
            told = {name: value for name, value in told.items() if name not in _TEXTS}
        elif told:
            told = {n: self._turns(v, texts) if n in _TEXTS else v for n, v in told.items()}
        error = span.error and self._text(span.error, texts)[:MOST_OF_ERROR]
        return replace(span, attributes=told, error=error)

    def sent(self, span: Span, texts: Texts) -> Span:
        """The same for others' eyes: a reader's id that is an e-mail address goes as well."""
        sent = self.span(span, texts)
        if texts == "full" or not sent.reader_id:
            return sent
        reader_id = _EMAIL.sub(EMAIL, sent.reader_id)
        name = reader_id if sent.kind == "reader" else sent.name
        return replace(sent, reader_id=reader_id, name=name)

    def failure(self, failure: Failure, texts: Texts) -> Failure:
        """The same for a failure, which quotes the reply."""
        raw = "" if texts == "none" else self._text(failure.raw, texts)
        return replace(failure, problem=self._text(failure.problem, texts), raw=raw)

    def _turns(self, turns: list[dict[str, Any]], texts: Texts) -> list[dict[str, Any]]:
        return [
            turn
            | {"parts": [p | {"content": self._text(p["content"], texts)} for p in turn["parts"]]}
            for turn in turns
        ]

    def _text(self, text: str, texts: Texts) -> str:
        """Also without halves of characters, which a model may write and nothing else takes."""
        text = text.encode("utf-8", "backslashreplace").decode()
        for secret in self._known:
            text = text.replace(secret, SECRET)
        if "://" in text or "Bearer " in text:
            text = _SENT_ALONG.sub(SECRET, text)
        for word in {w for w in text.split() if len(w) >= SHORTEST_KEY}:
            text = text.replace(word, _KEY.sub(SECRET, word))
        return text if texts == "full" else _impersonal(text)


def redactor_of(settings: RunSettings, headers: Mapping[str, str] | None = None) -> Redactor:
    """A redactor that knows the key of the chat model, and what else is in `headers`."""
    key = os.environ.get(settings.chat.api_key_env, "")
    credentials = (value.rpartition(" ")[2] for value in (headers or {}).values())
    return Redactor([key, *credentials])


def _impersonal(text: str) -> str:
    """`text` without addresses, numbers, and the words that were put to a model as a reader's."""
    text = _CITED.sub(rf'\1"{WORDS}"', _QUOTED.sub(f"«{WORDS}»", text))
    for word in {w for w in text.split() if "@" in w}:
        text = text.replace(word, _EMAIL.sub(EMAIL, word))
    return _PHONE.sub(_phone, text)


def _phone(found: re.Match[str]) -> str:
    digits = sum(character.isdigit() for character in found[0])
    return PHONE if digits >= LEAST_DIGITS else found[0]
