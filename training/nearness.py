"""Texts that say the same in vector space: scenes twice over, and answers too near or too far."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from agents import gates
from agents.embeddings import Vectors
from agents.findings import Finding, Level, finding
from agents.settings import CriticSettings, DeduplicatorSettings

if TYPE_CHECKING:
    from training.pair_set import PairSet

SAME_SCENE = DeduplicatorSettings().same_scene_at
"""Cosine from which the pool counts two situations as one scene."""
SAME_ANSWER = 0.95
"""Cosine from which two answers say the same."""
APART = 0.0
"""Cosine up to which two answers have nothing in common. Of the 966 scenes that ship none comes so
far down (the least is 0.01, in the embedded space); answers of different scenes do."""
LENGTH_RATIO = CriticSettings().max_length_ratio
"""The longer answer by the shorter, in characters, that the critic lets pass."""
MOST_NEAR = 0.2
"""Share of scenes that may repeat an earlier one; beyond it the set is smaller than it looks."""
BLOCK = 1024
"""Rows that are compared with all others at once: 80 MB of cosines beside 20,000."""


def near_duplicates(pairs: "PairSet") -> Finding:
    """Scenarios whose scene stands under another name, too: it counts double."""
    check, scenes = "near duplicates", pairs.scenes
    readers: defaultdict[str, set[str]] = defaultdict(set)
    for row in pairs.rows:
        readers[row["scenario_id"]].add(row["reader_id"])
    told: list[str] = []
    for alike in (False, True):
        rows = [i for i in scenes if pairs.asks_alike(i) == alike]
        for a, b, cosine in nearest(_scene_vectors(pairs, rows)):
            one, other = rows[a], rows[b]
            of = [readers[pairs.rows[i]["scenario_id"]] - {""} for i in (one, other)]
            whose = ", both of one reader" if of[0] & of[1] else ""
            told.append(f"{pairs.name(one)} is like {pairs.name(other)}: {cosine:.2f}{whose}")
    share = len(told) / len(scenes)
    level: Level = "fail" if share > MOST_NEAR else "warn" if told else "ok"
    figure = (
        f"{len(told)} of {len(scenes)} scenes ({share:.1%}) repeat another, cosine from"
        f" {SAME_SCENE:.2f} (at most {MOST_NEAR:.0%})"
    )
    return finding(check, level, figure, told)


def pair_distance(pairs: "PairSet") -> Finding:
    """Pairs whose answers are too near to teach anything, or too far to teach the one thing."""
    told: list[str] = []
    for i, cosine in enumerate(pairs.cosines.tolist()):
        faults = [gates.unequal_length(*pairs.answers[i], LENGTH_RATIO)]
        if cosine >= SAME_ANSWER:
            faults.append(f"the answers say the same, cosine {cosine:.2f}")
        elif cosine <= APART and not pairs.asks_alike(i):
            faults.append(f"the answers have nothing in common, cosine {cosine:.2f}")
        if found := [fault for fault in faults if fault]:
            told.append(f"{pairs.name(i)}: {'; '.join(found)}")
    figure = (
        f"{len(told)} of {len(pairs.rows)} pairs too near (cosine from {SAME_ANSWER:.2f}), too far"
        f" (to {APART:.2f}) or too unequal (from {LENGTH_RATIO:g} times as long); median cosine"
        f" {np.median(pairs.cosines):.2f}"
    )
    return finding("pair distance", "warn" if told else "ok", figure, told)


def nearest(vectors: Vectors, others: Vectors | None = None) -> Iterator[tuple[int, int, float]]:
    """Rows that have their like, the place of the nearest, and its cosine.

    Args:
        vectors: each is looked up.
        others: where to look; none looks among the rows before each.
    """
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        if others is None:
            cosines = block @ vectors[: start + len(block)].T
            cosines[np.arange(cosines.shape[1]) >= start + np.arange(len(block))[:, None]] = -1.0
        else:
            cosines = block @ others.T
        at = cosines.argmax(axis=1)
        best = cosines[np.arange(len(at)), at]
        for row in np.flatnonzero(best >= SAME_SCENE).tolist():
            yield start + row, int(at[row]), float(best[row])


def _scene_vectors(pairs: "PairSet", rows: list[int]) -> Vectors:
    """Of the situations; where the request is the same for all, of both answers together."""
    if not rows or not pairs.asks_alike(rows[0]):
        return pairs.vectors([pairs.situations[i] for i in rows])
    answers = [sorted(pairs.answers[i]) for i in rows]
    first, second = (pairs.vectors([pair[n] for pair in answers]) for n in (0, 1))
    return np.hstack([first, second]) / np.float32(np.sqrt(2))
