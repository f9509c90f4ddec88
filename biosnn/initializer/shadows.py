"""What a membrane would do without threshold, measured: copies of a population that receive its spikes and never fire."""

from dataclasses import dataclass

import numpy as np

from ..engine.run import run
from ..kernels.recording import add_products
from ..network.network import Network
from ..network.neuron import free_membrane
from .advice import standard_errors

_SHADOW_BYTES = 64e6  # of membranes that are held in memory


@dataclass
class Components:
    """Statistics per neuron of the parts (c of them) of the free membrane that the closed loop scales: see `component_weights`."""

    mean: np.ndarray  # (c, n) over trials and steps
    covariance: np.ndarray  # (c, c, n)
    errors: tuple = (0.0, 0.0)  # standard errors of mu_U and sigma_U of the whole, over the trials


def component_weights(design, name):
    """Parts whose sum is the free membrane: excitation and inhibition, (unsigned) the weights and a uniform offset, or all (conductances).

    Returns for each part projection -> weights (a non-negative projection keeps its receptor and so its sign).
    """
    afferents, weights = design.afferents[name], design.network.weights
    if name in design.conducting:
        return [{a.name: weights[a.name] for a in afferents}]
    if design.dalian[name]:
        return [{a.name: weights[a.name] for a in afferents if a.sign == sign} for sign in (+1, -1)]
    return [
        {a.name: weights[a.name] for a in afferents},
        {a.name: np.ones_like(weights[a.name]) for a in afferents},
    ]


def measure(design, trace, threads):
    """Components of every population, by name. Simulates shadows: copies that receive the same spikes and never spike, one per component."""
    shadow, parts = _shadows(design)
    spikes = trace.spikes | trace.inputs
    spikes = {source.name: spikes[source.name] for source in shadow.inputs}
    n_trials, width = trace.tape[2].counts.shape[0], sum(p.n for p in shadow.spiking)
    each = max(1, int(_SHADOW_BYTES / (trace.n_steps * width * np.dtype(shadow.dtype).itemsize)))
    sums = {name: np.zeros((n_trials, len(p), design.network[name].n)) for name, p in parts.items()}
    products = {
        name: np.zeros((n_trials, len(p), *s.shape[1:]))
        for (name, p), s in zip(parts.items(), sums.values())
    }
    for first in range(0, n_trials, each):
        done = run(
            shadow,
            {source: train[first : first + each] for source, train in spikes.items()},
            record=[f"{p.name}.U" for p in shadow.spiking],
            merge=design.merge,
            threads=threads,
        )
        column = 0
        for name in parts:
            rows = slice(first, first + each)
            add_products(done.tape[2].states, column, sums[name][rows], products[name][rows])
            column += sums[name][0].size
    return {
        name: _components(
            sums[name] / trace.n_steps, products[name] / trace.n_steps, design.dalian[name]
        )
        for name in parts
    }


def _shadows(design):
    """A network of the shadows of all populations, which has those populations as inputs; and their parts by population."""
    network, targets = design.network, design.targets
    shadow, sources = (
        Network(network.dt, network.dtype),
        {p.pre for name in targets for p in design.afferent_projections(name)},
    )
    for source in network.sources:
        if source.name in sources:
            shadow.input(source.n, name=source.name, sign=source.sign)
    parts = {name: component_weights(design, name) for name in targets}
    for name, components in parts.items():
        for k, weights in enumerate(components):
            copy = shadow.population(
                network[name].n,
                free_membrane(network[name].neuron),
                name=f"component {k} of {name}",
            ).name
            for projection, values in weights.items():
                p, synapses = network.projection(projection), network.synapses.get(projection)
                delay = p.delay
                if delay is None:  # of every synapse; `connect` takes them in the order of weights
                    steps = network.delay_steps(p)
                    delay = (
                        steps if synapses.shares_weights else synapses.in_order_of_weights(steps)
                    ) * network.dt
                shadow.connect(
                    p.pre,
                    copy,
                    delay=delay,
                    weights=values,
                    receptor=p.receptor,
                    name=f"{k} {projection}",
                    synapses=synapses,
                )
    return shadow, parts


def _components(means, squares, summed):
    """Components from means over steps of U_a (trial, c, n) and U_a U_b (trial, c, c, n). summed: the membrane is the sum of the parts."""
    whole = (
        (means.sum(axis=1), squares.sum(axis=(1, 2))) if summed else (means[:, 0], squares[:, 0, 0])
    )
    mean = means.mean(axis=0)
    return Components(
        mean,
        squares.mean(axis=0) - mean[:, None] * mean[None],
        standard_errors(*whole, whole[0].mean(axis=0)),
    )
