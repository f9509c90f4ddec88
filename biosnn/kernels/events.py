"""Where the events of a step come from: one lookup for inputs, populations and earlier runs.

`emitted` looks up in batches of trials, `emitted_in_part` in one large network. Kernels see rows of
tables, arrays and scalars only (arrays.py).
"""

import numpy as np

from .arrays import Sent
from .jit import kernel
from .simd import LANES, at_least, lowest_bit
from .surrogate import smooth_spike

_NONE = np.int64(0)


@kernel
def between(events, row, n, n_sources, source):
    """First and last event of a source at step n of a row; none before all that is known."""
    m = (n + events.before) * n_sources + source
    if m < 0:
        return _NONE, _NONE
    return events.pointers[row, m], events.pointers[row, m + 1]


@kernel
def of_population(events, row, n, n_firing, p):
    """The spikes of a population at step n of a row."""
    first, last = between(events, row, n, n_firing, p)
    return Sent(events.units, events.values, _NONE, first, last)


@kernel
def emitted(tables, drive, recording, wire, b, n):
    """What a wire carries of step n in trial b."""
    source, spikes = wire.source, recording.spikes
    if source < tables.n_inputs:
        row, events = drive.rows[b], drive.inputs
        first, last = between(events, row, n, tables.n_inputs, source)
    else:
        row, events = b, spikes
        first, last = between(events, row, n, tables.n_firing, source - tables.n_inputs)
    if wire.short < 0:
        return Sent(events.units, events.values, _NONE, first, last)
    shift = events.pointers[row, 0] - tables.shorts[wire.short].release
    return Sent(events.units, recording.release[b], shift, first, last)


@kernel
def near_threshold(tables, recording, b, n, p):
    """The neurons of population p that are listed as near threshold at step n.

    No units where there are no lists: then all neurons count.
    """
    near, cutoff = recording.near, tables.cells[tables.populations[p].cell].cutoff
    if near.units.size == 0 or cutoff == np.inf or n < 0:
        return Sent(near.units[:0], near.values, _NONE, _NONE, _NONE)
    at = n * tables.n_firing + p
    return Sent(near.units, near.values, _NONE, near.pointers[b, at], near.pointers[b, at + 1])


@kernel
def listed(recent, p, n, t):
    """The spikes of population p at step n in part t of one large network."""
    slot = n & recent.mask
    first = slot * recent.width + recent.first[p, t]
    last = first + np.int64(recent.n_spikes[slot, t, p])
    return Sent(recent.units, recent.none, _NONE, first, last)


@kernel
def emitted_in_part(tables, inputs, recent, span, wire, n, t):
    """What a wire carries of step n in part t; the events of inputs are all in part 0."""
    q = wire.source
    if q < tables.n_inputs:
        first = last = _NONE
        if t == 0 and n - span.begin < span.input_steps:
            first, last = between(inputs, _NONE, n - span.begin, tables.n_inputs, q)
        if wire.short < 0:
            return Sent(inputs.units, recent.none, _NONE, first, last)
        shift = -tables.shorts[wire.short].release
        return Sent(inputs.units, recent.release, shift, first, last)
    p, slot = q - tables.n_inputs, n & recent.mask
    sent = listed(recent, p, n, t)
    if wire.short < 0:
        return sent
    at = slot * recent.release_width + tables.shorts[wire.short].release
    shift = slot * recent.width + recent.first[p, 0] - at
    return Sent(sent.units, recent.release, shift, sent.first, sent.last)


# --------------------------------------------------------------------------------------- new ones


@kernel
def find(margin, i, m, width, units, count, near, count_near):
    """Append the neurons i + k with margin[k] > 0 to `units`; returns the new counts.

    `near`, if it has a size, gets those with |margin| <= width, whose surrogate is not zero.
    """
    has_near = near.size > 0
    least = -width if has_near else type(width)(0)
    for block in range(0, m, LANES):  # whole blocks: reading further costs less than a short loop
        bits = at_least(margin, block, least) & ((1 << min(LANES, m - block)) - 1)
        while bits:  # a number is always written and kept if the counter moves on: fewer branches
            k = block + lowest_bit(bits)
            units[count] = i + k
            count += margin[k] > 0
            if has_near:
                near[count_near] = i + k
                count_near += margin[k] <= width
            bits &= bits - 1
    return count, count_near


@kernel
def find_smoothly(cell, margin, m, units, values, count):
    """In the smooth twin every neuron emits sigma(margin)."""
    kind = margin.dtype.type
    beta, cutoff = kind(cell.steepness), kind(cell.cutoff)
    for k in range(m):
        units[count] = k
        values[count] = smooth_spike(cell.surrogate, beta, cutoff, margin[k])
        count += 1
    return count
