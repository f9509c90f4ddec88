"""The compiled loops that take moments of states over time."""

import numpy as np

from .jit import kernel, part


@kernel
def add_moments(blocks, moment, trials, states, moments, start, n):
    """Step n: mean += (x - mean) / (n + 1), and the sum of squared deviations grows with it (Welford 1962)."""
    share = 1.0 / (n + 1)
    for m in range(blocks.size.size):
        if blocks.tag[m] == moment:
            size = blocks.size[m]
            for b in range(trials):
                mean, squares = (
                    part(moments[start + b, 0], blocks.column[m], size),
                    part(moments[start + b, 1], blocks.column[m], size),
                )
                state = part(states[b], blocks.first[m], size)
                for i in range(size):
                    x, before = state[i], mean[i]
                    mean[i] = before + share * (x - before)
                    squares[i] += (x - before) * (x - mean[i])


@kernel
def add_products(states, first, sums, products):
    """sums[b, a] += U_a and products[b, a, c] += U_a U_c over all steps; states (trial, step, column), U_a (n,) from column first + a n."""
    parts, n = sums.shape[1:]
    for b in range(states.shape[0]):
        for step in range(states.shape[1]):
            for a in range(parts):
                one, total = part(states[b, step], first + a * n, n), sums[b, a]
                for i in range(n):
                    total[i] += one[i]
                for c in range(a + 1):
                    other, product = part(states[b, step], first + c * n, n), products[b, a, c]
                    for i in range(n):
                        product[i] += np.float64(one[i]) * np.float64(other[i])
        for a in range(parts):
            for c in range(a):
                products[b, c, a] = products[b, a, c]
