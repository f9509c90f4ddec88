"""A fixed number of partners for every neuron, drawn with weights that depend on the distance.

Partners are proposed by cell, in proportion to what a profile can be there at most, and accepted
in proportion to what it is. What is left after some rounds, or where a profile does not fall with
distance, is drawn with a look at all candidates.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support.checks import shown
from ..support.threads import on_threads
from .positions import Positions
from .profiles import Profile
from .spatial_cells import Lattice, Sorted, lattice

_ROUNDS = 12  # of proposals
_DEARER = 3  # a proposal costs that many times as much as a look at a candidate
_AT_ONCE = 1 << 19  # pairs that are looked at together
_CHOSEN = 1 << 21  # partners that are chosen together, at most
_MARKED = 1 << 22  # pairs of owners and others with a mark each, at most
_MANY = 1 << 16  # others that get no marks
_GUESSES = 1 << 13  # of indices
_MORE = 1.1  # proposals for each that is expected to be accepted


class PartnerDrawing:
    """Partners of the neurons of a population, a cell of owners at a time.

    Parameters
    ----------
    profile
        The weight with which a partner is chosen.
    owners, others
        Where the neurons are that choose, and those that they choose from.
    k
        Number of partners of each owner.
    alone
        Whether an owner may not choose the neuron of the same number (itself).
    multiple
        Whether it may choose one several times.
    """

    def __init__(
        self,
        profile: Profile,
        owners: Positions,
        others: Positions,
        k: int,
        *,
        alone: bool,
        multiple: bool,
    ) -> None:
        self.profile, self.k, self.alone, self.multiple = profile, k, alone, multiple
        self.cells: Lattice = lattice(owners, others, profile.length)
        self.owners: Sorted = self.cells.sort(owners)
        self.others: Sorted = self.cells.sort(others)

    def draw(self, rng: np.random.Generator) -> NDArray[np.int32]:
        """Return (owners, k) partners, in the order in which they were chosen.

        Parameters
        ----------
        rng
            Where the random numbers come from.
        """
        key = int(rng.integers(2**63))
        result = np.empty((self.owners.neuron.size, self.k), np.int32)

        def work(cell: int, begin: int, end: int) -> None:
            choice = _Choice(end - begin, self.k, self.others.neuron.size, self.multiple)
            numbers = np.random.default_rng([key, begin])
            if self.profile.decreasing:
                self._propose(cell, begin, choice, numbers)
            self._complete(begin, choice, numbers)
            result[self.owners.neuron[begin:end]] = self.others.neuron[choice.chosen]

        on_threads(work, self.owners.pieces(self._most_owners()))
        return result

    def _most_owners(self):
        """How many are served together, so that memory is bounded."""
        most = _CHOSEN // max(1, self.k)
        if not self.multiple and self.others.neuron.size <= _MANY:
            most = min(most, _MARKED // self.others.neuron.size)
        return max(1, most)

    # ------------------------------------------------------------------------- by proposals

    def _propose(self, cell, begin, choice, rng):
        """Choose partners for owners from `begin` on, as far as proposals go."""
        near, bounds = self.cells.bounds(self.profile, cell)
        chances = _Chances(bounds * self.others.counts[near])
        accepted = 1.0
        for _ in range(_ROUNDS if chances.total > 0 else 0):
            missing = self.k - choice.found
            candidates = np.count_nonzero(missing) * self.others.neuron.size
            if _DEARER * missing.sum() >= accepted * candidates:
                return
            tries = np.ceil(missing * (_MORE / accepted)).astype(np.int64)
            own = np.repeat(np.arange(tries.size), tries)
            before = choice.found.sum()
            choice.append(*self._accepted(begin, own, near, bounds, chances, rng))
            accepted = max((choice.found.sum() - before) / own.size, 1e-9)

    def _accepted(self, begin, own, near, bounds, chances, rng):
        """One proposal for each of `own`: those that are accepted, in the same order."""
        cell = chances.draw(rng, own.size)
        place = self.others.first[near][cell]
        place += (rng.random(own.size) * self.others.counts[near][cell]).astype(np.int64)
        away = self.cells.away(
            np.take(self.others.coordinates, place, axis=1),
            np.take(self.owners.coordinates, begin + own, axis=1),
        )
        values = self.profile.between(away, self.cells.extent)
        good = rng.random(own.size) * bounds[cell] < values
        if self.alone:
            good &= self.owners.neuron[begin + own] != self.others.neuron[place]
        kept = np.flatnonzero(good)
        return own[kept], place[kept]

    # --------------------------------------------------------------- with a look at everybody

    def _complete(self, begin, choice, rng):
        """Choose what is still missing, one after the other from all that are left."""
        missing = np.flatnonzero(choice.found < self.k)
        rows = max(1, _AT_ONCE // self.others.neuron.size)
        choose = _with_replacement if self.multiple else _one_by_one
        for start in range(0, missing.size, rows):
            own = missing[start : start + rows]
            weights = self._weights(begin + own)
            for each, weight in zip(own, weights, strict=True):
                n = self.k - choice.found[each]
                if not self.multiple:
                    weight[choice.chosen[each, : choice.found[each]]] = 0
                self._check_enough(begin + each, weight, n)
                choice.chosen[each, choice.found[each] :] = choose(weight, n, rng)

    def _weights(self, own):
        """(own, others) weights of all candidates."""
        one = self.owners.coordinates[:, own, None]
        away = self.cells.away(np.array(self.others.coordinates)[:, None, :], one)
        weights = self.profile.between(away.reshape(away.shape[0], -1), self.cells.extent)
        weights = np.array(weights).reshape(own.size, -1)
        if weights.min() < 0:
            raise ValueError(
                f"{shown(self.profile)} has the value {weights.min():g}; partners are chosen in "
                "proportion to it, so it must be >= 0."
            )
        if self.alone:
            weights[self.owners.neuron[own, None] == self.others.neuron] = 0
        return weights

    def _check_enough(self, own, weight, n):
        """Raise a ValueError unless n partners can be chosen."""
        candidates = np.count_nonzero(weight)
        if candidates >= (1 if self.multiple else n):
            return
        there = candidates if self.multiple else candidates + self.k - n
        raise ValueError(
            f"{self.k} partners of neuron {self.owners.neuron[own]} cannot be drawn: "
            f"{shown(self.profile)} is above 0 for {there} of {self.others.neuron.size} neurons"
            f"{', itself left out' if self.alone else ''}."
        )


class _Chances:
    """Indices drawn in proportion to weights.

    As _at(sums, u), which a table of first guesses makes quicker.
    """

    def __init__(self, weights: NDArray[np.float64]) -> None:
        self._sums = np.cumsum(weights)
        self.total = float(self._sums[-1])
        begins = np.arange(_GUESSES) * (self.total / _GUESSES)
        self._first = np.searchsorted(self._sums, begins, side="right")

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.int64]:
        """Return that many indices."""
        u = rng.random(size)
        index = self._first[np.minimum((u * _GUESSES).astype(np.int64), _GUESSES - 1)]
        u *= self.total
        later = np.flatnonzero(self._sums[index] <= u)
        index[later] = _at(self._sums, u[later])
        return index


class _Choice:
    """The partners that some owners have chosen so far, as places in the order of the cells."""

    def __init__(self, owners: int, k: int, others: int, multiple: bool) -> None:
        self.chosen = np.empty((owners, k), np.int64)
        self.found = np.zeros(owners, np.int64)
        self.multiple, self._others = multiple, others
        if not multiple and others <= _MANY:
            self._taken = np.zeros(owners * others, bool)
            self._earliest = np.empty(owners * others, np.int32)

    def append(self, own: NDArray[Any], place: NDArray[Any]) -> None:
        """Add accepted proposals in their order (by owner), as many as are missing."""
        if not self.multiple:
            new = (self._marked if self._others <= _MANY else self._sorted)(own, place)
            own, place = own[new], place[new]
        counts = np.bincount(own, minlength=self.found.size)
        rank = np.arange(own.size) - np.repeat(np.cumsum(counts) - counts, counts)
        column = self.found[own] + rank
        kept = column < self.chosen.shape[1]
        self.chosen[own[kept], column[kept]] = place[kept]
        np.minimum(self.found + counts, self.chosen.shape[1], out=self.found)

    def _marked(self, own, place):
        """Which proposals are the first of their kind, by a mark for each pair.

        What is left over when an owner has all its partners is marked, too: nobody asks again.
        """
        order = np.arange(own.size, dtype=np.int32)
        key = own * self._others + place
        self._earliest[key[::-1]] = order[::-1]  # of equal keys the last one stays
        new = (self._earliest[key] == order) & ~self._taken[key]
        self._taken[key] = True
        return new

    def _sorted(self, own, place):
        """Which proposals are the first of their kind, among those of all rounds."""
        there = np.arange(self.chosen.shape[1]) < self.found[:, None]
        before = np.repeat(np.arange(self.found.size), self.found) * self._others
        key = np.concatenate([before + self.chosen[there], own * self._others + place])
        _, index = np.unique(key, return_index=True)
        new = np.zeros(key.size, bool)
        new[index] = True
        return new[before.size :]


def _at(sums, u):
    """Where sums of weights first exceed u; the last weight above 0 where u is rounded to 1."""
    return np.minimum(np.searchsorted(sums, u, side="right"), np.searchsorted(sums, sums[-1]))


def _with_replacement(weight, n, rng):
    """Choose n in proportion to weights, each time from all."""
    sums = np.cumsum(weight)
    return _at(sums, rng.random(n) * sums[-1])


def _one_by_one(weight, n, rng):
    """Choose n in proportion to weights, one after the other from those that are left.

    The order in which exponential clocks of these rates ring is such a choice.
    """
    candidates = np.flatnonzero(weight)
    if n == candidates.size:
        return candidates
    clocks = rng.standard_exponential(candidates.size) / weight[candidates]
    return candidates[np.argpartition(clocks, n - 1)[:n]]
