"""The synapses of a sparse projection: rows of targets, one row for each presynaptic neuron, and values drawn for them."""

import hashlib
import inspect
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..kernels import draw as synapse_kernels
from ..support import timegrid
from ..support.checks import reals, refuse, shown
from ..support.threads import on_threads

_CHUNK = (
    1 << 16
)  # synapses whose values one generator draws; part of the result, so it never changes with the threads


class Shared(NamedTuple):
    """Which element of an array of shape `shape`, counted in C order, is the weight of each synapse."""

    index: np.ndarray
    shape: tuple


@dataclass(frozen=True, eq=False)
class Synapses:
    """Who connects to whom: compressed rows, in order of the presynaptic neuron and, within a row, of the target.

    first    (n_pre + 1,) int64: the synapses of neuron j are first[j] .. first[j+1] - 1
    target   (synapses,) uint16 where the postsynaptic population has at most 65 536 neurons, else int32
    delay    steps: one number for all, or (synapses,) uint8 or uint16

    Weights are in `network.weights[name]`: one number for all, or an array (synapses,) in the same order, unless there is a
    `weight_index`: synapse s then has element weight_index[s], counted in C order, of an array of shape `weight_shape`. This may be
    (synapses,), in another order (Pairs that were not ascending), or that of weights that synapses share (convolution).
    """

    first: np.ndarray
    target: np.ndarray
    delay: object
    n_post: int
    weight_index: np.ndarray | None = None
    weight_shape: tuple | None = None
    random = False

    def __repr__(self):
        return f"Synapses({self.size} from {self.n_pre} to {self.n_post} neurons)"

    @property
    def n_pre(self):
        return self.first.size - 1

    @property
    def size(self):
        """Number of synapses."""
        return int(self.first[-1])

    @property
    def nbytes(self):
        return self.first.nbytes + self.target.nbytes + np.asarray(self.delay).nbytes

    @property
    def shares_weights(self):
        """Whether synapses share weights in another way than that all have one."""
        return self.weight_index is not None and self.weight_shape != (self.size,)

    @property
    def sources(self):
        """(synapses,) the presynaptic neuron of each synapse."""
        return np.repeat(np.arange(self.n_pre, dtype=np.int32), np.diff(self.first))

    def build(self, n_pre, n_post, same, rng):
        """As a rule for another projection: the same pairs (connectivity.py)."""
        if (n_pre, n_post) != (self.n_pre, self.n_post):
            raise ValueError(f"{self}: the populations have {n_pre} and {n_post} neurons.")
        return (
            self.first,
            self.target,
            None if self.weight_index is None else Shared(self.weight_index, self.weight_shape),
        )

    def weight_places(self, weights):
        """Which element of `weights` each synapse has: an array (synapses,), or 0 where there is one number for all."""
        if not np.ndim(weights):
            return np.zeros((), np.int64)
        return np.arange(self.size) if self.weight_index is None else self.weight_index

    def weight_of_each(self, weights):
        """(synapses,) the weight of every synapse, from `network.weights[name]`."""
        if self.weight_index is not None and np.ndim(weights):
            return np.ravel(weights)[self.weight_index]
        return np.broadcast_to(weights, self.size)

    def in_order_of_weights(self, values):
        """What `weight_of_each` of weights, one for each synapse, was made from."""
        if self.weight_index is None:
            return values
        result = np.empty_like(values)
        result[self.weight_index] = values
        return result

    @cached_property
    def multiplicity(self):
        """Sum of m^2 over sum of m, where a connected pair has m synapses: 1 without multiple ones.

        They spike together, and so the variance of an input is that of this many times the square of a mean weight.
        """
        return synapse_kernels.sum_of_squares(self.first, self.target) / max(self.size, 1)

    def squares(self, weights):
        """(post,) sums over the connected pairs of each target of their squared weight, that of several synapses being their sum."""
        each = np.asarray(self.weight_of_each(weights), float)
        if self.multiplicity == 1:
            return np.bincount(self.target, each**2, self.n_post)
        begins = np.append(True, self.target[1:] != self.target[:-1])
        begins[self.first[:-1][np.diff(self.first) > 0]] = True
        begin = np.flatnonzero(begins)
        return np.bincount(self.target[begin], np.add.reduceat(each, begin) ** 2, self.n_post)

    @cached_property
    def digest(self):
        """A hash of targets, delays and shared weights."""
        total = hashlib.blake2b(digest_size=8)
        shared = () if self.weight_index is None else (self.weight_index,)
        for array in (self.first, self.target, np.asarray(self.delay), *shared):
            total.update(np.ascontiguousarray(array))
        return total.hexdigest()


