"""What Brian2 is told about a network, as text and numbers: equations, options, synapses, input. Nothing here needs Brian2."""

import copy
import keyword
import re
from dataclasses import dataclass

import numpy as np

from ..data.binning import bin_spikes
from ..data.spike_trains import SpikeTrains
from ..engine.inputs import input_trains
from ..engine.realization import Realization, check_initial, realize
from ..network.network import Network
from ..support import checks, timegrid

_METHODS = {"exact": "exact", "exponential_euler": "exponential_euler", "euler": "euler"}

#: Brian2's exact solution with a clamped U divides by the difference of its time constants, also where they are equal.
_HOLD = "U = int(not_refractory)*U + (1 - int(not_refractory))*U_held"

#: Names that a Brian2 object or a variable of a script must not take.
_TAKEN = {
    "np",
    "Path",
    "sys",
    "data",
    "dt",
    "second",
    "i",
    "j",
    "w",
    "monitors",
    "readouts",
    "network",
    "defaultclock",
    "prefs",
    "collect",
    "Network",
    "NeuronGroup",
    "SpikeGeneratorGroup",
    "SpikeMonitor",
    "StateMonitor",
    "Synapses",
    "TimedArray",
}


def require_brian2():
    """The module brian2, or an ImportError that says how to get it."""
    try:
        import brian2
    except ImportError as error:
        raise ImportError(
            f"the comparison needs Brian2, which cannot be imported ({error}): pip install 'biosnn[brian2]'."
        ) from None
    return brian2


def identifiers(network, arrivals=()):
    """Names for Brian2, by kind and name: ("population", "E") -> "E", ("projection", "E->I") -> "syn_E__I". All differ.

    arrivals: those of a Realization, by their place: ("arrivals", 0) -> "background_E", ("onto", 0) -> "syn_background_E"
    """
    names, taken = {}, set(_TAKEN)
    things = [("population", p.name, p.name) for p in network.populations]
    things += [("projection", p.name, f"syn_{p.name}") for p in network.projections]
    things += [
        ("jumps", p.name, f"jumps_{p.name}")
        for p in network.spiking
        if p.neuron.spike_jumps and p.neuron.jump_delay_steps(network.dt)
    ]
    things += [("windows", p.name, f"windows_{p.name}") for p in network.pooling]
    for k, each in enumerate(arrivals):
        things += [
            ("arrivals", k, f"background_{each.population}"),
            ("onto", k, f"syn_background_{each.population}"),
        ]
    for kind, name, wish in things:
        text = re.sub(r"\W", "_", wish, flags=re.ASCII)
        text = text if re.match(r"[A-Za-z]", text) else f"p_{text}"
        base, count = text + "_" * (keyword.iskeyword(text) or text in _TAKEN), 2
        text = base
        while text in taken:
            text, count = f"{base}_{count}", count + 1
        taken.add(text)
        names[kind, name] = text
    return names


# -------------------------------------------------------------------------------------- populations


@dataclass(frozen=True)
class Group:
    """What a NeuronGroup is made of: text, and arrays or numbers by name (seconds where `seconds`)."""

    name: str
    n: int
    model: str
    options: dict
    refractory: (
        float  # seconds as the user gave them, which Brian2 rounds itself; 0 if it needs none
    )
    constants: dict  # name -> seconds, one number
    parameters: dict  # name -> array, one number per neuron; time constants (tau_…) in seconds
    initial: float
    hold: str  # statement after every update that clamps U, where Brian2's own way fails; or ""
    bounds: str  # statement after that, which holds U between two values; or ""
    jumps: str  # what a spike of a neuron does to itself after a delay, as synapses say it; or ""
    jump_delay: int  # steps


