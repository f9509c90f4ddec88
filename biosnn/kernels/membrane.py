"""Membranes below threshold: linear step, currents, bias and bounds, each beside its adjoint.

    integrate   U*, I* = M (U, I)          M: the step matrix of a neuron model
    inject      U* += drive * current      likewise a bias, which is a constant current
    bound       U* is held between two values

Kernels see arrays and scalars only (arrays.py). Index letters as in batch_forward.py.
"""

# a comparison with NaN is false, and NaN must stay

from .jit import fused, kernel, part

# ---------------------------------------------------------------------------------------- integrate


@kernel
def combine(model, terms, g, trials, x, y):
    """y_r = sum_e coefficient_e x_other(e) for every state r of group g.

    One pass takes up to three terms.
    """
    first, n = model.state_first[g], model.neuron_first[g + 1] - model.neuron_first[g]
    for r in range(model.row_first[g], model.row_first[g + 1]):
        start = terms.first[r]
        stop = terms.first[r + 1]
        at = first + (r - model.row_first[g]) * n
        e1, e2 = min(start + 1, stop - 1), min(start + 2, stop - 1)
        c0 = part(model.coefficient, terms.at[start], n)
        c1 = part(model.coefficient, terms.at[e1], n)
        c2 = part(model.coefficient, terms.at[e2], n)
        for b in range(trials):
            x0 = part(x[b], first + terms.other[start] * n, n)
            x1 = part(x[b], first + terms.other[e1] * n, n)
            x2, result = part(x[b], first + terms.other[e2] * n, n), part(y[b], at, n)
            if stop - start == 1:
                for i in range(n):
                    result[i] = c0[i] * x0[i]
            elif stop - start == 2:
                for i in range(n):
                    result[i] = c0[i] * x0[i] + c1[i] * x1[i]
            else:
                for i in range(n):
                    result[i] = c0[i] * x0[i] + c1[i] * x1[i] + c2[i] * x2[i]
            for e in range(start + 3, stop):
                c = part(model.coefficient, terms.at[e], n)
                x0 = part(x[b], first + terms.other[e] * n, n)
                for i in range(n):
                    result[i] += c[i] * x0[i]


@kernel
def integrate(model, g, trials, old, new):
    """new = M old for the neurons of group g."""
    combine(model, model.rows, g, trials, old, new)


@kernel
def integrate_adjoint(model, g, trials, grad_new, grad_old):
    """Forward: new = M old.  Adjoint: grad_old = M^T grad_new."""
    combine(model, model.columns, g, trials, grad_new, grad_old)


@fused
def matrix_adjoint(model, g, grad_new, old, grad_coefficient):
    """Forward: new = M old.

    Adjoint, one trial: grad_M[row, column] += grad_new[row] old[column].
    """
    first, n = model.state_first[g], model.neuron_first[g + 1] - model.neuron_first[g]
    for r in range(model.row_first[g], model.row_first[g + 1]):
        row = first + (r - model.row_first[g]) * n
        for e in range(model.rows.first[r], model.rows.first[r + 1]):
            gradient = part(grad_coefficient, model.rows.at[e], n)
            column = first + model.rows.other[e] * n
            for i in range(n):
                gradient[i] += grad_new[row + i] * old[column + i]


@kernel
def inject(model, blocks, current, start, n, trials, new):
    """U* += drive * current."""
    for m in range(blocks.size.size):
        a = blocks.tag[m]
        column = blocks.column[m]
        u = blocks.first[m]
        for b in range(trials):
            for i in range(blocks.size[m]):
                new[b, u + i] += model.drive[a + i] * current[start + b, n, column + i]


@kernel
def inject_adjoint(model, blocks, current, start, n, trials, grad_new, grad_current, grad_drive):
    """Forward: U* += drive * current.

    Adjoint: grad_current = drive * grad_U*; grad_drive += current * grad_U*.
    """
    for m in range(blocks.size.size):
        a = blocks.tag[m]
        column = blocks.column[m]
        u = blocks.first[m]
        for b in range(trials):
            for i in range(blocks.size[m]):
                if grad_current.shape[1]:
                    grad_current[start + b, n, column + i] = model.drive[a + i] * grad_new[b, u + i]
                if grad_drive.size:
                    grad_drive[a + i] += current[start + b, n, column + i] * grad_new[b, u + i]


@kernel
def add_bias(model, trials, new):
    """U* += drive * bias."""
    for g in range(model.neuron_first.size - 1):
        a, u = model.neuron_first[g], model.state_first[g]
        for b in range(trials):
            for i in range(model.neuron_first[g + 1] - a):
                new[b, u + i] += model.drive[a + i] * model.bias[a + i]


@fused
def bias_adjoint(model, trials, grad_new, grad_bias, grad_drive):
    """Forward: U* += drive * bias.

    Adjoint: grad_bias += drive * grad_U*; grad_drive += bias * grad_U*.
    """
    for g in range(model.neuron_first.size - 1):
        a, u = model.neuron_first[g], model.state_first[g]
        for b in range(trials):
            for i in range(model.neuron_first[g + 1] - a):
                grad_bias[a + i] += model.drive[a + i] * grad_new[b, u + i]
                if grad_drive.size:
                    grad_drive[a + i] += model.bias[a + i] * grad_new[b, u + i]


# ------------------------------------------------------------------------------------------- bounds


@kernel
def bound(model, g, trials, new):
    """U* = low where it is below, high where it is above; NaN stays."""
    a = model.neuron_first[g]
    first = model.state_first[g]
    size = model.neuron_first[g + 1] - model.neuron_first[g]
    low, high = part(model.bounds.low, a, size), part(model.bounds.high, a, size)
    for b in range(trials):
        u = part(new[b], first, size)
        for i in range(size):
            above = low[i] if u[i] < low[i] else u[i]
            u[i] = high[i] if above > high[i] else above


@fused
def bound_adjoint(model, g, trials, margin, start, n, grad_new):
    """Forward: U* = low or high where it is beyond.

    Adjoint: grad_U = 0 there, and where it is clamped (margin -inf).
    """
    a = model.neuron_first[g]
    first = model.state_first[g]
    size = model.neuron_first[g + 1] - model.neuron_first[g]
    low = part(model.bounds.low, a, size)
    high = part(model.bounds.high, a, size)
    theta = part(model.threshold, a, size)
    zero = margin.dtype.type(0)
    for b in range(trials):
        m, grad_u = part(margin[start + b, n], a, size), part(grad_new[b], first, size)
        for i in range(size):
            grad_u[i] = (
                zero if m[i] <= low[i] - theta[i] or m[i] >= high[i] - theta[i] else grad_u[i]
            )
