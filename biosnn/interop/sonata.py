"""SONATA: spikes in HDF5 files as BMTK, NEST, CoreNEURON and libsonata write and read them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..data.recording import Recording
from ..data.spike_trains import SpikeTrains
from ..support import checks, files, timegrid
from .sources import Source, recording_of, since

#: The values of the attribute `sorting`, as numbers of an enumeration.
_SORTING = {"none": 0, "by_id": 1, "by_time": 2}
_TO_SECONDS = {"ms": 1e-3, "milliseconds": 1e-3, "s": 1.0, "seconds": 1.0, "us": 1e-6}


def to_sonata(source: Source, path: str | os.PathLike) -> None:
    """Write spikes as a SONATA file.

    Parameters
    ----------
    source
        A Trace, Simulation or Recording, SpikeTrains, or a dict of population -> SpikeTrains, of
        one trial: SONATA has no trials.
    path
        Path of the file, which is replaced. Missing folders are made.

    Raises
    ------
    ValueError
        If there are several trials, or no spikes.
    OSError
        If the file cannot be written.

    See Also
    --------
    from_sonata : the other way.

    Notes
    -----
    The file has a group /spikes/<population> with the data sets timestamps (float64, in ms) and
    node_ids (uint64), sorted by time, as the SONATA guide [1]_ says. Times are on the clock of the
    run: those of a run that went on from an earlier one begin at its `start`. Attributes of the
    group that SONATA does not know (start, duration and dt in seconds, n_units) let `from_sonata`
    return all of it.

    References
    ----------
    .. [1] Dai et al. (2020), The SONATA data format for efficient description of large-scale
       network models, PLoS Comput Biol 16: e1007696.

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.interop.to_sonata(simulation, "spikes.h5")  # doctest: +SKIP
    """
    recording = recording_of(source)
    path = checks.path(path, "path")
    if not recording.spikes:
        raise ValueError("to_sonata: there are no spikes to write.")
    for name in recording:
        if "/" in name or not name.strip("."):
            checks.refuse("the name of a population", name, "a name that a group of HDF5 can have")
    if recording.n_trials != 1:
        raise ValueError(
            f"to_sonata: there are {recording.n_trials} trials, and SONATA has none; write them "
            "one by one, such as to_sonata({'E': trace.spikes['E'][0]}, …)."
        )
    import h5py

    with (
        files.replaced(path, "the SONATA file cannot be written") as unfinished,
        h5py.File(unfinished.name, "w") as file,
    ):
        for name, trains in recording.spikes.items():
            _write(h5py, file.create_group(f"spikes/{name}"), trains, recording)


def _write(h5py, group, trains, recording):
    """Write the spikes of a population."""
    start = float(recording.starts[0])
    kind = h5py.enum_dtype(_SORTING, basetype="u1")
    group.attrs.create("sorting", _SORTING["by_time"], dtype=kind)
    stamps = (start + trains.times.astype(np.float64)) * 1e3
    group.create_dataset("timestamps", data=stamps).attrs["units"] = "ms"
    group.create_dataset("node_ids", data=trains.units.astype(np.uint64))
    group.attrs["start"], group.attrs["duration"] = start, trains.duration
    group.attrs["n_units"] = trains.n_units
    if recording.dt is not None:
        group.attrs["dt"] = recording.dt


def from_sonata(
    path: str | os.PathLike,
    *,
    n_units: Mapping[str, int] | None = None,
    start: float | None = None,
    duration: float | None = None,
) -> Recording:
    """Read the spikes of a SONATA file.

    Parameters
    ----------
    path
        The file, of any program.
    n_units
        Population -> number of its neurons, where the file does not say it. Default: as many as the
        largest node id asks for.
    start, duration
        Seconds, where the file does not say them. Default: 0, and until after the last spike.

    Returns
    -------
    A Recording of one trial, population -> SpikeTrains, whose times count from its `start`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    OSError
        If it is not a SONATA file of spikes.
    ValueError
        If spikes lie outside of the given times or neurons.

    See Also
    --------
    to_sonata : the other way.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import biosnn as bs
    >>> spikes = bs.SpikeTrains.from_units([[0.1, 0.3], [0.2]], duration=0.5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bs.interop.to_sonata({"E": spikes}, Path(folder) / "spikes.h5")
    ...     again = bs.interop.from_sonata(Path(folder) / "spikes.h5")
    >>> again["E"].units, again["E"].duration
    (array([0, 1, 0], dtype=int32), 0.5)
    """
    path = checks.path(path, "path")
    n_units = {} if n_units is None else n_units
    checks.instance(n_units, "n_units", Mapping, "a dict of population -> number, or None")
    given = (start, duration)
    start = None if start is None else checks.time(start, "start")
    duration = None if duration is None else checks.time(duration, "duration", above=0)
    if not files.is_file(path):
        raise FileNotFoundError(f"there is no SONATA file {path}.")
    try:
        found = _read(path)
    except Exception as error:
        raise OSError(f"{path} is not a SONATA file of spikes, or is damaged ({error}).") from error
    checks.check_names("n_units", n_units, found, "the populations ")
    about = [part["about"] for part in found.values()]
    start = _agreed(about, "start", start, 0.0)
    latest = max((part["times"].max(initial=start) for part in found.values()), default=start)
    past = timegrid.after(np.array([max(latest - start, 0.0)]))
    length = _agreed(about, "duration", duration, past)
    dt = _agreed(about, "dt", None, None)
    try:
        spikes = {
            name: _trains(part, n_units.get(name), start, length, dt)
            for name, part in found.items()
        }
        return Recording(spikes, start=start, dt=dt)
    except ValueError as error:
        told = bool(n_units) or given != (None, None)
        raise (ValueError if told else OSError)(f"{path}: {error}") from error


def _agreed(about, what, given, default):
    """A number that is given, or that all populations of the file say, or the default."""
    said = {float(each[what]) for each in about if what in each}
    if given is not None:
        return given
    return said.pop() if len(said) == 1 else default


def _read(path):
    """Population -> times on the clock in seconds, node ids and attributes."""
    import h5py

    found: dict[str, dict[str, Any]] = {}
    with h5py.File(path, "r") as file:
        if "spikes" not in file:
            raise ValueError("it has no group /spikes")
        group = file["spikes"]
        flat = "timestamps" in group  # of the first version of the format: no populations
        for name, part in ({"units": group} if flat else group).items():
            stamps, ids = part["timestamps"], part["node_ids" if not flat else "gids"]
            unit = stamps.attrs.get("units", part.attrs.get("units", "ms"))
            unit = unit.decode() if isinstance(unit, bytes) else str(unit)
            if unit not in _TO_SECONDS:
                raise ValueError(f"its times are in {unit!r}")
            times = checks.reals(stamps[()], "timestamps", shape=(None,)) * _TO_SECONDS[unit]
            ids = checks.wholes(ids[()], "node_ids", 0, 2**31 - 1, shape=times.shape)
            known = ("start", "duration", "dt", "n_units")
            about = {k: checks.real(part.attrs[k], k) for k in known if k in part.attrs}
            found[name] = {"times": times, "ids": ids, "about": about}
    if not found:
        raise ValueError("its group /spikes has no populations")
    return found


def _trains(part, n_units, start, duration, dt):
    """SpikeTrains of a population."""
    if n_units is None:
        n_units = int(part["about"].get("n_units", part["ids"].max(initial=0) + 1))
    return SpikeTrains.from_events(
        since(part["times"], np.float64(start), duration, dt),
        part["ids"],
        np.zeros(part["ids"].size, np.int64),
        n_trials=1,
        n_units=n_units,
        duration=duration,
    )