def describe(network, population, name, driven):
    """The Group of a population: equations from the rows of its table. driven: it receives an injected current J.

    Equal time constants get one symbol, because the exact solution divides by differences.
    """
    neuron, taus = population.neuron, network.time_constants(population)
    if population.noise:
        raise ValueError(
            f"population {population.name!r} has escape noise: its spikes are drawn at random, so there is nothing to compare "
            "with Brian2 spike by spike. Describe it with noise=None."
        )
    symbols, constants, parameters = _symbols(population.name, taus, neuron.integrator == "exact")
    clamps = (
        population.kind == "spiking" and neuron.refractory > network.dt
    )  # one step clamps nothing
    hold = (
        _HOLD
        if clamps and neuron.integrator == "exact" and len(set(symbols.values())) < len(symbols)
        else ""
    )
    lines = [
        _equation(
            neuron,
            state,
            symbols[tau],
            driven and state == "U",
            clamps and not hold and state == "U",
        )
        for state, tau in neuron.states.items()
    ]
    lines += [f"{parameter} : second (constant)" for parameter in parameters]
    lines += ["J : 1"] if driven else []
    lines += ["U_held : 1"] if hold else []
    options = {"method": _METHODS[neuron.integrator]}
    if population.kind == "spiking":
        options["threshold"] = f"U > {float(neuron.threshold)!r}"
        options["reset"] = (
            f"U -= {float(neuron.threshold)!r}"
            if neuron.reset == "subtract"
            else f"U = {float(neuron.reset)!r}"
        )
        options["reset"] += "; U_held = U" if hold else ""
    at_once, later, each = _jumps(network, population)
    options |= {"reset": options["reset"] + at_once} if at_once else {}
    lines += [f"{symbol} : 1 (constant)" for symbol in each]
    bounds = f"U = clip(U, {neuron.low!r}, {neuron.high!r})" if neuron.bounded else ""
    return Group(
        name,
        population.n,
        "\n".join(lines),
        options,
        neuron.refractory if clamps else 0.0,
        constants,
        parameters | each,
        population.initial,
        hold,
        bounds,
        later,
        neuron.jump_delay_steps(network.dt),
    )


def _jumps(network, population):
    """What a spike does to other states of its own neuron: (at once, as text to follow a reset; later, as that of synapses from every
    neuron onto itself; name -> array of those that differ between neurons)."""
    at_once, later, each = "", [], {}
    for state, jump in network.spike_jumps(population).items():
        size, where = (f"jump_{state}", "_post") if np.ndim(jump) else (repr(float(jump)), "")
        each |= {size: jump} if np.ndim(jump) else {}
        at_once += f"; {state} += {size}"
        later.append(f"{state}_post += {size}{where}")
    delayed = population.neuron.jump_delay_steps(network.dt) > 0
    return ("", "; ".join(later), each) if delayed else (at_once, "", each)


def _equation(neuron, state, tau, driven, clamped):
    terms = "".join(
        f" {'+' if gain >= 0 else '-'} {'' if abs(gain) == 1 else f'{abs(float(gain))!r}*'}{other}"
        for (row, other), gain in neuron.gains.items()
        if row == state
    )
    if state == "U":
        terms += "".join(
            f" + {conductance}*({potential!r} - U)"
            for conductance, potential in neuron.reversal.items()
        )
        terms += _nonlinear_drive(neuron.nonlinear_drive) if neuron.nonlinear_drive else ""
    return f"d{state}/dt = (-{state}{terms}{' + J' if driven else ''})/{tau} : 1" + (
        " (unless refractory)" if clamped else ""
    )


def _nonlinear_drive(drive):
    text = f" + {drive.square!r}*U**2" if drive.square else ""
    text += f" + {drive.constant!r}" if drive.constant else ""
    return text + (
        f" + {drive.slope!r}*exp((U - {drive.onset!r})/{drive.slope!r})" if drive.slope else ""
    )


def _symbols(name, taus, exact):
    """(symbol of each time constant, values of those that are one number, arrays of the others)."""
    symbols, constants, parameters = {}, {}, {}
    for tau, value in taus.items():
        value = np.asarray(value, float)
        known = constants if value.ndim == 0 else parameters
        same = [symbol for symbol, other in known.items() if np.array_equal(other, value)]
        symbols[tau] = same[0] if same else f"tau_{tau}"
        known.setdefault(symbols[tau], value if value.ndim else float(value))
    values = list((constants | parameters).items())
    for k, (a, first) in enumerate(values):
        for b, second in values[k + 1 :]:
            near = np.atleast_1d(np.isclose(second, first, rtol=1e-6, atol=0))
            if exact and near.any():
                which = (
                    f" of neuron {int(np.flatnonzero(near)[0])}"
                    if np.ndim(first) or np.ndim(second)
                    else ""
                )
                raise ValueError(
                    f"population {name!r}: {a} and {b}{which} are (nearly) equal, but not all of them are the same numbers; "
                    "Brian2's exact solution divides by their difference. Change one of them a little, or make all equal."
                )
    return symbols, constants, parameters


# -------------------------------------------------------------------------------------- projections


def on_pre(network, projection):
    """What a spike does at a synapse, in Brian2's words."""
    receptor = network[projection.post].neuron.receptors[projection.receptor]
    size = "w" if abs(receptor.jump) == 1 else f"{abs(float(receptor.jump))!r}*w"
    return f"{receptor.state}_post {'+' if receptor.jump > 0 else '-'}= {size}"


