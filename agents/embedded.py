"""The embedded chat model: SmolLM2 behind an in-process llama.cpp server on loopback."""

from pathlib import Path

import xllamacpp

from agents.errors import WeightsError

CONTEXT_TOKENS = 8192
"""Shared by all slots; SmolLM2 was trained on 8,192."""
SILENT = -1


class EmbeddedServer:
    """An OpenAI-compatible server for the weights at `gguf`, on a free loopback port.

    Raises:
        WeightsError: llama.cpp cannot load the file.
    """

    def __init__(self, gguf: Path, slots: int) -> None:
        params = xllamacpp.CommonParams()  # pyright: ignore[reportAttributeAccessIssue]
        params.model.path = str(gguf)
        params.n_ctx, params.n_parallel, params.port = CONTEXT_TOKENS, slots, 0
        params.verbosity, params.offline = SILENT, True
        try:
            self._server = xllamacpp.Server(params)  # pyright: ignore[reportAttributeAccessIssue]
        except RuntimeError as error:
            raise WeightsError(
                f"{gguf} cannot be loaded: {error}.", "Run `gravity models fetch --force`."
            ) from error

    @property
    def base_url(self) -> str:
        """The address to give to a chat client."""
        return f"{self._server.listening_address}/v1"
