"""Baselines to compare with the fluctuation-driven start: Kaiming, Xavier, any distribution.

They depend on the number of weights, but neither on rates nor on time constants. Like
`fluctuation_driven` they set all weights of a network; those of readouts follow the same rule.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network.drawing import Random, draw, is_random
from ..network.families import refuse_family
from ..network.network import Network
from ..support.checks import flag, instance, real, refuse
from ..support.seeds import generator

#: Draws weights: (random numbers, shape, fan-in, fan-out) -> array.
Draw = Callable[[np.random.Generator, Any, float, float], NDArray[np.float64]]


def kaiming(network: Network, *, seed: int | np.random.Generator = 0, sparse: float = 0.0) -> None:
    """Set uniform weights in +-1/sqrt(n), n the fan-in: variance 1/(3n).

    This is what PyTorch gives its linear layers unless told otherwise: He's uniform rule with the
    negative slope sqrt(5). For normal weights with variance 1/n use
    `random_weights(network, Normal(0, 1))`.

    Parameters
    ----------
    network
        Its weights are set.
    seed
        Seed of the random numbers.
    sparse
        Share of weights that start at 0; see `random_weights`, also for the fan-in and Dale's law.

    References
    ----------
    He, Zhang, Ren & Sun (2015), Delving deep into rectifiers, doi:10.1109/ICCV.2015.123.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> e = bs.layer(net, net.input(100), 20, name="E")
    >>> bs.kaiming(net)
    >>> f"{abs(net.weights['input->E']).max():.2f}"
    '0.10'
    """

    def draw(rng, size, n_in, n_out):
        return rng.uniform(-1, 1, size) * n_in**-0.5

    _set(network, draw, seed, sparse)


def xavier(network: Network, *, seed: int | np.random.Generator = 0, sparse: float = 0.0) -> None:
    """Set uniform weights in +-sqrt(6 / (n + m)), n the fan-in and m the fan-out.

    Their variance is 2 / (n + m).

    Parameters
    ----------
    network
        Its weights are set.
    seed
        Seed of the random numbers.
    sparse
        Share of weights that start at 0; see `random_weights`, also for fan-in, fan-out and Dale's
        law.

    References
    ----------
    Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural
    networks, AISTATS, eq. 16.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> e = bs.layer(net, net.input(100), 50, name="E")
    >>> bs.xavier(net)
    >>> f"{net.weights['input->E'].var() * 150:.1f}"
    '2.0'
    """

    def draw(rng, size, n_in, n_out):
        return rng.uniform(-1, 1, size) * np.sqrt(6 / (n_in + n_out))

    _set(network, draw, seed, sparse)


def random_weights(
    network: Network,
    distribution: Random,
    *,
    seed: int | np.random.Generator = 0,
    sparse: float = 0.0,
    scale: bool = True,
) -> None:
    """Set weights w = x / sqrt(n) with x from any distribution and n the fan-in.

    Fan-in and fan-out are counted for each projection, not for all afferents together, as if every
    projection were a layer of its own. They are the mean numbers of non-zero weights onto a
    postsynaptic neuron (in a convolution: away from the edges) and from a presynaptic one. Dale's
    law: weights of projections from excitatory and inhibitory populations are the absolute values
    of the draws. Their sign lies in the receptor, so nothing balances excitation and inhibition
    here.

    Parameters
    ----------
    network
        Its weights are set.
    distribution
        Such as Normal(0, 1), a function (rng, size) -> values, or a frozen one of scipy, which has
        rvs(size=, random_state=).
    seed
        Seed of the random numbers.
    sparse
        Share of the weights of each postsynaptic neuron that start at 0, in [0, 1). Training may
        change them: they are no mask. For one that stays, connect with `synapses=`.
    scale
        False: w = x.

    Raises
    ------
    ValueError
        If nothing can be drawn from the distribution, values are not finite, or the share is
        outside of [0, 1).

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> e = bs.layer(net, net.input(100), 50, name="E")
    >>> bs.random_weights(net, bs.Normal(0, 1), sparse=0.5)
    >>> f"{(net.weights['input->E'] == 0).mean():.1f}"
    '0.5'
    """
    scale, samples = flag(scale, "scale"), _sampler(distribution)

    def draw_scaled(rng, size, n_in, n_out):
        return samples(rng, size) * (n_in**-0.5 if scale else 1.0)

    _set(network, draw_scaled, seed, sparse)


def _sampler(distribution):
    """(rng, shape) -> values, of a distribution of this library or of scipy."""
    if hasattr(distribution, "rvs"):
        return lambda rng, shape: distribution.rvs(size=shape, random_state=rng)
    refuse_family(distribution, "random weights")
    if not is_random(distribution):
        refuse(
            "distribution",
            distribution,
            "a distribution such as Normal(0, 1), a frozen one of scipy such as "
            "scipy.stats.norm(0, 1), or a function (rng, size) -> values",
        )
    return lambda rng, shape: draw(distribution, rng, prod(shape)).reshape(shape)


def draw_readout(network: Network, projection: Any, rng: np.random.Generator) -> None:
    """Set normal weights of variance 1/n onto a readout, n the number of all its afferents."""
    onto = [p for p in network.projections if p.post == projection.post]
    fan_in = sum(network.in_degree(p) for p in onto) or 1
    weights = rng.normal(0, fan_in**-0.5, network.weight_shape(projection))
    network.set_weights(projection.name, np.abs(weights) if projection.non_negative else weights)


def _set(network: Network, draw: Draw, seed: Any, sparse: Any) -> None:
    """Draw all weights."""
    instance(network, "network", Network, "a Network")
    sparse = real(sparse, "sparse", 0, below=1, why="it is the share of weights that start at 0")
    rng = generator(seed)
    for projection in network.projections:
        listed = network.synapses.get(projection.name)
        shape = network.weight_shape(projection)
        columns = shape if listed is None else (int(np.prod(shape)), 1)
        keep = _chosen(rng, columns, sparse).reshape(shape)
        weights = keep * draw(rng, keep.shape, *_fans(network, projection, keep))
        if not np.all(np.isfinite(weights)):
            raise ValueError(
                f"projection {projection.name!r}: the distribution gave weights that are not "
                "finite."
            )
        network.set_weights(
            projection.name, np.abs(weights) if projection.non_negative else weights
        )


def _fans(network, projection, keep):
    """(fan-in, fan-out) of a projection. keep: whether each weight differs from 0."""
    n_pre, n_post = network[projection.pre].n, network[projection.post].n
    listed = network.synapses.get(projection.name)
    if listed is not None and listed.shares_weights:  # of a neuron away from the edges
        fans = np.array([network.in_degree(projection), listed.size / n_pre])
        return fans * max(keep.mean(), 1 / keep.size)
    number = max(keep.sum(), 1)
    return number / n_post, number / n_pre


def _chosen(rng, shape, sparse):
    """In each column the same number of elements, in random rows, that are not 0."""
    keep = np.ones(shape, bool)
    zeros = int(sparse * shape[0] + 0.5)
    if zeros:
        keep[: min(zeros, shape[0] - 1)] = False
        rng.permuted(keep, axis=0, out=keep)
    return keep
