"""Theory: moments of free membranes, mean-field rates, the regime of a circuit."""

from ..network.psp import psp
from ..network.step_matrix import step_matrix
from .density import stationary_rate
from .mean_field import FixedPoint, fixed_point
from .membrane import Cell, Input, efficacy, membrane
from .moments import Moments, continuous_psp_integrals, psp_integrals
from .rates import interval_cv, siegert_rate

__all__ = [
    "Cell",
    "FixedPoint",
    "Input",
    "Moments",
    "continuous_psp_integrals",
    "efficacy",
    "fixed_point",
    "interval_cv",
    "membrane",
    "psp",
    "psp_integrals",
    "siegert_rate",
    "stationary_rate",
    "step_matrix",
]
