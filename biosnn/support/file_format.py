"""Files of biosnn: arrays and a head that says which format and kind they are.

All of them are .npz files of `array_file.py`: written whole or not at all, with a digest of all
that they hold, and opening one runs no code.
"""

import re
import sys
from pathlib import Path
from typing import Any, TypeAlias

from numpy.typing import NDArray

from . import array_file, checks

FORMAT = "biosnn file 5"
#: kind -> earlier formats that are read, too: networks last, states belong to their version.
_EARLIER = {"network": ("biosnn file 4",), "training": ("biosnn file 4",)}
#: kind -> (what such a file holds, what its head says besides format, kind and version)
_KINDS = {
    "network": ("a network (save)", {"network"}),
    "training": ("where a training stands", {"network", "epoch", "batch", "recipe"}),
    "state": ("the state of a run or simulation (save_state)", {"fingerprint", "step"}),
}

Arrays: TypeAlias = dict[str, NDArray[Any]]


def write(path: str | Path, arrays: Arrays, head: dict[str, Any]) -> None:
    """Write arrays and a head to a file: to a temporary one first, then renamed.

    Parameters
    ----------
    path
        Path of the file.
    arrays
        Name -> array.
    head
        What JSON can hold: the "kind", and what that kind needs.

    Examples
    --------
    >>> import tempfile
    >>> head = {"kind": "state", "fingerprint": "0123456789abcdef", "step": 3}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/a.npz", {}, head)
    ...     read(f"{folder}/a.npz")[1]["step"]
    3
    """
    head = {"format": FORMAT, "version": version()} | head
    array_file.write(checks.path(path, "path"), arrays, head, "the file could not be written")


def read(path: str | Path, *kinds: str) -> tuple[Arrays, dict[str, Any]]:
    """Read a file that `write` wrote.

    Parameters
    ----------
    path
        Path of the file.
    *kinds
        Kinds that it may have; default all.

    Returns
    -------
    arrays
        Name -> array.
    head
        As it was written.

    Raises
    ------
    OSError
        If the file is missing, damaged or of another kind.

    Examples
    --------
    >>> read("nowhere.npz")
    Traceback (most recent call last):
        ...
    FileNotFoundError: there is no file of biosnn nowhere.npz.
    """
    path = checks.path(path, "path")
    arrays, head = array_file.read(path, "file of biosnn")
    kind = str(head.get("kind"))
    if kind not in _KINDS or head.get("format") not in (FORMAT, *_EARLIER.get(kind, ())):
        raise OSError(
            f"{path} is not a usable file of biosnn: its format is {head.get('format')!r}, written "
            f"by version {head.get('version')}; this version reads {FORMAT!r}."
        )
    holds, names = _KINDS[head["kind"]]
    complete = set(head) == names | {"format", "kind", "version"}
    if not (complete and checks.is_text(head["version"]) and _has_fingerprint(head)):
        raise OSError(
            f"{path} is not a usable file of biosnn: its head has {', '.join(sorted(head))}."
        )
    if kinds and head["kind"] not in kinds:
        wanted = " or ".join(_KINDS[kind][0] for kind in kinds)
        raise OSError(f"{path} holds {holds}; what is read here is {wanted}.")
    return arrays, head


def version() -> str:
    """Return the version of this package."""
    return str(sys.modules[__name__.partition(".")[0]].__version__)


def _has_fingerprint(head):
    """Whether a fingerprint, if there is one, is what `Network.fingerprint` returns."""
    value = head.get("fingerprint", "0" * 16)
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{16}", value) is not None
