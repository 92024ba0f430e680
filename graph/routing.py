"""Where the machine goes next; pure functions of the state."""

from typing import Literal

from graph.settings import SynthesisSettings
from graph.state import State, lacking


class Routing:
    """The conditional edges under given settings."""

    def __init__(self, settings: SynthesisSettings) -> None:
        self._settings = settings

    def after_profile(self, state: State) -> Literal["compare", "invent"]:
        """Take the road of the method."""
        return "invent" if self._settings.method == "naive" else "compare"

    def after_plan(self, state: State) -> Literal["draw", "review", "finish"]:
        """Work while any facet can still be served."""
        if state.get("cells"):
            return "draw"
        return "review" if state.get("doubtful") else "finish"

    def after_draw(self, state: State) -> Literal["write", "pair"]:
        """Grow the pool where it is too thin for the plan."""
        return "write" if lacking(state) else "pair"

    def after_deduplicate(self, state: State) -> Literal["write", "pair"]:
        """Send the writer back while duplicates leave a cell short."""
        short = {cell["dimension"] for cell in lacking(state)}
        collided = short & state.get("avoid", {}).keys()
        return (
            "write" if collided and state.get("rewrites", 0) < self._settings.rewrites else "pair"
        )

    def after_criticise(self, state: State) -> Literal["write", "publish"]:
        """Send the writer back on the critic's word, or publish."""
        if state.get("criticism") and state.get("revisions", 0) < self._settings.revisions:
            return "write"
        return "publish"

    def after_invent(self, state: State) -> Literal["invent", "review", "finish"]:
        """Ask a person, or invent again while quotas are unmet."""
        if state.get("doubtful"):
            return "review"
        again = state.get("starved") and state.get("round", 0) < self._settings.rounds
        return "invent" if again else "finish"

    def after_review(self, state: State) -> Literal["plan", "invent"]:
        """Back to where pairs come from."""
        return "invent" if self._settings.method == "naive" else "plan"

    def after_publish(self, state: State) -> Literal["review", "plan"]:
        """Ask a person about what is doubtful, then see which quotas are still unmet."""
        return "review" if state.get("doubtful") else "plan"
