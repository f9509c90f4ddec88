"""Rules that draw the synapses of a sparse projection: by probability, or with fixed numbers.

What is drawn depends on the generator alone, not on the number of threads.
"""

from dataclasses import KW_ONLY, dataclass
from itertools import pairwise

import numpy as np

from ..kernels import draw as kernels
from ..support.checks import flag, keep, real, whole
from ..support.memory import check_room
from ..support.threads import default_threads, on_threads
from .synapses import Rows, target_type

_PARTS = 8  # parts of the targets for a fixed in-degree; the result does not depend on it


@dataclass(frozen=True)
class Bernoulli:
    """Every pair is connected with a probability, independently.

    Parameters
    ----------
    p
        The probability.
    self_connections
        Whether a neuron may project onto itself.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> a = net.population(1000, bs.lif(), name="A")
    >>> projection = net.connect(a, a, synapses=bs.Bernoulli(0.1), weights=0.1, seed=1)
    >>> 95_000 < net.synapses["A->A"].size < 105_000
    True
    """

    p: float
    _: KW_ONLY
    self_connections: bool = True

    def __post_init__(self) -> None:
        keep(self, p=real(self.p, "Bernoulli: p, a probability,", 0, 1))
        _keep_flags(self, "self_connections")

    def build(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator) -> Rows:
        """Build the synapses (see `Rule`)."""
        counts = rng.binomial(_candidates(n_post, same, self.self_connections), self.p, n_pre)
        return _random_rows(self, counts, n_post, same, False, rng)


@dataclass(frozen=True)
class FixedOutDegree:
    """Every presynaptic neuron has the same number of targets.

    Parameters
    ----------
    k
        Number of targets.
    self_connections
        Whether a neuron may project onto itself.
    multiple
        Whether targets are drawn with replacement, so that a pair may have several synapses.

    Examples
    --------
    >>> FixedOutDegree(100)
    FixedOutDegree(k=100, self_connections=True, multiple=True)
    """

    k: int
    _: KW_ONLY
    self_connections: bool = True
    multiple: bool = True

    def __post_init__(self) -> None:
        keep(self, k=whole(self.k, "FixedOutDegree: k", 0))
        _keep_flags(self, "self_connections", "multiple")

    def build(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator) -> Rows:
        """Build the synapses (see `Rule`)."""
        check_room(self, self.k * n_pre, target_type(n_post)().itemsize)
        return _random_rows(self, np.full(n_pre, self.k), n_post, same, self.multiple, rng)


@dataclass(frozen=True)
class FixedTotal:
    """A given number of synapses between pairs drawn at random.

    Parameters
    ----------
    n
        Number of synapses.
    self_connections
        Whether a neuron may project onto itself.
    multiple
        Whether pairs are drawn with replacement.

    Examples
    --------
    >>> FixedTotal(10_000, multiple=False)
    FixedTotal(n=10000, self_connections=True, multiple=False)
    """

    n: int
    _: KW_ONLY
    self_connections: bool = True
    multiple: bool = True

    def __post_init__(self) -> None:
        keep(self, n=whole(self.n, "FixedTotal: n", 0))
        _keep_flags(self, "self_connections", "multiple")

    def build(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator) -> Rows:
        """Build the synapses (see `Rule`)."""
        candidates = _candidates(n_post, same, self.self_connections)
        check_room(self, self.n, target_type(n_post)().itemsize)
        if self.multiple:
            counts = rng.multinomial(self.n, np.full(n_pre, 1 / n_pre))
        elif self.n > n_pre * candidates:
            raise ValueError(f"{self}: there are only {n_pre * candidates} pairs.")
        else:
            counts = rng.multivariate_hypergeometric(
                np.full(n_pre, candidates), self.n, method="marginals"
            )
        return _random_rows(self, counts, n_post, same, self.multiple, rng)


@dataclass(frozen=True)
class FixedInDegree:
    """Every postsynaptic neuron has the same number of sources.

    Parameters
    ----------
    k
        Number of sources.
    self_connections
        Whether a neuron may project onto itself.
    multiple
        Whether sources are drawn with replacement, so that a pair may have several synapses.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> a = net.population(100, bs.lif(), name="A")
    >>> rule = bs.FixedInDegree(10, multiple=False)
    >>> projection = net.connect(a, a, synapses=rule, weights=0.1, seed=1)
    >>> set(np.bincount(net.synapses["A->A"].target).tolist())
    {10}
    """

    k: int
    _: KW_ONLY
    self_connections: bool = True
    multiple: bool = True

    def __post_init__(self) -> None:
        keep(self, k=whole(self.k, "FixedInDegree: k", 0))
        _keep_flags(self, "self_connections", "multiple")

    def build(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator) -> Rows:
        """Build the synapses (see `Rule`)."""
        n = _candidates(n_pre, same, self.self_connections)
        skip = n < n_pre
        if self.k and (n < 1 or (not self.multiple and self.k > n)):
            raise ValueError(
                f"{self}: {self.k} sources of one neuron cannot be drawn from {n} candidates."
            )
        check_room(self, self.k * n_post, target_type(n_post)().itemsize)
        seed = rng.integers(2**63, dtype=np.uint64)
        bounds = np.linspace(0, n_post, _PARTS + 1).astype(int)
        parts = list(zip(range(_PARTS), bounds[:-1], bounds[1:], strict=True))
        counts = np.zeros((_PARTS, n_pre), np.int64)

        def count(part, begin, end):
            kernels.count_sources(seed, begin, end, self.k, n, self.multiple, skip, counts[part])

        on_threads(count, parts)
        first = np.concatenate([[0], np.cumsum(counts.sum(axis=0))])
        cursor = first[:-1] + np.cumsum(counts, axis=0) - counts
        target = np.empty(first[-1], target_type(n_post))

        def place(part, begin, end):
            kernels.place_targets(
                seed, begin, end, self.k, n, self.multiple, skip, cursor[part], target
            )

        on_threads(place, parts)
        return Rows(first, target)


# ------------------------------------------------------------------------------ what rules share


def _keep_flags(rule, *names):
    """Flags of a rule as plain ones."""
    for name in names:
        keep(rule, **{name: flag(getattr(rule, name), f"{type(rule).__name__}: {name}")})


def _candidates(n, same, self_connections):
    """Number of neurons that a neuron can be joined with."""
    return n - (same and not self_connections)


def _random_rows(rule, counts, n_post, same, multiple, rng):
    """Rows with the given numbers of random targets."""
    n = _candidates(n_post, same, rule.self_connections)
    skip = n < n_post
    most = int(counts.max(initial=0))
    if most and (n < 1 or (not multiple and most > n)):
        without = "" if multiple else " without multiple connections"
        raise ValueError(
            f"{rule}: {most} targets of one neuron cannot be drawn from {n} candidates{without}."
        )
    total = sum(counts.tolist()) if most < 1 << 31 else most * counts.size
    check_room(rule, total, target_type(n_post)().itemsize)
    first = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    target = np.empty(first[-1], target_type(n_post))
    seed = rng.integers(2**63, dtype=np.uint64)

    def fill(begin, end):
        kernels.fill_rows(seed, first, begin, end, n, multiple, skip, target)

    on_threads(fill, _equal_parts(first))
    return Rows(first, target)


def _equal_parts(first):
    """Ranges of rows with about equally many synapses, for threads."""
    bounds = np.searchsorted(first, np.linspace(0, first[-1], 4 * default_threads() + 1)[1:-1])
    bounds = np.unique(np.concatenate([[0], bounds, [first.size - 1]]))
    return list(pairwise(bounds))
