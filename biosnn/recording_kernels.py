"""The compiled loop that keeps the mean and variance of states over time, without their values."""
from ._jit import kernel, part


@kernel
def add_moments(blocks, moment, trials, states, moments, start, n):
    """Step n: mean += (x - mean) / (n + 1), and the sum of squared deviations grows with it (Welford 1962)."""
    share = 1.0 / (n + 1)
    for m in range(blocks.size.size):
        if blocks.tag[m] == moment:
            size = blocks.size[m]
            for b in range(trials):
                mean, squares = part(moments[start + b, 0], blocks.column[m], size), part(moments[start + b, 1], blocks.column[m], size)
                state = part(states[b], blocks.first[m], size)
                for i in range(size):
                    x, before = state[i], mean[i]
                    mean[i] = before + share * (x - before)
                    squares[i] += (x - before) * (x - mean[i])
