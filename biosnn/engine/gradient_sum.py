"""The gradient of a batch: the sum over its chunks, in their order, whichever thread ends first."""

from threading import Lock

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from .packed import Packed


class _OrderedSum:
    """Sums the parts of chunks in the order of the chunks, whichever thread ends first.

    Few parts exist at a time.
    """

    def __init__(self, sizes, dtype):
        self.total = [np.zeros(size, dtype) for size in sizes]
        self._waiting, self._next, self._spare, self._lock = {}, 0, [], Lock()

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


class GradientSum:
    """What the adjoints of all chunks of a batch add up to.

    Parameters
    ----------
    packed
        The network.
    """

    def __init__(self, packed: Packed):
        filled = packed.wires.filled
        size = filled.size if filled else packed.weight.size
        self._packed = packed
        self._sum = _OrderedSum((size, packed.tables.numbers.size), packed.weight.dtype)

    def buffer(self, current: NDArray, blocks: arrays.Blocks, states: NDArray) -> arrays.Gradient:
        """Return a gradient of zeros for one chunk; the arguments are what is kept by trial."""
        weight, numbers = self._sum.buffer()
        return arrays.Gradient(weight, numbers, current, blocks, states)

    def add(self, chunk: int, gradient: arrays.Gradient) -> None:
        """Add what the adjoint of a chunk has put into its buffer."""
        self._sum.add(chunk, [gradient.weight, gradient.numbers])

    def total(self, current: NDArray, blocks: arrays.Blocks, states: NDArray) -> arrays.Gradient:
        """Return the gradient of the batch, by `packed.weight`."""
        weight, numbers = self._sum.total
        filled = self._packed.wires.filled
        own = filled.gradient(weight, self._packed.weight.size) if filled else weight
        return arrays.Gradient(own, numbers, current, blocks, states)
