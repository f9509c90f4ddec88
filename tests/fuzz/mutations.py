"""Files that are damaged, or whole and wrong: each function takes a path and a Generator, changes
the file and says how.

of_bytes      changes bytes: the content may no longer be read, or must be what it was
impossible    a valid container of the kind with one thing in it that cannot be: must be refused
"""

import json
import zlib

import h5py
import numpy as np

from biosnn.data import spike_file
from biosnn.support import array_file

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
        "spikes": _in_spikes,
        "digits": _in_digits,
        "speakers": _in_speakers,
        "events": _in_events,
    }[container](path, rng)


def _in_arrays(path, rng):
    arrays, head = array_file.read(path, "checkpoint")
    name = str(rng.choice(sorted(arrays)))
    how = str(
        rng.choice(
            [
                "value",
                "value",
                "value",
                "dtype",
                "shape",
                "missing",
                "unknown",
                "head",
                "stale",
                "deflated",
            ]
        )
    )
    if how == "value":
        name, what = _wrong_value(arrays, rng)
        how = f"{name} {what}"
    elif how == "dtype":
        other = rng.choice(
            [
                t
                for t in ("f4", "f8", "i4", "i8", "u1", "c16", "?", ">f8", ">i4")
                if np.dtype(t) != arrays[name].dtype
            ]
        )
        with np.errstate(all="ignore"):
            arrays[name] = arrays[name].astype(other)
    elif how == "shape":
        arrays[name] = rng.choice(
            [
                lambda a: a[None],
                lambda a: np.concatenate([a.ravel(), [a.dtype.type(0)]]).astype(a.dtype),
                lambda a: np.zeros((0, 7, 0), a.dtype),
                lambda a: (
                    np.append(np.atleast_1d(a), np.atleast_1d(a), 0)
                    if a.size
                    else np.zeros(3, a.dtype)
                ),
            ]
        )(arrays[name])
    elif how == "missing":
        del arrays[name]
    elif how == "unknown":
        arrays[str(rng.choice([f"{name}x", "weight/Z->Z", "x", "plastic/w", "parameter/a/b"]))] = (
            arrays[name]
        )
    elif how == "head":
        how = f"head {_change_head(head, rng)}"
    if how in (
        "stale",
        "deflated",
    ):  # other values with the digest of the old ones; compressed, by numpy
        text = json.dumps(array_file_head(path)).encode()
        if how == "stale":
            name, _ = _wrong_value(arrays, rng)
        write = np.savez if how == "stale" else np.savez_compressed
        with open(path, "wb") as file:
            write(file, **arrays, meta=np.frombuffer(text, np.uint8))
    else:
        array_file.write(path, arrays, head, "it could not be written")
    return how if how[:4] in ("head", "stal", "defl") else f"{how} of {name}"


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


# ------------------------------------------------------------------------------------------- spikes


def _parts(path):
    """(first line as a dict, [[population, first, last, steps, units], …]) of a file of spikes."""
    data = path.read_bytes()
    line, at, found = data[: data.index(b"\n") + 1], data.index(b"\n") + 1, []
    while at < len(data):
        record = np.frombuffer(data, spike_file._RECORD, 1, at)[0]
        n, at = int(record["count"]), at + record.itemsize
        found.append(
            [
                int(record["population"]),
                int(record["first"]),
                int(record["last"]),
                np.frombuffer(data, "<u4", n, at).copy(),
                np.frombuffer(data, "<i4", n, at + 4 * n).copy(),
            ]
        )
        at += 8 * n
    return json.loads(line), found


def _in_spikes(path, rng):
    head, parts = _parts(path)
    how = str(rng.choice(["head", "unit", "unit", "step", "population", "first", "last", "order"]))
    filled = [part for part in parts if part[3].size]
    part = filled[int(rng.integers(len(filled)))]
    k = int(rng.integers(part[3].size))
    if how == "head":
        how += " " + _change_line(head, rng)
    elif how == "unit":
        part[4][k] = rng.choice([-1, 40, 2**31 - 1])
    elif how == "step":
        part[3][k] = rng.choice([part[2] - part[1], 2**32 - 1])
    elif how == "population":
        part[0] = int(rng.choice([2, 77, 2**32 - 2]))
    elif how == "order":
        parts.reverse()
    else:
        part[{"first": 1, "last": 2}[how]] = int(rng.choice([-1, 2**50, 2**62]))
    line = json.dumps(head).encode() + b"\n"
    written, check = [line], zlib.crc32(line)
    for population, first, last, steps, units in parts:
        body = steps.tobytes() + units.tobytes()
        record, check = spike_file._record(population, first, last, body, steps.size, check)
        written += [record, body]
    path.write_bytes(b"".join(written))
    return how


def _change_line(head, rng):
    wrong = [-1, 0, 10**30, 1.5, "3", None, True, [], float("nan")]
    name = str(rng.choice(["dt", "start", "populations", "format", "size", "missing", "twice"]))
    value = wrong[int(rng.integers(len(wrong)))]
    if name == "size":
        head["populations"][0][1] = value
    elif name == "twice":
        head["populations"][1][0] = head["populations"][0][0]
    elif name == "missing":
        del head[str(rng.choice(sorted(head)))]
    elif name in ("dt", "start"):
        head[name] = [each for each in wrong if each not in (0, 1.5, 10**30)][int(rng.integers(6))]
    else:
        head[name] = value
    return name


# ------------------------------------------------------------------------------------------- events


