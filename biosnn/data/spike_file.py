"""Spikes of long runs in a file that can be read while it grows, and after a kill or a full disk.

The file is a line of JSON and then records, which are only ever added at the end:

    line      {"format": …, "dt": s, "start": s simulated before, "run": which run wrote it,
               "populations": [[name, n], …]}
    record    32 bytes (_RECORD), then `count` steps (uint32, from `first` of the record on) and
              `count` units (int32)

Steps count from the start of the run: a spike of step n is at n dt seconds. All records of a slice
of time are written at once; the last of them, of population _MARK, has no spikes and says that all
before step `last` are there. What comes after the last mark is a slice that was being written.
`body` is the CRC-32 of steps and units, `check` that of the 28 bytes that follow it, begun with the
`check` of the record before, or the CRC-32 of the line: so nothing is lost or changed unseen.
"""

from __future__ import annotations

import json
import os
import secrets
import zlib
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from ..support import checks, files, schema
from .recording import Recording
from .spike_trains import SpikeTrains

_FORMAT = "biosnn spikes 1"
_RECORD = np.dtype(
    [
        ("check", "<u4"),
        ("body", "<u4"),
        ("population", "<u4"),
        ("count", "<u4"),
        ("first", "<i8"),
        ("last", "<i8"),
    ]
)
_MARK = 2**32 - 1
_LONGEST_LINE = 1 << 24
_SPIKE_BYTES = 8


