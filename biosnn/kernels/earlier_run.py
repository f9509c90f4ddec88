"""Going on from an earlier run: states, refractory clocks, spikes still on their way; and adjoint.

Step m < 0, before the run, is step m + earlier.steps of the events in `earlier`
(arrays.EarlierRun), whose rows are the trials of the batch. Kernels see arrays and scalars only.
Index letters as in batch_forward.py.
"""

from .dense import accumulate_now, deliver
from .jit import fused, kernel, part
from .simd import sum_rows


@kernel
def begin(earlier, model, start, trials, states, clock):
    """States and clocks of the trials of a tile at its first step."""
    size, n = earlier.states.shape[1], earlier.clock.shape[1]
    for b in range(trials):
        for i in range(size):
            states[b, i] = earlier.states[start + b, i]
        for i in range(n):
            clock[b, i] = earlier.clock[start + b, i]


@kernel
def keep_end(recording, start, trials, states, clock):
    """… and after its last."""
    size, n = recording.end.shape[1], recording.clock.shape[1]
    for b in range(trials):
        for i in range(size):
            recording.end[start + b, i] = states[b, i]
        for i in range(n):
            recording.clock[start + b, i] = clock[b, i]


@kernel
def state_before(model, earlier, states, row, n):
    """All states of a trial before step n; `states`: those at the end of every step."""
    if n > 0:
        return states[row, n - 1]
    if earlier.states.shape[0] > 0:
        return earlier.states[row]
    return model.initial


@kernel
def between(earlier, events, row, m, n_sources, source):
    """First and last event of a source at step m < 0."""
    at = (m + earlier.steps) * n_sources + source
    return events.pointers[row, at], events.pointers[row, at + 1]


@kernel
def gather_before(wiring, weight, earlier, start, trials, first, last, scratch):
    """As bundles.gather_all, for events of inputs before the run: steps n < delay of first .."""
    if earlier.steps == 0:
        return
    span = scratch.sums.size
    for k in range(wiring.source.size):
        if wiring.source[k] < wiring.n_inputs:
            w, n_post = weight[wiring.weight_first[k] :], wiring.n_post[k]
            for n in range(first, min(last, wiring.delay[k])):
                for b in range(trials):
                    e, stop = between(
                        earlier,
                        earlier.inputs,
                        start + b,
                        n - wiring.delay[k],
                        wiring.n_inputs,
                        wiring.source[k],
                    )
                    for at in range(0, n_post, span):
                        sum_rows(
                            w,
                            at,
                            n_post,
                            min(span, n_post - at),
                            earlier.inputs.units,
                            e,
                            stop,
                            scratch.arriving[n - first, b],
                            wiring.input_column[k] + at,
                        )


@fused
def deliver_before(wiring, k, n_populations, w, earlier, start, trials, m, arriving, new):
    """What bundle k brings from step m < 0.

    As in bundles.deliver_all, so that the order of additions is that of one long run.
    """
    if earlier.steps == 0:
        return
    n_post = wiring.n_post[k]
    jump = wiring.jump[k]
    source = wiring.source[k]
    for b in range(trials):
        current = part(new[b], wiring.target[k], n_post)
        if source < wiring.n_inputs:
            row = part(arriving[b], wiring.input_column[k], n_post)
            for i in range(n_post):
                current[i] += jump * row[i]
        else:
            first, last = between(
                earlier, earlier.spikes, start + b, m, n_populations, source - wiring.n_inputs
            )
            deliver(w, n_post, jump, earlier.spikes, first, last, current)


@fused
def accumulate_before(wiring, n_populations, earlier, start, trials, steps, ring, grad_weight):
    """grad_W from spikes before the run that arrived in it; ring: adjoints of its first steps."""
    for k in range(wiring.source.size):
        if not wiring.trained[k]:
            continue
        n_post = wiring.n_post[k]
        source = wiring.source[k]
        gradient = grad_weight[wiring.weight_first[k] :]
        for arrival in range(min(wiring.delay[k], steps)):
            m = arrival - wiring.delay[k]
            for b in range(trials):
                adjoint = part(ring[arrival % ring.shape[0], b], wiring.target[k], n_post)
                if source < wiring.n_inputs:
                    first, last = between(
                        earlier, earlier.inputs, start + b, m, wiring.n_inputs, source
                    )
                    accumulate_now(
                        gradient, n_post, wiring.jump[k], earlier.inputs, first, last, adjoint
                    )
                else:
                    first, last = between(
                        earlier,
                        earlier.spikes,
                        start + b,
                        m,
                        n_populations,
                        source - wiring.n_inputs,
                    )
                    accumulate_now(
                        gradient, n_post, wiring.jump[k], earlier.spikes, first, last, adjoint
                    )