def target_type(n_post):
    """The smallest integer type that holds the neurons of a population."""
    return np.uint16 if n_post <= 1 << 16 else np.int32


def is_random(values):
    """Whether values are to be drawn: a distribution with draw(rng, size), or a function (rng, size) -> values."""
    return hasattr(values, "draw") or callable(values)


def draw(values, rng, size):
    """(size,) numbers from what `is_random`; ValueError where it is a class or cannot be called so, or gives something else."""
    function = getattr(values, "draw", values)
    try:
        if isinstance(values, type):
            raise TypeError("a class")
        inspect.signature(function).bind(rng, size)
    except TypeError:
        refuse(
            "what values are to be drawn from",
            values,
            "a distribution, such as Normal(0.2, 0.02), or a function (rng, size) -> values",
        )
    except ValueError:  # a function of compiled code, which does not tell
        pass
    drawn = reals(function(rng, size), f"values drawn from {shown(values)}")
    if drawn.shape != (size,):
        raise ValueError(
            f"{shown(values)} drew an array of shape {drawn.shape} where {size} values were asked for."
        )
    return drawn


def draw_weights(values, size, key, dtype):
    """`size` weights from a distribution. key: an integer that the random numbers depend on."""
    result = np.empty(size, dtype)

    def work(chunk, start):
        stop = min(start + _CHUNK, size)
        drawn = draw(values, np.random.default_rng([key, chunk]), stop - start)
        result[start:stop] = reals(drawn, f"values drawn from {shown(values)}", dtype=dtype)

    on_threads(work, list(enumerate(range(0, size, _CHUNK))))
    return result


def delay_steps(delays, dt, what):
    """Seconds to the nearest steps, an int or an array; ValueError where one is negative, not finite or above 65 535 steps."""
    delays = np.asarray(delays, float)
    wrong = ~(np.isfinite(delays) & (delays >= 0))
    if np.any(wrong):
        raise ValueError(
            f"{what}: delay is {float(delays[wrong].ravel()[0])!r} s; it must be finite and >= 0, an effect cannot precede its cause."
        )
    if delays.size and delays.max() / dt >= 65535.5:
        raise ValueError(
            f"{what}: a delay of {delays.max():g} s is {delays.max() / dt:.0f} steps of dt = {dt:g} s; it can be "
            "65 535 steps at most. Delays are seconds."
        )
    return timegrid.nearest_steps(delays, dt)


def draw_delays(values, size, key, dt, what):
    """`size` delays in steps from a distribution in seconds, as uint8 if they fit, else as uint16."""
    for kind in (np.uint8, np.uint16):
        result, fits = np.empty(size, kind), []

        def work(chunk, start):
            stop = min(start + _CHUNK, size)
            steps = delay_steps(
                draw(values, np.random.default_rng([key, chunk]), stop - start), dt, what
            )
            fits.append(steps.max() <= np.iinfo(kind).max)
            result[start:stop] = steps

        on_threads(work, list(enumerate(range(0, size, _CHUNK))))
        if all(fits):
            return result
    raise AssertionError("delay_steps lets no longer delay pass")


def compact_delays(steps):
    """Given delays in steps, in the smallest type."""
    return steps.astype(np.uint8 if not steps.size or steps.max() <= 255 else np.uint16)
