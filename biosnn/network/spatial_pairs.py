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
from ..support.ranges import ranges
from ..support.threads import on_threads
from .positions import Positions
from .profiles import Profile
from .spatial_cells import Lattice, Sorted, lattice
from .synapses import Rows, target_type

_THINNED = 0.5  # the largest probability that is drawn by thinning
_AT_ONCE = 1 << 19  # pairs that are looked at together
_EVENTS = 1 << 21  # events that are drawn together, about


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
        self.cells: Lattice = lattice(pre, post, profile.length)
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
        busy = np.flatnonzero(self.pre.counts)

        def work(cell: int) -> NDArray[Any]:
            own, targets = self._of_cell(cell, key)
            neurons = self.pre.of_cell(cell)
            counts[neurons] = np.bincount(own, minlength=neurons.size)
            return targets

        drawn = on_threads(work, [(int(cell),) for cell in busy])
        first = np.concatenate([[0], np.cumsum(counts)])
        target = np.empty(first[-1], target_type(self.n_post))
        for cell, targets in zip(busy, drawn, strict=True):
            neurons = self.pre.of_cell(cell)
            target[ranges(first[neurons], counts[neurons])] = targets
        return Rows(first, target)

    def _of_cell(self, cell, key):
        """(own, targets): pairs of a neuron of the cell, counted from 0, and any other, in order.

        Some neurons at a time, so that memory is bounded, each with random numbers of their own.
        """
        others, bounds = self._bounds(cell)
        full = bounds > _THINNED
        near, far = others[full], others[~full]
        rates = -np.log1p(-bounds[~full])
        most = max(1, int(_EVENTS / max(1.0, rates @ self.post.counts[far])))
        first, last = self.pre.first[cell : cell + 2]
        owns, targets = [], []
        for begin in range(first, last, most):
            end = min(begin + most, last)
            numbers = np.random.default_rng([key, begin])
            keys = [
                self._thinned(begin, end, far, rates, numbers),
                *self._all(begin, end, near, numbers),
            ]
            own, target = np.divmod(_once(np.concatenate(keys)), self.n_post)
            owns.append(own + (begin - first))
            targets.append(target.astype(target_type(self.n_post)))
        return np.concatenate(owns), np.concatenate(targets)

    def _bounds(self, cell):
        """Cells with neurons, and the most that a probability can be between them and a cell."""
        if not self.profile.decreasing:
            others = np.flatnonzero(self.post.counts)
            return others, np.ones(others.size)
        others, bounds = self.cells.bounds(self.profile, cell)
        some = self.post.counts[others] > 0
        return others[some], _probabilities(self.profile, bounds[some])

    def _thinned(self, begin, end, far, rates, rng):
        """Keys of pairs with at least one event, between neurons and all far cells."""
        counts = self.post.counts[far]
        events = rng.poisson(rates * ((end - begin) * counts))
        other = np.repeat(np.arange(events.size), events)
        own = (rng.random(other.size) * (end - begin)).astype(np.int64)
        place = self.post.first[far][other]
        place += (rng.random(other.size) * counts[other]).astype(np.int64)
        away = self.cells.away(
            np.take(self.post.coordinates, place, axis=1),
            np.take(self.pre.coordinates[:, begin:end], own, axis=1),
        )
        p = self.profile.between(away, self.cells.extent)
        kept = np.flatnonzero(rng.random(p.size) * rates[other] < -np.log1p(-p))
        return self._keys(begin, own[kept], self.post.neuron[place[kept]])

    def _all(self, begin, end, near, rng):
        """Keys of connected pairs between neurons and near cells, looked at one by one."""
        places = ranges(self.post.first[near], self.post.counts[near])
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
        """Numbers of pairs, own * n_post + target, without those of a neuron and itself."""
        if self.alone:
            apart = self.pre.neuron[begin + own] != targets
            own, targets = own[apart], targets[apart]
        return own * self.n_post + targets


def _once(keys):
    """Numbers in order, without repetitions: a pair may have had several events."""
    keys.sort()
    return keys[np.append(True, keys[1:] != keys[:-1])] if keys.size else keys


def _probabilities(profile, p):
    """Probabilities of pairs; a ValueError where they are none."""
    if p.size and not (p.min() >= 0 and p.max() <= 1):
        wrong = p.max() if p.max() > 1 else p.min()
        raise ValueError(
            f"{shown(profile)} has the value {wrong:g}; it is the probability that two neurons "
            "are connected, from 0 to 1."
        )
    return p
