"""Pieces of the synapses of a projection: those of neighbouring sources, for one thread to take."""

from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Piece(NamedTuple):
    """The synapses of some neighbouring presynaptic neurons.

    Parameters
    ----------
    row
        The first of these neurons.
    first
        (rows + 1,) those of neuron row + j are first[j] .. first[j + 1] - 1 of the piece.
    target
        (synapses,) postsynaptic neurons, ascending within a row.
    which
        (rows,) which synapse of the projection the first one of each row is.
    begin, end
        All of them are among the synapses begin .. end - 1 of the projection.
    """

    row: int
    first: NDArray[np.int64]
    target: NDArray[Any]
    which: NDArray[np.int64]
    begin: int
    end: int


class Onto(Protocol):
    """Synapses onto some targets of a projection, which can be had in pieces."""

    def piece(self, begin: int, end: int) -> Piece:
        """Return those of the sources begin .. end - 1; there may be other targets among them."""


class Given(NamedTuple):
    """Rows that lie in memory.

    Parameters
    ----------
    first
        (n_pre + 1,) those of neuron j are first[j] .. first[j + 1] - 1 of `target`.
    target
        Postsynaptic neurons.
    which
        (n_pre,) which synapse of the projection the first one of each row is.
    whole
        (n_pre + 1,) as `first`, of the whole projection.
    """

    first: NDArray[np.int64]
    target: NDArray[Any]
    which: NDArray[np.int64]
    whole: NDArray[np.int64]

    def piece(self, begin: int, end: int) -> Piece:
        """Return those of the sources begin .. end - 1."""
        first = self.first[begin : end + 1]
        return Piece(
            row=begin,
            first=first - first[0],
            target=self.target[first[0] : first[-1]],
            which=self.which[begin:end],
            begin=int(self.whole[begin]),
            end=int(self.whole[end]),
        )


def equal_parts(first: NDArray[np.int64], parts: int) -> list[tuple[int, int]]:
    """Return ranges (begin, end) of rows with about equally many synapses.

    Parameters
    ----------
    first
        (n_pre + 1,) where each row begins, and where the last one ends.
    parts
        How many ranges, at most.

    Examples
    --------
    >>> equal_parts(np.array([0, 5, 6, 7, 10]), 2)
    [(0, 1), (1, 4)]
    """
    bounds = np.searchsorted(first, np.linspace(0, first[-1], parts + 1)[1:-1])
    bounds = np.unique(np.concatenate([[0], bounds, [first.size - 1]]))
    return [(int(a), int(b)) for a, b in pairwise(bounds)]
