"""NWB files, read: the units table, cut into trials, and series of states."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from ..data.recording import Recording
from ..support import checks, files, timegrid
from ..support.optional import optional
from .sources import UNITS, lengths, on_steps, trains_from_clock
from .to_nwb import MODULE, RUN_START

#: Columns of the trials that are read.
_TRIALS = ("start_time", "stop_time", RUN_START, "label")


def from_nwb(path: str | os.PathLike, *, population: str = UNITS) -> Recording:
    """Read the spikes of an NWB file, and the states that `to_nwb` has written.

    It needs the package pynwb, which `pip install "biosnn[nwb]"` brings.

    Parameters
    ----------
    path
        The file, of any program, with a table of units.
    population
        Name for units of a file that has no column population.

    Returns
    -------
    A Recording: population -> SpikeTrains, whose times count from the start of each trial; spikes
    between the trials of the file are left out. A file without a table of trials is one trial,
    from the first to the last of its obs_intervals, or from 0 to its last spike.

    Raises
    ------
    ImportError
        If pynwb is not installed.
    FileNotFoundError
        If there is no such file.
    OSError
        If it is not an NWB file.
    ValueError
        If it has no units.

    See Also
    --------
    to_nwb : the other way.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, n_units=3, duration=0.5, n_trials=2, seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:  # needs biosnn[nwb]
    ...     bs.interop.to_nwb({"E": spikes}, Path(folder) / "spikes.nwb")
    ...     again = bs.interop.from_nwb(Path(folder) / "spikes.nwb")
    >>> len(again["E"]), again["E"].times.size == spikes.times.size
    (2, True)
    """
    pynwb = optional("pynwb", "nwb", "from_nwb")
    path = checks.path(path, "path")
    checks.texts([population], "population", "'E'")
    if not files.is_file(path):
        raise FileNotFoundError(f"there is no NWB file {path}.")
    try:
        with pynwb.NWBHDF5IO(path, "r") as io:
            parts = _parts(io.read(), population)
    except Exception as error:
        raise OSError(f"{path} is not an NWB file, or is damaged ({error}).") from error
    if parts is None:
        raise ValueError(f"{path} has no table of units with spike_times: there are no spikes.")
    return _recording(**parts)


def _parts(nwb, population):
    """What a recording needs, as arrays; None if there are no units or states."""
    units, module = nwb.units, nwb.processing.get(MODULE)
    series = [] if module is None else list(module.data_interfaces.values())
    has_units = units is not None and "spike_times" in units.colnames
    if not has_units and not series:
        return None
    table: dict[str, Any] = {"clock": np.empty(0), "counts": np.empty(0, int), "intervals": None}
    if has_units:
        ends = np.asarray(units["spike_times"].data[:], np.int64)
        names = _column(units, "population", [population] * len(units))
        table = {
            "clock": np.asarray(units["spike_times"].target.data[:], np.float64),
            "counts": np.diff(ends, prepend=0),
            "names": np.array([str(name) for name in names]),
            "signs": _column(units, "sign", ["unsigned"] * len(units)),
            "neurons": _column(units, "neuron", None),
            "intervals": _intervals(units),
            "dt": units.resolution if (units.resolution or 0) > 0 else None,
        }
    known = () if nwb.trials is None else set(nwb.trials.colnames) & set(_TRIALS)
    trials = {name: np.asarray(nwb.trials[name].data[:]) for name in known}
    return {"table": table, "trials": trials, "series": [_series(each) for each in series]}


def _column(units, name, default):
    """A column of the units, or what stands for it."""
    return units[name].data[:] if name in units.colnames else default


def _intervals(units):
    """(intervals, 2) all obs_intervals, or None."""
    if "obs_intervals" not in units.colnames:
        return None
    found = np.asarray(units["obs_intervals"].target.data[:], np.float64)
    return found if found.size else None


def _series(series):
    """(what the comments say, values, unit) of a series of states; None for another one."""
    try:
        about = json.loads(series.comments)
    except (ValueError, TypeError):
        return None
    if not isinstance(about, dict) or set(about) != {"state", "neurons"}:
        return None
    values = np.asarray(series.data[:])
    rate = series.rate
    stamps = series.timestamps
    if stamps is None:
        stamps = series.starting_time + np.arange(len(values)) / rate
    return about, values, np.asarray(stamps[:], np.float64), series.unit


def _recording(table, trials, series):
    """The Recording of these parts."""
    starts, ends = _spans(table, trials)
    dt, labels = table.get("dt"), trials.get("label")
    if labels is not None and labels.dtype.kind not in "iu":
        labels = None
    order = np.argsort(starts, kind="stable")
    slack = 0.5 * dt if dt else 4 * np.spacing(np.max(np.abs(starts + ends)))
    trial = order[
        np.maximum(np.searchsorted(starts[order] - slack, table["clock"], "right") - 1, 0)
    ]
    inside = (table["clock"] >= starts[trial] - slack) & (
        table["clock"] - starts[trial] < ends[trial] + (0 if dt else slack)
    )
    row = np.repeat(np.arange(table["counts"].size), table["counts"])
    spikes, signs = {}, {}
    for name in dict.fromkeys(table.get("names", ())):
        rows = np.flatnonzero(table["names"] == name)
        number = _numbers(table["neurons"], rows)
        own = inside & np.isin(row, rows)
        spikes[str(name)] = trains_from_clock(
            table["clock"][own],
            number[np.searchsorted(rows, row[own])],
            trial[own],
            starts=starts,
            ends=ends,
            n_units=int(number.max()) + 1,
            dt=dt,
            labels=labels,
        )
        signs[str(name)] = str(table["signs"][rows[0]])
    run_starts = trials.get(RUN_START, starts)
    states = _states([each for each in series if each is not None], starts, dt)
    return Recording(spikes, start=run_starts, signs=signs, dt=dt, **states)


def _numbers(neurons, rows):
    """Numbers of the units of a population: those of the file if they are distinct."""
    if neurons is not None:
        given = np.asarray(neurons)[rows]
        if given.dtype.kind in "iu" and given.min() >= 0 and np.unique(given).size == given.size:
            return given.astype(np.int64)
    return np.arange(rows.size)


def _spans(table, trials):
    """(trials,) where they begin in the file, and how long they are, in seconds."""
    if len(trials.get("start_time", ())):
        starts = trials["start_time"]
        return starts, lengths(starts, trials["stop_time"], table.get("dt"))
    intervals = table["intervals"]
    if intervals is not None:
        return np.array([intervals.min()]), np.array([np.ptp(intervals)])
    return np.zeros(1), np.array([timegrid.after(np.maximum(table["clock"], 0.0))])


def _states(series, starts, dt):
    """What a Recording has of states."""
    if not series:
        return {}
    n_times = len(series[0][2]) // starts.size
    return {
        "states": {
            about["state"]: values.reshape(starts.size, n_times, -1)
            for about, values, _, _ in series
        },
        "state_times": on_steps(series[0][2][:n_times] - starts[0], dt),
        "neurons": {about["state"]: about["neurons"] for about, *_ in series},
        "units": {about["state"]: unit for about, *_, unit in series},
    }
