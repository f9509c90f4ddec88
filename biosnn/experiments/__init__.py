"""Experiments: many runs that answer one question.

`bs.sweep` calls a function at many points; here are designs of points, and its results.
"""

from .design import design
from .point import Point
from .point_file import Recorded
from .results import Sweep
from .sweep_folder import load_sweep

__all__ = ["Point", "Recorded", "Sweep", "design", "load_sweep"]
