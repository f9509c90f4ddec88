"""Who connects to whom: rules for sparse projections, the usual motifs, and which projections are recurrent.

A rule has build(n_pre, n_post, same, rng) -> (first, target, shared): rows of ascending targets (synapses.py), and where each synapse
finds its weight (Shared), or None where weights lie as the synapses do. same: whether both populations are one; rng: a numpy Generator.
A rule that draws nothing says `random = False`. `in_degree` of a rule, if it has any, goes before the mean of its synapses.
"""

from dataclasses import dataclass

import numpy as np

from ..kernels import draw as kernels
from ..support.checks import flag, instance, real, whole, wholes
from ..support.checks import network as checked_network
from ..support.memory import check_room
from ..support.threads import default_threads, on_threads
from .neuron import ei_lif, lif
from .surrogate import SuperSpike
from .synapses import Shared, target_type

_PARTS = 8  # parts of the targets for a fixed in-degree; the result does not depend on it


# -------------------------------------------------------------------------------------------- rules


def _settle(rule, count=None, least=0, flags=("self_connections", "multiple")):
    """Whole numbers and flags of a rule as plain ones; ValueError for what is none."""
    what = type(rule).__name__
    if count is not None:
        object.__setattr__(rule, count, whole(getattr(rule, count), f"{what}: {count}", least))
    for name in flags:
        object.__setattr__(rule, name, flag(getattr(rule, name), f"{what}: {name}"))


def _candidates(n, same, self_connections):
    skip = same and not self_connections
    return n - skip, skip


def _rows(counts, n_post, same, self_connections, multiple, rng, what):
    """Rows with the given numbers of random targets."""
    n, skip = _candidates(n_post, same, self_connections)
    most = int(counts.max(initial=0))
    if most and (n < 1 or not multiple and most > n):
        raise ValueError(
            f"{what}: {most} targets of one neuron cannot be drawn from {n} candidates"
            + ("" if multiple else " without multiple connections")
            + "."
        )
    check_room(
        what,
        sum(counts.tolist()) if most < 1 << 31 else most * counts.size,
        target_type(n_post)().itemsize,
    )
    first = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    target, seed = np.empty(first[-1], target_type(n_post)), rng.integers(2**63, dtype=np.uint64)
    bounds = np.searchsorted(first, np.linspace(0, first[-1], 4 * default_threads() + 1)[1:-1])
    bounds = np.unique(np.concatenate([[0], bounds, [counts.size]]))
    on_threads(
        lambda begin, end: kernels.fill_rows(seed, first, begin, end, n, multiple, skip, target),
        list(zip(bounds[:-1], bounds[1:])),
    )
    return first, target, None


@dataclass(frozen=True)
class Bernoulli:
    """Every pair is connected with probability p, independently."""

    p: float
    self_connections: bool = True

    def __post_init__(self):
        object.__setattr__(self, "p", real(self.p, "Bernoulli: p, a probability,", 0, 1))
        _settle(self, flags=("self_connections",))

    def build(self, n_pre, n_post, same, rng):
        n, _ = _candidates(n_post, same, self.self_connections)
        return _rows(
            rng.binomial(n, self.p, n_pre), n_post, same, self.self_connections, False, rng, self
        )


@dataclass(frozen=True)
class FixedOutDegree:
    """Every presynaptic neuron has k targets, drawn with replacement (multiple=True) or without."""

    k: int
    self_connections: bool = True
    multiple: bool = True

    def __post_init__(self):
        _settle(self, "k")

    def build(self, n_pre, n_post, same, rng):
        check_room(self, self.k * n_pre, target_type(n_post)().itemsize)
        return _rows(
            np.full(n_pre, self.k), n_post, same, self.self_connections, self.multiple, rng, self
        )


@dataclass(frozen=True)
class FixedTotal:
    """n synapses between pairs drawn with replacement (multiple=True) or without."""

    n: int
    self_connections: bool = True
    multiple: bool = True

    def __post_init__(self):
        _settle(self, "n")

    def build(self, n_pre, n_post, same, rng):
        candidates, _ = _candidates(n_post, same, self.self_connections)
        check_room(self, self.n, target_type(n_post)().itemsize)
        if self.multiple:
            counts = rng.multinomial(self.n, np.full(n_pre, 1 / n_pre))
        elif self.n > n_pre * candidates:
            raise ValueError(f"{self}: there are only {n_pre * candidates} pairs.")
        else:
            counts = rng.multivariate_hypergeometric(
                np.full(n_pre, candidates), self.n, method="marginals"
            )
        return _rows(counts, n_post, same, self.self_connections, self.multiple, rng, self)


