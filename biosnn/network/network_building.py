"""A network built of what a file holds, after all of that has been checked."""

from dataclasses import replace
from typing import Any

import numpy as np

from ..support import schema, timegrid
from ..support.warn import silenced
from . import network_checks, network_records, stored_parts
from .checked_rows import checked_rows
from .drawing import delay_steps
from .network import Network
from .plasticity import check_plasticity
from .population import Population
from .positions import Positions
from .projection import Projection
from .stored_parts import place
from .synapses import StoredRule, Synapses

#: Largest parameters; exp(80) is still a number in single precision.
_MOST = float(np.finfo(np.float32).max)
_LARGEST = {"jump": 80.0, "bias": _MOST, "threshold": _MOST}


def build(record: Any, arrays: dict[str, Any], where: str) -> Network:
    """Return the network that a record and its arrays describe.

    Parameters
    ----------
    record
        As `network_records.records` made it and JSON holds it.
    arrays
        As `network_records.arrays_of` made them. The network takes them as they are.
    where
        The file, for messages.

    Raises
    ------
    ValueError
        If a value is not possible.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> _ = net.connect(net.input(3), net.population(2, bs.lif(), name="A"), delay=2e-3)
    >>> parts = network_records.records(net), network_records.arrays_of(net)
    >>> build(*parts, "this file").fingerprint() == net.fingerprint()
    True
    """
    with silenced():  # the user was told when the network was made
        try:
            entry = network_records.NETWORK(record, "the network")
            known = network_records.rules(entry, arrays)
            schema.check(arrays, known, where)
            return _built(entry, arrays)
        except (TypeError, KeyError) as error:  # where a value meets one of another kind
            raise ValueError(f"{where}: {error}") from error
        except ValueError as error:
            text = str(error)
            raise ValueError(text if text.startswith(where) else f"{where}: {text}") from error


def _built(entry, arrays):
    """The network of a checked record and arrays of the right names, types and shapes."""
    network = Network(entry["dt"], entry["dtype"])
    for each in entry["populations"]:
        _add_population(network, each, arrays)
    _take_parameters(network, arrays)
    for each in entry["projections"]:
        _add_projection(network, each, arrays)
    return network


def _add_population(network, entry, arrays):
    """Add a population of any kind."""
    name, kind = entry["name"], entry["kind"]
    if kind == "pooling":
        network.pool(entry["source"], entry["pooling"], name=name)
        return
    positions = entry["positions"]
    if positions is not None:
        positions = Positions(arrays[place("positions", name)], **positions)
    if kind == "input":
        network.input(entry["n"], name=name, sign=entry["sign"], positions=positions)
    else:
        if kind == "readout" and (entry["surrogate"], entry["noise"]) != (None, None):
            raise ValueError(f"population {name!r} is a readout, which has no spikes.")
        learn = stored_parts.pairs_of(entry["learn"], lambda each: (each["name"], each["shared"]))
        population = Population(
            **entry
            | {
                "neuron": stored_parts.build_neuron(entry["neuron"], name, arrays),
                "initial": arrays[place("initial", name)]
                if entry["initial"] is None
                else entry["initial"],
                "learn": learn,
                "positions": positions,
            }
        )
        bias = arrays[place("parameter", name, "bias")] if entry["bias"] else None
        network.add(population, bias)


def _take_parameters(network, arrays):
    """Put what has been learned into the network, after a look at its range."""
    names = {key: place("parameter", *key) for key in network.parameters}
    ranges = {name: _range(network, *key) for key, name in names.items()}
    schema.check({name: arrays[name] for name in ranges}, ranges, "the network")
    for key, name in names.items():
        network.parameters[key] = np.array(arrays[name])
    for population in network.spiking:
        if "threshold" in population.learn:  # it still lies above the reset and within bounds
            replace(population.neuron, threshold=network.thresholds(population))


def _range(network, population, name):
    """The range of a learned parameter."""
    shape, high = np.shape(network.parameters[population, name]), _LARGEST.get(name)
    if high is None:
        return schema.Rule(np.float64, shape, _least(network, population, name, len(shape)))
    return schema.Rule(np.float64, shape, None if name == "jump" else -high, high)


def _least(network, population, name, several):
    """The least p with 2 tau_0 sigmoid(p) >= dt, but for rounding; for all neurons or for each."""
    tau = np.asarray(network[population].neuron.time_constants[name], float)
    dt = network.dt * (1 - 1e-6)
    low = np.log(dt / (2 * tau - dt))
    return low if several else np.max(low)


def _add_projection(network, entry, arrays):
    """Add a projection with its synapses and weights."""
    name = network._free_name(entry["name"])
    pre, post, what = network[entry["pre"]], network[entry["post"]], f"projection {name!r}"
    network_checks.check_ends(pre, post, entry["plasticity"])
    receptor = network_checks.receptor_of(pre, post, entry["receptor"])
    steps = _delay_steps(network, entry, arrays, what)
    rule = entry["rule"]
    if rule is not None:
        synapses = _synapses(entry, arrays, (pre.n, post.n), steps, what)
        network.synapses[name] = synapses
        if isinstance(rule, dict):
            rule = StoredRule(**rule, synapses=synapses)
    network._projections[name] = Projection(
        name=name,
        pre=pre.name,
        post=post.name,
        receptor=receptor,
        delay=entry["delay"],
        non_negative=post.neuron.receptors[receptor].sign != 0,
        synapses=rule,
        plasticity=entry["plasticity"],
        frozen=entry["frozen"],
        gradient_to_source=entry["gradient_to_source"],
    )
    check_plasticity(network, network._projections[name])
    if (weights := arrays.get(place("weight", name))) is not None:
        network.set_weights(name, weights, copy=False)


def _delay_steps(network, entry, arrays, what):
    """The delay of a projection in steps: one number, or one for each synapse."""
    delay = entry["delay"]
    if delay is None:
        if entry["rule"] is None:
            raise ValueError(f"{what}: a dense projection has one delay for all synapses.")
        return arrays[place("delay", entry["name"])]
    steps = delay_steps(delay, network.dt, what)
    if timegrid.on_grid(delay, steps, network.dt) != delay:
        raise ValueError(f"{what}: delay is {delay} s, no multiple of dt = {network.dt} s.")
    return steps


def _synapses(entry, arrays, sizes, steps, what):
    """The synapses of a sparse projection, from arrays that are checked here."""
    name, shape = entry["name"], entry["weight_shape"]
    shared = None if shape is None else (arrays[place("weight_index", name)], tuple(shape))
    rows = (arrays[place("first", name)], arrays[place("target", name)], shared)
    first, target, shared = checked_rows(rows, *sizes, what)
    index, shape = (None, None) if shared is None else shared
    synapses = Synapses(
        first=first,
        target=target,
        delay=steps,
        n_post=sizes[1],
        weight_index=index,
        weight_shape=shape,
    )
    if synapses.shares_weights and entry["plasticity"] is not None:
        raise ValueError(f"{what}: its synapses share weights, which cannot be plastic.")
    for array in (first, target, steps, index):
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    return synapses
