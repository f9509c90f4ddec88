"""Files of spikes and of events with one thing in them that cannot be, and right checksums."""

import json
import zlib

import numpy as np

from biosnn.data import spike_file

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


def in_spikes(path, rng):
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


def in_events(path, rng):
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
