"""Neurons sorted into the cells of a regular lattice, so that what is near is found quickly.

Random rules look at pairs of cells: no pair of neurons in them is nearer than the cells are, and
this bounds the value of a profile that falls with distance.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .positions import Positions, shortest
from .profiles import Profile

_CELLS = 1024  # of most spaces
_MOST_CELLS = 1 << 14  # where profiles are short
_WIDE = 2  # lengths of a profile in the side of a cell, about
_NEURONS_IN_A_CELL = 10  # at least, on average


@dataclass(frozen=True, eq=False)
class Sorted:
    """The neurons of a population in the order of the cells that they lie in.

    Parameters
    ----------
    first
        (cells + 1,) the neurons of cell c are first[c] .. first[c + 1] - 1 of `neuron`.
    neuron
        (neurons,) their numbers, ascending within a cell.
    coordinates
        (dimensions, neurons) where they are.
    """

    first: NDArray[np.int64]
    neuron: NDArray[np.int64]
    coordinates: NDArray[np.float64]

    @property
    def counts(self) -> NDArray[np.int64]:
        """(cells,) numbers of neurons."""
        return np.diff(self.first)

    def of_cell(self, cell: int) -> NDArray[np.int64]:
        """Return the neurons of a cell."""
        return self.neuron[self.first[cell] : self.first[cell + 1]]

    def pieces(self, most: int) -> list[tuple[int, int, int]]:
        """Return (cell, begin, end) of all neurons: at most so many of a cell at a time."""
        return [
            (int(cell), begin, min(begin + most, int(self.first[cell + 1])))
            for cell in np.flatnonzero(self.counts)
            for begin in range(int(self.first[cell]), int(self.first[cell + 1]), most)
        ]


@dataclass(frozen=True, eq=False)
class Lattice:
    """Cells of a space that two populations share.

    Parameters
    ----------
    shape
        Numbers of cells in each dimension.
    side
        (dimensions,) their sides.
    origin
        (dimensions,) where the first begins.
    extent
        (dimensions,) size of a periodic space; None of an open one.
    """

    shape: tuple[int, ...]
    side: NDArray[np.float64]
    origin: NDArray[np.float64]
    extent: NDArray[np.float64] | None

    @property
    def size(self) -> int:
        """Number of cells."""
        return int(np.prod(self.shape))

    def sort(self, positions: Positions) -> Sorted:
        """Return the neurons of a population by cell."""
        where = np.asarray(positions.coordinates)
        index = ((where - self.origin) / self.side).astype(np.int64)
        index = np.clip(index, 0, np.array(self.shape) - 1)
        cell = np.ravel_multi_index(tuple(index.T), self.shape)
        order = np.argsort(cell, kind="stable")
        first = np.searchsorted(cell[order], np.arange(self.size + 1))
        return Sorted(first, order, np.ascontiguousarray(where[order].T))

    def bounds(self, profile: Profile, cell: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the cells that a falling profile reaches, and the most that it can be there.

        Parameters
        ----------
        profile
            A function that falls with distance.
        cell
            Where it begins.
        """
        indices, apart = [], []
        for n, side, own in zip(
            self.shape, self.side, np.unravel_index(cell, self.shape), strict=True
        ):
            steps = np.abs(np.arange(n) - own)
            if self.extent is not None:
                steps = np.minimum(steps, n - steps)
            gaps = np.maximum(steps - 1, 0) * side
            indices.append(np.flatnonzero(gaps <= profile.reach))
            apart.append(gaps[indices[-1]])
        nearest = np.stack([each.ravel() for each in np.meshgrid(*apart, indexing="ij")])
        cells = np.ravel_multi_index(np.ix_(*indices), self.shape).ravel()
        return cells, profile.between(nearest, self.extent)

    def away(self, one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return differences of coordinates (dimensions, …), the shortest way round."""
        return shortest(one - other, self.extent)


def lattice(pre: Positions, post: Positions, length: float | None) -> Lattice:
    """Return cells of about equal sides for two populations in one space.

    Parameters
    ----------
    pre, post
        Where the neurons are; `check_spaces` has seen that their spaces are one.
    length
        That of the profile by which they are connected.
    """
    if pre.periodic:
        assert pre.extent is not None
        extent = np.array(pre.extent)
        origin, size = np.zeros(extent.size), extent
    else:
        both = np.concatenate([pre.coordinates, post.coordinates])
        extent, origin, size = None, both.min(axis=0), np.ptp(both, axis=0)
    wide = size > 0
    wanted = max(1, max(pre.n, post.n) // _NEURONS_IN_A_CELL)
    short = np.prod(size[wide] / (_WIDE * length)) if length else 0.0
    wanted = min(wanted, int(np.clip(short, _CELLS, _MOST_CELLS)))
    side = (size[wide].prod() / wanted) ** (1 / max(wide.sum(), 1)) if wide.any() else 1.0
    shape = np.where(wide, np.clip(np.ceil(size / side), 1, wanted), 1).astype(int)
    return Lattice(
        shape=tuple(shape.tolist()),
        side=np.where(wide, size / shape, 1.0),
        origin=origin,
        extent=extent,
    )
