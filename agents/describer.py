"""Asks a model to describe a book for a reader, and checks that the text invents nothing."""

import hashlib
import json
import re
from collections.abc import AsyncIterable, Sequence
from typing import Protocol

from agents.portrait import reasons, tastes
from agents.prompting import quoted, render
from agents.records import Book, Description, Message, Profile

LANGUAGES = {
    "pt": "Portuguese", "ja": "Japanese", "hi": "Hindi", "es": "Spanish", "de": "German",
    "fr": "French", "it": "Italian",
}  # fmt: skip
_SENTENCE_END = re.compile(r"[.!?。！？][\"”')\]]*(?=\s|$)|[。！？]")
_NAME = re.compile(
    r"(?<![.!?…:\"“«]\s)(?<!^)\b(?!I['’])[A-ZÀ-Þ][\wÀ-ÿ'’-]{2,}|\d[\d.,]*", re.MULTILINE
)


class TextWriter(Protocol):
    """Whatever streams the reply of one of several `models`."""

    @property
    def models(self) -> Sequence[str]:
        """The names that `stream` answers to, the untuned one first."""
        ...

    def stream(self, messages: Sequence[Message], model: str) -> AsyncIterable[str]:
        """The reply piece by piece."""
        ...

    async def close(self) -> None:
        """Let go of connections and memory."""
        ...


class Describer:
    """Describes books for readers through any `TextWriter`."""

    def __init__(self, writer: TextWriter, in_readers_language: bool = False) -> None:
        self.writer = writer
        self._in_readers_language = in_readers_language

    def request(self, profile: Profile, book: Book) -> tuple[Message, ...]:
        """The messages that ask for `book` described for the reader of `profile`."""
        language = LANGUAGES.get((profile.locale or "en").split("-")[0])
        wanted = f", in {language}" if language and self._in_readers_language else ""
        return render(
            "describe",
            tastes=tastes(profile),
            title=quoted(book.title, 200),
            author=quoted(book.author, 200),
            genres=quoted(", ".join(book.genres), 200),
            description=quoted(book.description, 1500),
            language=wanted,
        )

    def fingerprint(self, profile: Profile, book: Book, made_by: str) -> str:
        """The same for the same request to the same maker: 64 hexadecimal digits."""
        messages = [m.model_dump() for m in self.request(profile, book)]
        return hashlib.sha256(json.dumps([made_by, messages]).encode()).hexdigest()

    def stream(self, profile: Profile, book: Book, model: str) -> AsyncIterable[str]:
        """The description piece by piece."""
        return self.writer.stream(self.request(profile, book), model)

    async def describe(self, profile: Profile, book: Book, model: str) -> Description:
        """The whole description with its reasons."""
        pieces = [piece async for piece in self.stream(profile, book, model)]
        return self.checked(profile, book, model, "".join(pieces))

    def checked(self, profile: Profile, book: Book, model: str, text: str) -> Description:
        """`text` as a record that says whether it is faithful to the book, and why it is so.

        A last sentence that was cut off is left out.
        """
        text = _whole_sentences(text)
        invented = invented_names(text, book)
        doubts = (f"not in the book's entry: {', '.join(invented)}",) if invented else ()
        return Description(
            reader_id=profile.reader_id,
            book_id=book.id,
            method=model,
            text=text,
            faithful=not invented,
            why=(*reasons(profile), *doubts),
        )


def _whole_sentences(text: str) -> str:
    """`text` up to its last full stop, where there is one."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text.strip())]
    return text.strip()[: ends[-1]] if ends else text.strip()


def invented_names(text: str, book: Book) -> list[str]:
    """Names and numbers in `text` that the book record does not hold, in order, once each.

    A lint, not proof: capitalised words inside a sentence and numbers. Claims in plain words
    pass it.
    """
    known = " ".join([book.title, book.author, *book.genres, book.description]).casefold()
    known_words = set(re.findall(r"[\w'’-]+", known))
    found: dict[str, None] = {}
    for match in _NAME.findall(text):
        word = match.rstrip(".,'’").removesuffix("'s").removesuffix("’s")
        if word and word.casefold() not in known_words and word.casefold() not in known:
            found[word] = None
    return list(found)
