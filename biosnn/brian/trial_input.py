"""What one trial gives to a network: input spikes, injected currents, background, initial states.

All of it in double precision, as Brian2 computes.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..data.binning import bin_spikes
from ..data.spike_trains import SpikeTrains
from ..engine.inputs import input_trains
from ..engine.realization import Realization, check_initial, realize
from ..network.network import Network
from ..support import checks, timegrid


def in_double(network: Network) -> Network:
    """Return the same network in float64."""
    double = copy.copy(network)
    double.dtype = np.dtype(np.float64)
    # arrays, or one number
    double.weights = {name: w.astype(np.float64) for name, w in network.weights.items()}
    return double


def check_arguments(
    network: Any,
    spikes: Any = None,
    record: Any = (),
    currents: Any = None,
    background: Any = (),
    initial: Any = None,
) -> tuple:
    """Return the background as a tuple; ValueError for arguments of another kind.

    Names and shapes are checked where they are used.
    """
    checks.instance(network, "network", Network, "a Network")
    such = "SpikeTrains, such as bs.data.poisson(…), or a dict of input name -> SpikeTrains"
    trains = {"": spikes} if spikes is not None else {}
    for name, train in (spikes if isinstance(spikes, dict) else trains).items():
        what = f"spikes of the input {name!r}" if isinstance(spikes, dict) else "spikes"
        checks.instance(train, what, SpikeTrains, such)
    if isinstance(record, dict):
        checks.refuse(
            "record", record, 'names of states, such as ["E.U"]', "Brian2 records all neurons"
        )
    for name in checks.several(record, "record", '"E.U"'):
        checks.instance(name, "a state in record", str, 'a text such as "E.U"')
    if currents is not None and not isinstance(currents, dict):
        such = "a dict of population -> array that broadcasts to (step, neuron)"
        checks.refuse("currents", currents, such)
    for name, values in (currents or {}).items():
        checks.reals(values, f"currents for {name!r}")
    check_initial(initial)
    return checks.several(background, "background", "PoissonInput('E', 1e3, 0.1)")


def checked_trial(network: Network, spikes: Any, duration: float | None) -> int:
    """Return the steps of a trial; ValueError unless there is exactly one.

    A network without inputs has a `duration` (s) in place of spikes.
    """
    trains = spikes.values() if isinstance(spikes, dict) else [spikes] if spikes is not None else []
    for train in trains:
        if not isinstance(train, SpikeTrains) or len(train) != 1:
            several = isinstance(train, SpikeTrains)
            given = f"{len(train)} trials" if several else type(train).__name__
            raise ValueError(
                f"Brian2 simulates one trial at a time; got {given}. Choose one: spikes[0]."
            )
    if network.inputs:
        return timegrid.covering_steps(input_trains(network, spikes)[0].duration, network.dt)
    if spikes is not None or duration is None:
        raise ValueError(
            "the network has no inputs: spikes must be None, and duration=… in seconds given."
        )
    return timegrid.covering_steps(checks.time(duration, "duration", above=0), network.dt)


def input_events(network: Network, spikes: Any) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return input name -> (units, steps) of one trial, one spike of a unit in a step at most."""
    events = {}
    trains = input_trains(network, spikes) if network.inputs else []
    for population, train in zip(network.inputs, trains):
        binned = bin_spikes(train, network.dt)
        steps = np.repeat(np.arange(binned.n_steps), np.diff(binned.pointers[0]))
        events[population.name] = binned.units, steps
    return events


# --------------------------------------------------------------------------------------- background


def realized(
    network: Network, steps: int, background: Sequence, initial: Any, seed: int
) -> Realization:
    """Return the Realization of a background and of initial states."""
    if not (background or initial):
        return Realization()
    return realize(in_double(network), steps, background, initial, seed)


def generator(arrivals: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return (units, their steps; neurons, weights of their synapses) of Arrivals for Brian2.

    Brian2 takes one spike of a unit in a step. So unit n (c - 1) + i spikes where neuron i has c
    events, and has c times the weight.
    """
    n, most = arrivals.counts.shape[1], int(arrivals.counts.max(initial=0))
    steps, neurons = np.nonzero(arrivals.counts)
    units, all_units = n * (arrivals.counts[steps, neurons] - 1) + neurons, np.arange(n * most)
    return units, steps, all_units % n, (all_units // n + 1) * arrivals.weight


# ----------------------------------------------------------------------------------------- currents


def injected(
    network: Network, currents: Mapping | None, steps: int, more: Mapping
) -> dict[str, np.ndarray]:
    """Return population -> injected current, (step, neuron) or (1, neuron) if it is constant.

    These are the currents that were given, the constant ones of the populations, and `more` (step,
    neuron) of a background.
    """
    values = current_values(network, currents, steps)
    driven = {name: values.get(name, 0.0) + current for name, current in more.items()}
    driven = values | driven
    biased = [p for p in network.spiking + network.readouts if p.bias]
    return driven | {p.name: driven.get(p.name, 0.0) + network.bias(p)[None] for p in biased}


def current_values(network: Network, currents: Mapping | None, steps: int) -> dict[str, np.ndarray]:
    """Return population -> (step, neuron) of given currents, or (1, neuron) if they are constant.

    ValueError for populations that cannot receive them.
    """
    values = {}
    for name, current in (currents or {}).items():
        population, current = network[name], checks.reals(current, f"currents for {name!r}")
        if not population.states:
            raise ValueError(
                f"currents for {name!r}: it is an input, or pools spikes, and has no membrane."
            )
        if current.ndim == 3 and len(current) == 1:
            current = current[0]
        constant = current.ndim < 2 or len(current) == 1
        try:
            values[name] = np.broadcast_to(current, (1 if constant else steps, population.n))
        except ValueError:
            raise ValueError(
                f"currents for {name!r} have shape {current.shape}; they must broadcast to (step, "
                f"neuron) = {(steps, population.n)}."
            ) from None
    return values
