"""Experiments: many runs that answer one question.

`bs.sweep` calls a function at many points; here are designs of points, and its results. Questions
to networks:

    gain_curve            rates against input                             gain.py
    paradoxical_effect    inhibition that fires less when driven          paradox.py
"""

from .design import design
from .gain import GainCurve, gain_curve
from .paradox import ParadoxicalEffect, paradoxical_effect
from .point import Point
from .results import Sweep
from .sweep_folder import load_sweep

__all__ = [
    "GainCurve",
    "ParadoxicalEffect",
    "Point",
    "Sweep",
    "design",
    "gain_curve",
    "load_sweep",
    "paradoxical_effect",
]
