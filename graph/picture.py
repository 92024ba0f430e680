"""Draws the machine from its code, for README; nobody needs to be at work for a picture."""

from types import SimpleNamespace
from typing import cast

from graph.build import build_graph
from graph.nodes import Crew
from graph.settings import SynthesisSettings


def mermaid() -> str:
    """The graph as Mermaid source."""
    nobody = SimpleNamespace(settings=SynthesisSettings(), store=None, recorder=None)
    picture = build_graph(cast(Crew, nobody)).get_graph()
    return picture.draw_mermaid(with_styles=False)
