"""Baseline initializers to compare the fluctuation-driven start with: weights that know how many there are, but neither rates nor
time constants. Like `fluctuation_driven` they set all weights of a network; those of readouts follow the same rule.
"""

import numpy as np

from ..network.network import Network
from ..support.checks import flag, instance, real, shown
from ..support.seeds import generator


def kaiming(network, *, seed=0, sparse=0.0):
    """Weights uniform in +-1/sqrt(n), n the fan-in: variance 1/(3n). What PyTorch gives its linear layers unless told otherwise.

    (He's uniform rule with the negative slope sqrt(5).) Normal ones with variance 1/n: `random_weights(network, scipy.stats.norm())`.
    For seed, sparse, fan-in and Dale's law see `random_weights`.

    Source: He, Zhang, Ren & Sun (2015), Delving deep into rectifiers, doi:10.1109/ICCV.2015.123.
    """
    _set(
        network, lambda rng, size, n_in, n_out: rng.uniform(-1, 1, size) * n_in**-0.5, seed, sparse
    )


def xavier(network, *, seed=0, sparse=0.0):
    """Weights uniform in +-sqrt(6 / (n + m)), n the fan-in and m the fan-out: variance 2 / (n + m).

    For seed, sparse, fan-in, fan-out and Dale's law see `random_weights`.

    Source: Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks, eq. 16.
    """
    _set(
        network,
        lambda rng, size, n_in, n_out: rng.uniform(-1, 1, size) * np.sqrt(6 / (n_in + n_out)),
        seed,
        sparse,
    )


def random_weights(network, distribution, *, seed=0, sparse=0.0, scale=True):
    """Weights from any distribution of scipy, w = x / sqrt(n) with x from the distribution and n the fan-in.

    distribution   frozen, such as scipy.stats.norm(0, 1) or scipy.stats.expon(): has rvs(size=, random_state=)
    seed           int or numpy Generator
    sparse         share of the weights of each postsynaptic neuron that start at 0, in [0, 1). Training may change them: they are no
                   mask. For one that stays connect with `synapses=`
    scale          False: w = x

    Fan-in and fan-out are those of a projection, not of all afferents together, as where every projection is a layer of its own: the
    mean number of non-zero weights onto a postsynaptic (of a convolution: away from the edges), and from a presynaptic neuron.
    Dale's law: weights of projections from excitatory and inhibitory populations are the absolute values of the draws; their sign lies
    in the receptor, so that nothing balances excitation and inhibition here.

    ValueError for a distribution without rvs, draws that are not finite, or a share outside of [0, 1).
    """
    if not hasattr(distribution, "rvs"):
        raise ValueError(
            f"distribution is {shown(distribution)}; it must be a frozen distribution with rvs(size=, random_state=), such as "
            "scipy.stats.norm(0, 1)."
        )
    scale = flag(scale, "scale")
    _set(
        network,
        lambda rng, size, n_in, n_out: (
            distribution.rvs(size=size, random_state=rng) * (n_in**-0.5 if scale else 1.0)
        ),
        seed,
        sparse,
    )


def _set(network, draw, seed, sparse):
    """Draw all weights; draw: (rng, size, fan-in, fan-out) -> array."""
    instance(network, "network", Network, "a Network")
    sparse, rng = (
        real(sparse, "sparse", 0, below=1, why="it is the share of weights that start at 0"),
        generator(seed),
    )
    for projection in network.projections:
        n_pre, n_post = network[projection.pre].n, network[projection.post].n
        listed = network.synapses.get(projection.name)
        shape = network.weight_shape(projection)
        keep = _chosen(rng, shape if listed is None else (int(np.prod(shape)), 1), sparse).reshape(
            shape
        )
        number = max(keep.sum(), 1)
        fans = (number / n_post, number / n_pre)
        if (
            listed is not None and listed.shares_weights
        ):  # shared weights: of a neuron away from the edges, as in deep learning
            fans = np.array([network.in_degree(projection), listed.size / n_pre]) * max(
                keep.mean(), 1 / keep.size
            )
        weights = keep * draw(rng, keep.shape, *fans)
        if not np.all(np.isfinite(weights)):
            raise ValueError(
                f"projection {projection.name!r}: the distribution gave weights that are not finite."
            )
        network.set_weights(
            projection.name, np.abs(weights) if projection.non_negative else weights
        )


def _chosen(rng, shape, sparse):
    """In each column the same number of elements, in random rows, that are not 0."""
    keep = np.ones(shape, bool)
    zeros = int(sparse * shape[0] + 0.5)
    if zeros:
        keep[: min(zeros, shape[0] - 1)] = False
        rng.permuted(keep, axis=0, out=keep)
    return keep
