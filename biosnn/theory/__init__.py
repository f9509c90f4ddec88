"""Theory: PSP integrals and moments, mean-field rates, the regime of a circuit."""

from ..network.neuron import step_matrix
from .mean_field import Cell, FixedPoint, Input, fixed_point, interval_cv, membrane
from .moments import (
    continuous_psp_integrals,
    psp,
    psp_integrals,
    siegert_rate,
    stationary_rate,
)

__all__ = [
    "Cell",
    "FixedPoint",
    "Input",
    "continuous_psp_integrals",
    "fixed_point",
    "interval_cv",
    "membrane",
    "psp",
    "psp_integrals",
    "siegert_rate",
    "stationary_rate",
    "step_matrix",
]
