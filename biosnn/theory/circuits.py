"""From a network and its background to the cells of mean-field theory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..engine.background import Current, PoissonInput, pieces
from ..engine.background_tables import check_background
from ..engine.layout import Layout
from ..network.network import Network
from ..network.plasticity import InhibitorySTDP, ShortTerm
from ..support import checks, timegrid
from .membrane import Cell, Input
from .moments import as_learned

#: Seconds (begin, end) over which what changes with time is averaged.
Period = tuple[float, float]


def describe(
    network: Network,
    background: Sequence = (),
    period: Period | None = None,
    learned: Mapping[str, Any] | None = None,
) -> list[Cell]:
    """Return the spiking populations of a network as cells of mean-field theory.

    In-degrees are expected ones, weights count with their mean and mean square.

    Parameters
    ----------
    network
        With weights.
    background
        As for `simulate`.
    period
        As for `background_cell`.
    learned
        Weights of projections with InhibitorySTDP in place of the network's.

    Raises
    ------
    ValueError
        If a projection has no weights, or if units of the network pool spikes.
    """
    check_no_pooling(network)
    network = as_learned(network)
    background = named_background(network, background)
    cells = []
    for population in network.spiking:
        bare = background_cell(network, population, background, period)
        inputs = [
            found
            for p in network.projections
            if p.post == population.name
            for found in _inputs(network, p, learned)
        ]
        cells.append(replace(bare, inputs=bare.inputs + tuple(inputs)))
    return cells


def _inputs(network, projection, learned):
    """The synapses of a projection as a list of one Input, or of none if there are no synapses."""
    p = projection
    if p.name not in network.weights:
        raise ValueError(
            f"projection {p.name!r} has no weights: give them to connect or set_weights."
        )
    changed = isinstance(p.plasticity, InhibitorySTDP) and learned
    w = np.asarray((learned if changed else network.weights)[p.name])
    if not w.size:
        return []
    found = Input(
        receptor=p.receptor,
        n=network.in_degree(p),
        mean=float(w.mean(dtype=float)),
        square=_pair_square(network, p, w),
        pre=p.pre,
        plasticity=short_term(p),
    )
    return [found]


def short_term(projection: Any) -> ShortTerm | None:
    """Return the short-term plasticity of a projection, or None."""
    return projection.plasticity if isinstance(projection.plasticity, ShortTerm) else None


def check_no_pooling(network: Network) -> None:
    """Raise ValueError for a network with units that pool.

    Their spikes are more regular and correlated than Poisson trains, which the theory does not
    know.
    """
    if network.pooling:
        raise ValueError(
            f"{', '.join(p.name for p in network.pooling)}: the theory of circuits has no units "
            "that pool spikes. Initialize such a network from data, with fluctuation_driven(net, "
            "spikes)."
        )


def named_background(network: Network, background: Sequence, n_trials: int = 1) -> list:
    """Return the background with the names of populations. ValueErrors are those of `simulate`.

    Its values may differ between that many trials.
    """
    background = checks.several(background, "background", 'PoissonInput("E", 1e4, 1e-4)')
    layout = Layout(network)
    check_background(layout, background, n_trials)
    return [
        replace(source, population=layout.find(source.population).name) for source in background
    ]


def background_cell(
    network: Network, population: Any, background: Sequence, period: Period | None = None
) -> Cell:
    """Return a population with its background and biases, without synapses.

    Parameters
    ----------
    network
        The network.
    population
        One of its populations.
    background
        With the names of populations.
    period
        Seconds (begin, end) over which what changes with time is averaged. Default: its last
        value counts.
    """
    current = float(np.mean(network.bias(population)))
    inputs, noise = [], []
    for source in background:
        if source.population != population.name:
            continue
        if isinstance(source, PoissonInput):
            inputs.append(_poisson_input(network, source, period))
        elif isinstance(source, Current):
            current += _mean(source.values, population.n, network.dt, "Current", period)
        else:
            current += float(np.mean(source.mean))
            noise.append((float(np.sqrt(np.mean(np.square(source.sd)))), source.tau))
    return Cell(population.name, population.neuron, tuple(inputs), current, tuple(noise))


def _poisson_input(network, source, period):
    """A PoissonInput as an Input of a Cell."""
    population = network[source.population]
    receptor = source.receptor or ("exc" if "exc" in population.neuron.receptors else "syn")
    what = f"PoissonInput({source.population!r})"
    rate = _mean(source.rate, population.n, network.dt, what, period)
    weight = float(source.weight)
    return Input(receptor=receptor, n=1, mean=weight, square=weight**2, rate=rate)


def _mean(value, n, dt, what, period):
    """Mean over neurons and a period of what `background.pieces` takes; None: the last piece."""
    starts, values = pieces(value, n, dt, what)
    if period is None:
        return float(values[-1].mean())
    begin, end = (timegrid.nearest_steps(t, dt) for t in period)
    lasting = np.diff(np.clip([*starts, max(end, starts[-1])], begin, end))
    return float(lasting @ values.mean(axis=1) / (end - begin))


def _pair_square(network, projection, weights):
    """Sum over connected pairs of E[(sum of their weights)^2], by the number of synapses.

    Without multiple synapses of a pair it is E[w^2].
    """
    mean = float(np.mean(weights, dtype=float))
    return _mean_square(weights) + (network.multiplicity(projection) - 1) * mean**2


def _mean_square(weights):
    """E[w^2], without a copy of all weights in double precision."""
    flat = np.ravel(weights)
    parts = np.array_split(flat, -(-flat.size // (1 << 20)))
    return float(sum(np.square(part, dtype=float).sum() for part in parts) / flat.size)
