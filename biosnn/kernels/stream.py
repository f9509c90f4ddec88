"""One large network for as long as you like: all steps of the part that belongs to a thread.

A step is that of batch_forward.py: integrate, threshold, synapses, reset. Thread t owns the neurons
bounds[p, t] .. bounds[p, t+1] - 1 of population p and everything that arrives there; the rows of a
sparse projection are sorted by target, so that its share of a row is a run of synapses. Nothing
else is shared but the lists of spikes, which are complete up to the last meeting. Every target adds
its inputs in the same order for any number of threads. Kernels see arrays and scalars only
(engine/stream_tables.py says what they are).
"""

from .arrivals import arrive, send, take_from_ring
from .jit import borrowed, kernel, meet
from .plasticity import add_released, plastic_arrivals, use_resources
from .pooling import pool_spikes
from .random import add_poisson
from .stream_neurons import copy_inputs, jump, reset, update


@kernel
def _record(cells, record, n, t, x, state, row):
    for c in range(record.element.size):
        if record.owner[c] == t:
            a = record.clamped_by[c]  # a neuron whose U is recorded and may be clamped, or -1
            record.values[row, c] = (
                state.held[a] if a >= 0 and state.clock[a] > 0 else x[record.element[c]]
            )


@kernel
def _find_all_spikes(cells, noise, drive, recent, n, t, state, scratch):
    """Integrate, threshold: the spikes of step n of everything that belongs to thread t."""
    for p in range(cells.n.size):
        if cells.input_number[p] >= 0:
            copy_inputs(cells, drive, recent, p, n, t)
        else:
            update(cells, noise, recent, p, n, t, state.x, state, scratch)


@kernel
def _send_all(cells, wires, plastic, recent, first, last, t, ring, x):
    """Spikes of steps first .. last into the ring of arrivals."""
    for m in range(first, last + 1):
        for k in range(wires.delayed.size):
            send(cells, wires, recent, wires.delayed[k], m, t, ring, x)
        for q in range(plastic.short.size):
            if plastic.short_delayed[q]:
                add_released(cells, wires, plastic, recent, q, m, t, x, ring)


@kernel
def _deliver(cells, wires, plastic, noise, recent, n, t, ring, x, words):
    """Everything that arrives at step n at the neurons of thread t."""
    for s in range(noise.first[cells.n.size], noise.kind.size):
        add_poisson(cells, noise, s, n, t, x, words)
    for k in range(wires.direct.size):
        arrive(cells, wires, recent, wires.direct[k], n, t, x)
    plastic_arrivals(cells, wires, plastic, recent, n, t, x, ring)
    if wires.ring_state.size:
        take_from_ring(cells, wires, n, t, ring, x)


@kernel
def _reset_all(cells, recent, n, t, x, state):
    """Reset and jumps of the neurons of thread t that spiked."""
    for p in range(cells.n.size):
        if cells.spiking[p]:
            reset(cells, recent, p, n, t, x, state)
            if cells.jumps[p]:
                jump(cells, recent, p, n, t, x)


@kernel
def advance(
    cells, wires, plastic, noise, drive, recent, record, state, scratch, control, t, first, last
):
    """Steps first .. last - 1 of everything that belongs to thread t.

    At the end all threads have met, and all spikes are sent.
    """
    cells, wires, plastic, noise, drive, recent, record, state, scratch = borrowed(
        (cells, wires, plastic, noise, drive, recent, record, state, scratch)
    )
    x, ring, threads = state.x, state.ring, cells.bounds.shape[1] - 1
    known, meetings, row = first - 1, 0, 0
    for n in range(first, last):
        _find_all_spikes(cells, noise, drive, recent, n, t, state, scratch)
        for q in range(plastic.short.size):
            use_resources(cells, wires, plastic, recent, q, n, t)
        # spikes up to n - shortest arrive now: exchange all there are
        if n - wires.shortest > known or n == last - 1:
            if threads > 1:
                meetings += 1
                meet(control, meetings, threads)
            for k in range(wires.pools.population.size):  # what they pool is complete now
                for m in range(known + 1, n + 1):
                    pool_spikes(cells, wires.pools, recent, k, m, t)
                if threads > 1:
                    meetings += 1
                    meet(control, meetings, threads)
            _send_all(cells, wires, plastic, recent, known + 1, n, t, ring, x)
            known = n
        _deliver(cells, wires, plastic, noise, recent, n, t, ring, x, scratch.words)
        _reset_all(cells, recent, n, t, x, state)
        if record.element.size and n % record.every == 0:
            _record(cells, record, n, t, x, state, row)
            row += 1


# ----------------------------------------------------------------------------------- around the run


@kernel
def split_rows(first, target, bounds, split):
    """split[j, t]: the first synapse of row j whose target is >= bounds[t]."""
    for j in range(first.size - 1):
        for t in range(bounds.size):
            low, high = first[j], first[j + 1]
            while low < high:
                middle = (low + high) // 2
                if target[middle] < bounds[t]:
                    low = middle + 1
                else:
                    high = middle
            split[j, t] = low


@kernel
def collect(recent, p, first, last, steps, units):
    """Spikes of population p in steps first .. last - 1, into `steps` and `units`.

    They are sorted by step, and then by thread and neuron.
    """
    total = 0
    for n in range(first, last):
        slot = n & recent.mask
        for t in range(recent.first.shape[1]):
            at = recent.first[p, t]
            for e in range(recent.n_spikes[slot, t, p]):
                steps[total], units[total] = n, recent.units[slot, at + e]
                total += 1
