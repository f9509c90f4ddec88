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
def _copy(row, from_, into):
    """into = the row of `from_`, or its only one."""
    given = from_[row % from_.shape[0]]
    for i in range(given.size):
        into[i] = given[i]


@kernel
def begin(tables, recording, drive, trials, first, scratch):
    """Where the trials of a tile stand before the first step."""
    start = drive.start
    for b in range(trials):
        row = first + b
        _copy(row, start.states, scratch.x[b])
        _copy(row, start.held, scratch.held[b])
        _copy(row, start.ring, scratch.ring[b])
        _copy(row, start.ou, scratch.ou[b])
        _copy(row, start.clock, scratch.clock[b])
        _copy(row, start.resource, scratch.resource[b])
        if recording.resources.shape[1]:
            for q in range(tables.shorts.size):
                before = recording.resources[row, 0]
                step = drive.first_step - 1
                remember_resources(tables.shorts[q], step, scratch.resource[b], before)


@kernel
def keep_end(end, trials, first, scratch):
    """… and after the last."""
    for b in range(trials):
        end.states[first + b] = scratch.x[b, : end.states.shape[1]]
        end.held[first + b] = scratch.held[b, : end.held.shape[1]]
        end.ring[first + b] = scratch.ring[b, : end.ring.shape[1]]
        end.ou[first + b] = scratch.ou[b, : end.ou.shape[1]]
        end.clock[first + b] = scratch.clock[b, : end.clock.shape[1]]
        end.resource[first + b] = scratch.resource[b, : end.resource.shape[1]]


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
