"""Conductances act on the membrane: U is not linear in the states; each loop beside its adjoint.

    G = 1 + sum g          U_inf = (sum g E + current) / G
    a = exp(-rate G)       U* = U_inf + a (U - U_inf)           rate = dt / tau_mem

with g and U of the beginning of the step. The other states take the linear step (membrane.py),
whose row of U is zero here. Kernels see arrays and scalars only (arrays.py). Index letters as in
batch_forward.py.
"""

import numpy as np

from .earlier_run import state_before
from .jit import fused, kernel, part
from .simd import exp


@kernel
def _totals(model, g, drive, row, n, old, total, limit):
    """total = G and limit = U_inf of the neurons of group g in one trial.

    row: of the trial in the batch; old: states before the step.
    """
    a = model.neuron_first[g]
    first = model.state_first[g]
    one = old.dtype.type(1)
    size = model.neuron_first[g + 1] - a
    for i in range(size):
        total[i] = one
        limit[i] = 0
    if drive.current.shape[1]:
        for m in range(drive.blocks.size.size):
            at, column = drive.blocks.tag[m] - a, drive.blocks.column[m]
            if 0 <= at < size:
                for i in range(drive.blocks.size[m]):
                    limit[at + i] = drive.current[row, n, column + i]
    for r in range(model.row_first[g] + 1, model.row_first[g + 1]):
        e = model.reversal[r]
        if not np.isnan(e):
            conductance = part(old, first + (r - model.row_first[g]) * size, size)
            for i in range(size):
                total[i] += conductance[i]
                limit[i] += conductance[i] * e
    for i in range(size):
        limit[i] /= total[i]


@kernel
def conduct(model, g, drive, start, n, trials, old, new):
    """U* = U_inf + (U - U_inf) exp(-rate G)."""
    a = model.neuron_first[g]
    first = model.state_first[g]
    size = model.neuron_first[g + 1] - model.neuron_first[g]
    total = np.empty(size, new.dtype)
    limit = np.empty(size, new.dtype)
    rate = part(model.rate, a, size)
    for b in range(trials):
        _totals(model, g, drive, start + b, n, old[b], total, limit)
        u, result = part(old[b], first, size), part(new[b], first, size)
        for i in range(size):
            result[i] = limit[i] + (u[i] - limit[i]) * exp(-rate[i] * total[i])


@fused
def conduct_adjoint(model, g, drive, states, start, n, trials, grad_new, grad_old, gradient):
    """Forward: U* = U_inf + a (U - U_inf), a = exp(-rate G).

    Adjoint, added to grad_old, which holds that of the linear part already:

        grad_U       += a grad_U*
        grad_g       += ((1 - a) (E - U_inf) / G - rate a (U - U_inf)) grad_U*
        grad_current  = (1 - a) / G grad_U*
        grad_rate    -= G a (U - U_inf) grad_U*

    states: those at the end of every step (batch, step, element).
    """
    a = model.neuron_first[g]
    first = model.state_first[g]
    size = model.neuron_first[g + 1] - model.neuron_first[g]
    total = np.empty(size, grad_new.dtype)
    limit = np.empty(size, grad_new.dtype)
    rate = part(model.rate, a, size)
    one = grad_new.dtype.type(1)
    for b in range(trials):
        old = state_before(model, drive.earlier, states, start + b, n)
        _totals(model, g, drive, start + b, n, old, total, limit)
        u = part(old, first, size)
        grad_u = part(grad_new[b], first, size)
        before = part(grad_old[b], first, size)
        for i in range(size):
            decay = exp(-rate[i] * total[i])
            before[i] += decay * grad_u[i]
            slope = decay * (u[i] - limit[i]) * grad_u[i]
            if gradient.rate.size:
                gradient.rate[a + i] -= total[i] * slope
            # from here on: the adjoint of the current
            total[i] = (one - decay) / total[i] * grad_u[i]
            # … and what every conductance has in common
            grad_u[i] = rate[i] * slope + total[i] * limit[i]
        for r in range(model.row_first[g] + 1, model.row_first[g + 1]):
            e = model.reversal[r]
            if not np.isnan(e):
                grad_g = part(grad_old[b], first + (r - model.row_first[g]) * size, size)
                for i in range(size):
                    grad_g[i] += total[i] * e - grad_u[i]
        if gradient.current.shape[1]:
            for m in range(drive.blocks.size.size):
                at, column = drive.blocks.tag[m] - a, drive.blocks.column[m]
                if 0 <= at < size:
                    for i in range(drive.blocks.size[m]):
                        gradient.current[start + b, n, column + i] = total[at + i]
