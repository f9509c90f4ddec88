"""What a function returned, as numbers, texts and arrays: for tables, files and other processes.

A file of a point is one of `support/array_file.py`. Its head:

    format      FORMAT
    key         what the point is known by
    function    name and version
    parameters  name -> value
    seed        whole number, or null
    numbers     name -> number, text, flag or null: a column of the table each
    objects     name -> {"kind": "array"}, {"kind": "spikes", …} or {"kind": "recording", …}, whose
                arrays are "name", "name/times", "name/spikes/E/times", …
    error       null, or {"type", "message", "traceback"} of a point that failed
    biosnn      version of biosnn
    content     a digest of numbers and objects
    seconds     that the function took, without compiling
    compiled    number of kernels that were compiled meanwhile
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from ..data.recording import Recording
from ..data.spike_trains import SpikeTrains
from ..engine.simulation import Simulation
from ..engine.trace import Trace
from ..interop.sources import recording_from
from ..support import array_file, checks
from .points import key_of

FORMAT = "biosnn point of a sweep 1"
WHAT = "point of a sweep"
_ALLOWED = (
    "a number, a text, True, False, None, an array of numbers, SpikeTrains, a Trace, a Simulation "
    "or a Recording, or a dict of these"
)


# ----------------------------------------------------------------------------------------- packing


def pack(result: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what a function returned as a head and arrays.

    Parameters
    ----------
    result
        A dict of names, or a single thing, which is then named "result".

    Raises
    ------
    ValueError
        If it is None, or of a kind that no file can hold.

    Examples
    --------
    >>> pack({"rate_hz": 3.0, "cv": {"E": 1.0}})[0]["numbers"]
    {'rate_hz': 3.0, 'cv.E': 1.0}
    """
    if result is None:
        raise ValueError(
            "the function returned None; it must return a dict of results. Is a return missing?"
        )
    numbers: dict[str, Any] = {}
    objects: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for name, value in _named(result, "").items():
        if value is None or isinstance(value, (str, bool, int, float)):
            numbers[name] = value
        else:
            objects[name] = _pack_one(name, value, arrays)
    head = {"numbers": numbers, "objects": objects}
    return head | {"content": _digest(head, arrays)}, arrays


def _named(result, prefix):
    """Name -> value, where dicts within dicts, and rates of simulations, have names with dots."""
    if isinstance(result, Recording) or not isinstance(result, Mapping):
        name = prefix or "result"
        found = {name: _simple(name, result)}
        if isinstance(result, Simulation):
            found |= {f"{name}.rates.{each}": rates for each, rates in result.rates.items()}
        return found
    found = {}
    for name, value in result.items():
        if not checks.is_text(name) or not name or "/" in name:
            checks.refuse("a name of a result", name, "a text, without / in it")
        inner = _named(value, f"{prefix}.{name}" if prefix else str(name))
        if twice := found.keys() & inner.keys():
            raise ValueError(f"two results are named {min(twice)!r}; give each a name of its own.")
        found |= inner
    return found


def _simple(name, value):
    """Numbers of numpy as those of Python, lists as arrays."""
    if isinstance(value, (np.generic, np.ndarray)) and np.ndim(value) == 0:
        value = value.item()
    if isinstance(value, (Trace, Simulation)):
        return recording_from(value)
    if value is None or isinstance(value, (bool, int, float, SpikeTrains, Recording)):
        return value
    if isinstance(value, str) and checks.is_text(value):
        return str(value)
    if checks.has_axes(value):
        array = checks.as_array(value, f"the result {name}")
        if array.dtype.kind in "biuf" and array.dtype.itemsize <= 8:
            return array
    return checks.refuse(f"the result {name}", value, _ALLOWED)


