"""Slow, obvious references, written from the equations alone. They read a network's description,
never its packed arrays.

`run` is one step of the network after the other, `gradient` the adjoint of it. Arrays without an
axis of trials give results without one.
"""

from .adjoint import gradient
from .cells import Cells, step_matrix
from .forward import run
from .given import handed_over
from .synapses import by_delay, shared, windows

__all__ = [
    "Cells",
    "by_delay",
    "gradient",
    "handed_over",
    "run",
    "shared",
    "step_matrix",
    "windows",
]
