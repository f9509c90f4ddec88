"""Optimizers: one pass over parameters, gradient and state, of one type and length.

Kernels see arrays and scalars only; scalars have the type of the arrays. training/optim.py has the
equations.
"""

# x may be NaN, which min would lose

import numpy as np

from .jit import kernel


@kernel
def sgd(parameters, gradient, velocity, momentum, rate):
    """v <- momentum v + g;  w <- w - rate v."""
    for i in range(parameters.size):
        v = momentum * velocity[i] + gradient[i]
        velocity[i] = v
        parameters[i] -= rate * v


@kernel
def adam(
    parameters, gradient, mean, square, new_mean, new_square, correction, epsilon, shrink, rate
):
    """Adam and AdamW.

    new_mean, new_square: 1 - beta; correction: sqrt(1 - beta2^t); shrink: 1 - rate weight_decay;
    rate: over 1 - beta1^t.
    """
    for i in range(parameters.size):
        g = gradient[i]
        m = mean[i] + new_mean * (g - mean[i])
        v = square[i] + new_square * (g * g - square[i])
        mean[i], square[i] = m, v
        parameters[i] = parameters[i] * shrink - rate * m / (np.sqrt(v) / correction + epsilon)


@kernel
def smorms3(parameters, gradient, memory, mean, square, epsilon, rate):
    """SMORMS3: with r = 1 / (memory + 1) in the place of 1 - beta.

    The rate is held below mean^2 / (square + epsilon).
    """
    one = type(rate)(1)  # a bare 1 would make a float32 expression float64
    for i in range(parameters.size):
        g, r = gradient[i], one / (memory[i] + one)
        m = mean[i] + r * (g - mean[i])
        v = square[i] + r * (g * g - square[i])
        x = m * m / (v + epsilon)
        mean[i], square[i], memory[i] = m, v, memory[i] * (one - x) + one
        # x may be NaN, which then stays
        parameters[i] -= g * (rate if x > rate else x) / (np.sqrt(v) + epsilon)