@dataclass(frozen=True)
class FixedInDegree:
    """Every postsynaptic neuron has k sources, drawn with replacement (multiple=True) or without."""

    k: int
    self_connections: bool = True
    multiple: bool = True

    def __post_init__(self):
        _settle(self, "k")

    def build(self, n_pre, n_post, same, rng):
        n, skip = _candidates(n_pre, same, self.self_connections)
        if self.k and (n < 1 or not self.multiple and self.k > n):
            raise ValueError(
                f"{self}: {self.k} sources of one neuron cannot be drawn from {n} candidates."
            )
        check_room(self, self.k * n_post, target_type(n_post)().itemsize)
        seed = rng.integers(2**63, dtype=np.uint64)
        bounds = np.linspace(0, n_post, _PARTS + 1).astype(int)
        parts = list(zip(range(_PARTS), bounds[:-1], bounds[1:]))
        counts = np.zeros((_PARTS, n_pre), np.int64)
        on_threads(
            lambda c, begin, end: kernels.count_sources(
                seed, begin, end, self.k, n, self.multiple, skip, counts[c]
            ),
            parts,
        )
        first = np.concatenate([[0], np.cumsum(counts.sum(axis=0))])
        cursor = first[:-1] + np.cumsum(counts, axis=0) - counts
        target = np.empty(first[-1], target_type(n_post))
        on_threads(
            lambda c, begin, end: kernels.place_targets(
                seed, begin, end, self.k, n, self.multiple, skip, cursor[c], target
            ),
            parts,
        )
        return first, target, None


@dataclass(frozen=True)
class OneToOne:
    """Neuron i of one population to neuron i of the other. tied: one weight for all of them, which training keeps one."""

    tied: bool = False
    random = False

    def __post_init__(self):
        _settle(self, flags=("tied",))

    def build(self, n_pre, n_post, same, rng):
        if n_pre != n_post:
            raise ValueError(
                f"OneToOne: the populations have {n_pre} and {n_post} neurons; they must have equally many."
            )
        shared = Shared(np.zeros(n_pre, np.int64), ()) if self.tied else None
        return np.arange(n_pre + 1), np.arange(n_post).astype(target_type(n_post)), shared


