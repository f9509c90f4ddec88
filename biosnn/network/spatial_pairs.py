"""Pairs of neurons drawn independently, with a probability that depends on their distance.

Between two cells far apart a probability p is small. There a Poisson process of the rate
-log(1 - p) over the pairs is thinned: a pair that has at least one event is connected, which
happens with the probability p, and independently of all others. Near cells are looked at pair by
pair.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support.checks import shown
from ..support.threads import on_threads
from .positions import Positions
from .profiles import Profile
from .spatial_cells import Lattice, Sorted, lattice
from .synapses import Rows, target_type

_THINNED = 0.5  # the largest probability that is drawn by thinning
_AT_ONCE = 1 << 19  # pairs that are looked at together
_OWNERS = 1 << 11  # presynaptic neurons that are served together, at most


class PairDrawing:
    """Synapses between two populations, a cell of presynaptic neurons at a time.

    Parameters
    ----------
    profile
        The probability of a pair.
    pre, post
        Where the neurons are.
    alone
        Whether a neuron may not be connected with the one of the same number (itself).
    """

    def __init__(self, profile: Profile, pre: Positions, post: Positions, alone: bool) -> None:
        self.profile = profile
        self.alone = alone
        self.cells: Lattice = lattice(pre, post)
        self.pre: Sorted = self.cells.sort(pre)
        self.post: Sorted = self.cells.sort(post)
        self.n_pre, self.n_post = pre.n, post.n

    def draw(self, rng: np.random.Generator) -> Rows:
        """Return the synapses.

        Parameters
        ----------
        rng
            Where the random numbers come from.
        """
        key = int(rng.integers(2**63))
        counts = np.zeros(self.n_pre, np.int64)
        pieces = self.pre.pieces(max(1, min(_OWNERS, (32 * _AT_ONCE) // self.n_post)))

        def work(cell: int, begin: int, end: int) -> NDArray[Any]:
            numbers = np.random.default_rng([key, begin])
            own, targets = self._of_piece(cell, begin, end, numbers)
            counts[self.pre.neuron[begin:end]] = np.bincount(own, minlength=end - begin)
            return targets

        drawn = on_threads(work, pieces)
        first = np.concatenate([[0], np.cumsum(counts)])
        target = np.empty(first[-1], target_type(self.n_post))
        for (_, begin, end), targets in zip(pieces, drawn, strict=True):
            neurons = self.pre.neuron[begin:end]
            target[_places(first[neurons], counts[neurons])] = targets
        return Rows(first, target)

    def _of_piece(self, cell, begin, end, rng):
        """(own, targets): pairs of a neuron begin .. end - 1, counted from 0, and any other.

        All numbers of pairs are keys, own * n_post + target, which ascend.
        """
        bounds, counts = self._bounds(cell), self.post.counts
        near = bounds > _THINNED
        rates = -np.log1p(-np.where(near, 0.0, bounds))
        keys = [
            self._thinned(begin, end, rates, rng),
            *self._all(begin, end, np.flatnonzero(near & (counts > 0)), rng),
        ]
        keys = np.sort(np.concatenate(keys))
        if keys.size:  # a pair may have had several events
            keys = keys[np.append(True, keys[1:] != keys[:-1])]
        own, targets = np.divmod(keys, self.n_post)
        return own, targets.astype(target_type(self.n_post))

    def _bounds(self, cell):
        """The most that a probability can be between the cell and each other."""
        if not self.profile.decreasing:
            return np.ones(self.cells.size)
        return _probabilities(self.profile, self.cells.bounds(self.profile, cell))

    def _thinned(self, begin, end, rates, rng):
        """Keys of pairs with at least one event, between neurons and all far cells."""
        events = rng.poisson(rates * ((end - begin) * self.post.counts))
        other = np.repeat(np.arange(events.size), events)
        own = (rng.random(other.size) * (end - begin)).astype(np.int64)
        place = self.post.first[other]
        place += (rng.random(other.size) * self.post.counts[other]).astype(np.int64)
        away = self.cells.away(
            np.take(self.post.coordinates, place, axis=1),
            np.take(self.pre.coordinates[:, begin:end], own, axis=1),
        )
        p = self.profile.between(away, self.cells.extent)
        kept = np.flatnonzero(rng.random(p.size) * rates[other] < -np.log1p(-p))
        return self._keys(begin, own[kept], self.post.neuron[place[kept]])

    def _all(self, begin, end, near, rng):
        """Keys of connected pairs between neurons and near cells, looked at one by one."""
        places = _ranges(self.post.first[near], self.post.first[near + 1])
        neurons, coordinates = self.post.neuron[places], self.post.coordinates[:, places]
        rows = max(1, _AT_ONCE // max(1, places.size))
        for start in range(begin, end if places.size else begin, rows):
            one = self.pre.coordinates[:, start : min(start + rows, end), None]
            away = self.cells.away(coordinates[:, None, :], one)
            shape = away.shape[1:]
            p = self.profile.between(away.reshape(away.shape[0], -1), self.cells.extent)
            p = _probabilities(self.profile, p).reshape(shape)
            own, other = np.nonzero(rng.random(shape) < p)
            yield self._keys(begin, own + (start - begin), neurons[other])

    def _keys(self, begin, own, targets):
        """own * n_post + target, without those of a neuron and itself."""
        if self.alone:
            apart = self.pre.neuron[begin + own] != targets
            own, targets = own[apart], targets[apart]
        return own * self.n_post + targets


def _probabilities(profile, p):
    """Probabilities of pairs; a ValueError where they are none."""
    if p.size and not (p.min() >= 0 and p.max() <= 1):
        wrong = p.max() if p.max() > 1 else p.min()
        raise ValueError(
            f"{shown(profile)} has the value {wrong:g}; it is the probability that two neurons "
            "are connected, from 0 to 1."
        )
    return p


def _ranges(first, last):
    """All whole numbers of several ranges."""
    return _places(first, last - first)


def _places(first, counts):
    """first[0], first[0] + 1, … for counts[0] numbers, then those of the next."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if ends.size else 0) + np.repeat(first - (ends - counts), counts)
