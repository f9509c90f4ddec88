"""The compiled loops over what was before a run that goes on from another: states, refractory clocks, and spikes on their way through
delays, each beside its adjoint.

Step m < 0, before the run, is step m + past.steps of the events in `past` (arrays.Past), whose rows are the trials of the batch.
Kernels see arrays and scalars only. Index letters as in batch.py.
"""

from .dense import accumulate_now, deliver
from .jit import fused, kernel, part
from .simd import sum_rows


@kernel
def begin(past, model, start, trials, states, clock):
    """States and clocks of the trials of a tile at its first step."""
    size, n = past.states.shape[1], past.clock.shape[1]
    for b in range(trials):
        for i in range(size):
            states[b, i] = past.states[start + b, i]
        for i in range(n):
            clock[b, i] = past.clock[start + b, i]


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
def state_before(model, past, states, row, n):
    """All states of a trial before step n; `states`: those at the end of every step."""
    if n > 0:
        return states[row, n - 1]
    if past.states.shape[0] > 0:
        return past.states[row]
    return model.initial


@kernel
def between(past, events, row, m, n_sources, source):
    """First and last event of a source at step m < 0."""
    at = (m + past.steps) * n_sources + source
    return events.pointers[row, at], events.pointers[row, at + 1]


@kernel
def gather_before(wiring, weight, past, start, trials, first, last, scratch):
    """As kernels._gather_all, for the events of inputs before the run: steps n < delay of first .. last - 1."""
    if past.steps == 0:
        return
    span = scratch.sums.size
    for k in range(wiring.source.size):
        if wiring.source[k] < wiring.n_inputs:
            w, n_post = weight[wiring.weight_first[k] :], wiring.n_post[k]
            for n in range(first, min(last, wiring.delay[k])):
                for b in range(trials):
                    e, stop = between(
                        past,
                        past.inputs,
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
                            past.inputs.units,
                            e,
                            stop,
                            scratch.arriving[n - first, b],
                            wiring.input_column[k] + at,
                        )


@fused
def deliver_before(wiring, k, n_populations, w, past, start, trials, m, arriving, new):
    """What bundle k brings from step m < 0: as in kernels._deliver_all, so that the order of additions is that of one long run."""
    if past.steps == 0:
        return
    n_post, jump, source = wiring.n_post[k], wiring.jump[k], wiring.source[k]
    for b in range(trials):
        current = part(new[b], wiring.target[k], n_post)
        if source < wiring.n_inputs:
            row = part(arriving[b], wiring.input_column[k], n_post)
            for i in range(n_post):
                current[i] += jump * row[i]
        else:
            first, last = between(
                past, past.spikes, start + b, m, n_populations, source - wiring.n_inputs
            )
            deliver(w, n_post, jump, past.spikes, first, last, current)


@fused
def accumulate_before(wiring, n_populations, past, start, trials, steps, ring, grad_weight):
    """grad_W from the spikes before the run that arrived in it; ring: adjoints of its first steps."""
    for k in range(wiring.source.size):
        if not wiring.trained[k]:
            continue
        n_post, source, gradient = (
            wiring.n_post[k],
            wiring.source[k],
            grad_weight[wiring.weight_first[k] :],
        )
        for arrival in range(min(wiring.delay[k], steps)):
            m = arrival - wiring.delay[k]
            for b in range(trials):
                adjoint = part(ring[arrival % ring.shape[0], b], wiring.target[k], n_post)
                if source < wiring.n_inputs:
                    first, last = between(past, past.inputs, start + b, m, wiring.n_inputs, source)
                    accumulate_now(
                        gradient, n_post, wiring.jump[k], past.inputs, first, last, adjoint
                    )
                else:
                    first, last = between(
                        past, past.spikes, start + b, m, n_populations, source - wiring.n_inputs
                    )
                    accumulate_now(
                        gradient, n_post, wiring.jump[k], past.spikes, first, last, adjoint
                    )
