"""One large network for as long as you like: all steps of the part that belongs to a thread.

A step is that of trials.py: integrate, threshold, synapses, reset. Part t has the neurons
bounds[p, t] .. bounds[p, t + 1] - 1 of population p and everything that arrives there; the rows of
a sparse wire are sorted by target, so that its share of a row is a run of synapses. Nothing else is
shared but the lists of spikes, which are complete up to the last meeting. Every target adds its
inputs in the same order for any number of parts, which is that of trials.py. Kernels see rows of
tables, arrays and scalars only (arrays.py).
"""

import numpy as np

from .arrays import BLOCK, NO_ESCAPE
from .events import emitted_in_part, find, listed
from .jit import kernel
from .meeting import meet
from .membrane import fill_bias, update
from .memory import at_address, lent, part
from .plasticity import arrive_and_learn, learn_from_targets, use_resources
from .pooling import pool_spikes
from .random import add_currents, add_poisson, draw_spikes
from .threshold import hold, jump, reset
from .wires import deliver_any, forget, send_any, take, weights_of

_INT32, _UINT16, _ZERO = np.empty(0, np.int32), np.empty(0, np.uint16), np.int64(0)


@kernel
def _update(tables, background, key, span, memory, scratch, p, i, m, n):
    """Currents, update and margins of a block of population p."""
    cell, population, trial = tables.cells[p], tables.populations[p], span.trial
    first, last, words = background.first[p], background.first[p + 1], scratch.words
    driven = cell.biased or first < last
    current = part(scratch.current, 0, m if driven else 0)
    if driven:
        fill_bias(cell, tables, i, m, current)
        add_currents(background, first, last, trial, key, n, i, m, words, memory.ou, current)
    update(cell, tables, i, m, memory.x, memory.clock, current, scratch.fresh, scratch.margin)
    if population.escape != NO_ESCAPE:
        draw_spikes(population, p, key, n, i, m, scratch.margin, words)


@kernel
def _find_spikes(tables, background, key, span, recent, bounds, memory, scratch, n, t):
    """Integrate, threshold: the spikes of step n of part t."""
    slot, none, width = n & recent.mask, recent.units[:0], scratch.margin.dtype.type(0)
    for p in range(tables.cells.size):
        cell, begin, end, count = tables.cells[p], bounds[p, t], bounds[p, t + 1], _ZERO
        base = slot * recent.width + recent.first[p, t] if p < tables.n_firing else _ZERO
        units = part(recent.units, base, end - begin if cell.spiking else 0)
        for i in range(begin, end if cell.n_states else begin, BLOCK):
            m = min(BLOCK, end - i)
            _update(tables, background, key, span, memory, scratch, p, i, m, n)
            if cell.spiking:
                count, _ = find(scratch.margin, i, m, width, units, count, none, _ZERO)
        if p < tables.n_firing:
            recent.n_spikes[slot, t, p] = count


@kernel
def _use_resources(tables, inputs, recent, span, memory, n, t):
    """Short-term plasticity at the spikes of step n of part t."""
    for q in range(tables.shorts.size):
        wire = tables.wires[tables.shorts[q].wire]
        sent = emitted_in_part(tables, inputs, recent, span, wire, n, t)
        use_resources(tables.shorts[q], n, sent, recent.none, memory.resource)


@kernel
def _pool(tables, recent, bounds, row, first, last, t):
    """The spikes of steps first .. last of the units of part t that pool."""
    p, seen = row.population, recent.seen[t]
    begin, end = bounds[p, t], bounds[p, t + 1]
    neuron_first = tables.populations[row.source].neuron_first
    for n in range(first, last + 1):
        for other in range(bounds.shape[1] - 1):
            sent = listed(recent, row.source, n, other)
            for e in range(sent.first, sent.last):
                seen[neuron_first + recent.units[e]] = n
        slot = n & recent.mask
        units = part(recent.units, slot * recent.width + recent.first[p, t], end - begin)
        count = pool_spikes(row, tables.member, seen, n, begin, end, units, _ZERO)
        recent.n_spikes[slot, t, p] = count


@kernel
def _send(tables, inputs, recent, span, memory, first, last, t, parts):
    """Spikes of steps first .. last into the ring of arrivals."""
    ring, width = memory.ring, tables.ring_width
    for n in range(first, last + 1):
        for k in range(tables.wires.size):
            wire = tables.wires[k]
            for other in range(parts if wire.ring >= 0 else 0):
                w = weights_of(wire, memory.x)
                sent = emitted_in_part(tables, inputs, recent, span, wire, n, other)
                if sent.first < sent.last:
                    send_any(wire, tables.split, t, w, sent, n, ring, width)


@kernel
def _send_again(tables, inputs, recent, bounds, span, memory, t):
    """What was on its way from an earlier run."""
    for n in range(max(span.first - inputs.before, 0), span.first):
        _send(tables, inputs, recent, span, memory, n, n, t, bounds.shape[1] - 1)
        for c in range(tables.columns.size):
            column = tables.columns[c]
            begin, end = bounds[column.population, t], bounds[column.population, t + 1]
            forget(column, begin, end, n, memory.ring, tables.ring_width)


@kernel
def _learn(tables, plastic, inputs, recent, span, wire, n, t, parts, x):
    """What arrives at step n through a wire whose weights learn, and what its targets teach it."""
    w, split = weights_of(wire, x), tables.split
    for other in range(parts if n >= wire.delay else 0):
        sent = emitted_in_part(tables, inputs, recent, span, wire, n - wire.delay, other)
        if wire.wide:
            target = at_address(wire.target_address, wire.n_synapses, _INT32)
            arrive_and_learn(plastic, wire, target, split, t, w, sent, n, x)
        else:
            near = at_address(wire.target_address, wire.n_synapses, _UINT16)
            arrive_and_learn(plastic, wire, near, split, t, w, sent, n, x)
    learn_from_targets(plastic, wire.learns, t, w, listed(recent, wire.post, n, t), n)


