"""pandas: spikes, recorded states and rates as tidy tables, one observation a row."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.recording import Recording
from ..support import checks, plausible
from ..support.memory import check_room
from ..support.optional import optional
from .sources import Source, rates_of, recording_of

_WHAT = ("spikes", "states", "rates")


def to_frame(source: Source, what: str = "spikes", *, rate_bin: float = 5e-3) -> Any:
    """Return spikes, recorded states or rates as a tidy DataFrame of pandas.

    It needs the package pandas, which `pip install "biosnn[pandas]"` brings.

    Parameters
    ----------
    source
        A Trace, Simulation or Recording, SpikeTrains, or a dict of population -> SpikeTrains.
    what
        "spikes", "states" or "rates".
    rate_bin
        Width of the bins of rates in seconds.

    Returns
    -------
    A DataFrame with a row for each spike, value or bin.

    Raises
    ------
    ImportError
        If pandas is not installed.
    ValueError
        If the source is none of these, or nothing of the kind was recorded.

    See Also
    --------
    to_xarray : the same as arrays with coordinates.
    SpikeTrains.to_frame, SpikeTrains.from_frame : the spikes of one population, and the way back.

    Notes
    -----
    The columns are

    - of "spikes": trial, population, unit, time_s, and label where the trials have one
    - of "states": trial, population, neuron, state, time_s, value
    - of "rates": trial, population, time_s (centre of the bin), rate_hz (mean over the neurons)

    Times are on the clock of the run: those of a run that went on from an earlier one begin at its
    `start`.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.SpikeTrains.from_units([[0.1, 0.3], [0.2]], duration=0.5)
    >>> bs.interop.to_frame({"E": spikes})
       trial population  unit  time_s
    0      0          E     0     0.1
    1      0          E     1     0.2
    2      0          E     0     0.3
    """
    pandas = optional("pandas", "pandas", "to_frame")
    recording = recording_of(source)
    what = checks.choice(what, "what", _WHAT)
    rate_bin = checks.time(rate_bin, "rate_bin", above=0, plausible=plausible.BIN)
    if what == "states" and not recording.states:
        raise ValueError(
            "to_frame: no states were recorded; run and simulate take record=['E.U'] and the like."
        )
    if what != "states" and not recording.spikes:
        raise ValueError("to_frame: there are no spikes.")
    if what == "rates":
        parts = _rates(recording, rate_bin)
    else:
        parts = {"spikes": _spikes, "states": _states}[what](recording)
    frame = pandas.concat([pandas.DataFrame(part) for part in parts], ignore_index=True)
    for name in ("population", "state"):
        if name in frame:
            frame[name] = frame[name].astype("category")
    return frame


def _spikes(recording: Recording) -> list[dict[str, Any]]:
    """Columns of the spikes of each population."""
    parts = []
    for name, trains in recording.spikes.items():
        trials = trains.trials
        part = {
            "trial": trials,
            "population": name,
            "unit": trains.units,
            "time_s": recording.starts[trials] + trains.times,
        }
        if trains.labels is not None:
            part["label"] = trains.labels[trials]
        parts.append(part)
    return parts


def _states(recording: Recording) -> list[dict[str, Any]]:
    """Columns of each recorded state: trial by trial, time by time, neuron by neuron."""
    check_room("to_frame", sum(v.size for v in recording.states.values()), 40, "values")
    times, parts = np.asarray(recording.state_times), []
    for name, values in recording.states.items():
        population, _, state = name.partition(".")
        there = np.broadcast_to(recording.inside[..., None], values.shape)
        trial, time, column = np.nonzero(there)
        parts.append(
            {
                "trial": trial,
                "population": population,
                "neuron": recording.neurons[name][column],
                "state": state,
                "time_s": recording.starts[trial] + times[time],
                "value": values[there],
            }
        )
    return parts


def _rates(recording: Recording, rate_bin: float) -> list[dict[str, Any]]:
    """Columns of the rates of each population."""
    parts = []
    for name, each in rates_of(recording, rate_bin).items():
        for b, (centres, rates) in enumerate(each):
            times = recording.starts[b] + centres
            parts.append({"trial": b, "population": name, "time_s": times, "rate_hz": rates})
    return parts
