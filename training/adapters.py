"""The registry of what was trained from what: a folder with a card each; loads nothing heavy."""

import difflib
import hashlib
import shutil
from itertools import count
from pathlib import Path

from pydantic import ValidationError

from agents.errors import NotFoundError, StorageError
from agents.records import Record
from agents.replacing import replacing
from graph.marks import FORGOTTEN
from training.events import HeldOut
from training.settings import TrainingSettings

CARD = "gravity.json"
"""Written last, so a folder that holds it holds a whole adapter."""


class AdapterCard(Record):
    """Where an adapter comes from: adapter → pairs → scenarios and readers."""

    name: str
    created: str
    """ISO 8601, UTC."""
    base_model: str
    """As the settings name it."""
    base_path: str
    """Where its weights lay when the adapter was trained."""
    method: str
    fingerprint: str
    """Of pairs and settings: equal fingerprints make equal adapters."""
    run_ids: tuple[str, ...]
    pairs_file: str
    pairs_sha256: str
    pair_ids: tuple[str, ...]
    """Pairs trained on, without the held-out ones."""
    reader_ids: tuple[str, ...]
    """Whose pairs were trained on; to find the adapter when a reader asks to be forgotten."""
    settings: TrainingSettings
    before: HeldOut
    after: HeldOut
    twin_share: float

    def save(self, folder: Path) -> None:
        """Writes the card whole or not at all.

        Raises:
            StorageError: It cannot be written.
        """
        cure = "Make room or mend its permissions, then run the same command again."
        with replacing(folder / CARD, cure) as draft:
            draft.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")


class AdapterRegistry:
    """The adapters under `root`, one folder each, named by the folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list(self) -> tuple[AdapterCard, ...]:
        """Every finished adapter, oldest first.

        Raises:
            StorageError: A card is damaged.
        """
        cards = [_read(path) for path in self.root.glob(f"*/{CARD}")]
        return tuple(sorted(cards, key=lambda card: (card.created, card.name)))

    def get(self, name: str) -> AdapterCard:
        """The card of `name`.

        Raises:
            NotFoundError: There is no such adapter; names the nearest.
        """
        cards = {card.name: card for card in self.list()}
        if name in cards:
            return cards[name]
        near = difflib.get_close_matches(name, cards, n=1, cutoff=0.4)
        cure = f"Did you mean {near[0]!r}?" if near else "Train one with `gravity train`."
        raise NotFoundError(f"There is no adapter {name!r}.", cure)

    def path(self, name: str) -> Path:
        """The folder of `name`, whether or not it is trained yet.

        Raises:
            NotFoundError: `name` is no plain folder name.
        """
        if name in ("", ".", "..") or Path(name).name != name:
            raise NotFoundError(f"{name!r} cannot name an adapter.", "Use a plain folder name.")
        return self.root / name

    def free_name(self, stem: str) -> str:
        """`stem`, or `stem-2` and so on where adapters of that name are trained already."""
        names = (stem if n == 1 else f"{stem}-{n}" for n in count(1))
        return next(name for name in names if not (self.path(name) / CARD).exists())

    def find(self, fingerprint: str) -> AdapterCard | None:
        """The adapter already trained from the same pairs with the same settings."""
        return next((card for card in self.list() if card.fingerprint == fingerprint), None)

    def of(self, reader_id: str) -> tuple[AdapterCard, ...]:
        """The adapters that were trained on a reader's pairs, oldest first."""
        return tuple(card for card in self.list() if reader_id in card.reader_ids)

    def delete(self, name: str) -> None:
        """Removes an adapter, its card last: what was stopped half-way is still listed.

        Raises:
            StorageError: Something of it cannot be removed.
        """
        folder = self.path(name)
        try:
            for entry in folder.iterdir():
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                elif entry.name != CARD:
                    entry.unlink()
            shutil.rmtree(folder)
        except OSError as error:
            raise StorageError(
                f"{error.filename or folder} cannot be removed: {error.strerror}.",
                "Mend its permissions, then run the same command again.",
            ) from error

    def strike(self, reader_id: str) -> None:
        """Takes a reader off every card; what was learnt from them stays in the weights.

        Raises:
            StorageError: A card cannot be written.
        """
        for card in self.of(reader_id):
            readers = (FORGOTTEN if r == reader_id else r for r in card.reader_ids)
            card.model_copy(update={"reader_ids": tuple(readers)}).save(self.path(card.name))


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(pairs: Path, settings: TrainingSettings) -> str:
    """What an adapter follows from: the bytes of its pairs and every setting, base included."""
    return hashlib.sha256(f"{sha256(pairs)} {settings.model_dump_json()}".encode()).hexdigest()


def _read(path: Path) -> AdapterCard:
    try:
        card = AdapterCard.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise StorageError(
            f"{path} is damaged: {error.errors()[0]['msg']}.",
            f"Remove {path.parent} and train again.",
        ) from error
    return card.model_copy(update={"name": path.parent.name})
