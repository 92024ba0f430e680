"""Tells the language of a text with py3langid; it translates nothing."""

from functools import lru_cache

import py3langid


def load_languages() -> None:
    """Read the model, which takes a second and else happens at the first text."""
    language_of("")


@lru_cache(10_000)
def language_of(text: str) -> str:
    """The ISO 639-1 code of the likeliest language; short texts are told less surely."""
    code, _score = py3langid.classify(text)
    return str(code)
