"""Who connects to whom: what a rule for a sparse projection is, and the rules that draw nothing.

A rule is any object with build(n_pre, n_post, same, rng) (`Rule`); one that draws nothing says
`random = False`. A rule may say `in_degree`, the number of synapses of a typical postsynaptic
neuron, where their mean is not typical (convolution), and `weights` of its own. Rules that draw are
in random_connectivity.py.
"""

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support.checks import flag, keep, whole, wholes
from ..support.memory import check_room
from .synapses import Rows, Shared, target_type


@runtime_checkable
class Rule(Protocol):
    """What `connect` takes as synapses: anything with `build`.

    What a rule builds is checked. A rule that draws nothing may say so with `random = False`; then
    `connect` needs no seed for it.

    Examples
    --------
    Every neuron projects onto its neighbours on a ring:

    >>> import biosnn as bs
    >>> class Ring:
    ...     random = False
    ...
    ...     def __init__(self, reach):
    ...         self.reach = reach
    ...
    ...     def build(self, n_pre, n_post, same, rng):
    ...         pre = np.repeat(np.arange(n_pre), self.reach)
    ...         post = (pre + np.tile(1 + np.arange(self.reach), n_pre)) % n_post
    ...         return bs.Pairs(pre, post).build(n_pre, n_post, same, rng)
    >>> net = bs.Network(dt=1e-3)
    >>> a = net.population(5, bs.lif(), name="A")
    >>> projection = net.connect(a, a, synapses=Ring(2), weights=0.1)
    >>> j, i, w, d = net.indices("A->A")
    >>> i.reshape(5, 2).tolist()
    [[1, 2], [2, 3], [3, 4], [0, 4], [0, 1]]
    """

    def build(self, n_pre: int, n_post: int, same: bool, rng: Any) -> Rows:
        """Build the synapses of a projection.

        Parameters
        ----------
        n_pre, n_post
            Numbers of presynaptic and postsynaptic neurons.
        same
            Whether both populations are one.
        rng
            A numpy Generator, where all random numbers come from; None for rules that draw nothing.

        Returns
        -------
        Rows of ascending targets; `Pairs(pre, post).build(n_pre, n_post, same, rng)` makes them of
        pairs in any order.
        """
        ...


@dataclass(frozen=True)
class OneToOne:
    """Neuron i of one population projects onto neuron i of the other.

    Parameters
    ----------
    tied
        Whether all synapses share one weight, which training keeps one.

    Examples
    --------
    >>> OneToOne().build(3, 3, False, None).target.tolist()
    [0, 1, 2]
    """

    _: KW_ONLY
    tied: bool = False
    random: ClassVar[bool] = False

    def __post_init__(self) -> None:
        keep(self, tied=flag(self.tied, "OneToOne: tied"))

    def build(self, n_pre: int, n_post: int, same: bool, rng: Any) -> Rows:
        """Build the synapses (see `Rule`)."""
        if n_pre != n_post:
            raise ValueError(
                f"OneToOne: the populations have {n_pre} and {n_post} neurons; they must have "
                "the same number."
            )
        shared = Shared(np.zeros(n_pre, np.int64), ()) if self.tied else None
        return Rows(np.arange(n_pre + 1), np.arange(n_post).astype(target_type(n_post)), shared)


