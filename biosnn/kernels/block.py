"""Numbers and states of a block of neurons: the neurons i .. i + m - 1 of a cell."""

from .jit import kernel
from .memory import part


@kernel
def own(place, numbers, i, m):
    """The numbers of the neurons i .. i + m - 1."""
    return part(numbers, place.at + place.step * i, m)


@kernel
def of(cell, x, r, i, m):
    """State r of the neurons i .. i + m - 1."""
    return part(x, cell.state_first + r * cell.stride + i, m)
