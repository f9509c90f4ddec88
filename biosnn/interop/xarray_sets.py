"""xarray: spikes, recorded states and rates as a Dataset with coordinates and units, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..data.recording import Recording
from ..support import checks, plausible
from ..support.optional import optional
from .sources import Source, lengths, on_steps, rates_of, recording_of, trains_from_clock


def to_xarray(
    source: Source, *, units: Mapping[str, str] | None = None, rate_bin: float | None = None
) -> Any:
    """Return spikes, recorded states and rates as a Dataset of xarray.

    It needs the package xarray, which `pip install "biosnn[xarray]"` brings.

    Parameters
    ----------
    source
        A Trace, Simulation or Recording, SpikeTrains, or a dict of population -> SpikeTrains.
    units
        Units of states, such as {"U": "mV"}, or {"E.U": "mV"} for one population. Default:
        dimensionless.
    rate_bin
        Width in seconds of bins in which to add the rates of populations.

    Returns
    -------
    A Dataset, with the unit of each variable in its attribute units.

    Raises
    ------
    ImportError
        If xarray is not installed.
    ValueError
        If the source is none of these.

    See Also
    --------
    from_xarray : the other way.

    Notes
    -----
    The Dataset has the coordinates trial, start (trial) and stop (trial) in seconds on the clock of
    the run, and, where the trials have one, label (trial). It holds

    - of each state such as "E.U" an array (trial, time, E.U_neuron), with the coordinates time,
      seconds from the start of the trial, and the number of each neuron
    - of each population "E.spikes" (E.spike), seconds from the start of the trial, with the
      coordinates "E.spike_trial" and "E.spike_unit"
    - with `rate_bin`, "E.rate" (trial, bin) in hertz, with the coordinate bin, its centre

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.SpikeTrains.from_units([[0.1, 0.3], [0.2]], duration=0.5)
    >>> found = bs.interop.to_xarray({"E": spikes}, rate_bin=0.25)
    >>> found["E.spikes"].values, found["E.rate"].values
    (array([0.1, 0.2, 0.3]), array([[4., 2.]]))
    """
    xarray = optional("xarray", "xarray", "to_xarray")
    recording = recording_of(source, units)
    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {
        "trial": np.arange(recording.n_trials),
        "start": ("trial", recording.starts, {"units": "s"}),
        "stop": ("trial", recording.starts + recording.ends, {"units": "s"}),
    }
    for name, values in recording.states.items():
        dimension = f"{name}_neuron"
        variables[name] = (
            ("trial", "time", dimension),
            values,
            {"units": recording.unit(name)},
        )
        coordinates[dimension] = recording.neurons[name]
    if recording.labels is not None:
        coordinates["label"] = ("trial", recording.labels)
    if recording.states:
        coordinates["time"] = ("time", recording.state_times, {"units": "s"})
    for name, trains in recording.spikes.items():
        _add_spikes(name, trains, recording, variables, coordinates)
    if rate_bin is not None:
        rate_bin = checks.time(rate_bin, "rate_bin", above=0, plausible=plausible.BIN)
        for name, each in rates_of(recording, rate_bin).items():
            longest = max((centres for centres, _ in each), key=len)
            rates = np.full((len(each), longest.size), np.nan)  # bins after the end of a trial
            for row, (_, found) in zip(rates, each, strict=True):
                row[: found.size] = found
            variables[f"{name}.rate"] = (("trial", "bin"), rates, {"units": "Hz"})
            coordinates["bin"] = ("bin", longest, {"units": "s"})
    of_all = {} if recording.dt is None else {"dt": recording.dt}
    return xarray.Dataset(variables, coordinates, of_all)


def _add_spikes(name, trains, recording, variables, coordinates):
    """Put the spikes of a population into a Dataset."""
    along = f"{name}.spike"
    about = {"units": "s", "n_units": trains.n_units}
    about["sign"] = recording.signs.get(name, "unsigned")
    variables[f"{name}.spikes"] = (along, trains.times, about)
    coordinates[f"{name}.spike_trial"] = (along, trains.trials)
    coordinates[f"{name}.spike_unit"] = (along, trains.units)


def from_xarray(dataset: Any) -> Recording:
    """Return what `to_xarray` has made as a Recording.

    It needs the package xarray, which `pip install "biosnn[xarray]"` brings.

    Parameters
    ----------
    dataset
        A Dataset with variables named as those of `to_xarray`, also one read from a file.

    Returns
    -------
    A Recording: population -> SpikeTrains, states, and the start of the trials.

    Raises
    ------
    ImportError
        If xarray is not installed.
    ValueError
        If it is not such a Dataset.

    See Also
    --------
    to_xarray : the other way.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.SpikeTrains.from_units([[0.1, 0.3], [0.2]], duration=0.5)
    >>> dataset = bs.interop.to_xarray(spikes)  # needs biosnn[xarray]
    >>> bs.interop.from_xarray(dataset)["units"].units
    array([0, 1, 0], dtype=int32)
    """
    xarray = optional("xarray", "xarray", "from_xarray")
    such = "a Dataset such as to_xarray returns"
    checks.instance(dataset, "dataset", xarray.Dataset, such)
    try:
        return _recording(dataset)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"dataset is not {such}: it lacks {error}.") from error


def _recording(dataset):
    """The Recording of a Dataset."""
    starts = dataset["start"].values
    dt = dataset.attrs.get("dt")
    ends = lengths(starts, dataset["stop"].values, dt)
    labels = dataset["label"].values if "label" in dataset.coords else None
    spikes, signs, states, neurons, units = {}, {}, {}, {}, {}
    for key, variable in dataset.data_vars.items():
        population, _, part = str(key).partition(".")
        if part == "spikes":
            spikes[population] = _trains(dataset, population, variable, ends, labels, dt)
            signs[population] = variable.attrs.get("sign", "unsigned")
        elif "time" in variable.dims:
            states[key] = variable.transpose("trial", "time", ...).values
            neurons[key] = dataset[f"{key}_neuron"].values
            units[key] = variable.attrs.get("units", "dimensionless")
    times = on_steps(dataset["time"].values, dt) if states else ()
    return Recording(
        spikes,
        start=starts,
        states=states,
        state_times=times,
        neurons=neurons,
        units=units,
        signs=signs,
        dt=dt,
    )


def _trains(dataset, population, variable, ends, labels, dt):
    """SpikeTrains of a population."""
    trials = checks.wholes(dataset[f"{population}.spike_trial"].values, "the trials of spikes", 0)
    units = checks.wholes(dataset[f"{population}.spike_unit"].values, "the units of spikes", 0)
    return trains_from_clock(
        np.asarray(variable.values, np.float64),
        units,
        trials,
        starts=np.zeros(len(ends)),
        ends=ends,
        n_units=int(variable.attrs.get("n_units", np.max(units, initial=0) + 1)),
        dt=dt,
        labels=labels,
    )
