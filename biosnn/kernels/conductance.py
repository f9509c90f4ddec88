"""Conductances act on the membrane: U is not linear in the states. Of a block of neurons.

    G = 1 + sum_r g_r B_r(U)        U_inf = (sum_r g_r B_r(U) E_r + current) / G
    U* = U_inf + (U - U_inf) exp(-rate G)                             rate = dt / tau_mem
    B(U) = 1 / (1 + eta exp(-gamma U)) where magnesium blocks, else 1

with g and U of the beginning of the step. The other states take the linear step (membrane.py),
whose row of U is zero here. Kernels see rows of tables, arrays and scalars only (arrays.py).
"""

from .arrays import BLOCK
from .block import of, own
from .jit import kernel
from .memory import part
from .simd import exp


@kernel
def _unblocked(row, u, share):
    """share = B(U), of a conductance that magnesium blocks."""
    one, eta, gamma = u.dtype.type(1), u.dtype.type(row.eta), u.dtype.type(row.gamma)
    for k in range(u.size):
        share[k] = one / (one + eta * exp(-gamma * u[k]))


@kernel
def _totals(cell, tables, i, m, x, current, total, limit, share):
    """total = G and limit = U_inf of a block; share: room for B(U)."""
    one, u = x.dtype.type(1), of(cell, x, 0, i, m)
    for k in range(m):
        total[k] = one
        limit[k] = 0
    if current.size:
        for k in range(m):
            limit[k] = current[k]
    for r in range(1, cell.n_states):
        row = tables.states[cell.row_first + r]
        if row.conductance:
            g, e = of(cell, x, r, i, m), own(row.reversal, tables.numbers, i, m)
            if row.blocked:
                _unblocked(row, u, share)
                for k in range(m):
                    total[k] += g[k] * share[k]
                    limit[k] += g[k] * share[k] * e[k]
            else:
                for k in range(m):
                    total[k] += g[k]
                    limit[k] += g[k] * e[k]
    for k in range(m):
        limit[k] /= total[k]


@kernel
def conduct(cell, tables, i, m, x, current, fresh):
    """U* = U_inf + (U - U_inf) exp(-rate G)."""
    first = (cell.n_states + 1) * BLOCK  # behind all states, and one more
    total, limit = part(fresh, first, m), part(fresh, first + BLOCK, m)
    share = part(fresh, first + 2 * BLOCK, m)
    _totals(cell, tables, i, m, x, current, total, limit, share)
    u, rate = of(cell, x, 0, i, m), own(cell.rate, tables.numbers, i, m)
    for k in range(m):
        fresh[k] = limit[k] + (u[k] - limit[k]) * exp(-rate[k] * total[k])


@kernel
def _conductance_adjoint(cell, tables, i, m, old, shared, inflow, grad_old, share):
    """grad_g_r += B_r slope_r and grad_U += g_r B_r' slope_r, slope_r = inflow E_r - shared.

    B' = gamma B (1 - B).
    """
    one = old.dtype.type(1)
    u, grad_u = of(cell, old, 0, i, m), of(cell, grad_old, 0, i, m)
    for r in range(1, cell.n_states):
        row = tables.states[cell.row_first + r]
        if row.conductance:
            grad_g, e = of(cell, grad_old, r, i, m), own(row.reversal, tables.numbers, i, m)
            g, gamma = of(cell, old, r, i, m), old.dtype.type(row.gamma)
            if row.blocked:
                _unblocked(row, u, share)
                for k in range(m):
                    slope = (inflow[k] * e[k] - shared[k]) * share[k]
                    grad_g[k] += slope
                    grad_u[k] += g[k] * gamma * (one - share[k]) * slope
            else:
                for k in range(m):
                    grad_g[k] += inflow[k] * e[k] - shared[k]


@kernel
def conduct_adjoint(
    cell, tables, i, m, old, current, grad_new, grad_old, grad_current, grad_numbers, work
):
    """Forward: U* = U_inf + a (U - U_inf), a = exp(-rate G).

    Adjoint, added to grad_old, which holds that of the linear part already:

        grad_U       += a grad_U*
        grad_g       += B ((1 - a) (E - U_inf) / G - rate a (U - U_inf)) grad_U*
        grad_current  = (1 - a) / G grad_U*
        grad_rate    -= G a (U - U_inf) grad_U*

    work: room for four blocks.
    """
    total, limit, share = part(work, 0, m), part(work, BLOCK, m), part(work, 2 * BLOCK, m)
    _totals(cell, tables, i, m, old, current, total, limit, share)
    one, rate = old.dtype.type(1), own(cell.rate, tables.numbers, i, m)
    u, grad_u = of(cell, old, 0, i, m), of(cell, grad_new, 0, i, m)
    before, shared = of(cell, grad_old, 0, i, m), part(work, 3 * BLOCK, m)
    if cell.learns:
        grad_rate = own(cell.rate, grad_numbers, i, m)
        for k in range(m):
            decay = exp(-rate[k] * total[k])
            grad_rate[k] -= total[k] * decay * (u[k] - limit[k]) * grad_u[k]
    for k in range(m):
        decay = exp(-rate[k] * total[k])
        before[k] += decay * grad_u[k]
        slope = decay * (u[k] - limit[k]) * grad_u[k]
        grad_current[k] = (one - decay) / total[k] * grad_u[k]
        shared[k] = rate[k] * slope + grad_current[k] * limit[k]
    _conductance_adjoint(cell, tables, i, m, old, shared, grad_current, grad_old, share)
