"""Surrogate derivatives sigma', each with its smooth twin sigma, the antiderivative.

In checks of gradients the twin takes the place of the threshold. SuperSpike is
sigma'(x) = 1 / (beta |x| + 1)^2; network/surrogate.py has the equations of all.
"""

import math

import numpy as np

from .arrays import (
    ARCTAN,
    ASYMPTOTIC_SUPERSPIKE,
    GAUSSIAN,
    MULTI_GAUSSIAN,
    SIGMOID,
    TRIANGULAR,
    TRUNCATED_SUPERSPIKE,
)
from .jit import kernel

HEIGHT, SCALE = 0.15, 6.0  # h and s of the multi-Gaussian (Yin et al. 2021)
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
        return beta * (
            (one + h) * _density(z) - h / s * (_density((z - one) / s) + _density((z + one) / s))
        )
    if kind == ASYMPTOTIC_SUPERSPIKE:
        w = one / (one + abs(z))
        return beta * w * w
    return np.exp(-abs(z))


@kernel
def other_twin(kind, beta, x):
    """sigma(x), the antiderivative that vanishes at -inf."""
    one = type(x)(1)
    half = type(x)(0.5)
    z = beta * x
    if kind == GAUSSIAN:
        return _distribution(z)
    if kind == ARCTAN:
        return half + type(x)(1 / np.pi) * math.atan(type(x)(np.pi / 2) * z)
    if kind == MULTI_GAUSSIAN:
        h, s = type(x)(HEIGHT), type(x)(SCALE)
        return (one + h) * _distribution(z) - h * (
            _distribution((z - one) / s) + _distribution((z + one) / s)
        )
    if kind == ASYMPTOTIC_SUPERSPIKE:
        return one + z / (one + abs(z))
    tail = np.exp(-abs(z)) / beta
    return tail if x < 0 else type(x)(2) / beta - tail


# ------------------------------------------------------------------------------ surrogate gradients


@kernel
def surrogate_derivative(kind, beta, cutoff, x):
    """sigma'(x) at x = U* - theta; 0 at x = -inf, which marks a clamped neuron."""
    one = type(x)(1)  # a bare 1 would make a float32 expression float64
    if kind == SIGMOID:
        e = np.exp(-beta * abs(x))
        return beta * e / ((one + e) * (one + e))
    if kind == TRIANGULAR:
        return max(type(x)(0), one - beta * abs(x))
    if kind > TRUNCATED_SUPERSPIKE:
        return other_derivative(kind, beta, x)
    if kind == TRUNCATED_SUPERSPIKE and abs(x) > cutoff:
        return type(x)(0)
    h = one / (beta * abs(x) + one)
    return h * h


@kernel
def smooth_spike(kind, beta, cutoff, x):
    """The smooth twin of the threshold.

    It is the antiderivative of `surrogate_derivative` that vanishes at -inf.
    """
    one, half = type(x)(1), type(x)(0.5)
    if x == -np.inf:
        return type(x)(0)
    if kind == SIGMOID:
        return one / (one + np.exp(-beta * x))
    if kind == TRIANGULAR:
        z = min(max(beta * x, -one), one)
        return (half + z - half * z * abs(z)) / beta
    if kind > TRUNCATED_SUPERSPIKE:
        return other_twin(kind, beta, x)
    if kind == TRUNCATED_SUPERSPIKE:
        x = min(max(x, -cutoff), cutoff)
        return x / (one + beta * abs(x)) + cutoff / (one + beta * cutoff)
    return x / (one + beta * abs(x)) + one / beta
