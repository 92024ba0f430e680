"""The seed statements: enough, balanced, plain, unmistakable, and marked where sensitive."""

import json
import re
from collections import Counter
from collections.abc import Callable
from importlib.resources import files

import numpy as np

from agents.embeddings import Embedder
from agents.frameworks.catalogue import dimensions, frameworks
from agents.frameworks.framework import Framework
from agents.records import Dimension, SeedStatement

MOST_WORDS = 18
READING_LEVEL = 9
"""As the Automated Readability Index counts US school years; the ninth is for ages 14 to 15."""
NEAREST = 0.9
SENSITIVE_WORDS = re.compile(
    r"\b(gods?|pray\w*|churche?s?|mosques?|temples?|bible|holy|souls?|religio\w*|faiths?"
    r"|vot(e|es|ed|ing)|elect\w*|parliaments?|politic\w*|governments?|democra\w*|borders?"
    r"|immigra\w*|migrants?|gay|lesbian|homosexual\w*|sex\w*|abortions?"
    r"|illness\w*|diseases?|depress\w*|therap\w*|unions?|ethnic\w*|race|races)\b"
)
"""What betrays a topic the law guards; `party` is not among them, being mostly a feast here."""
HARMLESS = ("enter a race",)

AXES = list(dimensions().values())
STATEMENTS = [(axis, s) for axis in AXES for s in axis.statements]


def words(text: str) -> list[str]:
    return re.findall(r"[\w'’]+", text.lower())


def readability(text: str) -> float:
    """4.71·characters per word + 0.5·words per sentence - 21.43 (Senter and Smith 1967)."""
    found = words(text)
    sentences = max(1, len(re.findall(r"[.!?]+", text)))
    return 4.71 * sum(map(len, found)) / len(found) + 0.5 * len(found) / sentences - 21.43


def least(framework: Framework, axis: Dimension) -> int:
    """The statements that a dimension needs."""
    if framework.name == "wvs":
        return 6
    if framework.name == "ocean" and axis.parent:
        return 2
    return 4


def test_every_dimension_has_enough_statements():
    for framework in frameworks().values():
        for axis in framework.dimensions:
            assert len(axis.statements) >= least(framework, axis), axis.name


def flaws(is_good: Callable[[Dimension, SeedStatement], object]) -> dict[str, str]:
    """The statements that break a rule, by id."""
    return {s.id: s.text for axis, s in STATEMENTS if not is_good(axis, s)}


def test_poles_are_balanced_and_told_of():
    for axis in AXES:
        counts = Counter(s.pole for s in axis.statements)
        assert counts["high"] == counts["low"], axis.name
        for phrase in (axis.high, axis.low):
            assert 3 <= len(words(phrase)) <= 14, phrase
            assert not phrase.endswith("."), phrase


def test_every_statement_speaks_in_the_first_person():
    first = {"i", "i'm", "i'd", "i've", "i'll", "me", "my", "mine", "we", "us", "our"}
    assert flaws(lambda _axis, s: first & {*words(s.text)}) == {}


def test_every_statement_is_one_short_sentence():
    assert flaws(lambda _axis, s: len(words(s.text)) <= MOST_WORDS) == {}
    assert flaws(lambda _axis, s: re.fullmatch(r"[^.!?]+[.!?]", s.text)) == {}


def test_every_statement_is_plain_to_a_fourteen_year_old():
    assert flaws(lambda _axis, s: readability(s.text) <= READING_LEVEL) == {}


def test_no_statement_names_its_dimension():
    def silent(axis: Dimension, statement: SeedStatement) -> bool:
        names = re.split(r"[\s_:-]+", f"{axis.label} {axis.name}".lower())
        marks = {name[:5] for name in names if len(name) >= 5}
        return not marks & {word[:5] for word in words(statement.text) if len(word) >= 5}

    assert flaws(silent) == {}


def test_statements_on_what_the_law_guards_are_marked():
    def marked_or_harmless(axis: Dimension, statement: SeedStatement) -> bool:
        text = statement.text.lower()
        for phrase in HARMLESS:
            text = text.replace(phrase, "")
        return bool(axis.sensitive or statement.sensitive or not SENSITIVE_WORDS.search(text))

    assert flaws(marked_or_harmless) == {}


def test_dimensions_of_religion_and_politics_are_marked():
    marked = {a.name: a.sensitive for a in AXES if a.sensitive}
    assert marked == {
        "liberalism": "politics",
        "depression": "health",
        "migration": "politics",
        "religious_values": "religion",
        "political_participation": "politics",
        "political_regimes": "politics",
    }


def test_no_statement_stands_twice():
    texts = Counter(" ".join(words(s.text)) for _, s in STATEMENTS)
    assert [text for text, times in texts.items() if times > 1] == []


def test_the_sample_readers_answer_statements_that_exist():
    sample = files("graph").joinpath("sample", "readers.jsonl").read_text("utf-8")
    answered = {i for line in sample.splitlines() for i in json.loads(line)["questionnaire"]}
    assert answered
    assert answered <= {s.id for _, s in STATEMENTS}


def test_no_statement_could_as_well_stand_in_another_dimension(minilm: Embedder) -> None:
    vectors = minilm.embed([s.text for _, s in STATEMENTS])
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors.T
    names = np.array([axis.name for axis, _ in STATEMENTS])
    cosines[names[:, None] == names[None, :]] = 0
    one, other = np.unravel_index(np.argmax(cosines), cosines.shape)
    assert cosines.max() < NEAREST, (STATEMENTS[one][1], STATEMENTS[other][1])
