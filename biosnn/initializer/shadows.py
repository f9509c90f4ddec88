"""Free membranes (threshold off) on trials, measured: shadows of a population that never fire.

A shadow receives the same spikes as its population through a part of the weights.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..engine.run import run
from ..kernels.recording import add_products
from ..network.network import Network
from ..network.neuron import free_membrane
from ..theory.moments import Moments
from .noise import of_rows, onto

#: Bytes of membranes that are held in memory.
_BYTES = 64e6


class Equations(Protocol):
    """What the measurement needs of the equations of a population."""

    dalian: bool  # whether the membrane is the sum of its components; else the first is the whole

    def components(self) -> list[dict[str, NDArray]]:
        """Projection to weights, for each part of the membrane; the last gets the background."""


class Parts(NamedTuple):
    """Parts of a free membrane, one for each group of weights that the closed loop scales.

    Parameters
    ----------
    mean
        (part, neuron), over trials and steps.
    covariance
        (part, part, neuron), likewise.
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]


def measure(
    network: Network,
    equations: Mapping[str, Equations],
    trace: Any,
    *,
    merge: bool,
    threads: int | None,
    background: Sequence = (),
) -> dict[str, tuple[Moments, Parts]]:
    """Measure the free membranes of populations in a run.

    Parameters
    ----------
    network
        The network that ran.
    equations
        Population to its equations.
    trace
        The Trace of the run.
    merge
        Whether several spikes of a unit in one step count once.
    threads
        As for `run`.
    background
        Of these trials.

    Returns
    -------
    Population to Moments (mu, sigma, spread, their standard errors over trials) and Parts.
    """
    components = {name: each.components() for name, each in equations.items()}
    shadow = shadow_network(network, components)
    last = {name: _shadow(len(parts) - 1, name) for name, parts in components.items()}
    background = onto(background, last)
    recorded = trace.spikes | trace.inputs
    spikes = {source.name: recorded[source.name] for source in shadow.inputs}
    n_trials = trace.tape[2].counts.shape[0]
    sums, products = {}, {}
    for name, parts in components.items():
        sums[name] = np.zeros((n_trials, len(parts), network[name].n))
        products[name] = np.zeros((n_trials, len(parts), len(parts), network[name].n))
    width = sum(p.n for p in shadow.spiking)
    of_trial = trace.n_steps * width * np.dtype(shadow.dtype).itemsize
    each = max(1, int(_BYTES / of_trial))
    for first in range(0, n_trials, each):
        rows = slice(first, first + each)
        done = run(
            shadow,
            {source: train[rows] for source, train in spikes.items()},
            record=[f"{p.name}.U" for p in shadow.spiking],
            background=of_rows(background, rows),
            merge=merge,
            threads=threads,
        )
        column = 0
        for name in components:
            for part, states in _whole_trials(done.tape[2].states, rows, trace.own_steps):
                add_products(states, column, sums[name][part], products[name][part])
            column += sums[name][0].size
    steps: Any = trace.n_steps
    if trace.own_steps is not None:
        steps = trace.own_steps[:, None, None]
    return {
        name: _measured(
            sums[name] / steps, products[name] / np.expand_dims(steps, -1), equations[name].dalian
        )
        for name in components
    }


def _whole_trials(states, rows, own_steps):
    """Yield (which trials, their states): all at once, or each until its own end."""
    if own_steps is None:
        yield rows, states
        return
    for b, steps in enumerate(own_steps[rows]):
        yield slice(rows.start + b, rows.start + b + 1), states[b : b + 1, :steps]


def shadow_network(network: Network, components: Mapping[str, list[dict[str, NDArray]]]) -> Network:
    """Return a network of shadows, which has the sources of their projections as inputs.

    Parameters
    ----------
    network
        The network whose populations are shadowed.
    components
        Population to the parts of its membrane: projection to weights, for each part.
    """
    shadow = Network(network.dt, network.dtype)
    used = {p for parts in components.values() for weights in parts for p in weights}
    sources = {network.projection(p).pre for p in used}
    for source in network.sources:
        if source.name in sources:
            shadow.input(source.n, name=source.name, sign=source.sign)
    for name, parts in components.items():
        population: Any = network[name]
        neuron = free_membrane(population.neuron)
        for k, weights in enumerate(parts):
            copy = shadow.population(population.n, neuron, name=_shadow(k, name)).name
            for projection, values in weights.items():
                p = network.projection(projection)
                shadow.connect(
                    p.pre,
                    copy,
                    delay=_delay(network, p),
                    weights=values,
                    receptor=p.receptor,
                    name=f"{k} {projection}",
                    synapses=network.synapses.get(projection),
                )
    return shadow


def _shadow(component, name):
    """The name of the shadow of a population for one of its components."""
    return f"component {component} of {name}"


def _delay(network, projection):
    """Seconds: the delay of a projection, or of each synapse in the order of the weights."""
    if projection.delay is not None:
        return projection.delay
    steps = network.delay_steps(projection)
    synapses = network.synapses[projection.name]
    if not synapses.shares_weights:
        steps = synapses.in_order_of_weights(steps)
    return steps * network.dt


def _measured(means, squares, summed):
    """Moments and Parts from means over steps: U_a (trial, c, n) and U_a U_b (trial, c, c, n).

    summed: the membrane is the sum of the parts; else that of the first and of the background.
    """
    parts_of_it = [0, *range(1 if summed else 2, means.shape[1])]
    of_trial = means[:, parts_of_it].sum(axis=1)
    square_of_trial = squares[:, parts_of_it][:, :, parts_of_it].sum(axis=(1, 2))
    mean = means.mean(axis=0)
    parts = Parts(mean, squares.mean(axis=0) - mean[:, None] * mean[None])
    whole = parts.mean[parts_of_it].sum(axis=0)
    variance = parts.covariance[parts_of_it][:, parts_of_it].sum(axis=(0, 1))
    moments = Moments(
        mu=float(whole.mean()),
        sigma=float(np.sqrt(variance.mean())),
        spread=float(whole.std()),
        errors=standard_errors(of_trial, square_of_trial, of_trial.mean(axis=0)),
    )
    if summed and mean[1].mean() != 0:
        moments = moments.but(excitation=mean[0].mean(), inhibition=-mean[1].mean())
    return moments, parts


def standard_errors(
    sums: NDArray[np.float64], squares: NDArray[np.float64], mean: NDArray[np.float64]
) -> Moments:
    """Standard errors of the mean and the standard deviation of U over a sample of trials.

    Parameters
    ----------
    sums, squares
        (trial, neuron) means over the steps of U and U^2.
    mean
        (neuron,) mean over all trials.

    Returns
    -------
    Moments whose mu and sigma are the errors; 0 for a single trial.
    """
    n_trials = len(sums)
    if n_trials < 2:
        return Moments(mu=0.0, sigma=0.0)
    variance = (squares - 2 * mean * sums + mean**2).mean(axis=1)
    mu = sums.mean(axis=1).std(ddof=1)
    sigma = variance.std(ddof=1) / (2 * np.sqrt(max(variance.mean(), 1e-12)))
    return Moments(mu=float(mu / np.sqrt(n_trials)), sigma=float(sigma / np.sqrt(n_trials)))
