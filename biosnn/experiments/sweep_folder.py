"""The folder of a sweep: which points belong to it, and reading them without the function."""

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..support import checks, files
from .point import point_of
from .point_file import path_of, read
from .points import Job
from .results import Sweep
from .worker import Outcome

_LIST = "sweep.json"
_FORMAT = "biosnn sweep 1"
_DAY = 86400.0  # seconds after which a file that is not complete has no writer any more


def begin(folder: Path, described: tuple[str, str], jobs: list[Job], overwrite: bool) -> None:
    """Make the folder, and write which points belong to the sweep.

    Parameters
    ----------
    folder
        Its path.
    described
        Name and version of the function.
    jobs
        All points.
    overwrite
        Whether files of these points are removed first.

    Raises
    ------
    OSError
        If it cannot be written to.
    """
    with files.naming(folder, "a sweep cannot be stored in this folder"):
        (folder / "points").mkdir(parents=True, exist_ok=True)
        for stray in folder.glob(f"points/*{files.PARTIAL}"):
            with suppress(FileNotFoundError):
                if time.time() - stray.stat().st_mtime > _DAY:
                    stray.unlink()
        for job in jobs if overwrite else ():
            path_of(folder, job.key).unlink(missing_ok=True)
    text = {
        "format": _FORMAT,
        "function": list(described),
        "points": [job.key for job in jobs],
    }
    with files.replaced(folder / _LIST, "the list of points could not be written") as file:
        file.write(json.dumps(text, indent=1).encode())


def load_sweep(folder: str | os.PathLike) -> Sweep:
    """Read the results of the last sweep that was stored in a folder.

    Parameters
    ----------
    folder
        The `folder` of `bs.sweep`, also of one that still goes on.

    Returns
    -------
    The points that are done by now. Arrays are read when they are asked for.

    Raises
    ------
    OSError
        If there is no sweep, or a file is damaged.

    Examples
    --------
    >>> import biosnn as bs
    >>> def square(x):
    ...     return {"y": x * x}
    >>> done = bs.sweep(square, {"x": [1, 2]}, executor=1, out="runs", progress=False)
    >>> bs.experiments.load_sweep("runs").digest == done.digest
    True
    """
    home = checks.path(folder, "folder").absolute()
    name, keys = _listed(home / _LIST)
    points = []
    for key in keys:
        path = path_of(home, key)
        if files.is_file(path):
            points.append(point_of(Outcome(read(path)[0], None), home))
    return Sweep(name, tuple(points), len(keys), 0, False)


def _listed(path):
    """Name of the function and keys of all points, as `begin` wrote them."""
    if not files.is_file(path):
        raise FileNotFoundError(f"there is no sweep in {path.parent}: it has no file {_LIST}.")
    with files.naming(path, "it cannot be read"):
        content = path.read_bytes()
    try:
        text: Any = json.loads(content)
        name, keys = text["function"][0], text["points"]
        if text["format"] != _FORMAT or not isinstance(name, str) or not isinstance(keys, list):
            raise ValueError(f"its format is {text['format']!r}, where {_FORMAT!r} is read")
        if not all(isinstance(key, str) and key.isalnum() for key in keys):
            raise ValueError("it has keys that no point can have")
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise OSError(f"{path} is not a list of the points of a sweep: {error!r}.") from error
    return name, keys
