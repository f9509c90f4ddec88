"""Experiments with networks: many runs that answer one question.

gain_curve            rates against input                            gain.py
paradoxical_effect    more drive to inhibitory neurons, which then   paradox.py
                      fire less
"""

from .gain import GainCurve, gain_curve
from .paradox import ParadoxicalEffect, paradoxical_effect

__all__ = ["GainCurve", "ParadoxicalEffect", "gain_curve", "paradoxical_effect"]
