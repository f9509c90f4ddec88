"""Faults that are planted on purpose, small ones: the ladder must find each.

`plant` gives a case in which Brian2 gets a network with a fault, or a background that is handed
over wrongly. A fault of `OF_NETWORKS` is a function that returns a changed copy of a network, or
None if the network has nothing of the kind to break.
"""

import copy
from dataclasses import fields, replace
from typing import Any

import numpy as np

import biosnn as bs

from .dynamics_cases import Case
from .internals import changed


def decay(network: bs.Network) -> bs.Network | None:
    """Time constants of the first spiking population, longer by a factor of 1 + 1e-6."""
    population: Any = network.spiking[0]
    longer = {name: tau * (1 + 1e-6) for name, tau in population.neuron.time_constants.items()}
    return _with_table(network, population, time_constants=longer)


def delay(network: bs.Network) -> bs.Network | None:
    """The delay of the first projection, longer by a step; of all its synapses, if each has one."""
    first = network.projections[0]
    later = {}
    if first.name in network.synapses:
        synapses = network.synapses[first.name]
        later = {first.name: replace(synapses, delay=synapses.delay + np.uint8(1))}
    if first.delay is None:
        return changed(network, synapses=later)
    seconds = (network.delay_steps(first) + 1) * network.dt
    return changed(network, synapses=later, projection=replace(first, delay=seconds))


def sign(network: bs.Network) -> bs.Network | None:
    """The first projection inhibits where it excited, or the other way round."""
    first = network.projections[0]
    receptors = network[first.post].neuron.receptors
    before = receptors[first.receptor].sign
    if before == 0:
        return changed(network, weights={first.name: -network.weights[first.name]})
    other = next(name for name, receptor in receptors.items() if receptor.sign == -before)
    return changed(network, projection=replace(first, receptor=other))


def refractory(network: bs.Network) -> bs.Network | None:
    """A refractory period of two steps or more loses one (one clamps nothing); of all neurons."""
    for population in network.spiking:
        steps = np.asarray(population.neuron.refractory_steps(network.dt))
        if np.any(steps > 1):
            shorter = (steps - (steps > 1)) * network.dt
            shorter = shorter if shorter.ndim else float(shorter)
            return _with_table(network, population, refractory=shorter)
    return None


def block(network: bs.Network) -> bs.Network | None:
    """Magnesium blocks more where U is higher: the sign of gamma is the other one."""
    for population in network.spiking:
        blocked = population.neuron.magnesium
        if any(eta > 0 for eta, _ in blocked.values()):
            turned = {state: (eta, -gamma) for state, (eta, gamma) in blocked.items()}
            return _with_table(network, population, magnesium=turned)
    return None


def threshold(network: bs.Network) -> bs.Network | None:
    """Every neuron has the highest of the thresholds."""
    return _alike(network, "threshold", np.max)


def reset(network: bs.Network) -> bs.Network | None:
    """Every neuron has the lowest of the resets."""
    return _alike(network, "reset", np.min)


def bounds(network: bs.Network) -> bs.Network | None:
    """Every neuron has the highest of the lower bounds."""
    return _alike(network, "low", np.max)


def plasticity(network: bs.Network) -> bs.Network | None:
    """The first plastic projection recovers more slowly, or learns faster, by 1 + 1e-6."""
    for projection in network.projections:
        rule: Any = projection.plasticity
        for name in ("tau_rec", "tau_decay", "eta") if rule else ():
            if any(each.name == name for each in fields(rule)):
                other = replace(rule, **{name: getattr(rule, name) * (1 + 1e-6)})
                return changed(network, projection=replace(projection, plasticity=other))
    return None


def jump(network: bs.Network) -> bs.Network | None:
    """What a spike adds to a state of its own neuron, larger by a factor of 1 + 1e-6."""
    return _larger(network, "spike_jumps")


def reversal(network: bs.Network) -> bs.Network | None:
    """The reversal potentials of conductances, larger by a factor of 1 + 1e-6."""
    return _larger(network, "reversal")


def _larger(network: bs.Network, table: str) -> bs.Network | None:
    """The numbers of the first population that has any in a table, by state, times 1 + 1e-6."""
    for population in network.spiking:
        before = getattr(population.neuron, table)
        if before:
            larger = {state: value * (1 + 1e-6) for state, value in before.items()}
            return _with_table(network, population, **{table: larger})
    return None


def upstroke(network: bs.Network) -> bs.Network | None:
    """The upstroke begins later: the onset of the exponential, or the constant, by 1e-6 of it."""
    for population in network.spiking:
        drive = population.neuron.nonlinear_drive
        if drive is not None:
            name = "onset" if drive.slope else "constant"
            other = replace(drive, **{name: getattr(drive, name) * (1 + 1e-6)})
            return _with_table(network, population, nonlinear_drive=other)
    return None


def _with_table(network, population, **parts):
    """A copy in which a population has another table, which need not be a possible one."""
    neuron = copy.copy(population.neuron)
    for name, value in parts.items():
        object.__setattr__(neuron, name, value)
    return changed(network, population=replace(population, neuron=neuron))


def _alike(network, number, of):
    """A copy in which all neurons have one number, where each had its own."""
    for population in network.spiking:
        values = getattr(population.neuron, number)
        if isinstance(values, np.ndarray) and np.ptp(values) > 0:
            return _with_table(network, population, **{number: float(of(values))})
    return None


#: … of the network that Brian2 gets.
OF_NETWORKS = {
    function.__name__: function
    for function in (
        decay,
        delay,
        sign,
        refractory,
        threshold,
        reset,
        bounds,
        jump,
        reversal,
        block,
        upstroke,
        plasticity,
    )
}


# --------------------------------------------------------------------------------------- background


def arrivals(given: Any) -> Any:
    """Events of the first Poisson input come a step late."""
    first = given.arrivals[0]
    late = replace(first, counts=np.roll(first.counts, 1, axis=0))
    return replace(given, arrivals=(late, *given.arrivals[1:]))


def current(given: Any) -> Any:
    """Currents and noise of the background are larger by a factor of 1 + 1e-6."""
    larger = {name: values * (1 + 1e-6) for name, values in given.currents.items()}
    return replace(given, currents=larger)


def start(given: Any) -> Any:
    """The first neuron starts elsewhere, by 1e-6."""
    name, values = next(iter(given.initial.items()))
    off = values + 1e-6 * (np.arange(values.size) == 0)
    return replace(given, initial=given.initial | {name: off})


#: … of the numbers that Brian2 is handed for a background and initial states.
OF_BACKGROUNDS = {function.__name__: function for function in (arrivals, current, start)}

BREAKS = (*OF_NETWORKS, *OF_BACKGROUNDS)


def plant(fault: str, case: Case) -> Case | None:
    """Return the case with a fault of BREAKS in Brian2, or None if there is nothing to break."""
    if fault in OF_NETWORKS:
        against = OF_NETWORKS[fault](case.network)
        return None if against is None else replace(case, against=against)
    poisson = [isinstance(source, bs.PoissonInput) for source in case.background]
    there = {"arrivals": any(poisson), "current": not all(poisson), "start": bool(case.initial)}
    return replace(case, altered=OF_BACKGROUNDS[fault]) if there[fault] else None
