"""Synapses that are drawn at random, a piece at a time: rows of some sources onto some targets.

What is drawn depends on the generator alone: not on the number of threads, nor on the pieces that
somebody asks for. So a network larger than memory can be drawn where its synapses are needed.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..kernels import draw as kernels
from ..kernels.synapse_records import split_rows
from ..support.memory import check_room
from ..support.threads import default_threads, on_threads
from .pieces import Given, Onto, Piece, equal_parts
from .synapses import Rows, target_type

_PARTS = 8  # of the targets, for threads that count and place; the result does not depend on it


class Draws(Protocol):
    """Synapses that can be drawn again and again."""

    @property
    def size(self) -> int:
        """Number of synapses."""

    @property
    def n_pre(self) -> int:
        """Number of presynaptic neurons."""

    @property
    def first(self) -> NDArray[np.int64]:
        """(n_pre + 1,) the synapses of neuron j are first[j] .. first[j + 1] - 1."""

    def onto(self, low: int, high: int) -> Onto:
        """Return those onto the targets low .. high - 1."""

    def rows(self) -> Rows:
        """Return all of them."""


@dataclass(frozen=True, eq=False)
class RandomTargets:
    """Rows with given numbers of random targets; every source has random numbers of its own.

    Parameters
    ----------
    what
        Whose, for messages.
    seed
        Of the random numbers.
    first
        (n_pre + 1,) the synapses of neuron j are first[j] .. first[j + 1] - 1.
    n_post
        Number of postsynaptic neurons.
    multiple
        Whether targets are drawn with replacement.
    skip
        Whether a neuron is not its own target.
    """

    what: str
    seed: np.uint64
    first: NDArray[np.int64]
    n_post: int
    multiple: bool
    skip: bool

    @property
    def size(self) -> int:
        """Number of synapses."""
        return int(self.first[-1])

    @property
    def n_pre(self) -> int:
        """Number of presynaptic neurons."""
        return self.first.size - 1

    def rows(self) -> Rows:
        """Return all of them."""
        check_room(self.what, self.size, target_type(self.n_post)().itemsize)
        target = np.empty(self.size, target_type(self.n_post))

        def fill(begin, end):
            self.fill(begin, end, target[self.first[begin] : self.first[end]])

        on_threads(fill, equal_parts(self.first, 4 * default_threads()))
        return Rows(self.first, target)

    def fill(self, begin: int, end: int, target: NDArray) -> None:
        """Draw the targets of the sources begin .. end - 1."""
        n = self.n_post - self.skip
        kernels.fill_rows(self.seed, self.first, begin, end, n, self.multiple, self.skip, target)

    def onto(self, low: int, high: int) -> "_TargetsOnto":
        """Return those onto the targets low .. high - 1."""
        return _TargetsOnto(self, low, high)


@dataclass(frozen=True, eq=False)
class _TargetsOnto:
    """Those onto some targets: all of a row are drawn, and the others forgotten."""

    draws: RandomTargets
    low: int
    high: int

    def piece(self, begin: int, end: int) -> Piece:
        """Return those of the sources begin .. end - 1."""
        draws = self.draws
        among_all = draws.first[begin : end + 1]
        first = among_all - among_all[0]
        target = np.empty(int(first[-1]), target_type(draws.n_post))
        draws.fill(begin, end, target)
        ends = int(among_all[0]), int(among_all[-1])
        whole = Piece(begin, first, target, among_all[:-1], *ends)
        return whole if (self.low, self.high) == (0, draws.n_post) else self._own(whole)

    def _own(self, whole):
        """The synapses of a piece onto the targets that are wanted."""
        for array in (whole.first, whole.target):
            array.flags.writeable = False
        cuts = np.empty((whole.which.size, 2), np.int64)
        split_rows(whole.first, whole.target, np.array([self.low, self.high]), cuts)
        first = np.concatenate([[0], np.cumsum(cuts[:, 1] - cuts[:, 0])])
        own = (whole.target >= self.low) & (whole.target < self.high)
        which = whole.which + cuts[:, 0] - whole.first[:-1]
        return whole._replace(first=first, target=whole.target[own], which=which)


@dataclass(frozen=True, eq=False)
class RandomSources:
    """Targets with equal numbers of random sources; every target has random numbers of its own.

    Parameters
    ----------
    what
        Whose, for messages.
    seed
        Of the random numbers.
    k
        Number of sources of each target.
    n_pre, n_post
        Numbers of presynaptic and postsynaptic neurons.
    multiple
        Whether sources are drawn with replacement.
    skip
        Whether a neuron is not its own source.
    """

    what: str
    seed: np.uint64
    k: int
    n_pre: int
    n_post: int
    multiple: bool
    skip: bool

    @property
    def size(self) -> int:
        """Number of synapses."""
        return self.k * self.n_post

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """(n_pre + 1,) the synapses of neuron j are first[j] .. first[j + 1] - 1."""
        counts = self._counts(self._parts(0, self.n_post))
        return np.concatenate([[0], np.cumsum(counts.sum(axis=0))])

    def rows(self) -> Rows:
        """Return all of them."""
        everything = self.onto(0, self.n_post)
        return Rows(everything.first, everything.target)

    def onto(self, low: int, high: int) -> Given:
        """Return those onto the targets low .. high - 1, which are drawn alone."""
        check_room(self.what, self.k * (high - low), target_type(self.n_post)().itemsize)
        parts = self._parts(low, high)
        counts = self._counts(parts)
        first = np.concatenate([[0], np.cumsum(counts.sum(axis=0))])
        if (low, high) == (0, self.n_post):
            self.__dict__["first"] = first
        cursor = first[:-1] + np.cumsum(counts, axis=0) - counts
        target = np.empty(int(first[-1]), target_type(self.n_post))

        def place(part, begin, end):
            kernels.place_targets(self.seed, begin, end, *self._how, cursor[part], target)

        on_threads(place, parts)
        before = self._counts(self._parts(0, low)).sum(axis=0) if low else 0
        return Given(first, target, self.first[:-1] + before, self.first)

    @property
    def _how(self):
        """What kernels ask for: k, the number of candidates, and how they are drawn."""
        return self.k, self.n_pre - self.skip, self.multiple, self.skip

    def _parts(self, low, high):
        """Jobs (number, begin, end) of threads."""
        bounds = np.linspace(low, high, _PARTS + 1).astype(int)
        return list(zip(range(_PARTS), bounds[:-1], bounds[1:], strict=True))

    def _counts(self, parts):
        """(parts, n_pre) numbers of synapses onto parts of the targets."""
        counts = np.zeros((_PARTS, self.n_pre), np.int64)

        def count(part, begin, end):
            kernels.count_sources(self.seed, begin, end, *self._how, counts[part])

        on_threads(count, parts)
        return counts
