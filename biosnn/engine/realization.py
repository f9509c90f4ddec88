"""The exact numbers of a simulation's background and start, for another program to read."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.random import add_currents, add_poisson
from ..network.network import Network
from ..support import checks
from ..support.seeds import whole_seed
from .background import PoissonInput
from .perturbed import perturbed
from .simulate import check_network
from .stream_run import StreamRun
from .stream_start import find_state
from .stream_tables import new_scratch


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Events of one PoissonInput.

    In step n neuron i gains `weight` times counts[n, i] in a state of its population.

    Attributes
    ----------
    population, state
        Their names.
    weight
        With the sign and size of the jump of its receptor.
    counts
        (steps, neurons) events.
    """

    population: str
    state: str
    weight: float
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Realization:
    """What a background gives, and where states start.

    Attributes
    ----------
    arrivals
        Of every PoissonInput, in the order of the list.
    currents
        Population -> (steps, neurons), the sum of its Current and OrnsteinUhlenbeck sources.
    initial
        State name, such as "E.U" -> (neurons,) at the start.
    """

    arrivals: tuple[Arrivals, ...] = ()
    currents: dict[str, NDArray] = field(default_factory=dict)
    initial: dict[str, NDArray] = field(default_factory=dict)


def realize(
    network: Network, steps: int, background: Any = (), initial: Any = None, seed: Any = 0
) -> Realization:
    """Return what `simulate` draws with these arguments in its first `steps` steps.

    It is read out with the same kernels and random numbers, in the precision of the network: the
    numbers are the same bit by bit. Memory is 8 bytes for each neuron and step of every population
    with a background.

    Parameters
    ----------
    network, background, initial, seed
        As for `simulate`.
    steps
        Number of steps.

    Raises
    ------
    ValueError
        If something does not fit the network.
    """
    checks.instance(network, "network", Network, "a Network")
    steps = checks.whole(steps, "steps", 1)
    background = checks.several(background, "background", 'PoissonInput("E", 1e3, 0.1)')
    check_initial(initial)
    check_network(network)
    change = perturbed(network, ())
    run = StreamRun(change, None, True, background, None, whole_seed(seed), initial, 1, steps)
    arrivals: list[tuple] = []
    currents: dict[str, Any] = {}
    for s in _places(run, len(background)):
        p = network.populations[run.noise.population[s]]
        if isinstance(background[run.noise.stream[s]], PoissonInput):
            arrivals.append((run.noise.stream[s], _arrivals(run, p, s, steps)))
        else:
            currents[p.name] = currents.get(p.name, 0.0) + _current(run, p, s, steps)
    in_order = sorted(arrivals, key=lambda pair: pair[0])
    return Realization(
        arrivals=tuple(each for _, each in in_order),
        currents=currents,
        initial={name: _start(run, name) for name in initial or {}},
    )


def check_initial(initial: Any) -> None:
    """Raise a ValueError unless `initial` is a dict, or None."""
    if initial is not None and not isinstance(initial, dict):
        checks.refuse("initial", initial, 'a dict of states, such as {"E.U": 0.5}')


def _places(run, n_sources):
    """Places of the sources in the arrays; behind the list of the background there are biases."""
    return np.flatnonzero(run.noise.stream < n_sources)


def _arrivals(run, population, s, steps):
    """Events of the PoissonInput at place s."""
    noise, layout = run.noise._replace(weight=np.ones_like(run.noise.weight)), run.layout
    first, words = int(noise.target[s]), new_scratch(layout).words
    x, counts = np.zeros_like(run.memory.x), np.empty((steps, population.n), np.int64)
    for n in range(steps):
        x[:] = 0
        add_poisson(run.cells, noise, s, n, 0, x, words)
        counts[n] = x[first : first + population.n]
    states = list(population.neuron.states)
    state = next(name for name in states if layout.state(population.name, name) == first)
    return Arrivals(population.name, state, float(run.noise.weight[s]), counts)


def _current(run, population, s, steps):
    """(steps, neurons) the current at place s."""
    p = run.layout.number[population.name]
    room = run.layout.padded(population.name)
    words = new_scratch(run.layout).words
    current, values = np.empty(room, run.network.dtype), np.empty((steps, population.n))
    for n in range(steps):
        current[:] = 0
        add_currents(run.noise, s, n, p, 0, room, current, words)
        values[n] = current[: population.n]
    return values


def _start(run, name):
    """(neurons,) a state at the start."""
    first, n, _ = find_state(run.layout, name)
    return run.memory.x[first : first + n].astype(float)
