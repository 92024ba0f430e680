"""Deterministic gates: small pure functions that say why a text must not pass, or nothing."""

import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from importlib.resources import files

from agents.languages import language_of
from agents.records import Dimension, SensitiveTopic

_WORDS = re.compile(r"[\w'’-]+")


def _any_of(patterns: Iterable[str], flags: int = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(patterns)})\b", flags)


_LEXICON = tomllib.loads(files("agents").joinpath("lexicon.toml").read_text("utf-8"))
_PEOPLE = f"(?:{'|'.join(_LEXICON['people'])})"
_INSTRUCTION = re.compile("|".join(_LEXICON["instruction"]), re.IGNORECASE | re.DOTALL)
_JUDGE = _any_of(_LEXICON["judge"])
_GRADE = _any_of(_LEXICON["grade"])
_ANY_PEOPLE = re.compile(rf"\b{_PEOPLE}", re.IGNORECASE)
_OF_PEOPLES = _any_of(p.replace("{people}", _PEOPLE) for p in _LEXICON["nation"] if "{people}" in p)
"""Looked for only where any people is named, which is sooner found out."""
_NATION = _any_of(p for p in _LEXICON["nation"] if "{people}" not in p)
_FROM_A_PLACE = _any_of(_LEXICON["from_a_place"], 0)
_UNSAFE = _any_of(_LEXICON["unsafe"])
_SENSITIVE: dict[SensitiveTopic, re.Pattern[str]] = {
    topic: _any_of(patterns) for topic, patterns in _LEXICON["sensitive"].items()
}
_JOINERS = "\u200c\u200d"
LEAST_DISTINCT_SHARE = 0.45
"""A text of 12 words or more with a smaller share of distinct words runs in circles."""
LEAST_TOLD_APART = 8
"""Words below which a language is a guess."""
MOST_KEPT = 20_000
"""Answers of a gate that are kept: readers share scenes, so that the same texts come again."""
MOST_SPLIT = 2_000
"""Texts whose words are kept: portraits and statements come with every pair."""
LEAST_COPIED = 6
"""Words of a source below which such a share is chance."""


@lru_cache(MOST_SPLIT)
def words(text: str) -> tuple[str, ...]:
    """The words of a text, folded to lower case."""
    return tuple(_WORDS.findall(text.casefold()))


def says_nothing(text: str) -> str | None:
    """An answer is there, and no control character hides in it."""
    if not any(c.isalnum() for c in text):
        return "is empty"
    hidden = next((c for c in text if not (c.isprintable() or c.isspace() or c in _JOINERS)), None)
    return f"holds the unprintable character {hidden!r}" if hidden else None


def unequal_length(first: str, second: str, max_ratio: float) -> str | None:
    """Length must not give the preferred answer away."""
    longer, shorter = max(len(first), len(second)), max(1, min(len(first), len(second)))
    ratio = longer / shorter
    if ratio <= max_ratio:
        return None
    return f"one answer is {ratio:.1f} times as long as the other (at most {max_ratio:g})"


@lru_cache(MOST_KEPT)
def nearly_identical(first: str, second: str, max_similarity: float) -> str | None:
    """Two answers in nearly the same words are no choice.

    The similarity is Ratcliff and Obershelp's over words: twice the words in common, in their
    order, by all words of both.
    """
    share = SequenceMatcher(None, words(first), words(second), autojunk=False).ratio()
    return f"both answers share {share:.0%} of their words" if share >= max_similarity else None


def other_language(text: str, situation: str) -> str | None:
    """An answer is in the language of its situation."""
    few = min(len(words(text)), len(words(situation))) < LEAST_TOLD_APART
    if few and _is_latin(text + situation):
        return None
    told, wanted = language_of(text), language_of(situation)
    return f"is in {told!r}, its situation in {wanted!r}" if told != wanted else None


def copied_words(text: str, sources: Iterable[str], most: int) -> str | None:
    """An answer must not repeat what the prompt says of the reader."""
    said = words(text)
    for source in sources:
        wanted = words(source)
        if _in_common(said, wanted) > most and (copied := _shared_run(said, wanted, most + 1)):
            return f"copies from the profile: '{copied}'"
    return None


