"""The exact numbers of a simulation's background and start, for another program to read."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.random import CURRENT, add_current, add_ou, add_poisson
from ..network.network import Network
from ..support import checks
from ..support.seeds import whole_seed
from .background import PoissonInput
from .buffers import new_words
from .conditions import find_state
from .perturbed import perturbed
from .simulate import check_network
from .stream_run import StreamRun
from .stream_setting import Setting


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
    network: Network,
    steps: int,
    background: Any = (),
    initial: Any = None,
    seed: Any = 0,
    *,
    trial: int = 0,
    trials: int = 1,
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
    trial, trials
        Which of how many trials it is; `run` draws the same.

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
    setting = Setting(
        change,
        background=background,
        seed=whole_seed(seed),
        initial=initial,
        steps=steps,
        n_trials=checks.whole(trials, "trials", 1),
    )
    run = StreamRun(setting, checks.whole(trial, "trial", 0, setting.n_trials - 1))
    arrivals: list[tuple] = []
    currents: dict[str, Any] = {}
    for source in run.background.table.sources:
        p = run.layout.order[source["population"]]
        if isinstance(background[source["stream"]], PoissonInput):
            arrivals.append((source["stream"], _arrivals(run, p, source, steps)))
        else:
            currents[p.name] = currents.get(p.name, 0.0) + _current(run, p, source, steps)
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


def _arrivals(run, population, source, steps):
    """Events of a PoissonInput."""
    table, words = run.background.table, new_words()
    unit = source.copy()
    unit["weight"] = 1.0
    unit["target"] = 0
    x, counts = np.zeros(population.n, run.network.dtype), np.empty((steps, population.n), np.int64)
    for n in range(steps):
        x[:] = 0
        add_poisson(unit, table, run.trial, run.key, n, 0, population.n, words, x)
        counts[n] = x
    at, states = int(source["target"]), list(population.neuron.states)
    state = next(name for name in states if run.layout.state(population.name, name)[0] == at)
    return Arrivals(population.name, state, float(source["weight"]), counts)


def _current(run, population, source, steps):
    """(steps, neurons) a current."""
    table, words, n_cells = run.background.table, new_words(), population.n
    current, values = np.empty(n_cells, run.network.dtype), np.empty((steps, n_cells))
    ou = run.standpoint.standing().ou[0]
    for n in range(steps):
        current[:] = 0
        if source["kind"] == CURRENT:
            add_current(source, table, run.trial, n, 0, n_cells, current)
        else:
            trial, key = run.trial, run.key
            add_ou(source, table, trial, key, n, 0, n_cells, words, ou, current)
        values[n] = current
    return values


def _start(run, name):
    """(neurons,) a state at the start."""
    first, n = find_state(run.layout, name)
    return run.standpoint.x[first : first + n].astype(float)
