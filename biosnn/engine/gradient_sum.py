"""The gradient of a batch: the sum over its chunks, in their order, whichever thread ends first."""

from threading import Lock

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from ..support.ranks import Ranks
from .packed import Packed


class _OrderedSum:
    """Sums the parts of chunks in the order of the chunks, whichever thread ends first.

    Few parts exist at a time, except where those of other processes come first.
    """

    def __init__(self, sizes, dtype, waits=False):
        self.total = [np.zeros(size, dtype) for size in sizes]
        self._waiting, self._next, self._spare, self._lock = {}, None if waits else 0, [], Lock()

    def buffer(self):
        """Zeros for the parts of one chunk."""
        with self._lock:
            parts = (
                self._spare.pop()
                if self._spare
                else [arrays.aligned(total.shape, total.dtype) for total in self.total]
            )
        for part in parts:
            part[:] = 0
        return parts

    def add(self, chunk, parts):
        """Add the parts of a chunk as soon as all chunks before it are in the sum."""
        with self._lock:
            self._waiting[chunk] = parts
            while self._next in self._waiting:
                self._spare.append(self._waiting.pop(self._next))
                for total, part in zip(self.total, self._spare[-1]):
                    total += part
                self._next += 1

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
