"""`gravity doctor`: checks what Gravity needs on this machine and says what to fix."""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from tui.commands.options import (
    BaseUrlOption,
    JsonFlag,
    ModelOption,
    invocation,
    print_json,
)

if TYPE_CHECKING:
    from tui.wiring import Services

LEAST_DISK_GB = 2.0
LEAST_MEMORY_GB = 4.0
MARKS = {"ok": "✓", "warn": "!", "fail": "✗"}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: Literal["ok", "warn", "fail"]
    found: str
    cure: str = ""


def doctor(
    context: typer.Context,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Check Python, disk, memory, GPU, weights, endpoint, database and pool."""
    services = invocation(context).services(chat__model=model, chat__base_url=base_url)
    looks: list[Callable[[Services], Check]]
    looks = [_python, _disk, _memory, _gpu, _weights, _endpoint, _database, _pool]
    checks = [look(services) for look in looks]
    if as_json:
        print_json(checks)
    else:
        for check in checks:
            cure = f" → {check.cure}" if check.cure else ""
            typer.echo(f"{MARKS[check.state]} {check.name:<9} {check.found}{cure}")
    if any(check.state == "fail" for check in checks):
        raise typer.Exit(1)


def _python(_services: "Services") -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", "ok", f"{version} at {sys.executable}")


def _disk(services: "Services") -> Check:
    from agents.weights import cache_root

    places = {_existing(services.home), _existing(cache_root())}
    free = min(shutil.disk_usage(place).free for place in places) / 1e9
    found = f"{free:.1f} GB free"
    if free < LEAST_DISK_GB:
        return Check("Disk", "fail", found, f"free at least {LEAST_DISK_GB:g} GB")
    return Check("Disk", "ok", found)


def _memory(_services: "Services") -> Check:
    import psutil

    free = psutil.virtual_memory().available / 1e9
    if free < LEAST_MEMORY_GB:
        cure = "lower training.batch_size, or close something: DPO wants about 6 GB"
        return Check("Memory", "warn", f"{free:.1f} GB available", cure)
    return Check("Memory", "ok", f"{free:.1f} GB available")


def _gpu(_services: "Services") -> Check:
    import torch

    if torch.cuda.is_available():
        return Check("GPU", "ok", torch.cuda.get_device_name(0))
    return Check("GPU", "ok", "none: training and description run on the CPU")


def _weights(services: "Services") -> Check:
    from agents import weights

    bad = [w.name for w in weights.ALL if not weights.verify(w)]
    if not bad:
        return Check("Weights", "ok", f"SHA-256 as published, {weights.cache_root()}")
    needed = services.settings.chat.model == "embedded"
    cure = "gravity models fetch --force"
    return Check("Weights", "fail" if needed else "warn", f"missing: {', '.join(bad)}", cure)


def _endpoint(services: "Services") -> Check:
    from agents.endpoint import reach
    from agents.errors import ModelError

    chat = services.settings.chat
    if chat.model in ("embedded", "scripted"):
        return Check("Endpoint", "ok", f"none needed: the model is {chat.model}")
    key = "set" if os.environ.get(chat.api_key_env) else "not set"
    where = f"{chat.base_url or 'the default endpoint'}, key in {chat.api_key_env} {key}"
    try:
        models = asyncio.run(reach(chat))
    except ModelError as error:
        return Check("Endpoint", "fail", where, str(error))
    if chat.model not in models:
        return Check(
            "Endpoint", "warn", where, f"it does not list {chat.model!r}: check chat.model"
        )
    return Check("Endpoint", "ok", where)


def _database(services: "Services") -> Check:
    from agents.errors import StorageError

    try:
        runs = len(services.store.runs())
    except StorageError as error:
        return Check("Database", "fail", error.problem, error.cure)
    return Check("Database", "ok", f"{services.store.path}, {runs} runs")


def _pool(services: "Services") -> Check:
    from agents.errors import GravityError
    from agents.pool import Pool

    try:
        pool = Pool(services.home / "pool", services.embedder)
    except GravityError as error:
        return Check("Chroma", "fail", error.problem, error.cure)
    try:
        return Check("Chroma", "ok", f"{services.home / 'pool'}, {len(pool)} scenarios")
    finally:
        pool.close()


def _existing(path: Path) -> Path:
    """The nearest folder above `path` that is there."""
    path = path.absolute()
    return next(place for place in (path, *path.parents) if place.exists())
