"""The folder of checkpoints of a training: made, tried, locked, and cleaned of what a kill left."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..support import checks, files

LAST = "last.npz"
BEST = "best.npz"
_NAMES = (LAST, BEST)
_FAILED = "checkpoints cannot be written to this folder"


@contextmanager
def reserved(folder: Path | None, start: str) -> Iterator[None]:
    """Make the folder of a training, and lock it against other trainings until the end.

    Parameters
    ----------
    folder
        None: there is none.
    start
        "new", "resume" or "overwrite", as for `train`.

    Raises
    ------
    ValueError
        If it cannot be a folder, holds a checkpoint that is neither to be resumed nor overwritten,
        or is in use by another training.
    OSError
        If nothing can be written there.
    """
    checks.choice(start, "start", ("new", "resume", "overwrite"))
    if folder is None:
        if start == "resume":
            raise ValueError("start='resume' needs the folder of the checkpoint: give out=….")
        yield
        return
    with _locked(folder):
        if start == "new" and (folder / LAST).exists():
            raise ValueError(
                f"{folder} holds a checkpoint already. Give start='resume' to go on with it, "
                "start='overwrite' to begin anew, or another folder."
            )
        with files.naming(folder, _FAILED):
            _remove_strays(folder)
            if start == "overwrite":
                for name in _NAMES:
                    (folder / name).unlink(missing_ok=True)
        yield


def _remove_strays(folder):
    """Remove the temporary files of a training that was killed while it wrote."""
    for name in _NAMES:
        for stray in list(folder.glob(f"{name}.*{files.PARTIAL}")):
            stray.unlink()


@contextmanager
def _locked(folder):
    """Make the folder, and hold the lock in it. A crash leaves the lock's file, not the lock."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(
            f"out is {str(folder)!r}, which cannot be a folder for checkpoints: it is a file."
        )
    with files.naming(folder, _FAILED):
        folder.mkdir(parents=True, exist_ok=True)
        _try_to_write(folder)
        try:
            lock = files.lock_file(folder / "training.lock")
        except BlockingIOError as error:
            raise ValueError(
                f"another training writes its checkpoints to {folder} at this moment; "
                "give this one another folder."
            ) from error
    try:
        yield
    finally:
        lock.remove()


def _try_to_write(folder):
    """Write a file and remove it. Killed in between, the next training removes it as a stray."""
    trial = folder / f"{LAST}.{os.getpid()}{files.PARTIAL}"
    with files.replaced(trial, "a file cannot be written to this folder") as file:
        file.write(bytes(1))
    trial.unlink(missing_ok=True)
