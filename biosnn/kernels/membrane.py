"""Membranes below threshold, a block of neurons at a time; each part of an update and its adjoint.

    linear          x_r* = sum_q M_rq x_q, U* += drive * current
    conductances    (conductance.py)
    nonlinear drive U* += rate (square U^2 + constant + slope exp((U - onset) / slope))
    bounds          U* is held between two values

all with U of the beginning of the step. A block is the neurons i .. i + m - 1 of a cell; x is the
state vector of one trial, `fresh` holds the new states of the block, row by row. Kernels see rows
of tables, arrays and scalars only (arrays.py).
"""

# a comparison with NaN is false, and NaN must stay

import numpy as np

from .arrays import BLOCK
from .block import of, own
from .conductance import conduct, conduct_adjoint
from .jit import kernel
from .memory import part
from .simd import exp

# ---------------------------------------------------------------------------------------- linear


@kernel
def combine(cell, tables, first, last, i, m, x, result):
    """result = sum of the terms first .. last - 1: coefficient * x_other.

    One pass takes up to three terms.
    """
    terms, numbers = tables.terms, tables.numbers
    second, third = min(first + 1, last - 1), min(first + 2, last - 1)
    c0, x0 = own(terms[first].coefficient, numbers, i, m), of(cell, x, terms[first].other, i, m)
    c1, x1 = own(terms[second].coefficient, numbers, i, m), of(cell, x, terms[second].other, i, m)
    c2, x2 = own(terms[third].coefficient, numbers, i, m), of(cell, x, terms[third].other, i, m)
    if last - first == 1:
        for k in range(m):
            result[k] = c0[k] * x0[k]
    elif last - first == 2:
        for k in range(m):
            result[k] = c0[k] * x0[k] + c1[k] * x1[k]
    else:
        for k in range(m):
            result[k] = (c0[k] * x0[k] + c1[k] * x1[k]) + c2[k] * x2[k]
    for e in range(first + 3, last):
        c, y = own(terms[e].coefficient, numbers, i, m), of(cell, x, terms[e].other, i, m)
        for k in range(m):
            result[k] += c[k] * y[k]


@kernel
def linear(cell, tables, i, m, x, fresh):
    """fresh_r = sum_q M_rq x_q, for the states that do not only decay."""
    for r in range(cell.n_states):
        row = tables.states[cell.row_first + r]
        if not row.decays:
            combine(cell, tables, row.first, row.last, i, m, x, part(fresh, r * BLOCK, m))


@kernel
def linear_adjoint(cell, tables, i, m, grad_new, grad_old):
    """Forward: new = M old.  Adjoint: grad_old = M^T grad_new."""
    for r in range(cell.n_states):
        row, result = tables.states[cell.row_first + r], of(cell, grad_old, r, i, m)
        combine(cell, tables, row.column_first, row.column_last, i, m, grad_new, result)


@kernel
def matrix_adjoint(cell, tables, i, m, grad_new, old, grad_numbers):
    """Forward: new = M old.  Adjoint: grad_M[r, q] += grad_new[r] old[q]."""
    for r in range(cell.n_states):
        row, grad = tables.states[cell.row_first + r], of(cell, grad_new, r, i, m)
        for e in range(row.first, row.last):
            term = tables.terms[e]
            x, result = of(cell, old, term.other, i, m), own(term.coefficient, grad_numbers, i, m)
            for k in range(m):
                result[k] += grad[k] * x[k]


@kernel
def fill_currents(tables, drive, row, n, current):
    """current = bias + injected, of the neurons of one trial."""
    for c in range(tables.cells.size):
        cell = tables.cells[c]
        for i in range(0, cell.n, BLOCK):
            m = min(BLOCK, cell.n - i)
            fill_bias(cell, tables, i, m, part(current, cell.neuron_first + i, m))
    blocks = drive.blocks
    for m in range(blocks.size.size if drive.current.shape[1] else 0):
        column = part(drive.current[row, n], blocks.column[m], blocks.size[m])
        total = part(current, blocks.tag[m], blocks.size[m])
        for k in range(total.size):
            total[k] += column[k]


@kernel
def fill_bias(cell, tables, i, m, current):
    """current = bias of a block."""
    bias = own(cell.bias, tables.numbers, i, m)
    for k in range(m):
        current[k] = bias[k]


