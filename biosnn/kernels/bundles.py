"""All bundles of dense projections in a batch of trials: delivery of spikes, and its adjoint.

    deliver      I_i += W_ji S_j[n - D]               as spikes arrive, or, of inputs, ahead of time
    pull         grad_S_j[n] += W_ji grad_I_i[n + D]          at every step back
    accumulate   grad_W_ji += S_j[n] grad_I_i[n + D]          small bundles at every step, others
                                                              for a window of steps together

dense.py has the loops over synapses. Kernels see arrays and scalars only (arrays.py). Index letters
as in batch_forward.py.
"""

from .dense import (
    accumulate,
    accumulate_now,
    deliver,
    events_by_unit,
    gather_inputs,
    pull_dense,
    pull_near,
)
from .earlier_run import deliver_before
from .jit import fused, kernel, part
from .threshold import is_listed


@kernel
def gather_all(wiring, weight, drive, start, trials, first, last, scratch):
    """What the inputs add to currents at steps first .. last - 1."""
    for k in range(wiring.source.size):
        if wiring.source[k] < wiring.n_inputs:
            gather_inputs(
                weight[wiring.weight_first[k] :],
                wiring.n_post[k],
                scratch.sums.size,
                drive.inputs,
                drive.rows[start : start + trials],
                trials,
                wiring.n_inputs,
                wiring.source[k],
                first,
                last,
                wiring.delay[k],
                wiring.input_column[k],
                scratch.arriving,
            )


@fused
def deliver_all(model, wiring, weight, drive, spikes, start, trials, n, arriving, new, extras):
    """All events that arrive at step n: bundle by bundle, those emitted `delay` steps before."""
    n_inputs, n_populations = wiring.n_inputs, model.group.size
    for k in range(wiring.source.size):
        m = n - wiring.delay[k]
        n_post = wiring.n_post[k]
        target = wiring.target[k]
        jump = wiring.jump[k]
        source = wiring.source[k]
        if m < 0:
            if extras is not None:
                deliver_before(
                    wiring,
                    k,
                    n_populations,
                    weight[wiring.weight_first[k] :],
                    drive.earlier,
                    start,
                    trials,
                    m,
                    arriving,
                    new,
                )
            continue
        w, at = weight[wiring.weight_first[k] :], m * n_populations + source - n_inputs
        for b in range(trials):
            current = part(new[b], target, n_post)
            if source < n_inputs:
                row = part(arriving[b], wiring.input_column[k], n_post)
                for i in range(n_post):
                    current[i] += jump * row[i]
            else:
                deliver(
                    w,
                    n_post,
                    jump,
                    spikes,
                    spikes.pointers[start + b, at],
                    spikes.pointers[start + b, at + 1],
                    current,
                )


@fused
def pull_all(
    model, wiring, weight, panels, near, start, trials, n, steps, window, ring, grad_spikes
):
    """grad_S of what was emitted at step n and arrived `delay` steps later."""
    for k in range(wiring.source.size):
        p = wiring.source[k] - wiring.n_inputs
        if (
            p < 0
            or not wiring.pulled[k]
            or n + wiring.delay[k] >= steps
            or (window > 0 and n // window != (n + wiring.delay[k]) // window)
        ):
            continue
        arrived = ring[(n + wiring.delay[k]) % ring.shape[0]]
        n_pre = wiring.n_pre[k]
        n_post = wiring.n_post[k]
        target = wiring.target[k]
        jump = wiring.jump[k]
        pre = model.population_first[p]
        if is_listed(model, model.group[p], near):
            pull_near(
                weight[wiring.weight_first[k] :],
                n_post,
                jump,
                trials,
                arrived,
                target,
                near,
                start,
                n * model.group.size + p,
                grad_spikes,
                pre,
            )
        else:
            pull_dense(
                panels[wiring.panel_first[k] :],
                n_pre,
                n_post,
                jump,
                trials,
                arrived,
                target,
                grad_spikes,
                pre,
            )


@fused
def accumulate_step(
    wiring, n_populations, drive, spikes, start, trials, n, steps, ring, grad_weight
):
    """grad_W of the small bundles from the events emitted at step n."""
    for k in range(wiring.source.size):
        n_post, source = wiring.n_post[k], wiring.source[k]
        if wiring.kept_column[k] >= 0 or not wiring.trained[k] or n + wiring.delay[k] >= steps:
            continue
        arrived = ring[(n + wiring.delay[k]) % ring.shape[0]]
        gradient = grad_weight[wiring.weight_first[k] :]
        for b in range(trials):
            adjoint = part(arrived[b], wiring.target[k], n_post)
            if source < wiring.n_inputs:
                row, at = drive.rows[start + b], n * wiring.n_inputs + source
                first, last = drive.inputs.pointers[row, at], drive.inputs.pointers[row, at + 1]
                accumulate_now(gradient, n_post, wiring.jump[k], drive.inputs, first, last, adjoint)
            else:
                at = n * n_populations + source - wiring.n_inputs
                first, last = spikes.pointers[start + b, at], spikes.pointers[start + b, at + 1]
                accumulate_now(gradient, n_post, wiring.jump[k], spikes, first, last, adjoint)


@fused
def keep_arrived(kept, trials, now, slot, arrived, span):
    """Set the adjoints of currents aside, for the events that arrive at this step."""
    for m in range(kept.size.size):
        for at in range(0, kept.size[m], span):
            size, block = min(span, kept.size[m] - at), arrived[(kept.column[m] + at) // span, slot]
            for b in range(trials):
                row, state = part(block[b], 0, size), part(now[b], kept.first[m] + at, size)
                for i in range(size):
                    row[i] = state[i]


@fused
def _sort_events(wiring, k, n_populations, drive, spikes, start, trials, first, last, scratch):
    """The events of bundle k that were emitted at steps first .. last - 1, by neuron."""
    sorting, source = scratch.sorting, wiring.source[k]
    slots, tile = scratch.arrived.shape[1], scratch.arrived.shape[2]
    if source < wiring.n_inputs:
        events_by_unit(
            drive.inputs,
            drive.rows[start : start + trials],
            trials,
            wiring.n_inputs,
            source,
            first,
            last,
            wiring.delay[k],
            slots,
            tile,
            wiring.n_pre[k],
            sorting,
        )
    else:
        events_by_unit(
            spikes,
            sorting.rows,
            trials,
            n_populations,
            source - wiring.n_inputs,
            first,
            last,
            wiring.delay[k],
            slots,
            tile,
            wiring.n_pre[k],
            sorting,
        )


@fused
def accumulate_all(
    wiring, n_populations, drive, spikes, start, trials, first, last, steps, scratch, grad_weight
):
    """grad_W from the events emitted at steps first .. last - 1, bundle by bundle."""
    sorting = scratch.sorting
    for b in range(trials):
        sorting.rows[b] = start + b
    for k in range(wiring.source.size):
        source = wiring.source[k]
        until = min(last, steps - wiring.delay[k])
        if wiring.kept_column[k] < 0 or not wiring.trained[k]:
            continue
        _sort_events(wiring, k, n_populations, drive, spikes, start, trials, first, until, scratch)
        accumulate(
            grad_weight[wiring.weight_first[k] :],
            wiring.n_pre[k],
            wiring.n_post[k],
            wiring.jump[k],
            source >= wiring.n_inputs and spikes.values.size > 0,
            sorting,
            wiring.kept_column[k],
            scratch.arrived,
            scratch.sums,
        )
