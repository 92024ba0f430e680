"""The one place where every room's parts are put together: settings in, working services out."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agents import weights
from graph.services import EMBEDDED, SCRIPTED, RunServices
from training.adapters import AdapterRegistry
from tui.settings import Settings

if TYPE_CHECKING:
    from agents.describer import Describer
    from serving.engine import Engine


@dataclass(frozen=True)
class Services(RunServices):
    """What every command may need, made on first use from the settings."""

    settings: Settings

    @property
    def adapters(self) -> AdapterRegistry:
        """What was trained."""
        return AdapterRegistry(self.home / "adapters")

    def base_weights(self) -> Path | str:
        """The base model to train or to serve: plain weights of the embedded one, or a name."""
        if self.settings.training.base_model != EMBEDDED:
            return self.settings.training.base_model
        from training.base_model import plain_weights

        gguf = weights.require(weights.CHAT) / weights.CHAT.file
        return plain_weights(gguf, weights.cache_root() / "plain")

    def engine(self, adapter: str | None) -> "Engine":
        """The local model, with an adapter beside its base where one is named."""
        from serving.engine import Engine

        serving = self.settings.serving
        adapters = {}
        if adapter:
            self.adapters.get(adapter)
            adapters[adapter] = self.adapters.path(adapter)
        return Engine(
            self.base_weights(),
            adapters,
            serving.max_new_tokens,
            serving.temperature,
            serving.seed,
        )

    def describer(self, adapter: str | None) -> "Describer":
        """Describes books through the local model, or by prompting where an endpoint is set."""
        from agents.describer import Describer

        chat = self.settings.chat
        if chat.model == SCRIPTED:
            from agents.scripted import ScriptedChat

            return Describer(ScriptedChat(lambda _call: None))
        if chat.model != EMBEDDED and adapter is None:
            from agents.endpoint import EndpointChat

            return Describer(EndpointChat(chat, lambda _call: None), in_readers_language=True)
        return Describer(self.engine(adapter))

    def newest_adapter(self) -> str | None:
        """The name of the adapter that was trained last, where there is one."""
        cards = self.adapters.list()
        return cards[-1].name if cards else None
