"""NWB files, written: units, trials and series of states, without electrodes, by pynwb."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.recording import Recording
from ..support import checks, files
from ..support.optional import optional
from .sources import Source, recording_of

#: Processing module with the series of states.
MODULE = "simulation"
#: Column of the trials with the start of the run, where trials lie side by side in time.
RUN_START = "run_start"


def to_nwb(
    source: Source,
    path: str | os.PathLike,
    *,
    units: Mapping[str, str] | None = None,
    session: Mapping[str, Any] | None = None,
) -> None:
    """Write spikes and recorded states as an NWB file.

    It needs the package pynwb, which `pip install "biosnn[nwb]"` brings.

    Parameters
    ----------
    source
        A Trace, Simulation or Recording, SpikeTrains, or a dict of population -> SpikeTrains.
    path
        Path of the file, which is replaced. Missing folders are made.
    units
        Units of states, such as {"U": "volts"}, or {"E.U": "volts"} for one population. Default:
        dimensionless.
    session
        Fields of pynwb.NWBFile, such as {"session_description": "…", "lab": "…"}. Default: a
        description, a random identifier, and now as session_start_time.

    Raises
    ------
    ImportError
        If pynwb is not installed.
    ValueError
        If the source is none of these, or pynwb refuses a field of the session.
    OSError
        If the file cannot be written.

    See Also
    --------
    from_nwb : the other way.

    Notes
    -----
    Every neuron is a row of the units table, with its spike_times, obs_intervals, and the columns
    population, sign and neuron. The file has one clock: it begins at the `start` of the run, and
    the trials of a batch, which share their time, follow each other on it; the trials table has
    their start_time and stop_time, run_start (their own clock), and label. Every recorded state is
    a TimeSeries (time, neuron) of the processing module "simulation". To add a subject or devices,
    open the file with pynwb.NWBHDF5IO(path, "a").

    References
    ----------
    .. [1] Rübel et al. (2022), The Neurodata Without Borders ecosystem for neurophysiological data
       science, eLife 11: e78362.

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.interop.to_nwb(trace, "trials.nwb")  # doctest: +SKIP
    """
    pynwb = optional("pynwb", "nwb", "to_nwb")
    recording = recording_of(source, units)
    path = checks.path(path, "path")
    nwb = _file(pynwb, session)
    clock = _clock(recording)
    _add_trials(nwb, recording, clock)
    if recording.spikes:
        nwb.units = _units(recording, clock)
    if recording.states:
        module = nwb.create_processing_module(MODULE, "recorded states of the simulation")
        for name in recording.states:
            module.add(_series(pynwb, recording, name, clock))
    import h5py

    with (
        files.replaced(path, "the NWB file cannot be written") as unfinished,
        h5py.File(unfinished.name, "w") as file,
        pynwb.NWBHDF5IO(file=file, mode="w") as io,
    ):
        io.write(nwb)


def _file(pynwb, session):
    """An empty NWBFile; ValueError for fields that it does not take."""
    session = {} if session is None else session
    checks.instance(session, "session", Mapping, "a dict of fields of pynwb.NWBFile, or None")
    fields = {
        "session_description": "simulation of a network of spiking neurons with biosnn",
        "identifier": str(uuid.uuid4()),
        "session_start_time": datetime.now(UTC),
        **session,
    }
    try:
        return pynwb.NWBFile(**fields)
    except (TypeError, ValueError) as error:
        raise ValueError(f"session: pynwb.NWBFile refuses it ({error}).") from error


def _clock(recording: Recording) -> NDArray[np.float64]:
    """(trials,) seconds in the file at which the trials begin, one after the other."""
    starts = recording.starts
    length = float(np.max(recording.ends))
    if recording.states and recording.sampling:
        length = max(length, np.size(recording.state_times) * recording.sampling)
    if np.all(np.diff(starts) >= length):
        return starts
    return starts[0] + np.arange(starts.size) * length


def _add_trials(nwb, recording, clock):
    """The table of trials."""
    labels = recording.labels
    nwb.add_trial_column(RUN_START, "seconds simulated before the trial, on the clock of its run")
    if labels is not None:
        nwb.add_trial_column("label", "class of the trial")
    for b, (first, length) in enumerate(zip(clock, recording.ends, strict=True)):
        more = {} if labels is None else {"label": int(labels[b])}
        more[RUN_START] = float(recording.starts[b])
        nwb.add_trial(start_time=first, stop_time=first + length, **more)


def _units(recording, clock):
    """The table of units, neuron by neuron."""
    misc, common = (optional(name, "nwb", "to_nwb") for name in ("pynwb.misc", "hdmf.common"))
    times, counts = [], []
    for trains in recording.spikes.values():
        order = np.lexsort((trains.trials, trains.units))
        times.append((clock[trains.trials] + trains.times)[order])
        counts.append(np.bincount(trains.units, minlength=trains.n_units))
    per_unit = np.concatenate(counts)
    intervals = _intervals(clock, clock + recording.ends)
    sizes = [trains.n_units for trains in recording.spikes.values()]
    signs = [recording.signs.get(name, "unsigned") for name in recording.spikes]
    columns = [
        *_ragged(common, "spike_times", np.concatenate(times), np.cumsum(per_unit)),
        *_ragged(
            common,
            "obs_intervals",
            np.tile(intervals, (per_unit.size, 1)),
            np.arange(1, per_unit.size + 1) * len(intervals),
        ),
    ]
    for name, about, values in (
        ("population", "population of the network", np.repeat(list(recording.spikes), sizes)),
        ("sign", "excitatory, inhibitory or unsigned", np.repeat(signs, sizes)),
        ("neuron", "number in its population", np.concatenate([np.arange(n) for n in sizes])),
    ):
        data = values.tolist() if values.dtype.kind == "U" else values
        columns.append(common.VectorData(name=name, description=about, data=data))
    # the resolution of spike times is the time step
    more = {} if recording.dt is None else {"resolution": recording.dt}
    return misc.Units(name="units", description="simulated neurons", columns=columns, **more)


def _ragged(common, name, values, ends):
    """A column of several values a row, and its index, in the order that hdmf wants."""
    about = "spike times in seconds" if name == "spike_times" else "when the unit was simulated"
    data = common.VectorData(name=name, description=about, data=values)
    index = common.VectorIndex(name=f"{name}_index", target=data, data=ends)
    return [index, data]


def _intervals(starts, stops):
    """(intervals, 2) of trials, those without a gap between them as one."""
    first = np.append(True, np.abs(starts[1:] - stops[:-1]) > 1e-9)
    return np.stack([starts[first], stops[np.append(first[1:], True)]], axis=1)


def _series(pynwb, recording, name, clock):
    """The TimeSeries of a state, trial after trial."""
    values, times = recording.states[name], np.asarray(recording.state_times)
    stamps = (clock[:, None] + times).ravel()
    step = recording.sampling
    regular = step and np.allclose(np.diff(stamps), step, rtol=0, atol=1e-6 * step)
    when: dict[str, Any] = {"timestamps": stamps}
    if regular:
        when = {"starting_time": float(stamps[0]), "rate": 1 / step}
    about = {"state": name, "neurons": recording.neurons[name].tolist()}
    return pynwb.TimeSeries(
        name=name.replace("/", "_").replace(":", "_"),
        data=values.reshape(-1, values.shape[2]),
        unit=recording.unit(name),
        description=f"{name} at the end of each step (time, neuron)",
        comments=json.dumps(about),
        **when,
    )
