"""Spikes of long runs in an HDF5 file, which can be read while it grows and after an interruption.

Layout: group `spikes/<population>` with `times` (s from the start of the run, float64) and `units` (int32), attribute `n`; attributes of
the file: `dt`, `start` (s simulated before), `duration` (s so far) and `run` (which run wrote it).
"""
import secrets
import time
from pathlib import Path

import numpy as np

from .events import SpikeTrains

_FLUSH = 1.0   # seconds between writes to the disk


class SpikeFile:
    """An HDF5 file to append to."""

    def __init__(self, path, network, names, start):
        self.path, self.run, self._next = Path(path), secrets.token_hex(8), 0.0
        self.path.parent.mkdir(parents=True, exist_ok=True)
        import h5py    # here: `import biosnn` stays quick
        self._file = h5py.File(self.path, "w", libver="latest")
        self._file.create_group("spikes")
        self._file.attrs.update({"dt": network.dt, "start": start, "duration": 0.0, "run": self.run})
        for name in names:
            group = self._file.create_group(f"spikes/{name}")
            group.attrs["n"] = network[name].n
            group.create_dataset("times", (0,), np.float64, maxshape=(None,), chunks=(1 << 16,))
            group.create_dataset("units", (0,), np.int32, maxshape=(None,), chunks=(1 << 16,))
        self._file.swmr_mode = True      # others may read while this one writes

    def append(self, name, times, units):
        group = self._file[f"spikes/{name}"]
        for key, values in (("times", times), ("units", units)):
            size = group[key].shape[0]
            group[key].resize((size + values.size,))
            group[key][size:] = values
            group[key].flush()

    def mark(self, duration):
        """All spikes before `duration` are there."""
        if time.monotonic() >= self._next:
            self._file.attrs["duration"] = duration
            self._file.flush()
            self._next = time.monotonic() + _FLUSH
        self._duration = duration

    def close(self):
        self._file.attrs["duration"] = getattr(self, "_duration", 0.0)
        self._file.close()


def read_spikes(path, run=None):
    """Population -> SpikeTrains of one trial, from a file that simulate(..., out=path) wrote. OSError if it is not one.

    run: which one must have written it; default any.
    """
    try:
        import h5py
        with h5py.File(path, "r", libver="latest", swmr=True) as file:
            if run is not None and file.attrs.get("run") != run:
                raise OSError("a later run has written there")
            duration = max(float(file.attrs["duration"]), float(file.attrs["dt"]))
            result = {}
            for name, group in file["spikes"].items():
                times, units = group["times"][:], group["units"][:]
                n = min(times.size, units.size)      # it may grow in between
                times, units = times[:n], units[:n]
                keep = times < duration
                result[name] = SpikeTrains(times[keep], units[keep], [0, int(keep.sum())], int(group.attrs["n"]), duration)
            return result
    except (OSError, KeyError, ValueError) as error:
        raise OSError(f"{path} is not a file of spikes that simulate(…, out=…) wrote, or is damaged ({error}).") from error
