"""Reads data sets of an HDF5 file: the program of the process that hdf5.py starts.

It needs numpy and h5py, and no biosnn. Options come as JSON on the standard input: the path, the
size of the file, `wanted` (name -> (whether entries have lengths of their own, letters of kinds of
their elements; "" where values are not wanted)). The answer is a line of JSON and the bytes of the
arrays.
"""

import json
import sys
import time
from typing import Any

_ROWS = (
    64  # entries with lengths of their own that are read at once: each may be as large as the file
)
_SECONDS, _BYTES_A_SECOND = (
    1,
    5_000_000,
)  # of the processor, at least, for a small file, and more for a larger one


def answer(options: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Read data sets.

    Parameters
    ----------
    options
        As on the standard input.

    Returns
    -------
    found
        Name -> description of the data set, or None.
    arrays
        Their values, only where all data sets are there, as wanted and of equal length.
    """
    import h5py

    with h5py.File(options["path"], "r") as file:
        found = {name: _described(file, name, h5py) for name in options["wanted"]}
        arrays = []
        if (
            all(_fits(found[name], *wanted) for name, wanted in options["wanted"].items())
            and len({tuple(each["shape"]) for each in found.values()}) == 1
        ):
            for name, (_, kinds) in options["wanted"].items():
                if kinds:
                    arrays += _values(file[name], found[name], options["size"])
    return found, arrays


def _described(file, name, h5py):
    """What a data set is, or None where there is none."""
    stored = file.get(name)
    if not isinstance(stored, h5py.Dataset):
        return None
    element = h5py.check_vlen_dtype(stored.dtype)
    vlen = element is not None
    element = stored.dtype if element is None else element
    kind = getattr(element, "kind", "O")  # texts of any length are Python's
    return {
        "vlen": vlen,
        "kind": kind,
        "element": str(getattr(element, "__name__", element)),
        "shape": stored.shape,
        "itemsize": 16 if vlen else stored.dtype.itemsize,
    }


def _fits(found, vlen, kinds):
    """Whether a data set is as it is wanted."""
    return (
        found is not None
        and found["shape"] is not None
        and len(found["shape"]) == 1
        and (not kinds or (found["vlen"] == vlen and found["kind"] in kinds))
    )


def _values(stored, found, size):
    """The values of a data set, and the lengths of its entries where they have their own.

    ValueError if there are more than a file of that size has.
    """
    import numpy as np

    n, most = found["shape"][0], 8 * size + (1 << 20)
    if n * found["itemsize"] > (2 * size + (1 << 16) if found["vlen"] else most):
        raise ValueError(
            f"{stored.name} claims {n} entries, more than fit into a file of {size} bytes"
        )
    if not found["vlen"]:
        return [stored[:]]
    lengths, parts, total = np.zeros(n, np.int64), [], 0
    for first in range(0, n, _ROWS):
        entries = stored[first : first + _ROWS]
        lengths[first : first + len(entries)] = [len(entry) for entry in entries]
        parts.append(np.concatenate(entries))
        total += parts[-1].nbytes
        if total > most:
            raise ValueError(f"the entries of {stored.name} are larger than a file of {size} bytes")
    return [np.concatenate(parts) if parts else np.empty(0, found["element"]), lengths]


def _limit(size):
    """No more memory and time of the processor than a file of that size needs, and no core dump."""
    try:
        import resource
    except ImportError:  # Windows
        return
    now = 0
    try:
        with open("/proc/self/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        pass
    for which, most in (
        ("RLIMIT_AS", now + 6 * size + (64 << 20)) if now else ("RLIMIT_CORE", 0),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_CPU", 1 + int(time.process_time()) + _SECONDS + size // _BYTES_A_SECOND),
    ):  # limits are whole seconds
        hard = resource.getrlimit(getattr(resource, which))[1]
        resource.setrlimit(getattr(resource, which), (most if hard < 0 else min(most, hard), hard))


def main() -> None:
    """Answer one request from the standard input on the standard output.

    Options in, as the head of this file says; a line of JSON and the bytes of the arrays out. An
    error of h5py is an answer, too.
    """
    options = json.loads(sys.stdin.readline())
    sys.path[:] = options["import"]
    import h5py  # before memory is limited
    import numpy as np

    assert h5py
    _limit(options["size"])
    try:
        found, arrays = answer(options)
        head = {"found": found, "arrays": [[array.dtype.str, array.size] for array in arrays]}
    except Exception as error:  # noqa: BLE001 - h5py has one of many for every damage
        head, arrays = {"error": f"{type(error).__name__}: {error}"[:1000]}, []
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n")
    for array in arrays:
        sys.stdout.buffer.write(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