@kernel
def inject(cell, tables, i, m, current, fresh):
    """U* += drive * current."""
    drive = own(cell.drive, tables.numbers, i, m)
    for k in range(m):
        fresh[k] += drive[k] * current[k]


@kernel
def inject_adjoint(cell, tables, i, m, current, grad_new, grad_current, grad_numbers):
    """Forward: U* += drive * current.

    Adjoint: grad_current = drive * grad_U*; grad_drive += current * grad_U*.
    """
    drive, grad_u = own(cell.drive, tables.numbers, i, m), of(cell, grad_new, 0, i, m)
    for k in range(m):
        grad_current[k] = drive[k] * grad_u[k]
    if cell.learns:
        grad_drive = own(cell.drive, grad_numbers, i, m)
        for k in range(m):
            grad_drive[k] += current[k] * grad_u[k]


# --------------------------------------------------------------------------------- nonlinear drive


@kernel
def drive_beyond(cell, tables, i, m, x, fresh):
    """U* += rate (square U^2 + constant + slope exp((U - onset) / slope))."""
    kind, rate, u = x.dtype.type, own(cell.rate, tables.numbers, i, m), of(cell, x, 0, i, m)
    square, constant = kind(cell.square), kind(cell.constant)
    slope, onset = kind(cell.slope), kind(cell.onset)
    if slope > 0:
        for k in range(m):
            fresh[k] += rate[k] * (slope * exp((u[k] - onset) / slope))
    if square != 0 or constant != 0:
        for k in range(m):
            fresh[k] += rate[k] * (square * u[k] * u[k] + constant)


@kernel
def drive_beyond_adjoint(cell, tables, i, m, old, grad_new, grad_old, grad_numbers):
    """Forward: U* += rate F(U).  Adjoint: grad_U += rate F'(U) grad_U*; grad_rate += F grad_U*."""
    kind, rate, u = old.dtype.type, own(cell.rate, tables.numbers, i, m), of(cell, old, 0, i, m)
    square, constant = kind(cell.square), kind(cell.constant)
    slope, onset = kind(cell.slope), kind(cell.onset)
    grad_u, before = of(cell, grad_new, 0, i, m), of(cell, grad_old, 0, i, m)
    for k in range(m):
        rise = exp((u[k] - onset) / slope) if slope > 0 else kind(0)
        before[k] += rate[k] * (kind(2) * square * u[k] + rise) * grad_u[k]
    if cell.learns:
        grad_rate = own(cell.rate, grad_numbers, i, m)
        for k in range(m):
            rise = exp((u[k] - onset) / slope) if slope > 0 else kind(0)
            grad_rate[k] += (square * u[k] * u[k] + constant + slope * rise) * grad_u[k]


# ------------------------------------------------------------------------------------------ bounds


@kernel
def bound(cell, tables, i, m, fresh):
    """U* = low where it is below, high where it is above; NaN stays."""
    low, high = own(cell.low, tables.numbers, i, m), own(cell.high, tables.numbers, i, m)
    for k in range(m):
        above = low[k] if fresh[k] < low[k] else fresh[k]
        fresh[k] = high[k] if above > high[k] else above


@kernel
def bound_adjoint(cell, tables, i, m, margin, grad_new):
    """Forward: U* = low or high where it is beyond.

    Adjoint: grad_U = 0 there, and where it is clamped (margin -inf).
    """
    low, high = own(cell.low, tables.numbers, i, m), own(cell.high, tables.numbers, i, m)
    theta, grad_u = own(cell.threshold, tables.numbers, i, m), of(cell, grad_new, 0, i, m)
    zero = margin.dtype.type(0)
    for k in range(m):
        x = margin[k]
        grad_u[k] = zero if x <= low[k] - theta[k] or x >= high[k] - theta[k] else grad_u[k]


# ------------------------------------------------------------------------------------------ update


