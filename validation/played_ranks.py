"""A communicator that plays all other processes of a simulation: one process of 1024, on one core.

What a process of `simulate(..., communicator=)` computes depends on the others by the spikes alone
that they send. Here they send random ones: each neuron of theirs fires like a Poisson process with
the rate of its population. So the work of one process of many can be measured, with the network
between them left out: the seconds that are spent here are counted, and taken off.
"""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DRAWN = 64  # different steps, which are then repeated


class PlayedRanks:
    """Rank 0 of a communicator of `size` processes, of which the others are played.

    Parameters
    ----------
    size
        Number of processes.
    rates
        Population -> spikes of a neuron in a step.

    Attributes
    ----------
    seconds
        Spent in here, since `reset`.
    meetings
        Exchanges that took place since then, and
    spikes
        those that came from the others.
    """

    def __init__(self, size: int, rates: Mapping[str, float]) -> None:
        self.size, self.rates = size, rates
        self._rng = np.random.default_rng(0)
        self._bounds = np.zeros((0, 1), np.int64)
        self._first = np.zeros(1, np.int64)
        self._probabilities: list[float] = []
        self._steps: list[tuple[list[NDArray[np.int32]], int]] = []
        self._joined: dict[tuple[int, int], tuple[list[NDArray[np.int32]], int]] = {}
        self.reset()

    def reset(self) -> None:
        """Start to count."""
        self.seconds, self.meetings, self.spikes = 0.0, 0, 0

    def know(self, names: list[str], bounds: NDArray[np.int64], first: NDArray[np.int64]) -> None:
        """Take which neurons belong to whom.

        Parameters
        ----------
        names
            Populations that fire.
        bounds
            (populations, parts + 1) neurons of each part.
        first
            (processes + 1,) first part of each process.
        """
        self._bounds, self._first = bounds, first
        self._probabilities = [self.rates.get(name, 0.0) for name in names]
        self._steps = [self._step() for _ in range(_DRAWN)]

    # ------------------------------------------------------------------------- as mpi4py has them

    def Get_rank(self) -> int:
        """Of this process."""
        return 0

    def Get_size(self) -> int:
        """Of the communicator."""
        return self.size

    def Dup(self) -> "PlayedRanks":
        """There are no other messages."""
        return self

    def Free(self) -> None:
        """Nothing to do."""

    def Abort(self, code: int = 1) -> None:
        """End."""
        raise SystemExit(code)

    def allgather(self, value: Any) -> list[Any]:
        """All others say the same."""
        return [value] * self.size

    def Allgather(self, own: NDArray[np.int32], found: NDArray[np.int32]) -> None:
        """Take the message of this process, give those of all."""
        begin = time.thread_time()
        steps = self._steps_of(own)
        messages, spikes = self._meeting(steps)
        longest = max(int(own[0]), *map(len, messages))
        rows = found.reshape(self.size, -1)
        rows[0] = own
        for row, message in zip(rows[1:], messages):
            n = min(len(message), len(row))
            row[:n] = message[:n]
        if longest <= len(own):
            self.meetings += 1
            self.spikes += spikes
        self.seconds += time.thread_time() - begin

    def _fail(self, *arguments: Any) -> None:
        """What no process needs while it simulates."""
        raise NotImplementedError

    Allgatherv = Send = Recv = Bcast = _fail

    # ------------------------------------------------------------------------------------- messages

    def _steps_of(self, own):
        """Steps whose spikes a message tells; it may be cut, and then they are those before."""
        at, steps, end = 1, 0, int(own[0])
        if end > len(own):
            return self._last_steps
        counts = len(self._bounds) * int(self._first[1])
        while at < end:
            for _ in range(counts):
                at += 1 + int(own[at])
            steps += 1
        self._last_steps = steps
        return steps

    _last_steps = 1

    def _meeting(self, steps):
        """Messages of the others with so many steps, and the spikes in them."""
        key = 8 * self.meetings % _DRAWN, steps
        if key not in self._joined:
            drawn = [self._steps[(key[0] + k) % _DRAWN] for k in range(steps)]
            messages = []
            for rank in range(self.size - 1):
                pieces = [np.zeros(1, np.int32), *(pieces[rank] for pieces, _ in drawn)]
                messages.append(np.concatenate(pieces))
                messages[-1][0] = len(messages[-1])
            self._joined[key] = messages, sum(spikes for _, spikes in drawn)
        return self._joined[key]

    def _step(self):
        """Draw a step: what each of the others tells of it, and the spikes in that."""
        units, cuts = [], []
        for bounds, probability in zip(self._bounds, self._probabilities):
            n = int(bounds[-1])
            found = np.unique(self._rng.integers(n, size=self._rng.binomial(n, probability)))
            units.append(found.astype(np.int32))
            cuts.append(np.searchsorted(found, bounds))
        pieces = []
        for begin, end in zip(self._first[1:-1], self._first[2:]):
            piece = []
            for t in range(begin, end):
                for own, cut in zip(units, cuts):
                    piece += [np.array([cut[t + 1] - cut[t]], np.int32), own[cut[t] : cut[t + 1]]]
            pieces.append(np.concatenate(piece))
        counts = len(self._bounds) * int(self._first[-1] - self._first[1])
        return pieces, sum(map(len, pieces)) - counts
