"""What betrays a reader in any text: their id, and runs of words that are theirs; erases nothing.

Words are compared without case, punctuation, white space and JSON's escapes.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

WORDS = 6
"""So many words in a row are somebody's own, where they are also `LETTERS` long."""
LETTERS = 20
SHORTEST = 5
"""Shorter ids, words and numbers stand in texts by chance."""
FORGOTTEN = "(forgotten)"
"""Stands where a reader was named who asked to be forgotten."""
Naming = Literal["anywhere", "as a word", "as a field"]
"""How an id is looked for: in any bytes; in text, as a whole word; or as `reader_id` alone."""

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
"""A word, or one sign of a script without spaces."""
_ASCII_WORD = re.compile(r"[a-z0-9]+")
"""The same for ASCII, in a quarter of the time."""
_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|[nrtbf\"/])")


@dataclass(frozen=True)
class Marks:
    """The id of a reader, how to look for it, and runs of words that only this reader wrote."""

    reader_id: str
    naming: Naming
    phrases: frozenset[str]

    def holds(self, text: str) -> bool:
        """Whether a text names the reader or quotes them."""
        return self.names(text.encode()) or bool(self.quoted(text))

    def names(self, text: bytes, torn: bool = False) -> bool:
        """Whether a text names the reader.

        Args:
            text: UTF-8.
            torn: whether the text may be cut off amid a word, so that its edges say nothing.
        """
        if not any(form in text for form in self._forms):
            return False
        word = self._inner_word if torn else self._word
        return (word if self.naming == "as a word" else self.name).search(text) is not None

    def quoted(self, text: str) -> frozenset[str]:
        """Those of the phrases that stand in a text."""
        words = _words(text)
        if self._heads.isdisjoint(zip(words, words[1:], words[2:], strict=False)):
            return frozenset()
        return self.phrases.intersection(_runs(words))

    def without(self, texts: Iterable[str]) -> "Marks":
        """The same marks without the phrases that stand in these texts, too."""
        others = {phrase for text in texts for phrase in self.quoted(text)}
        return Marks(self.reader_id, self.naming, self.phrases - others)

    @cached_property
    def name(self) -> re.Pattern[bytes]:
        """Finds the id among any bytes: as such, or as the value of `reader_id` alone."""
        if self.naming == "anywhere":
            return re.compile(self._escaped)
        quote = rb'\\*"'
        value = quote + rb"(?:" + self._escaped + rb")" + quote
        in_json = rb"reader_ids?" + quote + rb"\s*:\s*(?:\[[^\]]*)?" + value
        return re.compile(in_json + rb"|reader_id" + re.escape(_msgpack(self.reader_id)))

    @cached_property
    def _forms(self) -> frozenset[bytes]:
        """The id in UTF-8, and as JSON spells it."""
        name = self.reader_id
        spelt = (name, json.dumps(name)[1:-1], json.dumps(name, ensure_ascii=False)[1:-1])
        return frozenset(form.encode() for form in spelt)

    @property
    def _escaped(self) -> bytes:
        return b"|".join(re.escape(form) for form in sorted(self._forms))

    @cached_property
    def _word(self) -> re.Pattern[bytes]:
        before = rb"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrtbf]))"
        return re.compile(before + rb"(?:" + self._escaped + rb")(?![A-Za-z0-9_-])")

    @cached_property
    def _inner_word(self) -> re.Pattern[bytes]:
        return re.compile(rb"[^A-Za-z0-9_-](?:" + self._escaped + rb")[^A-Za-z0-9_-]")

    @cached_property
    def _heads(self) -> frozenset[tuple[str, ...]]:
        return frozenset(tuple(phrase.split(" ", 3)[:3]) for phrase in self.phrases)


def phrases(texts: Iterable[str]) -> frozenset[str]:
    """Every run of words of these texts that is long enough to be somebody's own."""
    return frozenset(phrase for text in texts for phrase in _runs(_words(text)))


def stands_out(reader_id: str) -> bool:
    """Whether an id is no plain word or number, so that it stands nowhere by chance."""
    return len(reader_id) >= SHORTEST and not reader_id.isalpha() and not reader_id.isdecimal()


def _runs(words: list[str]) -> Iterator[str]:
    for start in range(len(words) - WORDS + 1):
        end = start + WORDS
        letters = sum(map(len, words[start:end]))
        while letters < LETTERS and end < len(words):
            letters += len(words[end])
            end += 1
        if letters >= LETTERS:
            yield " ".join(words[start:end])


def _words(text: str) -> list[str]:
    if "\\" in text:
        text = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else " ", text)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return (_ASCII_WORD if text.isascii() else _WORD).findall(text.lower())


def _msgpack(text: str) -> bytes:
    """A string as LangGraph's checkpoints hold it (msgpack: its length, then UTF-8)."""
    data = text.encode()
    if len(data) < 32:
        return bytes([0xA0 | len(data)]) + data
    return (
        b"\xd9" + bytes([len(data)]) if len(data) < 256 else b"\xda" + len(data).to_bytes(2)
    ) + data
