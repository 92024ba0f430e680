"""Who may listen where; the address a server tells is the one it answers on."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from agents.errors import ConfigError
from serving.engine import Engine
from serving.server import serve
from serving.settings import ServingSettings

ROOT = Path(__file__).parents[2]
SERVE = """
import sys
from serving.engine import Engine
from serving.server import serve
from serving.settings import ServingSettings
serve(Engine(sys.argv[1]), ServingSettings(port=0), lambda url: print(url, flush=True))
"""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_strangers_need_a_token(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.delenv("GRAVITY_TOKEN", raising=False)

    with pytest.raises(ConfigError, match="Set GRAVITY_TOKEN"):
        serve(Engine("unused"), ServingSettings(host=host))


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"Cannot listen on 127.0.0.1:{port}"):
            serve(Engine("unused"), ServingSettings(port=port))


def test_a_server_tells_its_address_and_ends_on_interrupt(tiny_base: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GRAVITY_TOKEN": ""}
    command = [sys.executable, "-c", SERVE, str(tiny_base)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        try:
            body = {"model": "base", "messages": [{"role": "user", "content": "loan"}]}
            assert httpx.get(f"{url}/models").json()["data"][0]["id"] == "base"
            assert httpx.post(f"{url}/chat/completions", json=body, timeout=60).status_code == 200
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)


def test_serving_starts_light() -> None:
    heavy = "{'torch', 'transformers', 'peft', 'trl', 'datasets'} & set(sys.modules)"
    code = f"import sys, serving.settings, serving.server; assert not {heavy}, {heavy}"

    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
