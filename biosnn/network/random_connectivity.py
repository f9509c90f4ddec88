"""Rules that draw the synapses of a sparse projection: by probability, or with fixed numbers.

What is drawn depends on the generator alone, not on the number of threads.
"""

from dataclasses import KW_ONLY, dataclass

import numpy as np

from ..support.checks import flag, keep, real, whole
from ..support.memory import check_room
from .random_rows import Draws, RandomSources, RandomTargets
from .synapses import Rows, target_type

_MOST_SYNAPSES = 1 << 43  # of a projection, for thousands of machines


class RandomRule:
    """Base of rules that draw: what they draw can be drawn again, a piece at a time."""

    def draws(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator) -> Draws:
        """Return the synapses as what can draw them; for the arguments see `Rule`."""
        raise NotImplementedError

    def build(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator) -> Rows:
        """Build the synapses (see `Rule`)."""
        return self.draws(n_pre, n_post, same, rng).rows()


@dataclass(frozen=True)
class Bernoulli(RandomRule):
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

    def draws(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator) -> Draws:
        """Return the synapses (see `RandomRule`)."""
        counts = rng.binomial(_candidates(n_post, same, self.self_connections), self.p, n_pre)
        return _random_rows(self, counts, n_post, same, False, rng)


@dataclass(frozen=True)
class FixedOutDegree(RandomRule):
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

    def draws(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator) -> Draws:
        """Return the synapses (see `RandomRule`)."""
        return _random_rows(self, np.full(n_pre, self.k), n_post, same, self.multiple, rng)


@dataclass(frozen=True)
class FixedTotal(RandomRule):
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

    def draws(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator) -> Draws:
        """Return the synapses (see `RandomRule`)."""
        candidates = _candidates(n_post, same, self.self_connections)
        if self.n >= _MOST_SYNAPSES:
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
class FixedInDegree(RandomRule):
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

    def draws(self, n_pre: int, n_post: int, same: bool, rng: np.random.Generator) -> Draws:
        """Return the synapses (see `RandomRule`)."""
        n = _candidates(n_pre, same, self.self_connections)
        skip = n < n_pre
        if self.k and (n < 1 or (not self.multiple and self.k > n)):
            raise ValueError(
                f"{self}: {self.k} sources of one neuron cannot be drawn from {n} candidates."
            )
        if self.k * n_post >= _MOST_SYNAPSES:
            check_room(self, self.k * n_post, target_type(n_post)().itemsize)
        seed = rng.integers(2**63, dtype=np.uint64)
        return RandomSources(repr(self), seed, self.k, n_pre, n_post, self.multiple, skip)


# ------------------------------------------------------------------------------ what rules share


def _keep_flags(rule, *names):
    """Flags of a rule as plain ones."""
    for name in names:
        keep(rule, **{name: flag(getattr(rule, name), f"{type(rule).__name__}: {name}")})


def _candidates(n, same, self_connections):
    """Number of neurons that a neuron can be joined with."""
    return n - (same and not self_connections)


def _random_rows(rule, counts, n_post, same, multiple, rng):
    """Rows with the given numbers of random targets, as what can draw them."""
    n = _candidates(n_post, same, rule.self_connections)
    skip = n < n_post
    most = int(counts.max(initial=0))
    if most and (n < 1 or (not multiple and most > n)):
        without = "" if multiple else " without multiple connections"
        raise ValueError(
            f"{rule}: {most} targets of one neuron cannot be drawn from {n} candidates{without}."
        )
    total = sum(counts.tolist()) if most < 1 << 31 else most * counts.size
    if total >= _MOST_SYNAPSES:
        check_room(rule, total, target_type(n_post)().itemsize)
    first = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    first.flags.writeable = False
    seed = rng.integers(2**63, dtype=np.uint64)
    return RandomTargets(repr(rule), seed, first, n_post, multiple, skip)
