"""The synapses of a sparse projection: rows of targets, one row for each presynaptic neuron."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import draw as kernels
from ..support.show import About, Shows, nbytes
from .pieces import Given, Onto, equal_parts


class Shared(NamedTuple):
    """Where each synapse finds its weight, where weights do not lie as the synapses do.

    Parameters
    ----------
    element
        (synapses,) the element of an array of shape `shape`, counted in C order.
    shape
        Shape of the weights.
    """

    element: NDArray[np.int64]
    shape: tuple[int, ...]


class Rows(NamedTuple):
    """The synapses that a rule builds, in order of the presynaptic neuron.

    Parameters
    ----------
    first
        (n_pre + 1,) the synapses of neuron j are first[j] .. first[j + 1] - 1.
    target
        (synapses,) postsynaptic neurons, ascending within a row.
    shared
        Where each synapse finds its weight; None: weights lie as the synapses do.
    """

    first: NDArray[Any]
    target: NDArray[Any]
    shared: Shared | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Synapses(Shows):
    """Who connects to whom in a sparse projection: a row for each presynaptic neuron.

    `network.synapses[name]` holds it; given to `connect` as synapses=, it makes the same pairs
    again.

    Parameters
    ----------
    first
        (n_pre + 1,) the synapses of neuron j are first[j] .. first[j + 1] - 1.
    target
        (synapses,) postsynaptic neurons, ascending within a row; uint16 where the population has at
        most 65 536 neurons, else int32.
    delay
        Steps: one number for all, or (synapses,) uint8 or uint16.
    n_post
        Number of postsynaptic neurons.
    weight_index, weight_shape
        None where weights, `network.weights[name]`, lie as the synapses do (or one number serves
        all). Otherwise synapse s has element weight_index[s], counted in C order, of an array of
        shape `weight_shape`. This may be (synapses,), in another order (Pairs that were not
        ascending), or that of weights that synapses share (convolution).

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> a = net.population(4, bs.lif(), name="A")
    >>> projection = net.connect(a, a, synapses=bs.OneToOne(), weights=0.1)
    >>> net.synapses["A->A"].target
    array([0, 1, 2, 3], dtype=uint16)
    """

    first: NDArray[np.int64]
    target: NDArray[Any]
    delay: Any
    n_post: int
    weight_index: NDArray[np.int64] | None = None
    weight_shape: tuple[int, ...] | None = None
    random = False  # as a rule: it draws nothing

    def _about(self) -> About:
        """Say how many there are, their delays in steps, and the memory that they take."""
        if self.several_delays and self.size:
            shortest, longest = self.delay_range
            delay = f"{shortest} to {longest} steps, one for each synapse"
        else:
            delay = f"{self.delay} steps" if not self.several_delays else "none"
        rows = [("delay", delay), ("memory", nbytes(self.nbytes))]
        if self.shares_weights:
            rows.insert(1, ("weights", f"shared, of shape {self.weight_shape}"))
        return About(f"Synapses: {self.size:,} from {self.n_pre} to {self.n_post} neurons", rows)

    @property
    def n_pre(self) -> int:
        """Number of presynaptic neurons."""
        return self.first.size - 1

    @property
    def size(self) -> int:
        """Number of synapses."""
        return int(self.first[-1])

    @property
    def nbytes(self) -> int:
        """Bytes of memory of rows, targets and delays; weights are apart."""
        return self.first.nbytes + self.target.nbytes + np.asarray(self.delay).nbytes

    @property
    def several_delays(self) -> bool:
        """Whether every synapse has a delay of its own."""
        return bool(np.ndim(self.delay))

    @cached_property
    def delay_range(self) -> tuple[int, int]:
        """The shortest and the longest delay in steps; (0, 0) of no synapses."""
        if not np.size(self.delay):
            return 0, 0
        return int(np.min(self.delay)), int(np.max(self.delay))

    def row_parts(self, size: int) -> list[tuple[int, int]]:
        """Return ranges (begin, end) of rows with about `size` synapses each."""
        return equal_parts(self.first, max(1, self.size // size))

    def onto(self, low: int, high: int) -> Onto:
        """Return the synapses onto the targets low .. high - 1, and perhaps others."""
        return Given(self.first, self.target, self.first[:-1], self.first)

    def delays_of(self, begin: int, end: int) -> NDArray[Any]:
        """Return the delays of the synapses begin .. end - 1 in steps, or the one of all."""
        if self.several_delays:
            delays: NDArray[Any] = self.delay[begin:end]
            return delays
        return np.array([self.delay], np.uint16)

    @property
    def shares_weights(self) -> bool:
        """Whether several synapses share a weight, other than by one number for all."""
        return self.weight_index is not None and self.weight_shape != (self.size,)

    @property
    def sources(self) -> NDArray[np.int32]:
        """(synapses,) the presynaptic neuron of each synapse."""
        return np.repeat(np.arange(self.n_pre, dtype=np.int32), np.diff(self.first))

    def build(self, n_pre: int, n_post: int, same: bool, rng: Any) -> Rows:
        """Build the same pairs for another projection (see `Rule`)."""
        if (n_pre, n_post) != (self.n_pre, self.n_post):
            raise ValueError(
                f"Synapses from {self.n_pre} to {self.n_post} neurons: the populations have "
                f"{n_pre} and {n_post} neurons."
            )
        if self.weight_index is None or self.weight_shape is None:
            return Rows(self.first, self.target)
        return Rows(self.first, self.target, Shared(self.weight_index, self.weight_shape))

    @property
    def is_held(self) -> bool:
        """Whether its arrays lie in memory."""
        return True

    def in_memory(self) -> "Synapses":
        """Return synapses whose arrays lie in memory."""
        return self

    def weight_places(self, weights: Any) -> NDArray[np.int64]:
        """Return which element of the weights each synapse has.

        Parameters
        ----------
        weights
            Those of the projection, an array or one number for all.

        Returns
        -------
        (synapses,) indices, or 0 where there is one number for all.
        """
        if not np.ndim(weights):
            return np.zeros((), np.int64)
        return np.arange(self.size) if self.weight_index is None else self.weight_index

    def weight_of_each(self, weights: Any) -> NDArray[Any]:
        """Return the weight of every synapse.

        Parameters
        ----------
        weights
            Those of the projection, `network.weights[name]`.

        Returns
        -------
        (synapses,) weights.
        """
        if self.weight_index is not None and np.ndim(weights):
            return np.ravel(weights)[self.weight_index]
        return np.broadcast_to(weights, self.size)

    def in_order_of_weights(self, values: NDArray[Any]) -> NDArray[Any]:
        """Undo `weight_of_each` for weights that no synapses share.

        Parameters
        ----------
        values
            (synapses,) in the order of the synapses.

        Returns
        -------
        (synapses,) in the order of the weights.
        """
        if self.weight_index is None:
            return values
        result = np.empty_like(values)
        result[self.weight_index] = values
        return result

    @cached_property
    def multiplicity(self) -> float:
        """Sum of m^2 over sum of m, where a connected pair has m synapses: 1 without multiple ones.

        The synapses of a pair spike together, and so the variance of an input is that of this many
        times the square of a mean weight.
        """
        return kernels.sum_of_squares(self.first, self.target) / max(self.size, 1)

    def squares(self, weights: Any) -> NDArray[Any]:
        """Return the sums of squared weights over the sources of each target.

        Parameters
        ----------
        weights
            Those of the projection. The weight of a pair with several synapses is their sum.

        Returns
        -------
        (n_post,) sums.
        """
        each = np.asarray(self.weight_of_each(weights), float)
        if self.multiplicity == 1:
            return np.bincount(self.target, each**2, self.n_post)
        begins = np.append(True, self.target[1:] != self.target[:-1])
        begins[self.first[:-1][np.diff(self.first) > 0]] = True
        begin = np.flatnonzero(begins)
        return np.bincount(self.target[begin], np.add.reduceat(each, begin) ** 2, self.n_post)

    @property
    def identity(self) -> str:
        """A hash that tells different synapses apart."""
        return self.digest

    @cached_property
    def digest(self) -> str:
        """A hash of targets, delays and shared weights."""
        total = hashlib.blake2b(digest_size=8)
        shared = () if self.weight_index is None else (self.weight_index,)
        for array in (self.first, self.target, np.asarray(self.delay), *shared):
            total.update(np.ascontiguousarray(array).data)
        return total.hexdigest()


@dataclass(frozen=True, eq=False, repr=False)
class StoredRule:
    """A rule that a file describes in words, with the synapses that it has built.

    Parameters
    ----------
    words
        The first line of what it prints.
    in_degree
        Number of synapses of a typical postsynaptic neuron.
    synapses
        What it has built.

    Examples
    --------
    >>> StoredRule("Pairs(3 synapses)", 1.5, None)
    Pairs(3 synapses)
    """

    words: str
    in_degree: float
    synapses: Any
    random = False  # it draws nothing

    def __repr__(self) -> str:
        return self.words

    def build(self, n_pre: int, n_post: int, same: bool, rng: Any) -> Rows:
        """Build the same pairs for another projection (see `Rule`)."""
        rows: Rows = self.synapses.build(n_pre, n_post, same, rng)
        return rows


def target_type(n_post: int) -> type[np.uint16] | type[np.int32]:
    """Return the smallest integer type that holds the neurons of a population.

    Parameters
    ----------
    n_post
        Their number.

    Examples
    --------
    >>> target_type(1000)
    <class 'numpy.uint16'>
    """
    return np.uint16 if n_post <= 1 << 16 else np.int32
