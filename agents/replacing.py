"""Writes a file whole or not at all; one that is there stays as it is until then."""

import contextlib
import os
from collections.abc import Generator
from pathlib import Path

from agents.errors import StorageError


@contextlib.contextmanager
def replacing(path: Path, cure: str = "") -> Generator[Path]:
    """A new file beside `path` to write to, which takes its place at the end.

    Args:
        path: where the file will be; its folder is there.
        cure: what to do where it cannot be written.

    Raises:
        StorageError: it cannot be written; nothing is left of it.
    """
    if not path.name or path.is_dir():
        raise StorageError(f"{path} cannot be written: it is a folder.", cure)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield draft
        draft.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.", cure) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
