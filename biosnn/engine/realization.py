"""The very numbers of a simulation's background and start, for another program: events and currents of every neuron in every step."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..kernels.random import add_currents, add_poisson
from ..network.network import Network
from ..support import checks
from ..support.seeds import whole_seed
from .background import PoissonInput
from .simulate import _check_network, _Run
from .stream_tables import new_scratch


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Events of one PoissonInput: in step n neuron i gains `weight` times counts[n, i] in a state of its population.

    weight: with the sign and size of the jump of its receptor
    """

    population: str
    state: str
    weight: float
    counts: np.ndarray


@dataclass(frozen=True, eq=False)
class Realization:
    """What a background gives, and where states start.

    arrivals   of every PoissonInput, in the order of the list
    currents   population -> (steps, neurons), the sum of its Current and OrnsteinUhlenbeck sources in every step
    initial    "E.U" -> (neurons,)
    """

    arrivals: tuple = ()
    currents: dict = field(default_factory=dict)
    initial: dict = field(default_factory=dict)


def realize(
    network: Network, steps: int, background: Any = (), initial: Any = None, seed: Any = 0
) -> Realization:
    """The Realization that `simulate(network, …, background=background, initial=initial, seed=seed)` has in its first `steps` steps.

    Read out with the same kernels and random numbers, in the precision of the network: the numbers are the same bit by bit. Memory is 8
    bytes for each neuron and step of every population with a background.
    """
    checks.instance(network, "network", Network, "a Network")
    steps, background = (
        checks.whole(steps, "steps", 1),
        checks.several(background, "background", 'PoissonInput("E", 1e3, 0.1)'),
    )
    check_initial(initial)
    _check_network(network)
    run = _Run(network, None, True, background, None, whole_seed(seed), initial, 1, steps)
    arrivals, currents = [], {}
    for s in _places(run, len(background)):
        p = network.populations[run.noise.population[s]]
        if isinstance(background[run.noise.stream[s]], PoissonInput):
            arrivals.append((run.noise.stream[s], _arrivals(run, p, s, steps)))
        else:
            currents[p.name] = currents.get(p.name, 0.0) + _current(run, p, s, steps)
    arrivals = tuple(each for _, each in sorted(arrivals, key=lambda pair: pair[0]))
    return Realization(arrivals, currents, {name: _start(run, name) for name in initial or {}})


def check_initial(initial: Any) -> None:
    """ValueError unless `initial` is a dict, or None."""
    if initial is not None and not isinstance(initial, dict):
        checks.refuse("initial", initial, 'a dict of states, such as {"E.U": 0.5}')


def _places(run, n_sources):
    """Places of the sources in the arrays; what comes after the list of the background are biases."""
    return np.flatnonzero(run.noise.stream < n_sources)


def _arrivals(run, population, s, steps):
    noise, place = run.noise._replace(weight=np.ones_like(run.noise.weight)), run.place
    first, words = int(noise.target[s]), new_scratch(place).words
    x, counts = np.zeros_like(run.memory.x), np.empty((steps, population.n), np.int64)
    for n in range(steps):
        x[:] = 0
        add_poisson(run.cells, noise, s, n, 0, x, words)
        counts[n] = x[first : first + population.n]
    states = list(population.neuron.states)
    state = next(name for name in states if place.state(population.name, name) == first)
    return Arrivals(population.name, state, float(run.noise.weight[s]), counts)


def _current(run, population, s, steps):
    p, room, words = (
        run.place.number[population.name],
        run.place.padded(population.name),
        new_scratch(run.place).words,
    )
    current, values = np.empty(room, run.network.dtype), np.empty((steps, population.n))
    for n in range(steps):
        current[:] = 0
        add_currents(run.noise, s, n, p, 0, room, current, words)
        values[n] = current[: population.n]
    return values


def _start(run, name):
    first, n, _ = run._find(name)
    return run.memory.x[first : first + n].astype(float)