@dataclass(frozen=True)
class BlockDiagonal:
    """Both populations are cut into `blocks` equal parts; all pairs within a part are connected, none between parts."""

    blocks: int
    random = False

    def __post_init__(self):
        _settle(self, "blocks", 1, ())

    def build(self, n_pre, n_post, same, rng):
        if n_pre % self.blocks or n_post % self.blocks:
            raise ValueError(
                f"{self}: the populations have {n_pre} and {n_post} neurons; both must be multiples of the number of "
                "blocks."
            )
        check_room(self, n_pre * (n_post // self.blocks), 8)
        width = n_post // self.blocks
        target = (
            np.arange(n_post).reshape(self.blocks, 1, width).repeat(n_pre // self.blocks, axis=1)
        )
        return np.arange(n_pre + 1) * width, target.ravel().astype(target_type(n_post)), None


@dataclass(frozen=True)
class FanOut:
    """Every presynaptic neuron has neighbouring targets of its own: neuron j those from j k on, with k = post / pre."""

    random = False

    def build(self, n_pre, n_post, same, rng):
        if n_post % n_pre:
            raise ValueError(
                f"FanOut: the populations have {n_pre} and {n_post} neurons; the second must be a multiple of the first."
            )
        return BlockDiagonal(n_pre).build(n_pre, n_post, same, rng)


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pairs (pre[s], post[s]), whole numbers (synapses,). Weights and delays (synapses,), in `connect`, `set_weights`,
    `network.weights` and gradients, are in the same order."""

    pre: np.ndarray
    post: np.ndarray
    weights: np.ndarray | None = None
    random = False

    def __post_init__(self):
        pre = wholes(self.pre, "Pairs: pre", shape=(None,))
        post = wholes(self.post, "Pairs: post", shape=(pre.size,))
        object.__setattr__(self, "pre", pre)
        object.__setattr__(self, "post", post)

    def __repr__(self):
        return f"Pairs({np.size(self.pre)} synapses)"

    def build(self, n_pre, n_post, same, rng):
        pre, post = self.pre, self.post
        for name, index, n in (("pre", pre, n_pre), ("post", post, n_post)):
            if index.size and (index.min() < 0 or index.max() >= n):
                raise ValueError(
                    f"Pairs: {name} runs from {index.min()} to {index.max()}; the population has the neurons 0 .. {n - 1}."
                )
        order = np.lexsort((post, pre))
        first = np.concatenate([[0], np.cumsum(np.bincount(pre, minlength=n_pre))]).astype(np.int64)
        ascending = np.array_equal(order, np.arange(order.size))
        return (
            first,
            post[order].astype(target_type(n_post)),
            None if ascending else Shared(order, (order.size,)),
        )


def from_scipy(matrix):
    """The pairs and weights of a scipy.sparse matrix (pre, post), duplicates summed, stored zeros kept."""
    if not hasattr(matrix, "tocsr"):
        raise ValueError(
            f"from_scipy takes a matrix of scipy.sparse, not {type(matrix).__name__}: wrap an array, scipy.sparse.csr_array(a)."
        )
    matrix = matrix.tocsr().copy()
    matrix.sum_duplicates()
    coo = matrix.tocoo()
    return Pairs(coo.row, coo.col, coo.data)


# ------------------------------------------------------------------------------------------- motifs


def dalian_layer(
    network,
    source,
    n_exc,
    n_inh,
    *,
    name="",
    neuron=None,
    recurrent_excitation=True,
    delay=0.0,
    surrogate=SuperSpike(),
):
    """An excitatory and an inhibitory population that obey Dale's law, with the projections between them.

    From `source` (a population or a list of them) to E and I; E to E and I (unless recurrent_excitation=False); I to E and I.
    Populations are called "E" + name and "I" + name. Between layers E projects: give the E of the layer below as source.
    delay: seconds, of the projections within the layer and into it. neuron: default ei_lif(). Returns (E, I).
    """
    neuron, sources = ei_lif() if neuron is None else neuron, _sources(network, source)
    recurrent_excitation = flag(recurrent_excitation, "recurrent_excitation")
    instance(name, "name", str, "a text, which follows E and I")
    for what, n in (("n_exc", n_exc), ("n_inh", n_inh)):
        whole(n, f"dalian_layer: {what}", 1)
    e = network.population(n_exc, neuron, "excitatory", name=f"E{name}", surrogate=surrogate)
    i = network.population(n_inh, neuron, "inhibitory", name=f"I{name}", surrogate=surrogate)
    pairs = [(pre, post) for pre in sources for post in (e, i)]
    pairs += [(e, e), (e, i)] if recurrent_excitation else []
    for pre, post in pairs + [(i, e), (i, i)]:
        network.connect(pre, post, delay=delay)
    return e, i


def layer(
    network,
    source,
    n,
    *,
    name=None,
    neuron=None,
    recurrent=False,
    delay=0.0,
    surrogate=SuperSpike(),
):
    """A population of n neurons with weights of either sign, driven by `source`. neuron: default lif(). Returns it."""
    sources, recurrent = _sources(network, source), flag(recurrent, "recurrent")
    population = network.population(
        n, lif() if neuron is None else neuron, "unsigned", name=name, surrogate=surrogate
    )
    for pre in sources + ([population] if recurrent else []):
        network.connect(pre, population, delay=delay)
    return population


def _sources(network, source):
    """A list of populations; ValueError for one that the network does not have, before anything is added to it."""
    checked_network(network)
    return [
        network[getattr(each, "name", each)]
        for each in (source if isinstance(source, (list, tuple)) else [source])
    ]


def recurrent_projections(network):
    """Names of the projections whose target can reach their source again: those within a strongly connected component."""
    names = [p.name for p in checked_network(network).populations]
    pairs = {p.name: (names.index(p.pre), names.index(p.post)) for p in network.projections}
    reaches = np.eye(len(names), dtype=bool)
    for pre, post in pairs.values():
        reaches[pre, post] = True
    for p in network.pooling:
        reaches[names.index(p.source), names.index(p.name)] = True
    for k in range(len(names)):  # paths over population k as well (Warshall)
        reaches |= reaches[:, k : k + 1] & reaches[k]
    return {name for name, (pre, post) in pairs.items() if reaches[post, pre]}