@dataclass(frozen=True)
class BlockDiagonal:
    """Both populations are cut into equal parts, and all pairs within a part are connected.

    Parameters
    ----------
    blocks
        Number of parts, which divides both numbers of neurons.

    Examples
    --------
    >>> BlockDiagonal(2).build(2, 4, False, None).target.tolist()
    [0, 1, 2, 3]
    """

    blocks: int
    random: ClassVar[bool] = False

    def __post_init__(self) -> None:
        keep(self, blocks=whole(self.blocks, "BlockDiagonal: blocks", 1))

    def build(self, n_pre: int, n_post: int, same: bool, rng: Any) -> Rows:
        """Build the synapses (see `Rule`)."""
        if n_pre % self.blocks or n_post % self.blocks:
            raise ValueError(
                f"{self}: the populations have {n_pre} and {n_post} neurons; both must be "
                "multiples of the number of blocks."
            )
        check_room(self, n_pre * (n_post // self.blocks), 8)
        width = n_post // self.blocks
        blocks = np.arange(n_post).reshape(self.blocks, 1, width)
        target = blocks.repeat(n_pre // self.blocks, axis=1).ravel()
        return Rows(np.arange(n_pre + 1) * width, target.astype(target_type(n_post)))


@dataclass(frozen=True)
class FanOut:
    """Every presynaptic neuron has neighbouring targets of its own.

    Those of neuron j are the k = n_post / n_pre neurons from j k on.

    Examples
    --------
    >>> FanOut().build(2, 4, False, None).target.tolist()
    [0, 1, 2, 3]
    """

    random: ClassVar[bool] = False

    def build(self, n_pre: int, n_post: int, same: bool, rng: Any) -> Rows:
        """Build the synapses (see `Rule`)."""
        if n_post % n_pre:
            raise ValueError(
                f"FanOut: the populations have {n_pre} and {n_post} neurons; the second must be a "
                "multiple of the first."
            )
        return BlockDiagonal(n_pre).build(n_pre, n_post, same, rng)


@dataclass(frozen=True, eq=False, repr=False)
class Pairs:
    """The pairs (pre[s], post[s]), in any order.

    Weights and delays (synapses,), in `connect`, `set_weights`, `network.weights` and gradients,
    are in the same order.

    Parameters
    ----------
    pre, post
        (synapses,) whole numbers, the neurons of each synapse.
    weights
        (synapses,) weights that `connect` takes if it is given none.

    Examples
    --------
    >>> Pairs([0, 1, 1], [2, 0, 1])
    Pairs(3 synapses)
    """

    pre: ArrayLike
    post: ArrayLike
    weights: ArrayLike | None = None
    random: ClassVar[bool] = False

    def __post_init__(self) -> None:
        pre = wholes(self.pre, "Pairs: pre", shape=(None,))
        post = wholes(self.post, "Pairs: post", shape=(pre.size,))
        keep(self, pre=pre, post=post)

    def __repr__(self) -> str:
        return f"Pairs({np.size(self.pre)} synapses)"

    def build(self, n_pre: int, n_post: int, same: bool, rng: Any) -> Rows:
        """Build the synapses (see `Rule`)."""
        pre, post = np.asarray(self.pre), np.asarray(self.post)
        for name, index, n in (("pre", pre, n_pre), ("post", post, n_post)):
            if index.size and (index.min() < 0 or index.max() >= n):
                raise ValueError(
                    f"Pairs: {name} runs from {index.min()} to {index.max()}; the population has "
                    f"the neurons 0 .. {n - 1}."
                )
        order = np.lexsort((post, pre))
        first = first_of_rows(pre, n_pre)
        ascending = np.array_equal(order, np.arange(order.size))
        shared = None if ascending else Shared(order, (order.size,))
        return Rows(first, post[order].astype(target_type(n_post)), shared)


def from_scipy(matrix: Any) -> Pairs:
    """Return the pairs and weights of a sparse matrix of scipy.

    Parameters
    ----------
    matrix
        (pre, post), of any format of scipy.sparse. Duplicates are summed, stored zeros are kept.

    Returns
    -------
    A rule with weights, for `connect(…, synapses=…)`.

    Raises
    ------
    ValueError
        If it is not such a matrix.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from_scipy(csr_array([[0.0, 0.2], [0.1, 0.0]])).weights
    array([0.2, 0.1])
    """
    if not hasattr(matrix, "tocsr"):
        raise ValueError(
            f"from_scipy takes a matrix of scipy.sparse, not {type(matrix).__name__}: wrap an "
            "array, scipy.sparse.csr_array(a)."
        )
    matrix = matrix.tocsr().copy()
    matrix.sum_duplicates()
    coo = matrix.tocoo()
    return Pairs(coo.row, coo.col, coo.data)


def first_of_rows(pre: NDArray[Any], n_pre: int) -> NDArray[np.int64]:
    """Return where the row of each presynaptic neuron begins, and where the last one ends.

    Parameters
    ----------
    pre
        (synapses,) presynaptic neurons, in any order.
    n_pre
        Number of presynaptic neurons.

    Examples
    --------
    >>> first_of_rows(np.array([0, 2, 2]), 3)
    array([0, 1, 1, 3])
    """
    counts = np.bincount(pre, minlength=n_pre)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