class SpikeFile:
    """A file to append to.

    Parameters
    ----------
    path
        Its path. An existing file is replaced.
    network
        The network whose spikes it gets.
    names
        Names of the populations that it holds.
    start
        Seconds that were simulated before.

    Attributes
    ----------
    run
        The run that writes it, a text.
    problem
        Why it takes no more spikes, or None.
    """

    def __init__(
        self, path: str | os.PathLike, network: Any, names: Sequence[str], start: float
    ) -> None:
        self.path, self.run = checks.path(path, "out"), secrets.token_hex(8)
        self.problem: str | None = None
        self._dt, self._numbers = network.dt, {name: k for k, name in enumerate(names)}
        head = {
            "format": _FORMAT,
            "dt": network.dt,
            "start": start,
            "run": self.run,
            "populations": [[name, network[name].n] for name in names],
        }
        line = json.dumps(head).encode() + b"\n"
        with files.naming(self.path, "spikes cannot be written to this file"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(
                self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666
            )
            try:
                self._begin(line)
            except BaseException:
                os.close(self._file)
                raise

    def _begin(self, line):
        """Write the first line and an empty slice."""
        try:
            self._lock = files.Lock(self._file)
        except BlockingIOError:
            raise ValueError(
                f"another simulation writes its spikes to {self.path} at this moment; give this "
                "one another file."
            ) from None
        os.ftruncate(self._file, 0)
        mark, self._check = _record(_MARK, 0, 0, b"", 0, zlib.crc32(line))
        self._write(line + mark)
        self._size = len(line) + len(mark)

    def append(
        self, first: int, last: int, spikes: dict[str, tuple[np.ndarray, np.ndarray]]
    ) -> bool:
        """Write the spikes of a slice, name -> (steps, units), all or none.

        Returns whether they are in the file; if not, `problem` says why.
        """
        check, parts = self._check, []
        for name, (steps, units) in spikes.items():
            body = (steps - first).astype("<u4").tobytes() + units.astype("<i4").tobytes()
            record, check = _record(self._numbers[name], first, last, body, steps.size, check)
            parts += [record, body]
        mark, check = _record(_MARK, first, last, b"", 0, check)
        block = b"".join([*parts, mark])
        try:
            self._write(block)
        except OSError as error:
            self.problem = (
                f"{self.path} takes no more spikes ({_reason(error)}); it holds those of the first "
                f"{first * self._dt:g} s"
            )
            # to be shorter a file needs no room; and what is there of a slice is not read
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            return False
        self._size, self._check = self._size + len(block), check
        return True

    def _write(self, data):
        """Write all bytes, however many the system takes at once."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]

    def close(self) -> None:
        """Close the file. Some file systems say only now that the disk is full: see `problem`."""
        try:
            os.fsync(self._file)
        except OSError as error:
            self._end_may_be_lost(error)
        self._lock.release()
        try:
            os.close(self._file)
        except OSError as error:
            self._end_may_be_lost(error)

    def _end_may_be_lost(self, error):
        """Keep why, unless there was a problem before."""
        lost = f"the end of {self.path} may be lost ({_reason(error)})"
        self.problem = self.problem or lost


def _reason(error):
    """An error of the system in words."""
    return os.strerror(error.errno)


def read_spikes(path: str | os.PathLike, *, run: str | None = None) -> Recording:
    """Read the spikes that `simulate(…, out=path)` wrote, also while it still writes.

    Parameters
    ----------
    path
        The file.
    run
        Which run must have written it. Default: any.

    Returns
    -------
    A Recording: population name to spike trains of one trial. If the run goes on or was killed,
    these are all spikes before their `duration`. Their times count from the start of the run; what
    was simulated before it is the `start` of the recording, and its time step is `dt`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    OSError
        If it is another kind of file, or damaged.

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.read_spikes("long_run.spikes")["E"].duration  # doctest: +SKIP
    600.0
    """
    path = checks.path(path, "path")
    if not files.is_file(path):
        raise FileNotFoundError(f"there is no file of spikes {path}.")
    try:
        with files.naming(path, "spikes cannot be read from this file"), open(path, "rb") as file:
            head, check = _head(file)
            if run is not None and head["run"] != run:
                raise ValueError("a later run has written there")
            parts, last = _slices(file, check, [n for _, n in head["populations"]])
        duration, dt = max(last, 1) * head["dt"], head["dt"]
        spikes = {
            name: _one_trial(found, n, dt, duration)
            for (name, n), found in zip(head["populations"], parts)
        }
        return Recording(spikes, start=head["start"], dt=dt)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise OSError(
            f"{path} is not a file of spikes that simulate(…, out=…) wrote, or is damaged "
            f"({error})."
        ) from error


def _one_trial(slices, n, dt, duration):
    """SpikeTrains of the (steps, units) of all slices."""
    steps = np.concatenate([np.empty(0, np.int64), *[steps for steps, _ in slices]])
    units = np.concatenate([np.empty(0, np.int32), *[units for _, units in slices]])
    return SpikeTrains(
        times=steps * dt, units=units, offsets=[0, units.size], n_units=n, duration=duration
    )


def _head(file):
    """(the first line, its checksum)."""
    line = file.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise ValueError("it has no first line")
    head = json.loads(line)
    if not isinstance(head, dict) or head.get("format") != _FORMAT:
        raise ValueError(f"its first line does not say {_FORMAT!r}")
    if set(head) != {"format", "dt", "start", "run", "populations"} or not isinstance(
        head["populations"], list
    ):
        raise ValueError("its first line is not complete")
    checks.real(head["dt"], "dt", above=0.0)
    checks.real(head["start"], "start", 0.0)
    for name, n in head["populations"]:
        checks.whole(n, f"the size of {name!r}", 1, 2**31 - 1)
    names = [name for name, _ in head["populations"]]
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise ValueError("the names of its populations are not distinct texts")
    return head, zlib.crc32(line)


def _record(population, first, last, body, count, check):
    """(bytes of a record, its check)."""
    record = np.array((0, zlib.crc32(body), population, count, first, last), _RECORD).tobytes()[4:]
    check = zlib.crc32(record, check)
    return check.to_bytes(4, "little") + record, check


def _slices(file, check, sizes):
    """(for each population its (steps, units) by slice, the step at which the last slice ends)."""
    found, waiting, until, marked = [[] for _ in sizes], [], 0, False
    for record, body in _records(file, check):
        population = int(record["population"])
        first, last = int(record["first"]), int(record["last"])
        known = population == _MARK or population < len(sizes)
        if first != until or not first <= last <= schema.MOST_STEPS or not known:
            raise ValueError("a record is out of its order")
        if population != _MARK:
            waiting.append((population, _spikes_of(record, body, first, last)))
            continue
        for p, spikes in waiting:
            found[p].append(spikes)
        waiting, until, marked = [], last, True
    if not marked:
        raise ValueError("nothing was written to it yet")
    return found, until


def _records(file, check):
    """Yield (record, its body) of all records that are complete; ValueError for a damaged one."""
    left = os.fstat(file.fileno()).st_size - file.tell()
    while left >= _RECORD.itemsize:
        head = file.read(_RECORD.itemsize)
        record, check = np.frombuffer(head, _RECORD)[0], zlib.crc32(head[4:], check)
        left -= len(head)
        if check != record["check"]:
            # zeros are what a loss of power leaves at the end
            if any(head) or any(map(any, iter(lambda: file.read(1 << 20), b""))):
                raise ValueError("a record is damaged")
            return
        size = int(record["count"]) * _SPIKE_BYTES
        if size > left:  # it is being written
            return
        body = file.read(size)
        left -= len(body)
        if zlib.crc32(body) != record["body"]:
            raise ValueError("spikes do not have the checksum that they were written with")
        yield record, body


def _spikes_of(record, body, first, last):
    """(steps, units) of a record; ValueError for a spike outside of its slice."""
    count = int(record["count"])
    steps = np.frombuffer(body, "<u4", count)
    if np.any(steps >= last - first):
        raise ValueError("a spike lies outside of its slice")
    return first + steps.astype(np.int64), np.frombuffer(body, "<i4", count, 4 * count)
