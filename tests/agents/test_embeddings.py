"""What was embedded lately is not embedded again; the vectors are those of the embedder beneath."""

from collections.abc import Sequence

import numpy as np

from agents.embeddings import RememberingEmbedder, Vectors
from agents.scripted import ScriptedEmbedder


class Counting(ScriptedEmbedder):
    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return super().embed(texts)


def test_each_text_is_embedded_once_and_stands_in_its_row():
    beneath = Counting()
    remembering = RememberingEmbedder(beneath)
    assert remembering.name == beneath.name
    first = remembering.embed(["a tram", "a boat", "a tram"])
    assert np.array_equal(first, ScriptedEmbedder().embed(["a tram", "a boat", "a tram"]))
    again = remembering.embed(["a boat", "a mule"])
    assert np.array_equal(again, ScriptedEmbedder().embed(["a boat", "a mule"]))
    assert beneath.asked == ["a tram", "a boat", "a mule"]


def test_of_too_many_those_asked_for_now_are_kept():
    beneath = Counting()
    remembering = RememberingEmbedder(beneath, most=3)
    remembering.embed(["a", "b", "c"])
    remembering.embed(["c", "d"])
    beneath.asked.clear()
    remembering.embed(["c", "d"])
    assert beneath.asked == []
    remembering.embed(["a"])
    assert beneath.asked == ["a"]


def test_no_texts_have_no_rows():
    assert RememberingEmbedder(ScriptedEmbedder()).embed([]).shape[0] == 0
