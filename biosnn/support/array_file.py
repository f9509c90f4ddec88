"""Files of arrays (.npz) with a head in JSON: reading one runs no code, any damage is an OSError.

An .npz file is a zip archive of .npy files. Here their data are stored as they are, not compressed,
so that what a file declares can be compared with its size before memory is taken; and the head
holds a digest of everything.
"""

import hashlib
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from . import files

_HEAD = "meta"
_MOST_MEMBERS, _LONGEST_HEADER, _LONGEST_HEAD = 100_000, 4096, 1 << 26
_HEADER = re.compile(
    r"\{'descr': '([<|][biuf][0-9]{1,2})', 'fortran_order': (True|False), "
    r"'shape': \(((?:[0-9]{1,18}, ?)*(?:[0-9]{1,18})?)\), \} *\n"
)


def write(path: Any, arrays: dict[str, Any], head: dict[str, Any], what: str) -> None:
    """Write arrays and a head to a file, whole or not at all.

    Parameters
    ----------
    path
        Path of the file.
    arrays
        Name -> array.
    head
        What JSON can hold.
    what
        For messages: "the file could not be written".

    Raises
    ------
    OSError
        If it cannot be done; the message names the path.
    ValueError
        If there are more arrays, or a longer head, than `read` takes.
    """
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    text = json.dumps(head | {"digest": _digest(arrays, head)}).encode()
    if len(arrays) >= _MOST_MEMBERS or len(text) > _LONGEST_HEAD:
        raise ValueError(
            f"{len(arrays)} arrays and a head of {len(text)} bytes are too many for a file; it can "
            f"hold {_MOST_MEMBERS - 1} arrays and {_LONGEST_HEAD} bytes."
        )
    with (
        files.replaced(path, what) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive,
    ):
        for name, array in (arrays | {_HEAD: np.frombuffer(text, np.uint8)}).items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def read(path: Any, what: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a file that `write` wrote.

    Parameters
    ----------
    path
        Path of the file.
    what
        For messages: "file of biosnn".

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
    """
    path = Path(path)
    if not files.is_file(path):
        raise FileNotFoundError(f"there is no {what} {path}.")
    try:
        with files.naming(path, "it cannot be read"), zipfile.ZipFile(path) as archive:
            arrays = _members(archive, path.stat().st_size)
        head = _head(arrays.pop(_HEAD, None))
        if head.pop("digest", None) != _digest(arrays, head):
            raise ValueError("its content does not have the digest that it had when it was written")
    # zipfile and json have one of these for every damage
    except (
        zipfile.BadZipFile,
        ValueError,
        KeyError,
        EOFError,
        IndexError,
        NotImplementedError,
        RuntimeError,
        RecursionError,
        OverflowError,
        MemoryError,
        AttributeError,
        TypeError,
    ) as error:
        raise OSError(
            f"{path} is not a usable {what}: it is truncated, damaged or of another kind ({error})."
        ) from error
    return arrays, head


def _members(archive, size):
    """Name -> array of all members of a zip archive of that many bytes."""
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS or len({member.filename for member in members}) < len(members):
        raise ValueError("it has too many members, or several of one name")
    if sum(member.file_size for member in members) > size:
        raise ValueError("its members are larger than the file")
    arrays = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        if (
            name == member.filename
            or member.compress_type != zipfile.ZIP_STORED
            or member.flag_bits & 1
        ):
            raise ValueError(f"its member {member.filename!r} is no plain array")
        arrays[name] = _array(archive.read(member), name)  # reading to the end checks the CRC
    return arrays


def _array(data, name):
    """The array of a .npy file. Its header is matched, not evaluated."""
    wide = data[6:7] != b"\x01"
    start = 12 if wide else 10
    length = int.from_bytes(data[8:start], "little")
    if data[:6] != b"\x93NUMPY" or length > _LONGEST_HEADER:
        raise ValueError(f"{name!r} is no array")
    header = _HEADER.fullmatch(data[start : start + length].decode("latin1"))
    if header is None:
        raise ValueError(f"the array {name!r} is not one of plain numbers")
    dtype, fortran = np.dtype(header[1]), header[2] == "True"
    shape = tuple(int(n) for n in header[3].replace(" ", "").split(",") if n)
    count = 1
    for n in shape:
        count *= n
    if len(shape) > 32 or start + length + count * dtype.itemsize != len(data):
        raise ValueError(
            f"the array {name!r} of shape {shape} has {len(data) - start - length} bytes"
        )
    array = np.frombuffer(data, dtype, count, start + length) if count else np.empty(0, dtype)
    return array.reshape(shape, order="F" if fortran else "C").copy()


def _head(array):
    """The head of a file, from the array of its characters."""
    if array is None or array.dtype != np.uint8 or array.ndim != 1 or array.size > _LONGEST_HEAD:
        raise ValueError("it has no head")
    head = json.loads(array.tobytes().decode())
    if not isinstance(head, dict):
        raise ValueError("its head is no list of names and values")
    return head


def _digest(arrays, head):
    """A hash of all arrays and of the head."""
    state = hashlib.blake2b(json.dumps(head, sort_keys=True).encode(), digest_size=16)
    for name in sorted(arrays):
        state.update(f"{name}\0{arrays[name].dtype.str}\0{arrays[name].shape}\0".encode())
        state.update(np.ascontiguousarray(arrays[name]).reshape(-1).view(np.uint8))
    return state.hexdigest()
