"""The benchmark of reviewing, small: the real app and the real command are waited for."""

from pathlib import Path

from benchmarks.review import RUN, measure
from graph.store import Store


def test_decisions_are_taken_and_timed_on_the_screen_and_in_a_terminal(tmp_path: Path):
    figures = measure(tmp_path, pairs=40, decisions=3)
    store = Store(tmp_path / "gravity.db")
    trail = store.trail(RUN)
    store.close()
    assert [(line.via, line.action) for line in trail] == [
        *[("screen", "approve")] * 3,
        ("screen", "undo"),
        *[("terminal", "approve")] * 3,
    ]
    assert len({line.pair_id for line in trail}) == 5, "what was undone is asked about again"
    assert figures.pop("pairs") == 40
    assert all(figure > 0 for figure in figures.values())
