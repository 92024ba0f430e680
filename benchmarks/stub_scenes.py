"""What the stub endpoint writes: scenes whose every word ships, in an order that makes no sense.

A text is a list of phrases: two or three words that stand side by side in the shipped scenes, and
none of which is common. So no two scenes share more words than chance has it, not even those that
every English sentence shares. An answer begins with a word of its pole, by which the stub's judge
knows it again. With the scripted embedder the deduplicator admits 98 % of 10,000 such scenes to one
cell (90 % where it takes doubt for sameness); with MiniLM, to which nonsense is all alike, 37 % of
1,000. The gates refuse 2 in 1,000 of the pairs, most of them for unequal lengths.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

from agents import gates
from agents.frameworks.catalogue import dimension, shipped_scenarios

COMMON = 0.03
"""Share of shipped texts that a word must stand in to be common."""
PHRASES_OF_SITUATION, PHRASES_OF_ANSWER = 8, 5


def situation(dice: random.Random) -> str:
    """A situation of about 120 characters, at least 60 and at most 200, that ends in a question."""
    return f"{_listed(dice.choices(_phrases(), k=PHRASES_OF_SITUATION))}, and you?"


def answer(dice: random.Random, pole: str, opposite: str) -> str:
    """An answer of about 80 characters, at least 50 and at most 150, for a person who `pole`.

    Args:
        dice: what it is made by.
        pole: the verb phrase of its pole.
        opposite: that of the other pole.
    """
    sign = dice.choice(_signs(pole, opposite))
    return f"{_listed([sign, *dice.choices(_phrases(), k=PHRASES_OF_ANSWER)])}."


def stands_for(told: str, pole: str, opposite: str) -> bool:
    """Whether `answer` was made for this pole, or a shipped scene has it so."""
    first = gates.words(told)[:1]
    shipped = _shipped().get(told)
    return pole == shipped if shipped else bool(first) and first[0] in _signs(pole, opposite)


def prose(dice: random.Random, least: int, most: int) -> str:
    """A text of at least `least` and at most `most` characters, rather more than fewer."""
    length, text = dice.randint(max(least, most // 2), most), ""
    while len(text) < length:
        text += f"{', ' * bool(text)}{dice.choice(_phrases())}"
    text = text[:length]
    return text[:-1] + "." if text.endswith((" ", ",")) else text


@cache
def _shipped() -> dict[str, str]:
    """The pole that each shipped answer stands for."""
    told: dict[str, str] = {}
    for scene in shipped_scenarios():
        axis = dimension(scene.dimension)
        told |= {scene.high: axis.high, scene.low: axis.low}
    return told


@cache
def _signs(pole: str, opposite: str) -> list[str]:
    """The uncommon words of a pole that are not of the other one; one word at least."""
    theirs = {*gates.words(opposite), *_common()}
    return [word for word in gates.words(pole) if word not in theirs] or gates.words(pole)[-1:]


@cache
def _texts() -> tuple[str, ...]:
    scenes = (s for s in shipped_scenarios() if s.culture is None)
    calm = [s for s in scenes if dimension(s.dimension).sensitive is None]
    return tuple(text for s in calm for text in (s.situation, s.high, s.low))


@cache
def _common() -> frozenset[str]:
    texts = _texts()
    stands_in = Counter(word for text in texts for word in set(gates.words(text)))
    return frozenset(w for w, count in stands_in.items() if count > COMMON * len(texts))


@cache
def _phrases() -> tuple[str, ...]:
    found = dict.fromkeys(phrase for text in _texts() for phrase in _runs(text))
    return tuple(p for p in found if not gates.touches_sensitive(p) and not gates.is_unsafe(p))


def _runs(text: str) -> Iterator[str]:
    """Two or three uncommon words side by side, with none before or behind them."""
    for clause in re.split(r"[^\w'’ -]", text):
        run: list[str] = []
        for word in (*clause.split(), ""):
            if re.fullmatch(r"[a-z]{3,}(?:-[a-z]+)*", word) and word not in _common():
                run.append(word)
                continue
            if 2 <= len(run) <= 3:
                yield " ".join(run)
            run = []


def _listed(phrases: list[str]) -> str:
    text = ", ".join(phrases)
    return text[:1].upper() + text[1:]
