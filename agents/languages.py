"""Tells the language of a text with py3langid; it translates nothing."""

import py3langid


def language_of(text: str) -> str:
    """The ISO 639-1 code of the likeliest language; short texts are told less surely."""
    code, _score = py3langid.classify(text)
    return str(code)
