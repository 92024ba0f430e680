"""Where an interrupted training goes on from; knows nothing of what a checkpoint holds."""

import shutil
from pathlib import Path


def checkpoint_folder(out: Path, identity: str) -> Path:
    """The folder of checkpoints for this very training; those of another are removed."""
    folder = out / "checkpoints"
    mark = folder / "fingerprint"
    if not mark.is_file() or mark.read_text(encoding="utf-8") != identity:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        mark.write_text(identity, encoding="utf-8")
    return folder


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint: the trainer writes `trainer_state.json` last."""
    whole = [state.parent for state in folder.glob("checkpoint-*/trainer_state.json")]
    return max(whole, key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    """The last step that `checkpoint` has done."""
    return int(checkpoint.name.rpartition("-")[2])
