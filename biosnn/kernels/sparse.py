"""Synapses of sparse projections, and of those that share weights, in batches of trials.

    deliver      current[i] += jump w_s S_j              forward, for every spike of j and every
                                                         synapse s: j -> i of its row
    accumulate   grad_w_s += jump S_j grad_current[i]    adjoint, for every spike
    pull         grad_S_j += jump sum_s w_s grad_current[i]     adjoint, for every neuron whose
                                                         surrogate derivative is not zero

Synapse s belongs to neuron post[s], and its weight is weight[at[s]], which it may share with others
(convolution, tied weights). Kernels see arrays and scalars only (arrays.py). Index letters as in
batch_forward.py.
"""

from .earlier_run import between
from .jit import fused, kernel, part, reduction
from .threshold import is_listed


@kernel
def _deliver_rows(sparse, k, weight, events, start, stop, current):
    """In ascending order of j, and of i within a row."""
    units = events.units
    values = events.values
    rows = sparse.row_first[k]
    jump = sparse.jump[k]
    for e in range(start, stop):
        s, row = jump * values[e] if values.size else jump, rows + units[e]
        for a in range(sparse.first[row], sparse.first[row + 1]):
            current[sparse.post[a]] += s * weight[sparse.at[a]]


@kernel
def _deliver_before(sparse, k, n_inputs, n_populations, weight, earlier, start, trials, m, new):
    """The events of step m < 0, before the run."""
    source = sparse.source[k]
    for b in range(trials):
        current = part(new[b], sparse.target[k], sparse.n_post[k])
        if source < n_inputs:
            first, last = between(earlier, earlier.inputs, start + b, m, n_inputs, source)
            _deliver_rows(sparse, k, weight, earlier.inputs, first, last, current)
        else:
            first, last = between(
                earlier, earlier.spikes, start + b, m, n_populations, source - n_inputs
            )
            _deliver_rows(sparse, k, weight, earlier.spikes, first, last, current)


@kernel
def deliver_sparse(sparse, n_inputs, n_populations, weight, drive, spikes, start, trials, n, new):
    """All events that arrive at step n."""
    for k in range(sparse.source.size):
        m = n - sparse.delay[k]
        source = sparse.source[k]
        target = sparse.target[k]
        n_post = sparse.n_post[k]
        if m < 0:
            if drive.earlier.steps:
                _deliver_before(
                    sparse, k, n_inputs, n_populations, weight, drive.earlier, start, trials, m, new
                )
            continue
        for b in range(trials):
            current = part(new[b], target, n_post)
            if source < n_inputs:
                row, at = drive.rows[start + b], m * n_inputs + source
                first, last = drive.inputs.pointers[row, at], drive.inputs.pointers[row, at + 1]
                _deliver_rows(sparse, k, weight, drive.inputs, first, last, current)
            else:
                at = m * n_populations + source - n_inputs
                first, last = spikes.pointers[start + b, at], spikes.pointers[start + b, at + 1]
                _deliver_rows(sparse, k, weight, spikes, first, last, current)


@fused
def _accumulate_rows(sparse, k, events, start, stop, adjoint, grad_weight):
    units = events.units
    values = events.values
    rows = sparse.row_first[k]
    jump = sparse.jump[k]
    for e in range(start, stop):
        s, row = jump * values[e] if values.size else jump, rows + units[e]
        for a in range(sparse.first[row], sparse.first[row + 1]):
            grad_weight[sparse.at[a]] += s * adjoint[sparse.post[a]]


@fused
def accumulate_sparse(
    sparse, n_inputs, n_populations, drive, spikes, start, trials, n, steps, ring, grad_weight
):
    """From the events emitted at step n."""
    for k in range(sparse.source.size):
        source, arrival = sparse.source[k], n + sparse.delay[k]
        if not sparse.trained[k] or arrival >= steps:
            continue
        for b in range(trials):
            adjoint = part(ring[arrival % ring.shape[0], b], sparse.target[k], sparse.n_post[k])
            if source < n_inputs:
                row, at = drive.rows[start + b], n * n_inputs + source
                first, last = drive.inputs.pointers[row, at], drive.inputs.pointers[row, at + 1]
                _accumulate_rows(sparse, k, drive.inputs, first, last, adjoint, grad_weight)
            else:
                at = n * n_populations + source - n_inputs
                first, last = spikes.pointers[start + b, at], spikes.pointers[start + b, at + 1]
                _accumulate_rows(sparse, k, spikes, first, last, adjoint, grad_weight)


@fused
def accumulate_sparse_before(
    sparse, n_inputs, n_populations, earlier, start, trials, steps, ring, grad_weight
):
    """From the events before the run that arrived in it; ring: adjoints of its first steps."""
    for k in range(sparse.source.size):
        source = sparse.source[k]
        for arrival in range(min(sparse.delay[k], steps) if sparse.trained[k] else 0):
            m = arrival - sparse.delay[k]
            for b in range(trials):
                adjoint = part(ring[arrival % ring.shape[0], b], sparse.target[k], sparse.n_post[k])
                if source < n_inputs:
                    first, last = between(earlier, earlier.inputs, start + b, m, n_inputs, source)
                    _accumulate_rows(sparse, k, earlier.inputs, first, last, adjoint, grad_weight)
                else:
                    first, last = between(
                        earlier, earlier.spikes, start + b, m, n_populations, source - n_inputs
                    )
                    _accumulate_rows(sparse, k, earlier.spikes, first, last, adjoint, grad_weight)


@reduction
def _row_dot(sparse, first, last, weight, adjoint):
    total = weight.dtype.type(0)
    for a in range(first, last):
        total += weight[sparse.at[a]] * adjoint[sparse.post[a]]
    return total


@fused
def pull_sparse(
    sparse, n_inputs, model, weight, near, start, trials, n, steps, window, ring, grad_spikes
):
    """grad_S of what was emitted at step n.

    Where the neurons near threshold are listed, for them only: elsewhere sigma' is 0.
    """
    for k in range(sparse.source.size):
        p, arrival = sparse.source[k] - n_inputs, n + sparse.delay[k]
        if (
            p < 0
            or not sparse.pulled[k]
            or arrival >= steps
            or (window > 0 and n // window != arrival // window)
        ):
            continue
        pre = model.population_first[p]
        rows = sparse.row_first[k]
        jump = sparse.jump[k]
        listed = is_listed(model, model.group[p], near)
        at = n * model.group.size + p
        for b in range(trials):
            adjoint = part(ring[arrival % ring.shape[0], b], sparse.target[k], sparse.n_post[k])
            result = part(grad_spikes[b], pre, sparse.n_pre[k])
            first, last = (
                (near.pointers[start + b, at], near.pointers[start + b, at + 1])
                if listed
                else (0, sparse.n_pre[k])
            )
            for e in range(first, last):
                j = near.units[e] if listed else e
                result[j] += jump * _row_dot(
                    sparse, sparse.first[rows + j], sparse.first[rows + j + 1], weight, adjoint
                )
