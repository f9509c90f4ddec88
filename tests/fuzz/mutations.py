"""Files that are damaged, or whole and wrong: each function takes a path and a Generator, changes
the file and says how.

of_bytes      changes bytes: the content may no longer be read, or must be what it was
impossible    a valid container of the kind with one thing in it that cannot be: must be refused
"""

import json

import numpy as np

from biosnn.support import array_file
from tests.fuzz import mutations_of_digits, mutations_of_spikes

# -------------------------------------------------------------------------------------------- bytes


def of_bytes(path, rng, others):
    """One of a dozen damages. others: files of other kinds."""
    data, name = bytearray(path.read_bytes()), str(rng.choice(list(_DAMAGES)))
    path.write_bytes(bytes(_DAMAGES[name](data, rng, others)))
    return name


def _span(data, rng):
    first = int(rng.integers(len(data)))
    return first, first + int(min(2 ** rng.integers(0, 12), len(data) - first))


def _bits(data, rng, _, most=8):
    for _ in range(int(rng.integers(1, most))):
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
    return data


def _bit_near_the_start(data, rng, _):
    data[rng.integers(min(len(data), 512))] ^= 1 << int(rng.integers(8))
    return data


def _number(data, rng, _):
    """A little-endian number of 8 bytes becomes an extreme one."""
    at = int(rng.integers(max(len(data) // 8, 1))) * 8
    data[at : at + 8] = int(rng.choice([0, 1, 2**31, 2**36, 2**62, 2**63 - 1])).to_bytes(
        8, "little"
    )
    return data


def _filled(value):
    def fill(data, rng, _):
        first, last = _span(data, rng)
        data[first:last] = bytes([value]) * (last - first)
        return data

    return fill


def _moved(data, rng, _):
    first, last = _span(data, rng)
    to = int(rng.integers(len(data)))
    data[to : to + last - first] = data[first:last]
    return data


def _removed(data, rng, _):
    first, last = _span(data, rng)
    del data[first:last]
    return data


def _twice(data, rng, _):
    first, last = _span(data, rng)
    data[last:last] = data[first:last]
    return data


def _spliced(data, rng, others):
    other = others[int(rng.integers(len(others)))].read_bytes()
    return data[: int(rng.integers(len(data)))] + other[int(rng.integers(len(other))) :]


_DAMAGES = {
    "bits": _bits,
    "many bits": lambda *given: _bits(*given, most=200),
    "a bit near the start": _bit_near_the_start,
    "a number": _number,
    "zeros": _filled(0),
    "ones": _filled(255),
    "moved bytes": _moved,
    "removed bytes": _removed,
    "bytes twice": _twice,
    "cut off": lambda data, rng, _: data[: int(rng.integers(len(data)))],
    "spliced": _spliced,
    "longer": lambda data, rng, _: data + rng.bytes(int(rng.integers(1, 5000))),
    "another kind": lambda data, rng, others: others[int(rng.integers(len(others)))].read_bytes(),
    "noise": lambda data, rng, _: rng.bytes(int(rng.integers(0, 3000))),
}

# ----------------------------------------------------------------------------------- what cannot be


def impossible(path, rng, container):
    """One thing that cannot be, in a container of that kind with right checksums."""
    return {
        "npz": _in_arrays,
        "spikes": mutations_of_spikes.in_spikes,
        "digits": mutations_of_digits.in_digits,
        "speakers": mutations_of_digits.in_speakers,
        "events": mutations_of_spikes.in_events,
    }[container](path, rng)


_KINDS_OF_DTYPE = ("f4", "f8", "i4", "i8", "u1", "c16", "?", ">f8", ">i4")
_NO_NAMES = ("weight/Z->Z", "x", "plastic/w", "parameter/a/b")
_OTHER_SHAPES = (
    lambda a: a[None],
    lambda a: np.concatenate([a.ravel(), [a.dtype.type(0)]]).astype(a.dtype),
    lambda a: np.zeros((0, 7, 0), a.dtype),
    lambda a: np.append(np.atleast_1d(a), np.atleast_1d(a), 0) if a.size else np.zeros(3, a.dtype),
)
#: What is wrong with the arrays or the head of a file; the first as often as three others.
_HOW = ("value", "value", "value", "dtype", "shape", "missing", "unknown", "head")


def _in_arrays(path, rng):
    arrays, head = array_file.read(path, "checkpoint")
    name = str(rng.choice(sorted(arrays)))
    how = str(rng.choice([*_HOW, "stale", "deflated"]))
    if how in ("stale", "deflated"):
        _under_the_old_digest(path, arrays, how, rng)
        return how
    if how == "value":
        name, what = _wrong_value(arrays, rng)
        how = f"{name} {what}"
    elif how == "head":
        how = f"head {_change_head(head, rng)}"
    else:
        _change_array(arrays, name, how, rng)
    array_file.write(path, arrays, head, "it could not be written")
    return how if how[:4] == "head" else f"{how} of {name}"


def _change_array(arrays, name, how, rng):
    """Another dtype or shape of an array; it is missing, or there is one more."""
    if how == "dtype":
        before = arrays[name].dtype
        other = rng.choice([kind for kind in _KINDS_OF_DTYPE if np.dtype(kind) != before])
        with np.errstate(all="ignore"):
            arrays[name] = arrays[name].astype(other)
    elif how == "shape":
        arrays[name] = rng.choice(_OTHER_SHAPES)(arrays[name])
    elif how == "missing":
        del arrays[name]
    elif how == "unknown":
        arrays[str(rng.choice([f"{name}x", *_NO_NAMES]))] = arrays[name]


def _under_the_old_digest(path, arrays, how, rng):
    """Other values with the digest of the old ones, or compressed, by numpy."""
    text = json.dumps(array_file_head(path)).encode()
    if how == "stale":
        _wrong_value(arrays, rng)
    write = np.savez if how == "stale" else np.savez_compressed
    with open(path, "wb") as file:
        write(file, **arrays, meta=np.frombuffer(text, np.uint8))


def array_file_head(path):
    """The head of a file as it is, with its digest."""
    with np.load(path) as file:
        return json.loads(file["meta"].tobytes())


def _wrong_value(arrays, rng):
    """Puts an impossible number into an array. (name, what)."""
    free = ("history/", "key")  # histories may have NaN, any key is one
    names = sorted(
        name
        for name, a in arrays.items()
        if a.size and a.dtype.kind in "fi" and not name.startswith(free)
    )
    name = str(rng.choice(names))
    array = arrays[name]
    value = (
        rng.choice([np.nan, np.inf, -np.inf])
        if array.dtype.kind == "f"
        else rng.choice([-1, np.iinfo(array.dtype).max])
    )
    array.reshape(-1)[rng.integers(array.size)] = value
    return name, str(value)


def _change_head(head, rng):
    wrong = [-5, 10**18, 10**30, 1e20, 1.5, "3", None, True, [1], float("nan")]
    name = str(rng.choice(sorted(head)))
    if name in ("step", "epoch", "batch"):
        head[name] = wrong[int(rng.integers(len(wrong)))]
    elif name == "network" and rng.random() < 0.9:
        return f"network {_change_record(head['network'], rng)}"
    elif name == "version":
        head[name] = [[1], None, 3][int(rng.integers(3))]
    elif name == "recipe" and rng.random() < 0.7:
        head["recipe"]["seed"] = wrong[int(rng.integers(len(wrong)))]
    elif rng.random() < 0.5:
        del head[name]
    else:
        head[name] = [wrong, "0" * 16, {}][int(rng.integers(3))]
    return name


def _change_record(record, rng):
    """Something in the record of a network that cannot be, whatever it is."""
    places = list(_places(record, ""))
    parent, key, where = places[int(rng.integers(len(places)))]
    value = parent[key]
    if isinstance(parent, dict) and rng.random() < 0.2:
        parent[f"{key} too"] = value
        if rng.random() < 0.5:
            del parent[key]
        return f"{where} has another name"
    if isinstance(value, list) and value and isinstance(value[0], dict) and rng.random() < 0.3:
        value.append(value[0])
        return f"{where} has one twice"
    wrong = [float("nan"), [[]], {}, {"class": "Mine"}, 10**400]
    if not isinstance(value, str) or value == "infinity":
        wrong += ["x", "Infinity"]
    parent[key] = wrong[int(rng.integers(len(wrong)))]
    return f"{where} is {parent[key]}"


def _places(part, where):
    """(record or list, key, where) of every value in a record."""
    for key in range(len(part)) if isinstance(part, list) else part:
        yield part, key, f"{where}/{key}"
        if isinstance(part[key], (list, dict)):
            yield from _places(part[key], f"{where}/{key}")
