"""The compiled formulas of the surrogates that are not of the fast path: derivative and antiderivative, in the order of their codes."""
import math

import numpy as np

from ._jit import kernel
from .arrays import ARCTAN, ASYMPTOTIC_SUPERSPIKE, GAUSSIAN, MULTI_GAUSSIAN

HEIGHT, SCALE = 0.15, 6.0   # h and s of the multi-Gaussian (Yin et al. 2021)
_ROOT, _DENSITY = math.sqrt(0.5), 1 / math.sqrt(2 * math.pi)


@kernel
def _density(z):
    return type(z)(_DENSITY) * np.exp(-type(z)(0.5) * z * z)


@kernel
def _distribution(z):
    return type(z)(0.5) + type(z)(0.5) * math.erf(type(z)(_ROOT) * z)


@kernel
def other_derivative(kind, beta, x):
    """sigma'(x); 0 at x = -inf."""
    one, z = type(x)(1), beta * x
    if kind == GAUSSIAN:
        return beta * _density(z)
    if kind == ARCTAN:
        w = type(x)(np.pi / 2) * z
        return type(x)(0.5) * beta / (one + w * w)
    if kind == MULTI_GAUSSIAN:
        h, s = type(x)(HEIGHT), type(x)(SCALE)
        return beta * ((one + h) * _density(z) - h / s * (_density((z - one) / s) + _density((z + one) / s)))
    if kind == ASYMPTOTIC_SUPERSPIKE:
        w = one / (one + abs(z))
        return beta * w * w
    return np.exp(-abs(z))


@kernel
def other_twin(kind, beta, x):
    """sigma(x), the antiderivative that vanishes at -inf."""
    one, half, z = type(x)(1), type(x)(0.5), beta * x
    if kind == GAUSSIAN:
        return _distribution(z)
    if kind == ARCTAN:
        return half + type(x)(1 / np.pi) * math.atan(type(x)(np.pi / 2) * z)
    if kind == MULTI_GAUSSIAN:
        h, s = type(x)(HEIGHT), type(x)(SCALE)
        return (one + h) * _distribution(z) - h * (_distribution((z - one) / s) + _distribution((z + one) / s))
    if kind == ASYMPTOTIC_SUPERSPIKE:
        return one + z / (one + abs(z))
    tail = np.exp(-abs(z)) / beta
    return tail if x < 0 else type(x)(2) / beta - tail