def copied_nearly(text: str, sources: Iterable[str], most_share: float) -> str | None:
    """Nor repeat it with a word dropped or changed here and there.

    Args:
        text: the answer.
        sources: what must not be repeated, each of LEAST_COPIED words or more.
        most_share: of a source's words, those in runs of two or more in their order.
    """
    said = words(text)
    for source in sources:
        wanted = words(source)
        most = most_share * len(wanted)
        if len(wanted) < LEAST_COPIED or _in_common(said, wanted) <= most:
            continue
        if _repeated(said, wanted) > most:
            return f"nearly copies from the profile: '{' '.join(wanted)}'"
    return None


def names_dimension(text: str, dimension: Dimension) -> str | None:
    """An answer that names its dimension says which is the wanted one."""
    name = dimension.name.replace("_", " ")
    told = " " + " ".join(words(text)).replace("-", " ")
    return f"names its dimension: '{name}'" if f" {name}" in told else None


@lru_cache(MOST_KEPT)
def asserts_nation(text: str) -> str | None:
    """Nothing is said of a person on the ground of a nation."""
    of_peoples = _ANY_PEOPLE.search(text) and _OF_PEOPLES.search(text)
    match = of_peoples or _NATION.search(text) or _FROM_A_PLACE.search(text)
    return f"speaks for a nation: '{match.group()}'" if match else None


@lru_cache(MOST_KEPT)
def holds_instructions(text: str) -> str | None:
    """Text that tries to instruct a model is data all the same, and never evidence."""
    match = _INSTRUCTION.search(text)
    return f"holds instructions to a model: '{match.group()[:60]}'" if match else None


@lru_cache(MOST_KEPT)
def courts_judges(text: str) -> str | None:
    """Nor does a text of everyday life speak to whoever grades it."""
    judge = _JUDGE.search(text)
    found = judge and _GRADE.search(text[: judge.start()] + text[judge.end() :])
    return f"speaks to a judge: '{judge.group()}', '{found.group()}'" if judge and found else None


def touches_sensitive(text: str, allowed: Collection[SensitiveTopic] = ()) -> str | None:
    """What the law guards is not for everyday scenes, save where it is marked or agreed to."""
    found = _sensitive_words(text)
    return next((f"touches on {t}: '{word}'" for t, word in found if t not in allowed), None)


@lru_cache(MOST_KEPT)
def is_unsafe(text: str) -> str | None:
    """No answer hurts, threatens, defrauds or endangers anybody."""
    match = _UNSAFE.search(text)
    return f"is unsafe: '{match.group()[:60]}'" if match else None


@lru_cache(MOST_KEPT)
def runs_in_circles(text: str) -> str | None:
    """Small models repeat themselves."""
    found = words(text)
    if len(found) < 12 or len(set(found)) / len(found) >= LEAST_DISTINCT_SHARE:
        return None
    return "repeats itself"


def no_question(situation: str) -> str | None:
    """A situation asks for an answer."""
    return None if situation.rstrip().endswith(("?", "？")) else "the situation asks nothing"


@lru_cache(MOST_KEPT)
def _sensitive_words(text: str) -> tuple[tuple[SensitiveTopic, str], ...]:
    """Every sensitive topic of a text, with the first word that tells of it."""
    found: list[tuple[SensitiveTopic, str]] = []
    for topic, pattern in _SENSITIVE.items():
        if match := pattern.search(text):
            found.append((topic, match.group()))
    return tuple(found)


def _in_common(said: Sequence[str], wanted: Sequence[str]) -> int:
    """How many of the wanted words are said, in any order."""
    vocabulary = set(said)
    return sum(word in vocabulary for word in wanted)


def _shared_run(said: Sequence[str], wanted: Sequence[str], length: int) -> str | None:
    """The first run of so many wanted words that is said, too."""
    spans = {tuple(run) for run in _runs(said, length)}
    shared = (run for run in _runs(wanted, length) if tuple(run) in spans)
    return next((" ".join(run) for run in shared), None)


def _repeated(said: Sequence[str], wanted: Sequence[str]) -> int:
    """How many of the wanted words are said in their order, in runs of two or more."""
    blocks = SequenceMatcher(None, wanted, said, autojunk=False).get_matching_blocks()
    return sum(b.size for b in blocks if b.size > 1)


def _is_latin(text: str) -> bool:
    return all("LATIN" in unicodedata.name(c, "") for c in text if c.isalpha())


def _runs(tokens: Sequence[str], length: int) -> Iterable[Sequence[str]]:
    return (tokens[i : i + length] for i in range(len(tokens) - length + 1))