@kernel
def _arrive(tables, inputs, recent, bounds, span, wire, n, t, sums, x):
    """What was emitted `delay` steps before arrives now, in ascending order of j.

    The events of an input through a dense wire are summed first, as in batches of trials.
    """
    w, y, split = weights_of(wire, x), part(x, wire.target, wire.n_post), tables.split
    jump_, one, m = x.dtype.type(wire.jump), x.dtype.type(1), n - wire.delay
    begin, end = bounds[wire.post, t], bounds[wire.post, t + 1]
    if wire.gathered >= 0:
        total = part(sums, 0, wire.n_post)
        sent = emitted_in_part(tables, inputs, recent, span, wire, m, _ZERO)
        if sent.first < sent.last:
            for i in range(begin, end):
                total[i] = 0
            deliver_any(wire, split, t, begin, end, w, one, sent, total)
            for i in range(begin, end):
                y[i] += jump_ * total[i]
        return
    external = wire.source < tables.n_inputs
    for other in range(bounds.shape[1] - 1 if m >= 0 or external else 0):
        sent = emitted_in_part(tables, inputs, recent, span, wire, m, other)
        if sent.first < sent.last:
            deliver_any(wire, split, t, begin, end, w, jump_, sent, y)


@kernel
def _deliver(tables, background, key, plastic, inputs, recent, bounds, span, memory, scratch, n, t):
    """Everything that arrives at step n at the neurons of part t."""
    parts, x = bounds.shape[1] - 1, memory.x
    for s in range(background.n_currents, background.sources.size):
        source = background.sources[s]
        begin, end = bounds[source.population, t], bounds[source.population, t + 1]
        add_poisson(source, background, span.trial, key, n, begin, end, scratch.words, x)
    for k in range(tables.wires.size):
        wire = tables.wires[k]
        if wire.learns >= 0:
            _learn(tables, plastic, inputs, recent, span, wire, n, t, parts, x)
        elif wire.ring < 0:
            _arrive(tables, inputs, recent, bounds, span, wire, n, t, scratch.sums, x)
    for c in range(tables.columns.size):
        column = tables.columns[c]
        begin, end = bounds[column.population, t], bounds[column.population, t + 1]
        take(column, begin, end, n, memory.ring, tables.ring_width, x)


@kernel
def _reset(tables, recent, bounds, memory, scratch, n, t):
    """Reset and jumps of the neurons of part t that spiked; what moved a clamped U is lost."""
    x, numbers, none, clock, held = memory.x, tables.numbers, recent.none, memory.clock, memory.held
    for p in range(tables.n_firing):
        if tables.cells[p].n_states:
            sent = listed(recent, p, n, t)
            reset(tables.populations[p], tables.cells[p], numbers, sent, none, x, clock, held)
    for k in range(tables.jumps.size):
        row = tables.jumps[k]
        if n >= row.delay:
            jump(row, numbers, listed(recent, row.population, n - row.delay, t), x)
    for p in range(tables.cells.size):
        if tables.cells[p].holds:
            hold(tables.cells[p], bounds[p, t], bounds[p, t + 1], clock, held, scratch.fresh, x)


@kernel
def advance(
    tables,
    background,
    key,
    plastic,
    inputs,
    recent,
    bounds,
    span,
    record,
    memory,
    scratch,
    control,
    t,
):
    """The steps of `span` of everything that belongs to part t.

    At the end all threads have met, and all spikes are sent.
    """
    tables, background, plastic, inputs = (
        lent(tables),
        lent(background),
        lent(plastic),
        lent(inputs),
    )
    recent, record, memory, scratch = lent(recent), lent(record), lent(memory), lent(scratch)
    span = lent(span)
    parts, known, meetings, row = bounds.shape[1] - 1, span.first - 1, 0, 0
    if span.first == span.begin:
        _send_again(tables, inputs, recent, bounds, span, memory, t)
    for n in range(span.first, span.last):
        _find_spikes(tables, background, key, span, recent, bounds, memory, scratch, n, t)
        _use_resources(tables, inputs, recent, span, memory, n, t)
        # spikes up to n - shortest arrive now: exchange all there are
        if n - span.shortest > known or n == span.last - 1:
            if parts > 1:
                meetings += 1
                meet(control, meetings, parts)
            for k in range(tables.pools.size):  # what they pool is complete now
                _pool(tables, recent, bounds, tables.pools[k], known + 1, n, t)
                if parts > 1:
                    meetings += 1
                    meet(control, meetings, parts)
            _send(tables, inputs, recent, span, memory, known + 1, n, t, parts)
            known = n
        _deliver(
            tables, background, key, plastic, inputs, recent, bounds, span, memory, scratch, n, t
        )
        _reset(tables, recent, bounds, memory, scratch, n, t)
        if record.element.size and n % record.every == 0:
            for c in range(record.element.size):
                if record.owner[c] == t:
                    record.values[row, c] = memory.x[record.element[c]]
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

    They are sorted by step, and then by part and neuron.
    """
    total = 0
    for n in range(first, last):
        for t in range(recent.first.shape[1]):
            sent = listed(recent, p, n, t)
            for e in range(sent.first, sent.last):
                steps[total], units[total] = n, recent.units[e]
                total += 1
