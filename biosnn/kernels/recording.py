"""Recording in batches of trials: states at two moments of a step, their moments, where they end.

Kernels see arrays and scalars only (arrays.py).
"""

import numpy as np

from .jit import kernel
from .memory import part
from .plasticity import remember_resources


@kernel
def copy_blocks(blocks, moment, trials, states, rows, start, n):
    """Step n of the rows, at one moment of a step: row = state."""
    for m in range(blocks.size.size):
        if blocks.tag[m] == moment:
            size = blocks.size[m]
            for b in range(trials):
                row = part(rows[start + b, n], blocks.column[m], size)
                state = part(states[b], blocks.first[m], size)
                for i in range(size):
                    row[i] = state[i]


@kernel
def add_blocks(blocks, moment, trials, rows, start, n, states):
    """Its adjoint: state += row, for the derivatives of a loss by what was recorded."""
    for m in range(blocks.size.size):
        if blocks.tag[m] == moment:
            size = blocks.size[m]
            for b in range(trials):
                row = part(rows[start + b, n], blocks.column[m], size)
                state = part(states[b], blocks.first[m], size)
                for i in range(size):
                    state[i] += row[i]


@kernel
def add_moments(blocks, moment, trials, states, moments, start, n):
    """Step n of mean and variance (Welford 1962).

    mean += (x - mean) / (n + 1), and the sum of squared deviations grows with it.
    """
    share = 1.0 / (n + 1)
    for m in range(blocks.size.size):
        if blocks.tag[m] == moment:
            size = blocks.size[m]
            for b in range(trials):
                mean = part(moments[start + b, 0], blocks.column[m], size)
                squares = part(moments[start + b, 1], blocks.column[m], size)
                state = part(states[b], blocks.first[m], size)
                for i in range(size):
                    x, before = state[i], mean[i]
                    mean[i] = before + share * (x - before)
                    squares[i] += (x - before) * (x - mean[i])


@kernel
def record(recording, moment, trials, states, start, n):
    """What is recorded of step n at one moment of it: states, and their mean and variance."""
    if recording.states.shape[2]:
        copy_blocks(recording.blocks, moment, trials, states, recording.states, start, n)
    if recording.moments.shape[2]:
        add_moments(recording.moment_blocks, moment, trials, states, recording.moments, start, n)


@kernel
def keep(given, into):
    """into = given, as far as the shorter of the two goes."""
    for i in range(min(given.size, into.size)):
        into[i] = given[i]


@kernel
def begin(tables, recording, drive, trials, first, scratch):
    """Where the trials of a tile stand before the first step."""
    start = drive.start
    for b in range(trials):
        row = (first + b) % start.states.shape[0]
        keep(start.states[row], scratch.x[b])
        keep(start.held[row], scratch.held[b])
        keep(start.ou[row], scratch.ou[b])
        keep(start.clock[row], scratch.clock[b])
        keep(start.resource[row], scratch.resource[b])
        for q in range(tables.shorts.size if recording.resources.shape[1] else 0):
            before, step = recording.resources[first + b, 0], drive.first_step - 1
            remember_resources(tables.shorts[q], step, scratch.resource[b], before)


@kernel
def keep_end(end, trials, first, scratch):
    """… and after the last."""
    for b in range(trials):
        row = first + b
        keep(scratch.x[b], end.states[row])
        keep(scratch.held[b], end.held[row])
        keep(scratch.ou[b], end.ou[row])
        keep(scratch.clock[b], end.clock[row])
        keep(scratch.resource[b], end.resource[row])


@kernel
def add_products(states, first, sums, products):
    """sums[b, a] += U_a and products[b, a, c] += U_a U_c over all steps.

    states (trial, step, column), with U_a (n,) from column first + a n.
    """
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
