"""Puts the API on a socket, safely: no stranger without a token; knows no model."""

import ipaddress
import os
import socket
from collections.abc import Callable

import uvicorn

from agents.errors import ConfigError
from serving.app import create_app
from serving.engine import Engine
from serving.settings import ServingSettings


def serve(
    engine: Engine, settings: ServingSettings, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serves `engine` until interrupted; tells its address to `on_ready` once it can be reached.

    Raises:
        ConfigError: The host is open to others and there is no token, or the port is taken.
    """
    token = os.environ.get(settings.token_env) or None
    if token is None and not _loopback(settings.host):
        raise ConfigError(
            f"Serving on {settings.host} without a token would let anyone use the model.",
            f"Set {settings.token_env}, or serve on 127.0.0.1.",
        )
    with _listen(settings.host, settings.port) as listener:
        host, port = listener.getsockname()[:2]
        config = uvicorn.Config(create_app(engine, token), log_level="warning")
        if on_ready:
            on_ready(f"http://{f'[{host}]' if ':' in host else host}:{port}/v1")
        try:
            uvicorn.Server(config).run(sockets=[listener])
        finally:
            engine.shut_down()


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(
            f"Cannot listen on {host}:{port}: {error.strerror or error}.",
            "Choose another serving.host or serving.port; port 0 takes a free one.",
        ) from error
