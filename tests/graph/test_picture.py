"""The picture in the README is the machine."""

from graph.picture import mermaid
from tests.graph.test_synthesis import AFTER


def test_every_road_is_drawn() -> None:
    lines = [line.strip() for line in mermaid().splitlines()]
    for node, goals in AFTER.items():
        for goal in goals:
            assert any(line.startswith(f"{node} -") and line.endswith(f"{goal};") for line in lines)