def synapses_of(network, projection):
    """(presynaptic, postsynaptic, weight, delay in steps) of every synapse of a projection, in the order of creation.

    The delay is one number if all synapses share it. ValueError if the projection has no weights yet.
    """
    if projection.name not in network.weights:
        raise ValueError(
            f"projection {projection.name!r} has no weights yet: give them to connect or set_weights, or call "
            "fluctuation_driven(net, …)."
        )
    j, i, weights, _ = network.indices(projection)
    return j, i, np.array(weights, np.float64), network.delay_steps(projection)


# --------------------------------------------------------------------------------- input, precision


def in_double(network):
    """The same network in float64."""
    double = copy.copy(network)
    double.dtype = np.dtype(np.float64)
    double.weights = {
        name: w.astype(np.float64) for name, w in network.weights.items()
    }  # arrays, or one number
    return double


def input_events(network, spikes):
    """Input name -> (units, steps) of one trial, at most one spike of a unit in a step."""
    events = {}
    for population, train in zip(
        network.inputs, input_trains(network, spikes) if network.inputs else []
    ):
        binned = bin_spikes(train, network.dt)
        events[population.name] = (
            binned.units,
            np.repeat(np.arange(binned.n_steps), np.diff(binned.pointers[0])),
        )
    return events


def checked_trial(network, spikes, duration):
    """Steps of a trial; ValueError unless `spikes` (or `duration`, s, without inputs) describe exactly one."""
    trains = spikes.values() if isinstance(spikes, dict) else [spikes] if spikes is not None else []
    for train in trains:
        if not isinstance(train, SpikeTrains) or len(train) != 1:
            given = (
                f"{len(train)} trials" if isinstance(train, SpikeTrains) else type(train).__name__
            )
            raise ValueError(
                f"Brian2 simulates one trial at a time; got {given}. Choose one: spikes[0]."
            )
    if network.inputs:
        return timegrid.covering_steps(input_trains(network, spikes)[0].duration, network.dt)
    if spikes is not None or duration is None:
        raise ValueError("the network has no inputs: give spikes=None and a duration in seconds.")
    return timegrid.covering_steps(checks.time(duration, "duration", above=0), network.dt)


def check_arguments(network, spikes=None, record=(), currents=None, background=(), initial=None):
    """ValueErrors for what is something else; names and shapes are checked where they are used. Returns the background as a tuple."""
    checks.instance(network, "network", Network, "a Network")
    for name, train in (
        spikes.items() if isinstance(spikes, dict) else [] if spikes is None else [("", spikes)]
    ):
        what = f"spikes of the input {name!r}" if isinstance(spikes, dict) else "spikes"
        checks.instance(
            train,
            what,
            SpikeTrains,
            "SpikeTrains, such as bs.data.poisson(…), or a dict of input name -> such",
        )
    for name in checks.several(record, "record", '"E.U"'):
        checks.instance(name, "a state in record", str, 'a text such as "E.U"')
    if currents is not None and not isinstance(currents, dict):
        checks.refuse(
            "currents", currents, "a dict of population -> array that broadcasts to (step, neuron)"
        )
    for name, values in (currents or {}).items():
        checks.reals(values, f"currents for {name!r}")
    check_initial(initial)
    return checks.several(background, "background", "PoissonInput('E', 1e3, 0.1)")


def realized(network, steps, background, initial, seed):
    """The Realization of a background and of initial states in double precision, as Brian2 computes."""
    return (
        realize(in_double(network), steps, background, initial, seed)
        if background or initial
        else Realization()
    )


def generator(arrivals):
    """What hands Arrivals to Brian2, which takes one spike of a unit in a step: (units, their steps; neurons, weights of their synapses).

    Unit n (c - 1) + i spikes where neuron i has c events, and has c times the weight.
    """
    n, most = arrivals.counts.shape[1], int(arrivals.counts.max(initial=0))
    steps, neurons = np.nonzero(arrivals.counts)
    units, all_units = n * (arrivals.counts[steps, neurons] - 1) + neurons, np.arange(n * most)
    return units, steps, all_units % n, (all_units // n + 1) * arrivals.weight


def driven_by(network, values, more):
    """What `current_values` returns, with the constant currents of populations and with `more` currents (step, neuron) of a background."""
    return with_biases(
        network, values | {name: values.get(name, 0.0) + current for name, current in more.items()}
    )


def with_biases(network, values):
    """What `current_values` returns, with the constant currents that belong to populations."""
    biased = [p for p in network.spiking + network.readouts if p.bias]
    return values | {p.name: values.get(p.name, 0.0) + network.bias(p)[None] for p in biased}


def current_values(network, currents, steps):
    """Population -> (step, neuron) of injected currents, or (1, neuron) where they are constant.

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
                f"currents for {name!r} have shape {current.shape}; they must broadcast to (step, neuron) = "
                f"{(steps, population.n)}."
            ) from None
    return values
