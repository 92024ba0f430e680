"""A tiny base with a random adapter beside it, and a real server on loopback in front of them."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from serving.app import create_app
from serving.engine import Engine
from tests.tiny_model import build_tiny_model

TOKEN = "sesame"


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_adapter(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    """An adapter that certainly changes what the base says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    lora = LoraConfig(target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    folder = tmp_path_factory.mktemp("adapter")
    get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_base), lora).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def engine(tiny_base: Path, tiny_adapter: Path) -> Iterator[Engine]:
    adapters = {"ana-v1.2": tiny_adapter, "tom": tiny_adapter}
    engine = Engine(tiny_base, adapters, max_new_tokens=24)
    yield engine
    engine.shut_down()


@pytest.fixture(scope="session")
def address(engine: Engine) -> Iterator[str]:
    config = uvicorn.Config(create_app(engine, TOKEN), port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
