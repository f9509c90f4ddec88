"""The gradient of a batch: the sum over its chunks, in their order, whichever thread ends first."""

from threading import Lock

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays, room
from ..support.ranks import Ranks
from .packed import Packed

_PIECE = 1 << 17  # numbers that one thread adds at a time


def _pieces(size):
    """Slices of a vector."""
    return [slice(at, min(at + _PIECE, size)) for at in range(0, size, _PIECE)]


class _OrderedSum:
    """Sums the parts of chunks in the order of the chunks, whichever thread ends first.

    Few parts exist at a time, except where those of other processes come first. The sum is cut into
    pieces, so that several threads can add at a time, each to a piece of its own.
    """

    def __init__(self, sizes, dtype, waits=False):
        self.total = [np.zeros(size, dtype) for size in sizes]
        self._pieces = [(k, piece) for k, size in enumerate(sizes) for piece in _pieces(size)]
        self._next = [0] * len(self._pieces)  # the chunk that each piece gets next
        self._locks = [Lock() for _ in self._pieces]
        self._waits, self._waiting, self._spare, self._lock = waits, {}, [], Lock()

    def buffer(self):
        """Zeros for the parts of one chunk."""
        with self._lock:
            parts = self._spare.pop() if self._spare else None
        if parts is None:
            parts = [room.aligned(total.shape, total.dtype) for total in self.total]
        for part in parts:
            part[:] = 0
        return parts

    def add(self, chunk, parts):
        """Add the parts of a chunk, piece by piece, as soon as all chunks before it are there."""
        with self._lock:
            self._waiting[chunk] = parts
        if self._waits:
            return
        for shift in range(len(self._pieces)):  # threads begin at different ones
            self._go_on((chunk + shift) % len(self._pieces))
        with self._lock:
            everywhere = min(self._next, default=0)
            for done in [each for each in self._waiting if each < everywhere]:
                self._spare.append(self._waiting.pop(done))

    def _go_on(self, n):
        """Add to piece n what can be added."""
        k, piece = self._pieces[n]
        with self._locks[n]:
            while (parts := self._waiting.get(self._next[n])) is not None:
                self.total[k][piece] += parts[k][piece]
                self._next[n] += 1

    def join(self, ranks):
        """Go on with the sum of the process before; all processes end with the sum over all."""
        for k, total in enumerate(self.total):

            def add(piece, k=k, total=total):
                for chunk in sorted(self._waiting):
                    total[piece] += self._waiting[chunk][k][piece]

            ranks.in_turn(total, add)


class GradientSum:
    """What the adjoints of all chunks of a batch add up to.

    Parameters
    ----------
    packed
        The network.
    waits
        Whether other processes have chunks that come before those of this one.
    """

    def __init__(self, packed: Packed, waits: bool = False):
        filled = packed.wires.filled
        size = filled.size if filled else packed.weight.size
        self._packed = packed
        sizes = (size, packed.tables.numbers.size)
        self._sum = _OrderedSum(sizes, packed.weight.dtype, waits)

    def buffer(self, current: NDArray, blocks: arrays.Blocks, states: NDArray) -> arrays.Gradient:
        """Return a gradient of zeros for one chunk; the arguments are what is kept by trial."""
        weight, numbers = self._sum.buffer()
        return arrays.Gradient(weight, numbers, current, blocks, states)

    def add(self, chunk: int, gradient: arrays.Gradient) -> None:
        """Add what the adjoint of a chunk has put into its buffer."""
        self._sum.add(chunk, [gradient.weight, gradient.numbers])

    def join(self, ranks: Ranks) -> None:
        """Sum over the chunks of all processes, which have them in the order of their ranks."""
        self._sum.join(ranks)

    def total(self, current: NDArray, blocks: arrays.Blocks, states: NDArray) -> arrays.Gradient:
        """Return the gradient of the batch, by `packed.weight`."""
        weight, numbers = self._sum.total
        filled = self._packed.wires.filled
        own = filled.gradient(weight, self._packed.weight.size) if filled else weight
        return arrays.Gradient(own, numbers, current, blocks, states)
