"""The registry of cases, the digest of a value, and the comparison with what is on file."""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import llvmlite.binding
import numba
import numpy as np

import biosnn as bs

FILE = Path(__file__).parents[1] / "data" / "digests.json"

#: Name -> Case, in the order in which they were registered.
CASES = {}


@dataclass(frozen=True)
class Case:
    """A function that returns name -> value, and how close sums must be on another machine."""

    function: object
    tolerance: float


@dataclass(frozen=True)
class Difference:
    """A value that is not what the file has. kind: "digest", "summary", "text" or "names"."""

    case: str
    value: str
    kind: str
    words: str

    def __str__(self):
        return f"{self.value} of {self.case!r}: {self.words}"


def case(name, tolerance=1e-3):
    """Register a function without arguments that returns a dict, name -> value.

    A value is an array, a number, SpikeTrains, a text, or a dict of such values, whose names are
    then appended to its own: {"weights": {"E->I": …}} is the value "weights E->I".
    """

    def register(function):
        if name in CASES:
            raise ValueError(f"there are two cases {name!r}.")
        CASES[name] = Case(function, tolerance)
        return function

    return register


def flat(values, prefix=""):
    """Name -> value without nested dicts."""
    result = {}
    for name, value in values.items():
        if isinstance(name, tuple):
            name = " ".join(name)
        full = f"{prefix} {name}".strip()
        result |= flat(value, full) if isinstance(value, Mapping) else {full: value}
    return result


def _sha(*arrays):
    """The first 80 bits of SHA-256 of types, shapes and bytes."""
    state = hashlib.sha256()
    for array in arrays:
        array = np.asarray(array)
        state.update(f"{array.dtype.str}{array.shape}".encode())
        state.update(np.ascontiguousarray(array).tobytes())
    return state.hexdigest()[:20]


def entry(value):
    """What the file holds of a value: {"text"}, or {"digest"} and a summary.

    The summary is the number of spikes of SpikeTrains, the shape and the sum of a whole-number
    array, and the shape and the sum of the finite absolute values, with six digits, of others.
    """
    if isinstance(value, str):
        return {"text": hashlib.sha256(value.encode()).hexdigest()[:20]}
    if isinstance(value, bs.SpikeTrains):
        labels = np.empty(0) if value.labels is None else value.labels
        parts = (value.times, value.units, value.offsets, labels, value.n_units, value.duration)
        return {"digest": _sha(*parts), "spikes": int(value.times.size)}
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"a value of type {type(value).__name__} has no digest.")
    found = {"digest": _sha(array), "shape": list(array.shape)}
    if array.dtype.kind != "f":
        return found | {"count": int(np.abs(array.astype(np.int64)).sum())}
    finite = np.abs(array[np.isfinite(array)].astype(np.float64))
    return found | {"finite": int(finite.size), "sum": float(f"{finite.sum():.6g}")}


def results(name):
    """Name -> value of all that a case computes."""
    return flat(CASES[name].function())


def key():
    """What bits depend on beside the library: the processor and the programs that compute."""
    # numba takes these two from its configuration, if they are set there, else from the host
    cpu = numba.config.CPU_NAME or llvmlite.binding.get_host_cpu_name()
    features = numba.config.CPU_FEATURES
    if features is None:
        features = llvmlite.binding.get_host_cpu_features().flatten()
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "c library": "-".join(platform.libc_ver()),
        "cpu": cpu,
        "cpu features": hashlib.sha256(features.encode()).hexdigest()[:8],
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "compiled": not numba.config.DISABLE_JIT,
        **{package: version(package) for package in ("numpy", "numba", "llvmlite", "scipy")},
    }


def _counts_agree(a, b):
    """Within 1 %, or by one."""
    return abs(a - b) <= max(1, 0.01 * max(a, b))


def _summaries_agree(a, b, tolerance):
    """Whether two entries say the same on machines whose last bits differ."""
    if a.keys() != b.keys() or a.get("shape") != b.get("shape"):
        return False
    if "sum" not in a:
        return all(_counts_agree(a[kind], b[kind]) for kind in ("spikes", "count") if kind in a)
    near = abs(a["sum"] - b["sum"]) <= tolerance * max(a["sum"], b["sum"]) + 1e-6
    return _counts_agree(a["finite"], b["finite"]) and near


def _shown(found):
    """The summary of an entry, for messages."""
    return ", ".join(f"{name} {value}" for name, value in found.items() if name != "digest")


def compare(name, values, filed, same_machine):
    """Differences between the values of a case and its entries in the file.

    same_machine: compare digests, else summaries alone. Texts are compared on the same machine.
    """
    if filed is None:
        return [Difference(name, "the case", "names", "it is not in the file; write it anew")]
    differences = []
    for value in [*values, *(other for other in filed if other not in values)]:
        if value not in filed or value not in values:
            where = "is not in the file" if value in values else "is in the file, but not computed"
            differences.append(Difference(name, value, "names", where))
            continue
        new, old = entry(values[value]), filed[value]
        if "text" in new or "text" in old:
            if same_machine and new != old:
                differences.append(Difference(name, value, "text", "the text is another one"))
            continue
        if not _summaries_agree(new, old, CASES[name].tolerance):
            words = f"it was {_shown(old)}, and is {_shown(new)}"
            differences.append(Difference(name, value, "summary", words))
        elif same_machine and new != old:
            words = f"other bits, of nearly the same size ({_shown(old)}; {_shown(new)})"
            differences.append(Difference(name, value, "digest", words))
    return differences


def read():
    """(key, case -> value -> entry) of the file."""
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    return stored["key"], stored["cases"]


def write(cases):
    """Write the file, a line for each value. cases: case -> value -> entry."""
    blocks = []
    for name, entries in cases.items():
        lines = [f"   {json.dumps(value)}: {json.dumps(each)}" for value, each in entries.items()]
        blocks.append(f"  {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n  }")
    head = f'{{\n "key": {json.dumps(key())},\n "cases": {{\n'
    partial = FILE.with_suffix(".part")
    partial.write_text(head + ",\n".join(blocks) + "\n }\n}\n", encoding="utf-8")
    os.replace(partial, FILE)
