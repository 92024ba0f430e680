"""An embedder that knows the seed statements and examples by heart, for tests; no test itself."""

import json
import random
from collections.abc import Sequence
from importlib.resources import files

import numpy as np

from agents.embeddings import Vectors
from agents.frameworks.catalogue import dimensions
from agents.scripted import ScriptedEmbedder

LENGTH = 48
NOISE = 0.3


class ByHeart:
    """Texts that speak for one pole are near each other; all it does not know is one crowd."""

    name = "by heart"

    def __init__(self) -> None:
        of = {s.id: (axis.name, s.pole) for axis in dimensions().values() for s in axis.statements}
        text = files("agents.stances").joinpath("examples.jsonl").read_text("utf-8")
        rows = [json.loads(line) for line in text.splitlines()]
        said = {row["text"].replace("{title}", "this book"): row["statement"] for row in rows}
        stated = {s.text: s.id for axis in dimensions().values() for s in axis.statements}
        self._kinds = {text: of.get(i) for text, i in {**said, **stated}.items()}
        self.heard: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, one row a text: shape (len(texts), LENGTH), float32."""
        self.heard += texts
        noise = ScriptedEmbedder().embed(texts)[:, :LENGTH]
        rows = np.stack([_direction(str(self._kinds.get(t))) for t in texts]) + NOISE * noise
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _direction(kind: str) -> Vectors:
    dice = random.Random(kind)
    row = np.array([dice.gauss(0, 1) for _ in range(LENGTH)], dtype=np.float32)
    return row / np.linalg.norm(row)