def _pack_one(name, value, arrays):
    """Put the arrays of a thing into `arrays`, and return what else it is."""
    if isinstance(value, str):
        return value
    if isinstance(value, SpikeTrains):
        return _pack_fields("spikes", name, value, arrays)
    if isinstance(value, Recording):
        return _pack_fields("recording", name, value, arrays)
    if value.dtype.kind == "U":
        return {"kind": "texts", "texts": value.tolist()}
    arrays[name] = value
    return {"kind": "array"}


def _pack_fields(kind, name, value, arrays):
    """A dataclass: arrays apart, numbers as they are, dicts and spike trains within it likewise."""
    head: dict[str, Any] = {"kind": kind}
    for each in fields(value):
        found, inner = getattr(value, each.name), f"{name}/{each.name}"
        if isinstance(found, Mapping):
            head[each.name] = {k: _pack_one(f"{inner}/{k}", v, arrays) for k, v in found.items()}
        elif isinstance(found, np.ndarray):
            arrays[inner] = found
        elif found is not None:
            head[each.name] = found
    return head


def unpack(name: str, head: dict[str, Any], arrays: dict[str, np.ndarray]) -> Any:
    """Return one object from its head, and from the arrays of its point.

    Raises
    ------
    OSError
        If they do not fit together.
    """
    try:
        return _unpack(name, head, arrays)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise OSError(f"{name!r} is not an object of a point of a sweep ({error!r}).") from error


def _unpack(name, head, arrays):
    """A text, an array, spike trains, or a recording."""
    if isinstance(head, str):
        return head
    if head["kind"] == "texts":
        return np.array(head["texts"])
    if head["kind"] == "array":
        return arrays[name]
    made: dict[str, Any] = {k: v for k, v in head.items() if k != "kind"}
    kind = {"spikes": SpikeTrains, "recording": Recording}[head["kind"]]
    for each in fields(kind):
        inner = f"{name}/{each.name}"
        if isinstance(made.get(each.name), dict):
            made[each.name] = {
                k: _unpack(f"{inner}/{k}", v, arrays) for k, v in made[each.name].items()
            }
        elif inner in arrays:
            made[each.name] = arrays[inner]
    return kind(**made)


def _digest(head, arrays):
    """A digest of results, the same for equal ones."""
    state = hashlib.blake2b(json.dumps(head, sort_keys=True).encode(), digest_size=16)
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        state.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        state.update(array.reshape(-1).view(np.uint8))
    return state.hexdigest()


# -------------------------------------------------------------------------------------------- files


def path_of(folder: str | Path, key: str) -> Path:
    """Return the path of the file of a point."""
    return Path(folder, "points", f"{key}.npz")


def write(folder: str | Path, head: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write a point to its file, whole or not at all."""
    what = "a point of the sweep could not be written"
    array_file.write(path_of(folder, head["key"]), arrays, head, what)


def read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read head and arrays of a point, and check them.

    Raises
    ------
    OSError
        If the file is missing, damaged or of another kind.
    """
    arrays, head = array_file.read(path, WHAT)
    wrong = [name for name, kind in _HEAD.items() if not isinstance(head.get(name, _MISSING), kind)]
    if head.get("format") != FORMAT or wrong:
        raise OSError(
            f"{path} is not a {WHAT} that this version of biosnn reads: its format is "
            f"{head.get('format')!r}, where {FORMAT!r} is read"
            + (f", and {', '.join(wrong)} is not as it should be." if wrong else ".")
        )
    results = {"numbers": head["numbers"], "objects": head["objects"]}
    known = key_of(head["function"], head["parameters"], head["seed"])
    if head["content"] != _digest(results, arrays) or head["key"] != known:
        raise OSError(f"{path} is not a usable {WHAT}: its digests are not of what it holds.")
    return head, arrays


_MISSING = object()
_HEAD: dict[str, Any] = {
    "key": str,
    "function": list,
    "parameters": dict,
    "seed": (int, type(None)),
    "numbers": dict,
    "objects": dict,
    "error": (dict, type(None)),
    "content": str,
    "seconds": (int, float),
    "compiled": int,
}
