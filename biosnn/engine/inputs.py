"""Inputs of a batch of trials: spike trains, checked, and put on the time grid of the network."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.binning import bin_spikes
from ..data.recording import Recording
from ..data.spike_base import first_steps, own_steps
from ..data.spike_trains import SpikeTrains
from ..kernels import arrays
from ..network.network import Network
from ..support import timegrid
from ..support.checks import shown

#: Spike trains of the only input, or of every input by name.
Inputs = SpikeTrains | Mapping[str, SpikeTrains]
NO_VALUES = {np.dtype(t): np.empty(0, t) for t in (np.float32, np.float64)}


def bin_inputs(
    network: Network, spikes: Inputs, merge: bool = True, most: int | None = None
) -> tuple[arrays.Events, int]:
    """Bin the spike trains of all inputs and lay them side by side as kernels read them.

    Parameters
    ----------
    network
        With at least one input.
    spikes
        SpikeTrains for a network with one input, or a dict of input name -> SpikeTrains with equal
        trials and duration.
    merge
        Whether several spikes of one unit in one step count once.
    most
        The steps that are needed, from the start; the rest is not looked at. Default: all.

    Returns
    -------
    The events, and the number of steps.

    Raises
    ------
    ValueError
        If the trains do not fit the network or each other.
    """
    trains = input_trains(network, spikes)
    sizes = [(timegrid.covering_steps(train.duration, network.dt), len(train)) for train in trains]
    steps, n_trials = sizes[0]
    for population, size in zip(network.inputs, sizes):
        if size != sizes[0]:
            raise ValueError(
                f"input {population.name!r} has {size[1]} trials of {size[0]} steps, "
                f"{network.inputs[0].name!r} has {n_trials} of {steps}; all inputs must share them."
            )
    trial_steps(network, trains)
    if most is not None and most < steps:
        steps, trains = most, [first_steps(train, most, network.dt) for train in trains]
    binned = [bin_spikes(train, network.dt, merge=merge) for train in trains]
    return side_by_side(binned, network.dtype), steps


def trial_steps(network: Network, trains: Sequence[SpikeTrains]) -> NDArray[np.int64] | None:
    """Return (trials,) the steps of each trial, or None where all have as many.

    Raises
    ------
    ValueError
        If the trials of two inputs end at different times.
    """
    steps = [own_steps(train.ends, network.dt) for train in trains]
    for population, each in zip(network.inputs, steps):
        if not np.array_equal(each, steps[0]):  # type: ignore[arg-type]  # None is equal to None
            raise ValueError(
                f"the trials of the inputs {network.inputs[0].name!r} and {population.name!r} end "
                "at different times; the trials of all inputs are the same ones."
            )
    return steps[0] if steps else None


def side_by_side(binned: Sequence, dtype: np.dtype) -> arrays.Events:
    """Return binned inputs with equal trials and steps as one set of events, as kernels read it."""
    if len(binned) == 1:
        return arrays.Events(binned[0].pointers, binned[0].units, NO_VALUES[dtype])
    n_trials = len(binned[0])
    # (trial, step, input)
    counts = np.stack([np.diff(b.pointers, axis=1) for b in binned], axis=-1)
    places = [
        np.repeat(np.arange(counts[..., q].size), counts[..., q].ravel()) * len(binned) + q
        for q in range(len(binned))
    ]
    source = np.concatenate(places)
    units = np.concatenate([b.units for b in binned])[np.argsort(source, kind="stable")]
    ends = np.cumsum(counts.ravel()).reshape(n_trials, -1)
    first = np.concatenate([[0], ends[:-1, -1]])[:, None]
    return arrays.Events(np.concatenate([first, ends], axis=1), units, NO_VALUES[dtype])


def input_trains(network: Network, spikes: Inputs) -> list[SpikeTrains]:
    """Return the spike trains of each input of the network, in their order.

    Raises
    ------
    ValueError
        If they do not fit the network: no inputs, other names, other numbers of units.
    """
    if not network.inputs:
        raise ValueError(
            "the network has no inputs, so there are no spike trains to give it: training and "
            "evaluation need some. Connect net.input(n), whose trains may be empty."
        )
    if isinstance(spikes, SpikeTrains):
        if len(network.inputs) != 1:
            raise ValueError(
                f"the network has {len(network.inputs)} inputs; give a dict of input name -> "
                "SpikeTrains."
            )
        spikes = {network.inputs[0].name: spikes}
    if isinstance(spikes, Recording):
        spikes = spikes.spikes
    if not isinstance(spikes, dict) or set(spikes) != {p.name for p in network.inputs}:
        given = ", ".join(map(str, spikes)) if isinstance(spikes, dict) else shown(spikes)
        raise ValueError(
            f"spikes are {given}; the network needs SpikeTrains for its inputs "
            f"{', '.join(p.name for p in network.inputs)}."
        )
    for population in network.inputs:
        if not isinstance(spikes[population.name], SpikeTrains):
            raise ValueError(
                f"input {population.name!r} gets {shown(spikes[population.name])}; it must be "
                "SpikeTrains, such as biosnn.SpikeTrains.from_dense(counts, dt) of an array."
            )
        if spikes[population.name].n_units != population.n:
            raise ValueError(
                f"input {population.name!r} has {population.n} units, but its spike trains have "
                f"{spikes[population.name].n_units}."
            )
    return [spikes[p.name] for p in network.inputs]


def labels_of(network: Network, trains: Sequence[SpikeTrains]) -> NDArray | None:
    """Return the labels of the trials; inputs without labels do not count.

    Raises
    ------
    ValueError
        If the labels of two inputs differ.
    """
    known = [
        (p.name, train.labels)
        for p, train in zip(network.inputs, trains)
        if train.labels is not None
    ]
    for name, labels in known[1:]:
        if not np.array_equal(labels, known[0][1]):
            raise ValueError(
                f"the inputs {known[0][0]!r} and {name!r} have different labels; the trials of all "
                "inputs are the same ones. Give targets=… if none of them counts."
            )
    return known[0][1] if known else None


def events_of(
    network: Network,
    spikes: Inputs | None,
    merge: bool,
    duration: float | None,
    currents: Mapping[str, NDArray],
    least: int,
) -> tuple[arrays.Events, int, dict[str, SpikeTrains]]:
    """Return the events, steps and spike trains of a run, with inputs or without.

    Parameters
    ----------
    network, spikes, merge
        As for `bin_inputs`; `spikes` is None for a network without inputs.
    duration
        Seconds, of a network without inputs.
    currents
        Injected currents by population, which say how many trials there are without inputs.
    least
        The number of trials where nothing else says it.

    Raises
    ------
    ValueError
        If there are no trials, or spikes or duration are given where they have no place.
    """
    if network.inputs:
        given: Any = spikes
        trains = input_trains(network, given)
        if duration is not None:
            raise ValueError(
                "the spike trains say how long a trial is: leave duration out (it is for networks "
                "without inputs)."
            )
        if any(len(train) == 0 for train in trains):
            raise ValueError("the spike trains have no trials, so there is nothing to simulate.")
        events, steps = bin_inputs(network, given, merge)
        return events, steps, {p.name: train for p, train in zip(network.inputs, trains)}
    if spikes is not None or duration is None:
        raise ValueError(
            "the network has no inputs: spikes must be None, and duration=… in seconds given."
        )
    steps = timegrid.covering_steps(duration, network.dt)
    n_trials = max([np.shape(c)[0] for c in currents.values() if np.ndim(c) == 3] + [least])
    return (
        arrays.Events(
            np.zeros((n_trials, 1), np.int64), np.empty(0, np.int32), NO_VALUES[network.dtype]
        ),
        steps,
        {},
    )
