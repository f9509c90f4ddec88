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
    coefficients
        Whether to compute gradients with respect to the step matrix.
    """

    def __init__(self, packed: Packed, coefficients: bool):
        model = packed.model
        learned = (model.coefficient.size, model.drive.size, model.rate.size, model.jumps.size.size)
        size = packed.filled.size if packed.filled else packed.weight.size
        sizes = (size, *(each * coefficients for each in learned), model.bias.size)
        self._packed, self._sum = packed, _OrderedSum(sizes, packed.weight.dtype)

    def buffer(self, current: NDArray, blocks: arrays.Blocks, states: NDArray) -> arrays.Gradient:
        """Return a gradient of zeros for one chunk; the arguments are what is kept by trial."""
        return _gradient_of(self._sum.buffer(), current, blocks, states)

    def add(self, chunk: int, gradient: arrays.Gradient) -> None:
        """Add what the adjoint of a chunk has put into its buffer."""
        parts = [gradient.weight, gradient.coefficient, gradient.drive, gradient.rate]
        self._sum.add(chunk, [*parts, gradient.jump, gradient.bias])

    def total(self, current: NDArray, blocks: arrays.Blocks, states: NDArray) -> arrays.Gradient:
        """Return the gradient of the batch, by `packed.weight`."""
        weight, *others = self._sum.total
        filled = self._packed.filled
        own = filled.gradient(self._packed, weight) if filled else weight
        return _gradient_of([own, *others], current, blocks, states)


def _gradient_of(parts, current, blocks, states):
    """arrays.Gradient of the parts that chunks sum, and of those that are kept by trial."""
    weight, coefficient, drive, rate, jump, bias = parts
    return arrays.Gradient(
        weight=weight,
        coefficient=coefficient,
        drive=drive,
        rate=rate,
        jump=jump,
        bias=bias,
        current=current,
        blocks=blocks,
        states=states,
    )
