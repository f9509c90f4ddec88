"""Data sets of HDF5 files, read in a process of their own.

A damaged file can crash or hang the HDF5 library, or claim any size. The other process
(hdf5_child.py) takes a tenth of a second to start. It has a memory that follows the size of the
file, and its time is limited.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from . import files, hdf5_child

#: To read a small file; more for a larger one, on a slow disk. Where the time of the processor is
#: limited, a loop ends long before.
_SECONDS, _BYTES_A_SECOND = 60.0 if importlib.util.find_spec("resource") else 4.0, 4e6


class Stored(NamedTuple):
    """A data set.

    Parameters
    ----------
    shape
        Shape of the data set.
    vlen
        Whether entries have lengths of their own.
    kind, element
        Of numpy, of what entries consist of.
    values
        Of all entries, one after the other.
    lengths
        Of each entry.
    """

    shape: tuple | None
    vlen: bool
    kind: str
    element: str
    values: np.ndarray | None = None
    lengths: np.ndarray | None = None


def read(path: Path, wanted: dict) -> dict:
    """Read data sets of a file.

    Parameters
    ----------
    path
        Path of the file.
    wanted
        Name -> (whether entries have lengths of their own, kinds of their elements such as "iu"; ""
        if values are not wanted).

    Returns
    -------
    Name -> Stored, or None where there is no such data set. Values come only where all data sets
    are there, as wanted and of equal length.

    Raises
    ------
    OSError
        If the file is of another kind or damaged, or claims to hold more than it can.
    """
    with files.naming(path, "this file cannot be read"), open(path, "rb"):
        pass
    options = {
        "path": str(path.resolve()),
        "size": path.stat().st_size,
        "wanted": wanted,
        "import": sys.path,
    }
    try:
        found, arrays = (
            _elsewhere(options)
            if sys.executable and not getattr(sys, "frozen", False)
            else hdf5_child.answer(options)
        )
    except Exception as error:
        raise OSError(
            f"{path} cannot be read as HDF5: it is of another kind, or corrupt or incomplete, as "
            f"after a download that was cut off ({error})."
        ) from error
    result, arrays = {}, iter(arrays)
    for name, each in found.items():
        each = each and Stored(
            None if each["shape"] is None else tuple(each["shape"]),
            each["vlen"],
            each["kind"],
            each["element"],
        )
        result[name] = each
    complete = [name for name, (_, kinds) in wanted.items() if kinds]
    for name, values in zip(complete, arrays):
        result[name] = result[name]._replace(
            values=values, lengths=next(arrays) if result[name].vlen else None
        )
    return result


def _elsewhere(options):
    """hdf5_child.answer(options), from a process of its own."""
    seconds = _SECONDS + options["size"] / _BYTES_A_SECOND
    # -I -S: the other process imports from where this one does, and from nowhere else
    command = [sys.executable, "-I", "-S", str(Path(hdf5_child.__file__))]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(options).encode() + b"\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"it was not read within {seconds:.0f} s") from None
    line = done.stdout[: done.stdout.find(b"\n") + 1]
    if done.returncode or not line:
        raise ValueError(f"the HDF5 library ended with code {done.returncode} while it read it")
    head = json.loads(line)
    if "error" in head:
        raise ValueError(head["error"])
    arrays, at = [], len(line)
    for kind, size in head["arrays"]:
        arrays.append(np.frombuffer(done.stdout, kind, size, at) if size else np.empty(0, kind))
        at += arrays[-1].nbytes
    return head["found"], arrays
