"""What a membrane would do without threshold, measured: copies of a population that receive its spikes and never fire."""
from dataclasses import dataclass

import numpy as np

from . import trials
from .init_advice import standard_errors
from .network import Network
from .neuron import free_membrane

_SHADOW_TRIALS = 16   # that are held in memory with all membranes


@dataclass
class Components:
    """Statistics per neuron of the parts (c of them) of the free membrane that the closed loop scales: see `component_weights`."""
    mean: np.ndarray         # (c, n) over trials and steps
    covariance: np.ndarray   # (c, c, n)
    errors: tuple = (0.0, 0.0)   # standard errors of mu_U and sigma_U of the whole, over the trials


def component_weights(design, name):
    """Parts whose sum is the free membrane: excitation and inhibition, (unsigned) the weights and a uniform offset, or all (conductances).

    Returns for each part projection -> weights (a non-negative projection keeps its receptor and so its sign).
    """
    afferents, weights = design.afferents[name], design.network.weights
    if name in design.conducting:
        return [{a.name: weights[a.name] for a in afferents}]
    if design.dalian[name]:
        return [{a.name: weights[a.name] for a in afferents if a.sign == sign} for sign in (+1, -1)]
    return [{a.name: weights[a.name] for a in afferents}, {a.name: np.ones_like(weights[a.name]) for a in afferents}]


def measure(design, trace, name, threads):
    """Simulate shadows: copies of a population that receive the same spikes and never spike, one per component."""
    network, population = design.network, design.network[name]
    shadow, neuron, parts = Network(network.dt, network.dtype), free_membrane(population.neuron), component_weights(design, name)
    sources = {p.pre for p in design.afferent_projections(name)}
    for source in network.sources:
        if source.name in sources:
            shadow.input(source.n, source.name, source.sign)
    for k, weights in enumerate(parts):
        shadow.population(population.n, neuron, name=f"component {k}")
        for projection, values in weights.items():
            p = network.projection(projection)
            delay = network.delay_steps(p) * network.dt if p.delay is None else p.delay
            shadow.connect(p.pre, f"component {k}", delay, values, p.receptor, f"{k} {projection}", network.synapses.get(projection))
    spikes = {s: (trace.spikes | trace.inputs)[s] for s in sources}
    sums, squares, count, each = 0.0, 0.0, 0, []
    for first in range(0, trace.tape[2].counts.shape[0], _SHADOW_TRIALS):
        part = {s: train[first:first + _SHADOW_TRIALS] for s, train in spikes.items()}
        states = trials.run(shadow, part, [f"component {k}.U" for k in range(len(parts))], merge=design.merge, threads=threads).states
        u = np.stack([states[f"component {k}.U"].reshape(-1, population.n).astype(float) for k in range(len(parts))])
        whole = (u.sum(axis=0) if design.dalian[name] else u[0]).reshape(-1, trace.n_steps, population.n)
        each.append((whole.mean(axis=1), (whole ** 2).mean(axis=1)))
        sums, squares, count = sums + u.sum(axis=1), squares + np.einsum("atn,btn->abn", u, u), count + u.shape[1]
    mean = sums / count
    by_trial = [np.concatenate(parts) for parts in zip(*each)]
    errors = standard_errors(*by_trial, by_trial[0].mean(axis=0))
    return Components(mean, squares / count - mean[:, None] * mean[None], errors)