@kernel
def _clamp_and_compare(cell, tables, i, m, x, clock, fresh, margin):
    """A clamped U stays; margin = U - theta, or -inf where it is clamped. The clock goes on.

    A choice is stored elsewhere than where its parts were loaded, here behind all states: else the
    compiler makes a masked store of it, slow on many processors.
    """
    u, new, theta = (
        of(cell, x, 0, i, m),
        part(fresh, 0, m),
        own(cell.threshold, tables.numbers, i, m),
    )
    low, remaining = x.dtype.type(-np.inf), part(clock, cell.neuron_first + i, m)
    chosen = part(fresh, cell.n_states * BLOCK, m)
    for k in range(m):
        before, after, clamped = u[k], new[k], remaining[k] > 1
        chosen[k] = before if clamped else after
        margin[k] = low if clamped else after - theta[k]
    for k in range(m):
        remaining[k] = max(remaining[k], np.int32(1)) - np.int32(1)
    for k in range(m):
        u[k] = chosen[k]


@kernel
def _compare(cell, tables, i, m, x, fresh, margin):
    """margin = U - theta."""
    u, new, theta = (
        of(cell, x, 0, i, m),
        part(fresh, 0, m),
        own(cell.threshold, tables.numbers, i, m),
    )
    for k in range(m):
        u[k] = new[k]
        margin[k] = new[k] - theta[k]


@kernel
def update(cell, tables, i, m, x, clock, current, fresh, margin):
    """Integrate a block, and set its margins U* - theta; current: of the block, or size 0.

    fresh: room for the states of a block, and four more.
    """
    linear(cell, tables, i, m, x, fresh)
    if current.size:
        inject(cell, tables, i, m, current, fresh)
    if cell.conducting:
        conduct(cell, tables, i, m, x, current, fresh)
    if cell.nonlinear:
        drive_beyond(cell, tables, i, m, x, fresh)
    if cell.bounded:
        bound(cell, tables, i, m, fresh)
    if cell.spiking and cell.clamps:
        _clamp_and_compare(cell, tables, i, m, x, clock, fresh, margin)
    elif cell.spiking:
        _compare(cell, tables, i, m, x, fresh, margin)
    for r in range(1 if cell.spiking else 0, cell.n_states):
        row, y, new = (
            tables.states[cell.row_first + r],
            of(cell, x, r, i, m),
            part(fresh, r * BLOCK, m),
        )
        if row.decays:
            c = own(tables.terms[row.first].coefficient, tables.numbers, i, m)
            for k in range(m):
                y[k] = c[k] * y[k]
        else:
            for k in range(m):
                y[k] = new[k]


@kernel
def update_adjoint(
    cell,
    tables,
    i,
    m,
    old,
    current,
    margin,
    grad_new,
    grad_old,
    grad_current,
    grad_numbers,
    work,
):
    """From the adjoint of the states after an update to that of the states before; see `update`.

    old: states before, or size 0 where nothing needs them; grad_current gets that of the currents.
    Overwrites grad_new of U. work: room for six blocks.
    """
    grad_u, zero = of(cell, grad_new, 0, i, m), grad_new.dtype.type(0)
    kept, behind = part(work, 0, m), part(work, 2 * BLOCK, 4 * BLOCK)
    if cell.clamps:  # forward: a clamped U stays; so its adjoint bypasses the rest
        for k in range(m):
            kept[k] = grad_u[k] if margin[k] == -np.inf else zero
            grad_u[k] = zero if margin[k] == -np.inf else grad_u[k]
    if cell.bounded:
        bound_adjoint(cell, tables, i, m, margin, grad_new)
    if grad_current.size:
        inject_adjoint(cell, tables, i, m, current, grad_new, grad_current, grad_numbers)
    if cell.learns:
        matrix_adjoint(cell, tables, i, m, grad_new, old, grad_numbers)
    linear_adjoint(cell, tables, i, m, grad_new, grad_old)
    if cell.conducting:
        into = grad_current if grad_current.size else part(work, BLOCK, m)
        conduct_adjoint(
            cell, tables, i, m, old, current, grad_new, grad_old, into, grad_numbers, behind
        )
    if cell.nonlinear:
        drive_beyond_adjoint(cell, tables, i, m, old, grad_new, grad_old, grad_numbers)
    if cell.biased:
        grad_bias = own(cell.bias, grad_numbers, i, m)
        for k in range(m):
            grad_bias[k] += grad_current[k]
    if cell.clamps:
        before = of(cell, grad_old, 0, i, m)
        for k in range(m):
            before[k] += kept[k]