def _in_events(path, rng):
    events = np.load(path)
    how = str(
        rng.choice(["x", "y", "negative", "not finite", "type", "shape", "missing", "no fields"])
    )
    k, kinds = (
        int(rng.integers(events.size)),
        {name: events.dtype[name].str for name in events.dtype.names},
    )
    if how in ("x", "y"):
        kinds[how] = str(rng.choice(["i2", "u2", "i8", "u8"]))
        events = events.astype(list(kinds.items()))
        events[how][k] = min(
            int(rng.choice([16, 200, 2**15 - 1, 2**63 - 1])), np.iinfo(kinds[how]).max
        )
    elif how == "negative":
        events["t"][k] = rng.choice([-1, -(2**63)])
    elif how == "not finite":
        kinds["t"] = str(rng.choice(["f4", "f8"]))
        events = events.astype(list(kinds.items()))
        events["t"][k] = rng.choice([np.nan, np.inf])
    elif how == "type":
        name = str(rng.choice(["t", "x", "y", "p"]))
        events = events.astype(list((kinds | {name: str(rng.choice(["U8", "S8", "c16"]))}).items()))
    elif how == "shape":
        events = rng.choice([lambda a: a[None], lambda a: a.reshape(100, 2), lambda a: a[0]])(
            events
        )
    elif how == "missing":
        events = events[[name for name in kinds if name != rng.choice(["t", "x"])]]
    else:
        events = events["t"].copy()
    with open(path, "wb") as file:
        np.save(file, events)
    return how


# ------------------------------------------------------------------------------------------- digits


def _in_digits(path, rng, wrong=None):
    wrong = _WRONG_DIGITS if wrong is None else wrong
    name = str(rng.choice(list(wrong)))
    with h5py.File(path, "r+") as file:
        offset = wrong[name](file, rng)
    if offset is not None:  # every trial has the same entry, and refers to one place
        data = bytearray(path.read_bytes())
        first, n = offset
        data[first : first + 16 * n] = data[first : first + 16] * n
        path.write_bytes(bytes(data))
    return name


def _in_speakers(path, rng):
    return _in_digits(path, rng, _WRONG_SPEAKERS)


def _replace(name, **given):
    def act(file, rng):
        del file[name]
        file.create_dataset(name, **given)

    return act


def _entry(name, value):
    def act(file, rng):
        b = next(b for b in rng.permutation(len(file[name])) if len(file[name][b]))
        entry = file[name][b].copy()
        entry[rng.integers(entry.size)] = value
        file[name][b] = entry

    return act


def _without(name):
    def act(file, rng):
        del file[name]

    return act


def _linked(link):
    def act(file, rng):
        del file["labels"]
        file["labels"] = link

    return act


def _one_place(file, rng):
    n, large = 20000, np.zeros(20000)
    for name, kind in (("spikes/times", np.float16), ("spikes/units", np.uint16)):
        del file[name]
        file.create_dataset(name, (n,), h5py.vlen_dtype(kind))[0] = large.astype(kind)
    for name in ("labels", "extra/speaker"):
        del file[name]
        file[name] = np.zeros(n, int)
    return file["spikes/times"].id.get_offset(), n


def _shorter(file, rng):
    file["spikes/units"][0] = np.zeros(len(file["spikes/units"][0]) + 1, np.uint16)


def _all_empty(file, rng, n=1 << 36):
    for name in _NAMES:
        kind = file[name].dtype
        del file[name]
        file.create_dataset(name, (n,), kind, chunks=(1 << 10,))


def _bomb(file, rng):
    del file["extra/speaker"], file["labels"]
    for name in ("labels", "extra/speaker"):
        file.create_dataset(name, (1 << 27,), np.int64, chunks=(1 << 20,), compression="gzip")
    file["labels"][: 1 << 21] = file["extra/speaker"][: 1 << 21] = 1


_NAMES = ("spikes/times", "spikes/units", "labels", "extra/speaker")
_WRONG_DIGITS = {
    "labels of text": _replace("labels", data=[b"a"] * 20),
    "labels of floats": _replace("labels", data=np.full(20, 0.5)),
    "labels in rows": _replace("labels", data=np.zeros((20, 2), int)),
    "one label": _replace("labels", data=3),
    "labels without values": _replace("labels", data=h5py.Empty("i8")),
    "fewer labels": _replace("labels", data=np.zeros(19, int)),
    "no labels": _without("labels"),
    "no spikes": _without("spikes"),
    "all at one place": _one_place,
    "a loop of links": _linked(h5py.SoftLink("/labels")),
    "a link to nowhere": _linked(h5py.ExternalLink("none.h5", "/x")),
    "2^36 trials": _all_empty,
    "2^20 trials": lambda file, rng: _all_empty(file, rng, 1 << 20),
    "a time that is none": _entry("spikes/times", np.nan),
    "a negative time": _entry("spikes/times", -1.0),
    "an infinite time": _entry("spikes/times", np.inf),
    "a unit too far": _entry("spikes/units", 65535),
    "more units than times": _shorter,
}
_WRONG_SPEAKERS = {
    "no speakers": _without("extra/speaker"),
    "speakers in rows": _replace("extra/speaker", data=np.zeros((20, 1), int)),
    "speakers of floats": _replace("extra/speaker", data=np.zeros(20)),
    "fewer speakers": _replace("extra/speaker", data=np.zeros(3, int)),
    "2^36 trials": _all_empty,
    "a bomb": _bomb,
    "no labels": _without("labels"),
    "too large": _replace("extra/speaker", data=np.full(20, 2**63, np.uint64)),
}
