"""Rules that draw synapses by the distance between neurons (bs.space)."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..support.checks import flag, keep, shown, whole
from ..support.memory import check_room
from ..support.warn import UnitWarning, warn
from .positions import Positions, lengths_text
from .profiles import Profile, as_profile
from .spatial_pairs import PairDrawing
from .spatial_partners import PartnerDrawing
from .synapses import Rows, target_type

_FLAT = 2  # a profile that is so many times longer than the space does not see distances
_BLIND = 0.2  # one that is so much shorter than the way to the next neuron sees no other

#: A profile, or a function of distance.
Distance: TypeAlias = Profile | Callable[[NDArray[np.float64]], Any]


class SpatialRule:
    """Base of the rules by distance. `connect` gives them the positions of both populations."""

    def build(self, n_pre: int, n_post: int, same: bool, rng: Any) -> Rows:
        """Refuse to build synapses between numbers of neurons, as other rules do."""
        raise ValueError(
            f"{shown(self)} needs to know where the neurons are: give positions=bs.space.grid(…) "
            "to both populations."
        )

    def build_between(
        self, pre: Positions, post: Positions, same: bool, rng: np.random.Generator
    ) -> Rows:
        """Build the synapses between neurons at given positions.

        Parameters
        ----------
        pre, post
            Where they are.
        same
            Whether both populations are one.
        rng
            Where all random numbers come from.

        Returns
        -------
        Rows of ascending targets.
        """
        raise NotImplementedError(f"{type(self).__name__} builds nothing")


@dataclass(frozen=True)
class Bernoulli(SpatialRule):
    """Every pair is connected with a probability that depends on the distance, independently.

    Parameters
    ----------
    p
        The probability: `Gaussian`, `Exponential` or `Box` with a peak, or any function of
        distance.
    self_connections
        Whether a neuron may project onto itself.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-4)
    >>> sheet = bs.space.torus((20, 20), 1e-3)
    >>> E = net.population(400, bs.ei_lif(), "excitatory", name="E", positions=sheet)
    >>> rule = bs.space.Bernoulli(
    ...     bs.space.Gaussian(1e-4, peak=0.5), self_connections=False
    ... )
    >>> delay = bs.space.Conduction(0.3, offset=0.5e-3)
    >>> projection = net.connect(E, E, synapses=rule, weights=0.1, delay=delay, seed=1)
    >>> net.in_degree("E->E")
    12.1475
    """

    p: Distance
    _: KW_ONLY
    self_connections: bool = True

    def __post_init__(self) -> None:
        keep(self, p=as_profile(self.p, "Bernoulli: p, a probability,"))
        keep(self, self_connections=flag(self.self_connections, "Bernoulli: self_connections"))

    def build_between(
        self, pre: Positions, post: Positions, same: bool, rng: np.random.Generator
    ) -> Rows:
        """Build the synapses (see `SpatialRule`)."""
        assert isinstance(self.p, Profile)
        warn_of_scale(self.p, pre, post, shown(self))
        return PairDrawing(self.p, pre, post, same and not self.self_connections).draw(rng)


@dataclass(frozen=True)
class _FixedDegree(SpatialRule):
    """What rules with a fixed number of partners share: fields, their checks, and the draw."""

    k: int
    profile: Distance
    _: KW_ONLY
    self_connections: bool = True
    multiple: bool = True

    def __post_init__(self) -> None:
        kind = type(self).__name__
        keep(
            self,
            k=whole(self.k, f"{kind}: k", 0),
            profile=as_profile(self.profile, f"{kind}: profile"),
            self_connections=flag(self.self_connections, f"{kind}: self_connections"),
            multiple=flag(self.multiple, f"{kind}: multiple"),
        )

    def _partners(self, owners, others, same, rng):
        """(owners, k) partners."""
        alone = same and not self.self_connections
        candidates = others.n - alone
        if self.k and (candidates < 1 or (not self.multiple and self.k > candidates)):
            raise ValueError(
                f"{shown(self)}: {self.k} partners of one neuron cannot be drawn from {candidates} "
                "candidates."
            )
        check_room(shown(self), self.k * owners.n, 8)
        warn_of_scale(self.profile, owners, others, shown(self))
        drawing = PartnerDrawing(
            self.profile, owners, others, self.k, alone=alone, multiple=self.multiple
        )
        return drawing.draw(rng)


@dataclass(frozen=True)
class FixedInDegree(_FixedDegree):
    """Every postsynaptic neuron has the same number of sources, the near ones more often.

    Parameters
    ----------
    k
        Number of sources.
    profile
        A source is drawn in proportion to this function of distance; its height does not matter.
    self_connections
        Whether a neuron may project onto itself.
    multiple
        Whether sources are drawn with replacement, so that a pair may have several synapses.
        Otherwise one after the other from those that are left.

    Examples
    --------
    >>> FixedInDegree(100, lambda d: d < 1e-4, multiple=False).k
    100
    """

    def build_between(
        self, pre: Positions, post: Positions, same: bool, rng: np.random.Generator
    ) -> Rows:
        """Build the synapses (see `SpatialRule`)."""
        from scipy.sparse import csr_array  # here: it takes a while to load

        sources = self._partners(post, pre, same, rng)
        first = np.arange(post.n + 1, dtype=np.int64) * self.k
        by_post = csr_array(
            (np.ones(sources.size, np.int8), sources.ravel(), first), shape=(post.n, pre.n)
        )
        by_pre = by_post.tocsc()  # counts, and keeps synapses of one pair apart
        target = by_pre.indices.astype(target_type(post.n))
        return Rows(by_pre.indptr.astype(np.int64), target)


@dataclass(frozen=True)
class FixedOutDegree(_FixedDegree):
    """Every presynaptic neuron has the same number of targets, the near ones more often.

    Parameters
    ----------
    k
        Number of targets.
    profile
        A target is drawn in proportion to this function of distance; its height does not matter.
    self_connections
        Whether a neuron may project onto itself.
    multiple
        Whether targets are drawn with replacement, so that a pair may have several synapses.
        Otherwise one after the other from those that are left.

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.space.FixedOutDegree(100, bs.space.Gaussian(0.1, wrapped=True)).multiple
    True
    """

    def build_between(
        self, pre: Positions, post: Positions, same: bool, rng: np.random.Generator
    ) -> Rows:
        """Build the synapses (see `SpatialRule`)."""
        targets = self._partners(pre, post, same, rng).astype(target_type(post.n))
        targets.sort(axis=1)
        return Rows(np.arange(pre.n + 1, dtype=np.int64) * self.k, targets.ravel())


# ------------------------------------------------------------------------------ what rules share


def warn_of_scale(profile: Profile, pre: Positions, post: Positions, what: str) -> None:
    """Give a UnitWarning where the length of a profile does not fit the space.

    Parameters
    ----------
    profile
        A function of distance.
    pre, post
        Where the neurons are.
    what
        Whose profile, for the message.
    """
    length = profile.length
    span = float(max(pre.span.max(), post.span.max()))
    spacing = max(pre.spacing, post.spacing)
    if length is None or not span:
        return
    given = lengths_text(np.array([length]))
    if length > _FLAT * span:
        warn(
            f"{what}: the profile is {given} long, and the neurons lie within "
            f"{lengths_text(np.array([span]))}, so that distance hardly matters. Are both in "
            "metres?",
            UnitWarning,
        )
    if length < _BLIND * spacing:
        warn(
            f"{what}: the profile is {given} long, and neurons are about "
            f"{lengths_text(np.array([spacing]))} apart, so that hardly any others are near. Are "
            "both in metres?",
            UnitWarning,
        )
