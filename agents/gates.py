"""Deterministic gates: small pure functions that say why a text must not pass, or nothing."""

import re
from collections.abc import Iterable

from agents.records import Dimension, SensitiveTopic

_WORDS = re.compile(r"[\w'’-]+")
_INSTRUCTION = re.compile(
    r"\b(ignore|disregard|forget|override)\b.{0,40}\b(instruction|prompt|rule|direction)s?\b"
    r"|\b(system prompt|you are now|act as an? (ai|assistant)|output only)\b"
    r"|</?(system|user)>|<\|\w+\|>",
    re.IGNORECASE | re.DOTALL,
)
_NATION = re.compile(
    r"\b(as an?|being an?|typical|like all|we)\s+(true\s+|real\s+)?"
    r"(american|brazilian|japanese|indian|german|mexican|nigerian|chinese|french|british)s?\b",
    re.IGNORECASE,
)
_SENSITIVE: dict[SensitiveTopic, str] = {
    "religion": "church|mosque|temple|synagogue|priest|pastor|imam|rabbi|monk|nun|pray|prays|prayed"
    "|prayers?|praying|gods?|bible|quran|koran|gospel|faith|religions?|religious|worship|sermon"
    "|ramadan|hindus?|muslims?|christians?|jewish|buddhists?|catholics?|atheists?",
    "politics": "elections?|elected|votes?|voted|voting|voters?|ballots?|parliament|senators?"
    "|presidents?|politics|political|politicians?|refugees?|immigrants?|migrants?",
    "sexuality": "gay|lesbian|bisexual|transgender|homosexual|sexual|sexuality",
    "health": "disease|cancer|diabet\\w*|depression|therapists?|psychiatr\\w*|medication"
    "|diagnos\\w*|pregnan\\w*|illness|surgery|chemotherapy|disorder",
    "ethnicity": "ethnic\\w*|racial|race relations|caste|tribe|tribal|skin colou?r",
    "union": "trade unions?|union rep\\w*|strikers?|on strike|picket line",
}
_SENSITIVE_WORDS = {
    topic: re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE) for topic, pattern in _SENSITIVE.items()
}
LEAST_DISTINCT_SHARE = 0.45
"""A text of 12 words or more with a smaller share of distinct words runs in circles."""


def words(text: str) -> list[str]:
    """The words of a text, folded to lower case."""
    return _WORDS.findall(text.casefold())


def unequal_length(first: str, second: str, max_ratio: float) -> str | None:
    """Length must not give the preferred answer away."""
    longer, shorter = max(len(first), len(second)), max(1, min(len(first), len(second)))
    ratio = longer / shorter
    if ratio <= max_ratio:
        return None
    return f"one answer is {ratio:.1f} times as long as the other (at most {max_ratio:g})"


def copied_words(text: str, sources: Iterable[str], most: int) -> str | None:
    """An answer must not repeat what the prompt says of the reader."""
    spans = {tuple(run) for run in _runs(words(text), most + 1)}
    for source in sources:
        for run in _runs(words(source), most + 1):
            if tuple(run) in spans:
                return f"copies from the profile: '{' '.join(run)}'"
    return None


def names_dimension(text: str, dimension: Dimension) -> str | None:
    """An answer that names its dimension says which is the wanted one."""
    name = dimension.name.replace("_", " ")
    told = " " + " ".join(words(text)).replace("-", " ")
    return f"names its dimension: '{name}'" if f" {name}" in told else None


def asserts_nation(text: str) -> str | None:
    """Nothing is said of a person on the ground of a nation."""
    match = _NATION.search(text)
    return f"speaks for a nation: '{match.group()}'" if match else None


def holds_instructions(text: str) -> str | None:
    """Text that tries to instruct a model is data all the same, and never evidence."""
    match = _INSTRUCTION.search(text)
    return f"holds instructions to a model: '{match.group()[:60]}'" if match else None


def touches_sensitive(text: str, allowed: SensitiveTopic | None = None) -> str | None:
    """What the law guards is not for everyday scenes, save in the section marked for it."""
    for topic, pattern in _SENSITIVE_WORDS.items():
        match = pattern.search(text) if topic != allowed else None
        if match:
            return f"touches on {topic}: '{match.group()}'"
    return None


def runs_in_circles(text: str) -> str | None:
    """Small models repeat themselves."""
    found = words(text)
    if len(found) < 12 or len(set(found)) / len(found) >= LEAST_DISTINCT_SHARE:
        return None
    return "repeats itself"


def no_question(situation: str) -> str | None:
    """A situation asks for an answer."""
    return None if situation.rstrip().endswith(("?", "？")) else "the situation asks nothing"


def _runs(tokens: list[str], length: int) -> Iterable[list[str]]:
    return (tokens[i : i + length] for i in range(len(tokens) - length + 1))
